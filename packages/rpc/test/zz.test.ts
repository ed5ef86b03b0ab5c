import { Thrift } from "@millrace/codec"
import { it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
it("s", async () => {
  for (const s of [Thrift.I32, Thrift.I8, Thrift.Double, Thrift.String, Thrift.I64, Thrift.Binary, Thrift.list(Thrift.I32), Thrift.map(Thrift.String, Thrift.Bool)] as const)
    console.log(JSON.stringify(await Effect.runPromise(Arbitrary.sampleEffect(Arbitrary.schema(s as any), { count: 40 } as any)), (_, v) => typeof v === "bigint" ? `${v}n` : Object.is(v, -0) ? "-0" : typeof v === "number" && !Number.isFinite(v) ? String(v) : v instanceof Map ? [...v] : v))
  class P extends Thrift.Struct<P>("geo.P")({ x: Thrift.required(1, Thrift.Double), y: Thrift.field(2, Thrift.list(Thrift.String)), z: Thrift.optional(3, Thrift.I64), m: Thrift.field(4, Thrift.map(Thrift.String, Thrift.I32)) , s: Thrift.field(5, Thrift.set(Thrift.I16)), e: Thrift.field(6, Thrift.Enum("E", {A: 1})) }) {}
  for (const k of Object.keys(P.fields)) { const f: any = (P.fields as any)[k]; console.log(k, f.ast._tag, Object.keys(f), f.schema === undefined ? "" : Object.keys(f.schema), JSON.stringify(f.ast.checks?.map((c: any) => c.annotations?.arbitraryConstraint))) }
  console.log((Thrift.I32 as any).ast, (P as any).ast.encoding[0].to.propertySignatures[3].type.annotations)
})

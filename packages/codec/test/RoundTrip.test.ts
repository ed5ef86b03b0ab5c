import { assert, describe, it } from "@effect/vitest"
import { Codec, type CodecError, Output, Thrift } from "@millrace/codec"
import { Schema } from "effect"
import { planOf } from "../src/internal/fromSchema.ts"
import type { NamedPlan } from "../src/internal/plan.ts"
import { hex, toJson, types } from "./golden.ts"
import { verdict } from "./support/verdict.ts"

const optionsUnderTest: ReadonlyArray<Codec.Options> = [
  {},
  { fieldOrder: "kitex" },
  { absentStruct: "empty" },
  { fieldOrder: "kitex", absentStruct: "empty" }
]

class Numbers extends Thrift.Struct<Numbers>("test.Numbers")({
  number: Thrift.field(1, Thrift.I64Number),
  bare: Thrift.optional(2, Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -5n, maximum: 5n }))),
  text: Thrift.optional(3, Schema.Literals(["a", "b"]).annotate({ "~thrift/type": { kind: "string" } })),
  flag: Thrift.required(4, Schema.Boolean),
  bytes: Thrift.field(5, Schema.Uint8Array),
  list: Thrift.field(6, Schema.Array(Schema.Boolean)),
  table: Thrift.field(7, Schema.ReadonlyMap(Thrift.String, Thrift.I8)),
  set: Thrift.field(8, Schema.ReadonlySet(Thrift.I16)),
  checked: Thrift.optional(9, Thrift.I32.check(Schema.isGreaterThan(0))),
  digits: Thrift.field(10, Thrift.I64String),
  limit: Thrift.optional(11, Thrift.I64String, { default: () => "9223372036854775807" }),
  ids: Thrift.field(12, Thrift.set(Thrift.I64String)),
  byId: Thrift.field(13, Thrift.map(Thrift.I64String, Thrift.list(Thrift.I64String)))
}) {}

describe("round trip", () => {
  for (const [name, schema] of Object.entries({ ...types, Numbers })) {
    it.prop(
      name,
      [schema as Schema.Codec<any, any>],
      ([value]) => {
        const plan = planOf(schema) as NamedPlan
        for (const options of optionsUnderTest) {
          const source = Codec.make(schema, { ...options, mode: "source" })
          const closure = Codec.make(schema, { ...options, mode: "closure" })
          const bytes = source.encode(value)
          assert.strictEqual(hex(closure.encode(value)), hex(bytes))
          const expected = JSON.stringify(toJson(plan, value))
          const a = source.decode(bytes)
          const b = closure.decode(bytes)
          // what an absent struct is written as is a struct for the reader
          if (options.absentStruct === undefined) assert.strictEqual(JSON.stringify(toJson(plan, a)), expected)
          assert.strictEqual(JSON.stringify(toJson(plan, b)), JSON.stringify(toJson(plan, a)))
          if (name !== "Choice") assert.isTrue(a instanceof (schema as any) && b instanceof (schema as any))
          assert.strictEqual(hex(source.encode(a)), hex(source.encode(b)))
        }
        return true
      },
      { arbitrary: { runs: 60 } }
    )
  }
})

class Blob extends Thrift.Struct<Blob>("test.Blob")({
  before: Thrift.field(1, Thrift.String),
  bytes: Thrift.field(2, Thrift.Binary),
  all: Thrift.field(3, Thrift.list(Thrift.Binary)),
  after: Thrift.field(4, Thrift.I32)
}) {}

describe.each(["source", "closure"] as const)("large values, with %s", (mode) => {
  const codec = Codec.make(Blob, { mode })
  const large = new Uint8Array(4096).fill(1)
  const small = new Uint8Array(4095).fill(2)

  it("a binary of 4096 bytes is a segment on write, a smaller one is copied", () => {
    const out = new Output.Output()
    codec.encodeInto(new Blob({ before: "x", bytes: large, all: [small, large], after: 7 }), out)
    assert.strictEqual(out.segments.length, 2)
    assert.strictEqual(out.segments[0]!.bytes, large)
    assert.strictEqual(out.segments[0]!.at, 8 + 7)
    const bytes = codec.encode(new Blob({ before: "x", bytes: large, all: [small, large], after: 7 }))
    assert.strictEqual(bytes.length, out.position + 2 * 4096)
    const read = codec.decode(bytes)
    assert.deepStrictEqual([read.bytes, read.all, read.after], [large, [small, large], 7])
  })

  it("a binary of 4096 bytes is a view on read, a smaller one is a copy, neither is a Buffer", () => {
    const bytes = Buffer.from(codec.encode(new Blob({ before: "", bytes: large, all: [small], after: 0 })))
    const read = codec.decode(bytes)
    assert.strictEqual(read.bytes.buffer, bytes.buffer)
    assert.notStrictEqual(read.all[0]!.buffer, bytes.buffer)
    assert.strictEqual(read.bytes.constructor, Uint8Array)
    assert.strictEqual(read.all[0]!.constructor, Uint8Array)
  })

  it("outputs grow, and a failed message leaves them as they were", () => {
    const out = new Output.Output(16)
    const value = new Blob({ before: "é".repeat(5000), bytes: small, all: [], after: 1 })
    codec.encodeInto(value, out)
    codec.encodeInto(value, out)
    const { position } = out
    assert.throws(() => codec.encodeInto({ ...value, bytes: large, after: 1.5 } as any, out))
    assert.strictEqual(out.position, position)
    assert.strictEqual(out.segments.length, 0)
    const half = position / 2
    assert.deepStrictEqual(codec.decodeFrom(out.buffer, half, position), value)
  })

  it("texts of every length and script", () => {
    const out = new Output.Output(64)
    const Message = class extends Thrift.Struct<any>(`test.Text.${mode}`)({ s: Thrift.optional(1, Thrift.String) }) {}
    const texts = Codec.make(Message, { mode })
    for (const unit of ["a", "é", "中", "😀", "a中"]) {
      for (const length of [0, 1, 2, 3, 7, 8, 12, 13, 15, 16, 17, 40, 341, 342, 1025, 30_000]) {
        const s = unit.repeat(length)
        out.clear()
        texts.encodeInto(new Message({ s }), out)
        assert.strictEqual(texts.decodeFrom(out.buffer, 0, out.position).s, s)
      }
    }
  })

  it("a lone surrogate is written as U+FFFD", () => {
    for (const s of ["\ud800", "a\udc00b", "x".repeat(40) + "\ud83d"]) {
      const read = codec.decode(codec.encode(new Blob({ before: s, bytes: small, all: [], after: 0 })))
      assert.strictEqual(read.before, s.replace(/[\ud800-\udfff]/g, "\ufffd"))
    }
  })

  it("bytes that are not UTF-8 are read as U+FFFD, and a byte order mark stays", () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"))
    assert.strictEqual(codec.decode(bytes("0b00010000000361ff6200")).before, "a\ufffdb")
    assert.strictEqual(codec.decode(bytes("0b000100000004efbbbf7800")).before, "\ufeffx")
  })
})

class Outcome extends Thrift.Struct<Outcome>("test.Outcome")({ at: Thrift.field(1, Thrift.I64Number) }) {}

describe.each(["source", "closure"] as const)("i64 as a number, with %s", (mode) => {
  const codec = Codec.make(Outcome, { mode })
  it.each([0, -1, 2 ** 32, -(2 ** 32) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])("%d", (at) => {
    assert.strictEqual(codec.decode(codec.encode(new Outcome({ at }))).at, at)
  })
  it("one that is not safe is refused both ways", () => {
    const bytes = new Uint8Array(Buffer.from("0a0001002000000000000000", "hex"))
    const error = verdict(() => codec.decode(bytes)) as CodecError.CodecError
    assert.deepInclude({ ...error }, { kind: "BadValue", path: "Outcome.at", offset: 3 })
    assert.strictEqual((verdict(() => codec.encode({ at: 2 ** 53 } as any)) as any).kind, "BadValue")
  })
})

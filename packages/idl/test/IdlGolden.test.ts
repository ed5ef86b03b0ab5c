/** Codecs of an IDL that was loaded at run time, against the bytes of Kitex and the schemas written by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Codec, Plan } from "@millrace/codec"
import { Idl } from "@millrace/idl"
import { Effect, type Schema } from "effect"
import { readFileSync } from "node:fs"
import * as Golden from "../../codec/test/golden.ts"
import * as Interop from "../../../interop/src/api.ts"

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const load = (entry: string) => Effect.runSync(Idl.load({ files: { [entry]: text(`./data/${entry}`) }, entry }))

const golden = load("golden.thrift")
const interop = load("interop.thrift")

const cases: {
  readonly encode: ReadonlyArray<{ name: string; type: string; value: any; hex?: string }>
  readonly decode: ReadonlyArray<{ name: string; type: string; hex: string; error?: string }>
} = JSON.parse(text("../../codec/test/data/codec.json"))

/** The type by hand and its name in the IDL. `RawText` is of the tests alone. */
const written = Object.entries(Golden.types).filter(([name]) => name !== "RawText")

describe("the plan of a loaded type is that of the type written by hand", () => {
  it.each(written)("%s of golden.thrift", (name, schema) => {
    assert.strictEqual(Plan.describe(Plan.of(golden.types.get(name)!)), Plan.describe(Plan.of(schema)))
  })
})

const attempt = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return `${error}`
  }
}

describe.each(["source", "closure"] as const)("bytes, with %s", (mode) => {
  const options = { mode, fieldOrder: "kitex", absentStruct: "empty" } as const
  const codecs = (name: string) => [
    Codec.make(golden.types.get(name)!, options),
    Codec.make(Golden.types[name]! as Schema.Top, options)
  ]

  it.each(cases.encode.filter(({ hex }) => hex !== undefined).map((each) => [each.name, each] as const))(
    "%s",
    (_, { type, value, hex }) => {
      const [loaded, byHand] = codecs(type)
      const message = () => Golden.fromJson(Plan.of(golden.types.get(type)!), value)
      const bytes = attempt(() => Golden.hex(loaded!.encode(message())))
      assert.strictEqual(
        bytes,
        attempt(() => Golden.hex(byHand!.encode(message())))
      )
      // what comes back is written as the same bytes again, and by both
      const read = (codec: Codec.Codec<any>) =>
        attempt(() => Golden.hex(codec.encode(codec.decode(Golden.unhex(hex!)))))
      assert.strictEqual(read(loaded!), read(byHand!))
    }
  )

  it.each(cases.decode.map((each) => [each.name, each] as const))("reading %s", (_, { type, hex }) => {
    const [loaded, byHand] = codecs(type)
    const plan = Plan.of(golden.types.get(type)!)
    const read = (codec: Codec.Codec<any>) => attempt(() => Golden.toJson(plan, codec.decode(Golden.unhex(hex))))
    assert.deepStrictEqual(read(loaded!), read(byHand!))
  })
})

it("constants have the types of their values", () => {
  assert.deepStrictEqual(golden.constants.get("ANSWER"), 42)
  assert.deepStrictEqual(golden.constants.get("GREETING"), "héllo")
  assert.deepStrictEqual(golden.constants.get("PRIMES"), [2, 3, 5])
})

describe("interop.thrift", () => {
  const names = [
    "Point",
    "Node",
    "Choice",
    "Refused",
    "Nothing",
    "Needed",
    "Defaults",
    "Everything",
    "Request",
    "Response"
  ]
  it.each(names)("%s has the plan of the type written by hand", (name) => {
    const loaded = Plan.describe(Plan.of(interop.types.get(name)!))
    const byHand = Plan.describe(Plan.of((Interop as any)[name]))
    // the examples there are called after the last segment of the namespace
    assert.strictEqual(loaded.replaceAll("millrace.interop.", "interop."), byHand)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Output, Plan, type Runtime, Thrift } from "@millrace/codec"
import { Schema } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { generated } from "./support/generated.ts"

describe("where code generation is forbidden", () => {
  it("closures serve", () => {
    const script = fileURLToPath(new URL("./support/forbidden.ts", import.meta.url))
    const flags = ["--disallow-code-generation-from-strings", "--experimental-strip-types", "--no-warnings"]
    const answer = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }))
    assert.isTrue(answer.isForbidden)
    assert.isAbove(answer.count, 60)
  })
})

class Text extends Thrift.Struct<Text>("test.NoBuffer")({ s: Thrift.optional(1, Thrift.String) }) {}

describe("where there is no Buffer", () => {
  it("the bytes and the texts are the same", () => {
    const script = fileURLToPath(new URL("./support/noBuffer.ts", import.meta.url))
    const units = ["a", "é", "中", "😀", "\ud800", "x\udfff", "\ufeff"]
    const texts = units.flatMap((unit) => [1, 5, 16, 17, 400, 2000].map((n) => unit.repeat(n)))
    const flags = ["--experimental-strip-types", "--no-warnings"]
    const output = execFileSync(process.execPath, [...flags, script, JSON.stringify(texts)], { encoding: "utf8" })
    const { answers, hasBuffer } = JSON.parse(output)
    assert.isFalse(hasBuffer)
    const codec = Codec.make(Text)
    texts.forEach((s, i) => {
      const bytes = codec.encode(new Text({ s }))
      assert.deepStrictEqual(answers[i], [[...bytes], codec.decode(bytes).s])
    })
  })
})

// the same type, as a person writes it and with a codec made ahead of time
const fields = () => ({
  id: Thrift.required(1, Thrift.I64),
  names: Thrift.field(2, Thrift.list(Thrift.String), { default: () => ["a"] }),
  kind: Thrift.optional(3, Thrift.I32, { default: () => 4 }),
  self: Thrift.optional(
    4,
    Schema.suspend((): Schema.Codec<any, unknown> => Ahead)
  )
})

// the form that the text is made from: it may hold itself under its own name only
class Shape extends Thrift.Struct<Shape>("ahead.Node2")({
  ...fields(),
  self: Thrift.optional(
    4,
    Schema.suspend((): Schema.Codec<any, unknown> => Shape)
  )
}) {}

class Plain extends Thrift.Struct<Plain>("ahead.Node")({
  ...fields(),
  self: Thrift.optional(
    4,
    Schema.suspend((): Schema.Codec<any, unknown> => Plain)
  )
}) {}

const { Node: compiled } = await generated("Node", [{ name: "Node", plan: Plan.of(Shape) }])
let used = 0
const counted: Runtime.Compiled = {
  ...compiled!,
  encode: (value, out, position, depth) => {
    used++
    return compiled!.encode(value, out, position, depth)
  }
}

class Ahead extends Thrift.Struct<Ahead>("ahead.Node2", { codec: counted })(fields()) {}

describe("a codec made ahead of time", () => {
  const plain = Codec.make(Plain, { mode: "source" })
  const ahead = Codec.make(Ahead)

  it("is used, gives the same bytes and makes instances of its class", () => {
    const props = { id: 5n, names: ["x", "y"], kind: 9 }
    const bytes = ahead.encode(new Ahead({ ...props, self: new Ahead({ id: 1n }) }))
    assert.strictEqual(used, 1)
    assert.deepStrictEqual(bytes, plain.encode(new Plain({ ...props, self: new Plain({ id: 1n }) })))
    const read = ahead.decode(bytes)
    assert.isTrue(read instanceof Ahead && read.self instanceof Ahead)
    assert.deepStrictEqual(read, new Ahead({ ...props, self: new Ahead({ id: 1n }) }))
  })

  it("explains its failures", () => {
    const out = new Output.Output()
    try {
      ahead.encodeInto({ id: 1n, names: [3] } as any, out)
      assert.fail("expected a failure")
    } catch (error) {
      assert.instanceOf(error, CodecError.CodecError)
      assert.strictEqual((error as Error).message, "Node2.names[0]: expected string, got 3")
    }
  })

  it("is not used with other options than it was made for", () => {
    const before = used
    Codec.make(Ahead, { fieldOrder: "kitex" }).encode(new Ahead({ id: 1n }))
    Codec.make(Ahead, { mode: "closure" }).encode(new Ahead({ id: 1n }))
    assert.strictEqual(used, before)
  })
})

describe("generated text", () => {
  it("survives names that are not identifiers, and names of globals", () => {
    class Map_ extends Thrift.Struct<Map_>("odd.Map")({
      ["a-b"]: Thrift.field(1, Thrift.String),
      ['"];throw 1//']: Thrift.optional(2, Thrift.I32),
      constructor_: Thrift.field(3, Thrift.map(Thrift.String, Thrift.I32)),
      ["\u2028"]: Thrift.optional(4, Thrift.String, { default: () => "\u2028`${1}" })
    }) {}
    const codec = Codec.make(Map_, { mode: "source" })
    const value = new Map_({ ["a-b"]: "x", ['"];throw 1//']: 3, constructor_: new Map([["__proto__", 1]]) })
    assert.deepStrictEqual(codec.decode(codec.encode(value)), value)
  })

  it("keeps types of one name apart", () => {
    class A extends Thrift.Struct<A>("one.Same")({ x: Thrift.required(1, Thrift.I32) }) {}
    class B extends Thrift.Struct<B>("two.Same")({ a: Thrift.required(1, A), y: Thrift.required(2, Thrift.Bool) }) {}
    const codec = Codec.make(B, { mode: "source" })
    const value = new B({ a: new A({ x: 1 }), y: true })
    assert.deepStrictEqual(codec.decode(codec.encode(value)), value)
  })
})

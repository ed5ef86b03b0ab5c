import { assert, describe, it } from "@effect/vitest"
import { Codec, Thrift } from "@millrace/codec"
import { Effect, Equal, Schema } from "effect"
import { unhex } from "./golden.ts"

class Request extends Thrift.Struct<Request>("test.Request")({ message: Thrift.optional(1, Thrift.String) }) {
  get shout(): string {
    return `${this.message}!`
  }
}

class Holder extends Thrift.Struct<Holder>("test.Holder")({
  request: Thrift.field(1, Request),
  items: Thrift.field(2, Thrift.list(Request)),
  count: Thrift.field(3, Thrift.I32),
  limit: Thrift.optional(4, Thrift.I32, { default: () => 10 })
}) {}

class Busy extends Thrift.Exception<Busy>()("test.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}

class Refused extends Thrift.Exception<Refused>()("test.Refused", {
  message: Thrift.field(1, Thrift.String),
  cause: Thrift.optional(2, Thrift.I32)
}) {}

describe("structs", () => {
  it("an explicit undefined is an absent key", () => {
    const request = new Request({ message: undefined })
    assert.deepStrictEqual(Object.keys(request), [])
    assert.isTrue(Equal.equals(request, new Request({})))
    assert.deepStrictEqual(Object.keys(new Holder({ request: undefined })), ["items", "count", "limit"])
  })

  it("members of default requiredness begin with their zero, made anew", () => {
    const a = new Holder({})
    const b = new Holder({})
    assert.deepStrictEqual({ ...a }, { items: [], count: 0, limit: 10 })
    assert.notStrictEqual(a.items, b.items)
  })

  it.each(["source", "closure"] as const)("decoded messages are instances, with %s", (mode) => {
    const codec = Codec.make(Holder, { mode })
    const made = new Holder({ request: new Request({ message: "a" }), items: [new Request({})], count: 3 })
    const read = codec.decode(codec.encode(made))
    assert.isTrue(read instanceof Holder && read.request instanceof Request && read.items[0] instanceof Request)
    assert.isTrue(Equal.equals(read, made) && Equal.equals(made, read))
    assert.isTrue(Schema.is(Holder)(read))
    assert.strictEqual(read.request!.shout, "a!")
    assert.strictEqual(read.constructor, Holder)
    assert.strictEqual(String(read), String(made))
    assert.deepStrictEqual(Object.keys(read.items[0]!), [])
    assert.deepStrictEqual(read, made)
  })

  it("the codec of a schema is made once", () => {
    assert.strictEqual(Codec.make(Request), Codec.make(Request))
    assert.notStrictEqual(Codec.make(Request), Codec.make(Request, { absentStruct: "empty" }))
  })

  it("the functions of a codec stand alone", () => {
    const { decode, encode } = Codec.make(Request, { mode: "source", maxDepth: 63 })
    assert.strictEqual(decode(encode(new Request({ message: "x" }))).message, "x")
    assert.strictEqual(decode(encode(new Request({ message: "y" }))).message, "y")
  })
})

describe("exceptions", () => {
  it.effect("can be yielded and caught by tag", () =>
    Effect.gen(function* () {
      const caught = yield* Effect.gen(function* () {
        return yield* new Busy({ retryAfter: 5n })
      }).pipe(Effect.catchTag("Busy", (busy) => Effect.succeed(busy.retryAfter)))
      assert.strictEqual(caught, 5n)
    })
  )

  it.each(["source", "closure"] as const)("are real errors when they were decoded, with %s", (mode) => {
    const codec = Codec.make(Busy, { mode })
    const read = codec.decode(codec.encode(new Busy({ retryAfter: 7n })))
    assert.isTrue(read instanceof Busy && read instanceof Error)
    assert.strictEqual(read._tag, "Busy")
    assert.strictEqual(read.retryAfter, 7n)
    assert.include(read.stack!, "Thrift.test.ts")
    assert.strictEqual(read.message, 'Busy({"retryAfter":"7"})')
    assert.strictEqual(read.name, "test.Busy")
    assert.deepStrictEqual(Object.keys(codec.decode(unhex("00"))), ["_tag"])
  })

  it("a member message is the message", () => {
    const codec = Codec.make(Refused)
    const read = codec.decode(codec.encode(new Refused({ message: "no", cause: 3 })))
    assert.strictEqual(read.message, "no")
    assert.strictEqual(codec.decode(unhex("00")).message, "")
  })
})

describe("enums", () => {
  const Color = Thrift.Enum("test.Color", { RED: 0, GREEN: 1, BLUE: 5 })
  it("know their members and keep other numbers", () => {
    assert.strictEqual(Color.BLUE, 5)
    assert.strictEqual(Color.name(5), "BLUE")
    assert.strictEqual(Color.name(7), undefined)
    assert.strictEqual(Color.parse("GREEN"), 1)
    assert.strictEqual(Color.parse("toString"), undefined)
    assert.isFalse(Color.is(7))
    class Paint extends Thrift.Struct<Paint>("test.Paint")({ color: Thrift.field(1, Color) }) {}
    const codec = Codec.make(Paint)
    assert.strictEqual(codec.decode(codec.encode(new Paint({ color: 77 }))).color, 77)
    assert.strictEqual(new Paint({}).color, 0)
  })
})

describe("unions", () => {
  const Value = Thrift.Union("test.Value", { text: Thrift.field(1, Thrift.String), num: Thrift.field(2, Thrift.I32) })
  const codec = Codec.make(Value)
  it("have one member", () => {
    const value = Value.cases.text.make({ value: "x" })
    assert.deepStrictEqual(codec.decode(codec.encode(value)), { _tag: "text", value: "x" })
    assert.strictEqual(Value.match(value, { text: (x) => x.value, num: (x) => `${x.value}` }), "x")
  })
})

describe.each(["source", "closure"] as const)("arguments and results, with %s", (mode) => {
  const options = { mode }
  const args = Codec.args("S.M", { req: Thrift.field(1, Request), n: Thrift.field(2, Thrift.I32) }, options)
  const result = Codec.result("S.M", Request, { busy: Thrift.field(1, Busy) }, options)
  const nothing = Codec.result("S.M", undefined, {}, options)
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

  it("arguments are members of default requiredness", () => {
    const bytes = args.encode({ req: new Request({ message: "hi" }), n: 3 })
    assert.strictEqual(hex(bytes), "0c00010b0001000000026869000800020000000300")
    const read = args.decode(bytes)
    assert.isTrue(read.req instanceof Request)
    assert.strictEqual(read.n, 3)
    assert.deepStrictEqual(args.decode(unhex("00")), { n: 0 } as any)
  })

  it("the default of an argument is ignored, as in Kitex: absent, it is the zero", () => {
    const fields = { n: Thrift.field(1, Thrift.I32, { default: () => 3 }) }
    const codec = Codec.args("S.M", fields, options)
    assert.deepStrictEqual(codec.decode(unhex("00")), { n: 0 })
    assert.strictEqual(hex(codec.encode({ n: 3 })), "0800010000000300")
  })

  it("a result has what was set", () => {
    assert.strictEqual(hex(result.encode({})), "00")
    assert.strictEqual(hex(result.encode({ success: new Request({ message: "yo" }) })), "0c00000b000100000002796f0000")
    assert.strictEqual(hex(result.encode({ busy: new Busy({ retryAfter: 1n }) })), "0c00010a000100000000000000010000")
    assert.deepStrictEqual(result.decode(unhex("00")), {})
    assert.deepStrictEqual(Object.keys(result.decode(unhex("0c00010000"))), ["busy"])
    assert.isTrue(result.decode(unhex("0c00010000")).busy instanceof Busy)
  })

  it("the void success of a generic Kitex server is nothing", () => {
    assert.deepStrictEqual(nothing.decode(unhex("0100000000")), {})
    assert.deepStrictEqual(result.decode(unhex("0100000000")), {})
    assert.throws(() => args.decode(unhex("0100000000")))
  })
})

describe("what is absent", () => {
  it("a struct of default requiredness is left out, or empty as in Kitex", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
    class Wrapper extends Thrift.Struct<Wrapper>("test.Wrapper")({ request: Thrift.field(1, Request) }) {}
    for (const mode of ["source", "closure"] as const) {
      assert.strictEqual(hex(Codec.make(Wrapper, { mode }).encode(new Wrapper({}))), "00")
      const empty = Codec.make(Wrapper, { mode, absentStruct: "empty" })
      assert.strictEqual(hex(empty.encode(new Wrapper({}))), "0c00010000")
    }
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Thrift } from "@millrace/codec"
import { Effect, Schema, SchemaGetter, SchemaTransformation } from "effect"
import { hex } from "./golden.ts"

const Millis = Thrift.I64Number.pipe(
  Schema.decodeTo(
    Schema.Date,
    SchemaTransformation.transform({ decode: (n: number) => new Date(n), encode: (d: Date) => d.getTime() })
  )
)

const Upper = Thrift.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({
      decode: (s: string) => {
        if (s === "boom") throw new RangeError("mine")
        return s.toUpperCase()
      },
      encode: (s: string) => s.toLowerCase()
    })
  )
)

class Event extends Thrift.Struct<Event>("test.Event")({
  at: Thrift.required(1, Millis),
  maybe: Thrift.optional(2, Millis),
  all: Thrift.field(3, Thrift.list(Millis)),
  byName: Thrift.field(4, Thrift.map(Thrift.String, Millis)),
  zero: Thrift.field(5, Millis),
  given: Thrift.optional(6, Millis, { default: () => new Date(5) }),
  late: Thrift.I64Number.pipe(Schema.annotateKey({ "~thrift/field": { id: 7, requiredness: "required" } } as any)).pipe(
    Schema.decodeTo(Schema.Date, Millis.ast.encoding![0].transformation as any)
  ) as unknown as typeof Millis,
  text: Thrift.field(8, Upper)
}) {}

describe.each(["source", "closure"] as const)("transformations, with %s", (mode) => {
  const codec = Codec.make(Event, { mode })
  const date = new Date(1_700_000_000_000)
  const event = new Event({ at: date, all: [date], byName: new Map([["a", date]]), late: date, text: "ABC" })

  it("are compiled", () => {
    const bytes = codec.encode(event)
    assert.include(hex(bytes), "0a00010000018bcfe56800")
    assert.include(hex(bytes), "0b000800000003616263")
    const read = codec.decode(bytes)
    assert.deepStrictEqual(read, event)
    assert.deepStrictEqual(read.zero, new Date(0))
    assert.deepStrictEqual(read.given, new Date(5))
    assert.isFalse("maybe" in read)
  })

  it("that throw are a CodecError", () => {
    for (const run of [
      () => codec.decode(codec.encode(new Event({ at: date, late: date, text: "BOOM" }))),
      () => codec.encode({ ...event, at: 5 } as any)
    ]) {
      try {
        run()
        assert.fail("expected a failure")
      } catch (error) {
        assert.instanceOf(error, CodecError.CodecError)
        assert.strictEqual((error as CodecError.CodecError).kind, "BadValue")
      }
    }
  })
})

describe("transformations with effects", () => {
  it("are refused", () => {
    const Slow = Thrift.I32.pipe(
      Schema.decodeTo(Schema.Number, {
        decode: SchemaGetter.transformEffect((n: number) => Effect.succeed(n)),
        encode: SchemaGetter.transform((n: number) => n)
      })
    )
    assert.throws(() => Thrift.assertSchema(Schema.Struct({ a: Thrift.required(1, Slow) })), /total, synchronous/)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { CodecError, Message, Output } from "@millrace/codec"
import { hex, unhex } from "./golden.ts"

const written = (write: (out: Output.Output) => void): string => {
  const out = new Output.Output(16)
  write(out)
  return hex(out.buffer.subarray(0, out.position))
}

const failure = (text: string): CodecError.CodecError => {
  const bytes = unhex(text)
  try {
    Message.read(bytes, 0, bytes.length)
  } catch (error) {
    assert.instanceOf(error, CodecError.CodecError)
    return error as CodecError.CodecError
  }
  throw new Error("expected a failure")
}

describe("envelopes", () => {
  // spec vectors V02, V05, V06, V08, recorded from Kitex
  const vectors = [
    ["80010001000000044563686f00000001", { type: 1, method: "Echo", sequenceId: 1 }],
    ["800100010000000450696e6700000002", { type: 1, method: "Ping", sequenceId: 2 }],
    ["800100020000000450696e6700000002", { type: 2, method: "Ping", sequenceId: 2 }],
    ["80010004000000064e6f7469667900000003", { type: 4, method: "Notify", sequenceId: 3 }]
  ] as const

  it.each(vectors)("%s", (text, envelope) => {
    assert.strictEqual(
      written((out) => Message.write(envelope, out)),
      text
    )
    const bytes = unhex(`ffff${text}0c`)
    assert.deepStrictEqual(Message.read(bytes, 2, bytes.length), { ...envelope, bodyAt: bytes.length - 1 })
  })

  it("long and foreign names, and negative sequence ids", () => {
    for (const method of ["", "方法", "x".repeat(300)]) {
      const envelope = { type: 1, method, sequenceId: -5 }
      const bytes = unhex(written((out) => Message.write(envelope, out)))
      assert.deepStrictEqual(Message.read(bytes, 0, bytes.length), { ...envelope, bodyAt: bytes.length })
    }
  })

  it("the type is the low 16 bits", () => {
    const bytes = unhex("80010101000000014500000001")
    assert.strictEqual(Message.read(bytes, 0, bytes.length).type, 0x101)
  })

  it("only the strict form is accepted", () => {
    const error = failure("000000044563686f0100000001")
    assert.strictEqual(error.kind, "BadValue")
    assert.include(error.message, "bad version")
  })

  it("every prefix is truncated", () => {
    const text = "80010001000000044563686f00000001"
    for (let i = 0; i < text.length / 2; i++) assert.strictEqual(failure(text.slice(0, i * 2)).kind, "Truncated")
    assert.strictEqual(failure("80010001ffffffff00000000").kind, "NegativeSize")
    assert.strictEqual(failure("800100017fffffff00000000").kind, "Truncated")
  })
})

describe("application exceptions", () => {
  const v09 =
    "0b000100000029756e6b6e6f776e206d6574686f64204e6f7065202873657276696365204563686f53657276696365290800020000000100"
  const exception = { message: "unknown method Nope (service EchoService)", type: 1 }

  it("have both fields, message first", () => {
    assert.strictEqual(
      written((out) => Message.writeException(exception, out)),
      v09
    )
    const bytes = unhex(v09)
    assert.deepStrictEqual(Message.readException(bytes, 0, bytes.length), exception)
  })

  it("an empty message becomes the text of its type", () => {
    const read = (text: string) => Message.readException(unhex(text), 0, text.length / 2)
    assert.deepStrictEqual(read("00"), { message: "unknown application exception", type: 0 })
    assert.deepStrictEqual(read("0800020000000600"), { message: "unknown internal error", type: 6 })
    assert.deepStrictEqual(read("0800020000001400"), { message: "unknown exception type [20]", type: 20 })
    for (const [type, message] of [
      [4, "bad sequence ID"],
      [20, "unknown service"],
      [1000, ""]
    ] as const) {
      const bytes = unhex(written((out) => Message.writeException({ message: "", type }, out)))
      const expected = message === "" ? "unknown exception type [1000]" : message
      assert.deepStrictEqual(Message.readException(bytes, 0, bytes.length), { message: expected, type })
    }
  })

  it("a type that is no i32 is refused", () => {
    assert.throws(() => written((out) => Message.writeException({ message: "x", type: 2 ** 40 }, out)))
  })
})

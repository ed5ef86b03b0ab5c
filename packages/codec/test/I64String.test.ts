import { assert, describe, it } from "@effect/vitest"
import { Codec, type CodecError, Thrift } from "@millrace/codec"
import { Schema } from "effect"
import { hex, unhex } from "./golden.ts"
import { verdict } from "./support/verdict.ts"

class Id extends Thrift.Struct<Id>("test.Id")({
  id: Thrift.field(1, Thrift.I64String),
  limit: Thrift.optional(2, Thrift.I64String, { default: () => "7" }),
  seen: Thrift.field(3, Thrift.set(Thrift.I64String))
}) {}

class Plain extends Thrift.Struct<Plain>("test.Id")({
  id: Thrift.field(1, Thrift.I64),
  limit: Thrift.optional(2, Thrift.I64, { default: () => 7n }),
  seen: Thrift.field(3, Thrift.set(Thrift.I64))
}) {}

const good = ["0", "-1", "10", "9007199254740993", "9223372036854775807", "-9223372036854775808"]

const wrong = [
  "",
  "-",
  "-0",
  "+1",
  "01",
  " 1",
  "1\n",
  "1.0",
  "1e3",
  "0x10",
  "٣",
  "9223372036854775808",
  "-9223372036854775809",
  "1".repeat(100_000),
  1,
  1n,
  null
]

describe("an i64 as a string", () => {
  it("takes the decimal texts of its range", () => {
    const accepts = Schema.is(Thrift.I64String)
    assert.deepStrictEqual(good.filter(accepts), good)
    assert.deepStrictEqual(wrong.filter(accepts), [])
    assert.strictEqual(new Id({}).id, "0")
    for (const id of wrong) assert.throws(() => new Id({ id } as any))
  })

  it.prop("is generated whole", { id: Thrift.I64String }, ({ id }) => assert.strictEqual(String(BigInt(id)), id))
})

describe.each(["source", "closure"] as const)("on the wire, with %s", (mode) => {
  const codec = Codec.make(Id, { mode })
  const plain = Codec.make(Plain, { mode })

  it.each(good)("%s has the bytes of the bigint", (id) => {
    const bytes = codec.encode(new Id({ id, limit: id, seen: new Set([id]) }))
    const other = plain.encode(new Plain({ id: BigInt(id), limit: BigInt(id), seen: new Set([BigInt(id)]) }))
    assert.strictEqual(hex(bytes), hex(other))
    assert.deepStrictEqual(codec.decode(bytes), new Id({ id, limit: id, seen: new Set([id]) }))
  })

  it("leaves out an optional one that is its default, and reads the absent one as its zero", () => {
    assert.strictEqual(hex(codec.encode(new Id({ limit: "7" }))), "0a000100000000000000000e00030a0000000000")
    assert.deepStrictEqual(codec.decode(Uint8Array.of(0)), new Id({ id: "0", limit: "7" }))
  })

  it("says which text is wrong and what is missing", () => {
    for (const id of wrong) {
      const error = verdict(() => codec.encode({ id, seen: new Set() } as any)) as CodecError.CodecError
      assert.match(error.message, /^Id\.id: expected the decimal text of an i64, got /)
    }
    const error = verdict(() => codec.decode(unhex("0a00010000"))) as CodecError.CodecError
    assert.deepStrictEqual([error.kind, error.path], ["Truncated", "Id.id"])
  })
})

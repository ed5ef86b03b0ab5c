import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readString } from "../src/internal/bytes.ts"

const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

describe("long strings", () => {
  it.prop(
    "read in pieces are what they are in one, whatever bytes stand at the borders",
    {
      around: Schema.Array(Byte).check(Schema.isMaxLength(12)),
      shift: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 12 }))
    },
    ({ around, shift }) => {
      const bytes = new Uint8Array(150_000).fill(0x61)
      for (const border of [65_536, 131_072]) bytes.set(around, border - shift)
      return readString(bytes, 0, bytes.length) === decode(bytes)
    },
    { arbitrary: { runs: 200 } }
  )

  it("of any characters", () => {
    for (const character of ["é", "中", "😀", "a中😀é"]) {
      const text = `x${character.repeat(60_000)}`
      const bytes = new TextEncoder().encode(text)
      assert.strictEqual(readString(bytes, 0, bytes.length), text)
    }
  })
})

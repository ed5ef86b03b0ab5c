import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { huffmanDecode, huffmanEncode, huffmanLength, latin1 } from "../../src/internal/http2/huffman.ts"

const encode = (text: string): Uint8Array => {
  const out = new Uint8Array(huffmanLength(text))
  assert.strictEqual(huffmanEncode(text, out, 0), out.length)
  return out
}

const decode = (bytes: Uint8Array) => huffmanDecode(bytes, 0, bytes.length)

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"))

const bytes = (maxLength: number) =>
  Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))), { maxLength })

describe("huffman", () => {
  it("writes the strings of RFC 7541 appendix C", () => {
    const examples = [
      ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
      ["no-cache", "a8eb10649cbf"],
      ["custom-value", "25a849e95bb8e8b4bf"],
      ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"]
    ] as const
    for (const [text, code] of examples) {
      assert.strictEqual(Buffer.from(encode(text)).toString("hex"), code)
      assert.strictEqual(decode(hex(code)), text)
    }
  })

  it("carries each of the 256 octets, alone and together", () => {
    let all = ""
    for (let octet = 0; octet < 256; octet++) {
      const text = String.fromCharCode(octet)
      assert.strictEqual(decode(encode(text)), text)
      all += text
    }
    assert.strictEqual(decode(encode(all)), all)
    assert.strictEqual(decode(encode(all.repeat(100))), all.repeat(100))
    assert.strictEqual(decode(new Uint8Array(0)), "")
  })

  it.prop(
    "any latin1 string comes back",
    { text: Arbitrary.map(bytes(200), (octets) => String.fromCharCode(...octets)) },
    ({ text }) => {
      assert.strictEqual(decode(encode(text)), text)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "any bytes are refused or are the one code of the string they decode to",
    { octets: bytes(40) },
    ({ octets }) => {
      const code = Uint8Array.from(octets)
      const text = decode(code)
      if (text !== undefined) assert.deepStrictEqual(encode(text), code)
    },
    { arbitrary: { runs: 500 } }
  )

  it("refuses EOS and bad padding", () => {
    const invalid = [
      ["ff", "eight bits of padding alone"],
      ["1fff", "'a' and eleven bits of padding"],
      ["f1e3c2e5f23a6ba0ab90f4ffff", "a byte of padding too many"],
      ["18", "'a' padded by zeros"],
      ["1e", "'a' padded by ones and a zero"],
      ["ffffffff", "EOS, padded"],
      ["1fffffffff", "EOS behind a symbol"],
      ["fffffffc07", "EOS before a symbol"]
    ] as const
    for (const [code, what] of invalid) assert.isUndefined(decode(hex(code)), what)
  })

  it("accepts zero to seven bits of padding", () => {
    // "a" has five bits: one to eight of them leave every remainder.
    for (let length = 1; length <= 8; length++) {
      const text = "a".repeat(length)
      assert.strictEqual(huffmanLength(text), Math.ceil((length * 5) / 8))
      assert.strictEqual(decode(encode(text)), text)
    }
  })

  it("makes latin1 strings of any length from a part of the bytes", () => {
    const octets = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7)
    assert.strictEqual(latin1(octets, 5, 19_999), Buffer.from(octets).toString("latin1", 5, 19_999))
  })
})

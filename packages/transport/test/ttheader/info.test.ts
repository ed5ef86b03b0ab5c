import { Output } from "@millrace/codec/Output"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import type { CallHeaderFields } from "../../src/RawCall.ts"
import { update } from "../../src/internal/ttheader/checksum.ts"
import { Answer, answerFields, cancelFields } from "../../src/internal/ttheader/fields.ts"
import {
  fixedSize,
  HeaderError,
  lengthAt,
  maxLength,
  patchLength,
  readHeader,
  sequenceIdAt,
  writeHeader
} from "../../src/internal/ttheader/header.ts"
import { encodeChecksumInfo, encodeInfo, patchChecksum } from "../../src/internal/ttheader/info.ts"
import { fromHex } from "../http2/raw.ts"
import { headerOf, headerWith, hex, noFields, payloadOf, sameHeader, spaced, vectors } from "./vectors.ts"

describe("headers of Kitex", () => {
  for (const { checksum = false, fields, flags = 0, hex: digits, name, sequenceId = 1 } of vectors) {
    it(`${name}: written byte for byte`, () => {
      const message = spaced(digits)
      const payload = payloadOf(message)
      const out = new Output()
      // Something else is there already.
      out.position = 5
      const first = out.segments.length
      if (checksum) {
        const info = encodeChecksumInfo(fields)
        const place = writeHeader(out, flags, sequenceId, info.bytes)
        patchChecksum(out, place, info, update(0, payload, 0, payload.length))
      } else writeHeader(out, flags, sequenceId, encodeInfo(fields))
      out.ensure(payload.length)
      out.buffer.set(payload, out.position)
      out.position += payload.length
      assert.strictEqual(patchLength(out, 5, first), message.length - 4)
      assert.strictEqual(hex(out.toBytes().subarray(5)), hex(message))
    })

    it(`${name}: read`, () => {
      const message = spaced(digits)
      assert.strictEqual(lengthAt(message, 0), message.length - 4)
      assert.strictEqual(sequenceIdAt(message, 0), sequenceId)
      sameHeader(headerOf(message), checksum ? { ints: [], strings: [["crc32c", "702b4a35"]] } : fields, flags)
    })
  }

  const recorded: ReadonlyArray<{
    readonly hex: string
    readonly flags: number
    readonly seq: number
    readonly ints: CallHeaderFields["ints"]
    readonly strings: CallHeaderFields["strings"]
  }> = JSON.parse(readFileSync(new URL("../data/kitex-ttheader.json", import.meta.url), "utf8"))

  for (const [index, { flags, hex: digits, ints, seq, strings }] of recorded.entries()) {
    it(`recorded header ${index}: read, and written again byte for byte`, () => {
      const header = fromHex(digits)
      assert.strictEqual(sequenceIdAt(header, 0), seq)
      const read = readHeader(header, 0, header.length)
      sameHeader(read, { ints, strings }, flags)
      const info = encodeInfo({ ints: [...read.ints], strings: [...read.strings] })
      assert.strictEqual(hex(info), digits.slice(fixedSize * 2))
    })
  }
})

describe("writing headers", () => {
  it("fields that come again are encoded once", () => {
    const fields: CallHeaderFields = { ints: [[9, "Once"]], strings: [] }
    encodeInfo(fields)
    const info = encodeInfo(fields)
    assert.strictEqual(hex(info), "0000100001000900044f6e6365000000".slice(0, 32))
    // Many others come in between.
    for (let i = 0; i < 100; i++) encodeInfo({ ints: [[9, `Other${i}`]], strings: [] })
    assert.strictEqual(hex(encodeInfo(fields)), hex(info))
    assert.strictEqual(encodeInfo(fields).buffer, encodeInfo(fields).buffer)
  })

  it("infos stay as they are when others are written", () => {
    const infos = Array.from({ length: 3000 }, (_, i) => encodeInfo({ ints: [[9, `Method${i}`]], strings: [] }))
    for (const [i, info] of infos.entries()) {
      assert.strictEqual(readHeader(headerWith(info), 0, fixedSize + info.length).ints.get(9), `Method${i}`)
    }
  })

  it("texts of Kitex for what is too long", () => {
    const long = "x".repeat(65_536)
    const message = `ttHeader write kv info failed, string exceeded 65535B max size (actual: 65536B, preview: "${"x".repeat(100)}...")`
    const encode = (fields: CallHeaderFields) => () => encodeInfo(fields)
    assert.throws(encode({ ints: [], strings: [["k", long]] }), message)
    assert.throws(encode({ ints: [], strings: [[long, ""]] }), message)
    assert.throws(encode({ ints: [[3, long]], strings: [] }), message)
    assert.throws(encode({ ints: [], strings: [["RPC_TRANSIT_gdpr-token", long]] }), message)
    // Fewer characters than bytes.
    assert.throws(encode({ ints: [], strings: [["k", "\u00e9".repeat(32_768)]] }), "actual: 65536B")
    const four = ["a", "b", "c", "d"].map((key) => [key, "x".repeat(65_535)] as const)
    assert.throws(encode({ ints: [], strings: four }), "invalid header length[262168]")
    assert.strictEqual(hex(encodeInfo({ ints: [], strings: [] })), "00000000")
  })

  it("a length beyond what the format has", () => {
    const out = new Output()
    const place = writeHeader(out, 0, 1, encodeInfo(noFields))
    out.segments.push({ at: out.position, bytes: { length: maxLength - 13 } as Uint8Array })
    assert.strictEqual(patchLength(out, place, 1), 14)
    assert.throws(
      () => patchLength(out, place, 0),
      HeaderError,
      "payload size(1073741824) larger than the limit(1073741823)"
    )
  })

  it("segments count", () => {
    const out = new Output()
    const place = writeHeader(out, 0, 1, encodeInfo(noFields))
    out.segments.push({ at: out.position, bytes: new Uint8Array(5000) })
    assert.strictEqual(patchLength(out, place, 0), 5014)
    assert.strictEqual(lengthAt(out.buffer, place), 5014)
  })

  it("frames of our own: the key that says that calls are multiplexed, and the one that cancels", () => {
    const read = (fields: CallHeaderFields) => {
      const info = encodeInfo(fields)
      return readHeader(headerWith(info), 0, fixedSize + info.length)
    }
    sameHeader(read(cancelFields), { ints: [[0x4d53, "1"]], strings: [] })
    const answer = Answer.Exception | Answer.Last | Answer.Multiplexed
    const ints = [
      [22, "3"],
      [0x4d52, "1"]
    ] as const
    sameHeader(read(answerFields(answer, undefined)), { ints, strings: [["crrst", "1"]] })
    // What the application sent under the same name is overridden.
    const strings = [
      ["k", "v"],
      ["crrst", ""]
    ] as const
    sameHeader(read(answerFields(answer, strings)), {
      ints,
      strings: [
        ["k", "v"],
        ["crrst", "1"]
      ]
    })
    assert.strictEqual(answerFields(0, undefined), answerFields(0, []))
  })
})

const unit = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff }))
const Fields = Schema.Struct({
  ints: Schema.Array(Schema.Tuple([unit, Schema.String])),
  strings: Schema.Array(Schema.Tuple([Schema.String, Schema.String])),
  token: Schema.Array(Schema.String),
  flags: unit
})

// A lone surrogate has no UTF-8.
const wellFormed = (value: string) => value.replaceAll(/\p{Surrogate}/gu, "\ufffd")

it.prop(
  "what is written is read",
  [Fields],
  ([{ flags, ints, strings, token }]) => {
    const all = [...strings, ...token.map((value) => ["RPC_TRANSIT_gdpr-token", value] as const)]
    const expected = {
      ints: ints.map(([key, value]) => [key, wellFormed(value)] as const),
      strings: all.map(([key, value]) => [wellFormed(key), wellFormed(value)] as const)
    }
    const fields = { ints, strings: all }
    const out = new Output()
    writeHeader(out, flags, -7, encodeInfo(fields))
    const header = out.toBytes()
    sameHeader(readHeader(header, 0, header.length), expected, flags)
    assert.strictEqual(sequenceIdAt(header, 0), -7)
    const info = encodeChecksumInfo(fields)
    patchChecksum(out, writeHeader(out, flags, 1, info.bytes), info, 0x00c0ffee)
    const checked = out.toBytes().subarray(header.length)
    sameHeader(
      readHeader(checked, 0, checked.length),
      { ...expected, strings: [...expected.strings, ["crc32c", "00c0ffee"]] },
      flags
    )
  },
  { arbitrary: { runs: 300 } }
)

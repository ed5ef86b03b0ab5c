import { Output } from "@millrace/codec/Output"
import { assert, describe, it } from "@effect/vitest"
import type { CallHeaderFields } from "../../src/RawCall.ts"
import {
  fixedSize,
  HeaderError,
  HeaderReader,
  infoSizeAt,
  readHeader,
  writeHeader
} from "../../src/internal/ttheader/header.ts"
import { encodeInfo } from "../../src/internal/ttheader/info.ts"
import { meshSizeAt, readMeshHeader } from "../../src/internal/ttheader/mesh.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { concat, fromHex } from "../http2/raw.ts"
import { callInts, headerOf, headerWith, noFields, refused, sameHeader, spaced, string16, vectors } from "./vectors.ts"

describe("reading headers", () => {
  it("texts of Kitex for what it refuses", () => {
    const cases = [
      ["00000010 1000 0000 00000001 0000", "invalid header length[0]"],
      ["00000014 1000 0000 00000001 0001 02000000", "unsupported ProtocolID[2]"],
      [
        "00000014 1000 0000 00000001 0001 00002f00",
        "ttHeader read kv info failed, invalid infoIDType[0x2f], headerInfo=0x00002f00"
      ],
      ["00000014 1000 0000 00000001 0001 000500aa", "need read 5 transformIDs, but not enough"]
    ]
    for (const [digits, message] of cases) assert.strictEqual(refused(spaced(digits!)), message)
  })

  it("cut blocks, wherever they are cut", () => {
    const failed = (what: string, info: string) =>
      `ttHeader read kv info failed, error reading ${what}: EOF, headerInfo=0x${info}`
    const cases = [
      ["str kv info size", "00000100"],
      ["str kv info", "0000010001000000"],
      ["str kv info", "000001000100036973"],
      ["str kv info", "0000010001000141"],
      ["str kv info", "000001000100014100"],
      ["str kv info", "00000100010001410004616263"],
      ["int kv info size", "00001000"],
      ["int kv info", "000010000100160001"],
      ["int kv info", "00001000010016000231"],
      ["acl token", "00001100"],
      ["acl token", "000011000361620000".slice(0, 12)]
    ]
    for (const [what, info] of cases) {
      const bytes = concat([spaced("00000000 1000 0000 00000001 0001"), fromHex(info!)])
      assert.strictEqual(refused(bytes), failed(what!, info!), info)
    }
  })

  it("a large info is not shown whole", () => {
    const message = refused(headerWith(new Uint8Array(40_000).fill(0x2f, 2)))
    assert.isBelow(message.length, 1000)
    assert.include(message, "invalid infoIDType[0x2f]")
    assert.include(message, "... (40000 bytes)")
  })

  it("protocols: those of Kitex and no other", () => {
    for (let protocol = 0; protocol < 256; protocol++) {
      const known = [0, 3, 4, 0x10, 0x11].includes(protocol)
      assert.strictEqual(
        refused(headerWith(Uint8Array.of(protocol, 0))),
        known ? "accepted" : `unsupported ProtocolID[${protocol}]`
      )
    }
  })

  it("transforms are read past", () => {
    const header = headerWith(fromHex("00020103"), fromHex("01000100"), fromHex("036973 6e0001 41".replaceAll(" ", "")))
    assert.deepStrictEqual([...readHeader(header, 0, header.length).strings], [["isn", "A"]])
  })

  it("blocks in any order, padding between them, of two entries the last", () => {
    const header = headerWith(
      fromHex("0000"),
      fromHex("10000200160001310016000132"),
      fromHex("000000"),
      concat([fromHex("010002"), string16("k"), string16("old"), string16("RPC_TRANSIT_gdpr-token"), string16("old")]),
      concat([fromHex("11"), string16("tok")]),
      fromHex("00"),
      concat([fromHex("010001"), string16("k"), string16("new")]),
      concat([fromHex("100001"), fromHex("0003"), string16("")])
    )
    sameHeader(readHeader(header, 0, header.length), {
      ints: [
        [22, "2"],
        [3, ""]
      ],
      strings: [
        ["k", "new"],
        ["RPC_TRANSIT_gdpr-token", "tok"]
      ]
    })
  })

  it("all values of a string key that comes several times, within a block and in several", () => {
    const header = headerWith(
      fromHex("0000"),
      concat([
        fromHex("010005"),
        ...["k", "1", "once", "x", "k", "2", "Empty", "", "Empty", ""].map((part) => string16(part))
      ]),
      fromHex("1000020016000131001600013200"),
      concat([fromHex("010001"), string16("k"), string16("3")])
    )
    const { ints, repeated, strings } = readHeader(header, 0, header.length)
    assert.deepStrictEqual(
      [...strings],
      [
        ["k", "3"],
        ["once", "x"],
        ["Empty", ""]
      ]
    )
    assert.deepStrictEqual([...ints], [[22, "2"]])
    assert.deepStrictEqual(
      [...(repeated ?? [])],
      [
        ["k", ["1", "2", "3"]],
        ["Empty", ["", ""]]
      ]
    )
    for (const { hex: digits } of vectors) assert.notProperty(headerOf(spaced(digits)), "repeated")
  })

  it("a key that comes several times counts each time", () => {
    const strings = concat([fromHex("010002"), string16("k"), string16("1"), string16("k"), string16("2")])
    const ints = fromHex("1000020016000131001600013200")
    const token = concat([fromHex("11"), string16("tok")])
    const header = headerWith(fromHex("0000"), token, ints, strings, token, ints, strings)
    assert.strictEqual(readHeader(header, 0, header.length, 10).repeated?.get("k")?.length, 4)
    for (let max = 1; max < 10; max++) {
      assert.throws(() => readHeader(header, 0, header.length, max), HeaderError, "(maxHeaderFields)")
    }
  })

  it("keys that mean something to objects are keys", () => {
    const keys = ["__proto__", "constructor", "toString", ""]
    const entries = keys.map((key): readonly [string, string] => [key, `value of ${key}`])
    const info = encodeInfo({ ints: [], strings: entries })
    const { strings } = readHeader(headerWith(info), 0, fixedSize + info.length)
    assert.deepStrictEqual([...strings], entries)
    assert.strictEqual(({} as any).value, undefined)
  })

  it("values are UTF-8, and what is not becomes U+FFFD", () => {
    const value = "\ufeffh\u00e9 \u{1f30d}"
    const info = concat([
      fromHex("0000010002"),
      string16("a"),
      string16(value),
      string16("b"),
      string16(fromHex("41ff"))
    ])
    const header = headerWith(info)
    const { strings } = readHeader(header, 0, header.length)
    assert.strictEqual(strings.get("a"), value)
    assert.strictEqual(strings.get("b"), "A\ufffd")
  })

  it("the largest info: as many keys as there is room for, a value of 65535 bytes", () => {
    const count = 65_534
    const pairs = new Uint8Array(count * 4)
    for (let i = 0; i < count; i++) {
      pairs[i * 4] = i >>> 8
      pairs[i * 4 + 1] = i & 255
    }
    const many = headerWith(fromHex("0000"), Uint8Array.of(0x10, count >>> 8, count & 255), pairs.subarray(0, 262_132))
    assert.strictEqual(refused(many).slice(0, 60), "ttHeader read kv info failed, error reading int kv info: EOF")
    const fits = headerWith(
      fromHex("0000"),
      Uint8Array.of(0x10, 65_533 >>> 8, 65_533 & 255),
      pairs.subarray(0, 65_533 * 4)
    )
    assert.strictEqual(fits.length, fixedSize + 0xffff * 4)
    assert.strictEqual(readHeader(fits, 0, fits.length).ints.size, 65_533)
    const long = "x".repeat(65_535)
    const info = encodeInfo({ ints: [[3, long]], strings: [[long, long]] })
    const header = headerWith(info)
    sameHeader(readHeader(header, 0, header.length), { ints: [[3, long]], strings: [[long, long]] })
  })
})

describe("a reader of headers", () => {
  const write = (fields: CallHeaderFields, flags = 0, sequenceId = 1) => {
    const out = new Output()
    writeHeader(out, flags, sequenceId, encodeInfo(fields))
    return out.toBytes()
  }
  const fields: CallHeaderFields = { ints: callInts("framed"), strings: [["isn", "EchoService"]] }

  it("gives the same object for the same info, whatever LENGTH and SEQ", () => {
    const reader = new HeaderReader()
    const first = write(fields, 0, 1)
    const second = concat([new Uint8Array(3), write(fields, 0, 77)])
    second[3] = 9
    const header = reader.read(first, 0, first.length)
    assert.strictEqual(reader.read(second, 3, second.length), header)
    sameHeader(header, fields)
  })

  it("another one for other flags, and for other bytes", () => {
    const reader = new HeaderReader()
    const plain = write(fields)
    const header = reader.read(plain, 0, plain.length)
    const flagged = reader.read(write(fields, 1), 0, plain.length)
    assert.notStrictEqual(flagged, header)
    sameHeader(flagged, fields, 1)
    const other = { ...fields, strings: [["isn", "EchoServicf"]] as const }
    sameHeader(reader.read(write(other), 0, plain.length), other)
  })

  it("keeps nothing of the chunk: its bytes may change", () => {
    const reader = new HeaderReader()
    // `slice` of a Buffer is a view, other than that of a Uint8Array
    const chunk = Buffer.from(write(fields))
    reader.read(chunk, 0, chunk.length)
    const other: CallHeaderFields = { ...fields, strings: [["isn", "echoServicE"]] }
    chunk.set(write(other))
    sameHeader(reader.read(chunk, 0, chunk.length), other)
  })

  it("several in turn are known", () => {
    const reader = new HeaderReader()
    const all = ["Get", "Update"].map((method) => write({ ints: [[9, method]], strings: [] }))
    const read = () => all.map((bytes) => reader.read(bytes, 0, bytes.length))
    const before = read()
    assert.deepStrictEqual(
      read().map((header, i) => header === before[i]),
      [true, true]
    )
  })

  it("a broken one does not spoil what is known", () => {
    const reader = new HeaderReader()
    const bytes = write(fields)
    const header = reader.read(bytes, 0, bytes.length)
    const broken = bytes.slice()
    broken[16] = 0x2f
    assert.throws(() => reader.read(broken, 0, broken.length), HeaderError)
    assert.strictEqual(reader.read(bytes, 0, bytes.length), header)
  })
})

const headers = vectors
  .map(({ hex: digits }) => spaced(digits))
  .map((message) => message.slice(0, fixedSize + infoSizeAt(message, 0)))

it.prop(
  "random and mutated headers are read, or refused with a text",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 500; i++) {
      let header: Uint8Array
      if (random.below(2) === 0) {
        header = random.pick(headers).slice()
        for (let n = random.below(4); n >= 0; n--) {
          header[fixedSize + random.below(header.length - fixedSize)] = random.pick([
            0,
            1,
            0x10,
            0x11,
            0xff,
            random.below(256)
          ])
        }
      } else {
        const info = Uint8Array.from({ length: 4 * random.below(12) }, () =>
          random.pick([0, 0, 0, 1, 0x10, 0x11, random.below(256)])
        )
        if (info.length > 0) info[0] = info[1] = 0
        header = headerWith(info)
      }
      refused(header)
    }
  },
  { arbitrary: { runs: 100 } }
)

describe("mesh headers", () => {
  const mesh = spaced("ffaf 0014  0001 0003 69736e 000b 4563686f53657276696365 0000001e 80010001")

  it("are pairs of strings", () => {
    assert.strictEqual(meshSizeAt(mesh, 0), 24)
    sameHeader(readMeshHeader(mesh, 0, 24), { ints: [], strings: [["isn", "EchoService"]] })
    sameHeader(readMeshHeader(spaced("ffaf 0002 0000"), 0, 6), noFields)
  })

  it("cut ones are refused", () => {
    const read = (end: number) => () => readMeshHeader(mesh, 0, end)
    assert.throws(read(4), "meshHeader read kv info failed, error reading str kv info size: EOF")
    for (let end = 6; end < 24; end++) {
      assert.throws(read(end), HeaderError, "meshHeader read kv info failed, error reading str kv info: EOF")
    }
  })
})

import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { type DecodeResult, HpackDecoder } from "../../src/internal/http2/hpackDecoder.ts"
import { HpackEncoder } from "../../src/internal/http2/hpackEncoder.ts"

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

const makeDecoder = (options: { maxTableSize?: number; maxListSize?: number; maxHeaders?: number } = {}) =>
  new HpackDecoder({ maxTableSize: 4096, maxListSize: 16_384, maxHeaders: 1000, ...options })

const decode = (decoder: HpackDecoder, block: Uint8Array) => decoder.decode(block, 0, block.length)

const headersOf = (result: DecodeResult): ReadonlyArray<string> => {
  if (result.kind !== "headers") throw new Error(JSON.stringify(result))
  return result.headers
}

/** The dynamic table, newest first, as a peer sees it: by asking for one index after the other. */
const tableOf = (decoder: HpackDecoder): Array<string> => {
  const table: Array<string> = []
  for (let index = 62; ; index++) {
    const over = index - 127
    const block = index < 127 ? [0x80 | index] : over < 128 ? [0xff, over] : [0xff, 0x80 | (over & 127), over >> 7]
    const result = decode(decoder, Uint8Array.from(block))
    if (result.kind !== "headers") return table
    table.push(...result.headers)
  }
}

const request = [
  ":method",
  "POST",
  ":scheme",
  "http",
  ":path",
  "/tests.Echo/Echo",
  ":authority",
  "127.0.0.1:8888",
  "content-type",
  "application/grpc",
  "user-agent",
  "millrace",
  "te",
  "trailers"
]

interface Example {
  readonly section: string
  readonly tableSize: number
  readonly blocks: ReadonlyArray<{
    readonly hex: string
    readonly headers: ReadonlyArray<string>
    readonly table: ReadonlyArray<string>
  }>
}

const examples: ReadonlyArray<Example> = JSON.parse(
  readFileSync(new URL("../data/hpack-rfc7541.json", import.meta.url), "utf8")
)

describe("RFC 7541 appendix C", () => {
  for (const { section, tableSize, blocks } of examples) {
    it(`decodes ${section}`, () => {
      const decoder = makeDecoder({ maxTableSize: tableSize })
      for (const block of blocks) {
        assert.deepStrictEqual(headersOf(decode(decoder, hex(block.hex))), block.headers)
        assert.deepStrictEqual(tableOf(decoder), block.table)
      }
    })

    it(`encodes the lists of ${section} for a decoder of its own`, () => {
      const encoder = new HpackEncoder(tableSize)
      const decoder = makeDecoder()
      for (const { headers } of blocks) {
        assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(headers))), headers)
      }
    })
  }

  it("writes C.4 byte by byte, because every choice is the same there", () => {
    const encoder = new HpackEncoder()
    for (const block of examples.find(({ section }) => section === "C.4")!.blocks) {
      assert.strictEqual(toHex(encoder.encode(block.headers)), block.hex)
    }
  })

  it("writes the integers of C.1", () => {
    const sizeUpdate = (size: number) => {
      const encoder = new HpackEncoder(8192)
      encoder.setPeerTableSize(size)
      return toHex(encoder.encode([]))
    }
    assert.strictEqual(sizeUpdate(10), "2a")
    assert.strictEqual(sizeUpdate(1337), "3f9a0a")
    assert.strictEqual(sizeUpdate(31), "3f00")
    assert.strictEqual(sizeUpdate(31 + 127), "3f7f")
    assert.strictEqual(sizeUpdate(31 + 128), "3f8001")
  })
})

describe("HpackEncoder", () => {
  it("writes the second block of a method as one byte a field", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(request))), request)
    const again = encoder.encode(request)
    assert.strictEqual(again.length, request.length / 2)
    assert.isTrue(again.every((byte) => byte >= 0x80))
    assert.deepStrictEqual(headersOf(decode(decoder, again)), request)
  })

  it("keeps the block of a frozen list, and makes no copy of any other", () => {
    const encoder = new HpackEncoder()
    const frozen = Object.freeze([...request])
    encoder.encode(frozen)
    const kept = encoder.encode(frozen)
    const before = kept.slice()
    const first = encoder.encode([...request, "traceparent", "a"])
    const second = encoder.encode([...request, "traceparent", "b"])
    assert.strictEqual(second.buffer, first.buffer)
    assert.notStrictEqual(kept.buffer, first.buffer)
    assert.deepStrictEqual(kept, before)
  })

  it("gives the same bytes for the same frozen list until the table changes", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const frozen = Object.freeze([...request])
    const first = encoder.encode(frozen).slice()
    decode(decoder, first)
    const second = encoder.encode(frozen)
    assert.notDeepEqual(second, first)
    assert.strictEqual(encoder.encode(frozen), second)
    decode(decoder, encoder.encode(["x-new", "1"]))
    const third = encoder.encode(frozen)
    assert.notDeepEqual(third, second)
    assert.deepStrictEqual(headersOf(decode(decoder, third)), request)
    encoder.setPeerTableSize(0)
    const fourth = encoder.encode(frozen)
    assert.strictEqual(fourth[0], 0x20)
    assert.deepStrictEqual(headersOf(decode(decoder, fourth)), request)
    // The block with the size update is not the one to repeat.
    assert.strictEqual(encoder.encode(frozen).length, fourth.length - 1)
  })

  it("reads a list that is not frozen anew each time", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const list = ["x-a", "1", "grpc-timeout", "1S"]
    for (let i = 0; i < 5; i++) {
      list[3] = `${i}S`
      assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(list))), list)
    }
  })

  it("takes what two lists begin with from the block before, unless the table has changed", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const called = (path: string, ...fields: ReadonlyArray<string>) =>
      request.with(request.indexOf(":path") + 1, path).concat(fields)
    const long = "x".repeat(3000)
    const lists = [
      called("/a", "traceparent", "1", "cookie", "secret"),
      called("/a", "traceparent", "22", "cookie", "secret"),
      called("/a", "traceparent", "22", "cookie", "secret", "baggage", long),
      called("/a", "traceparent", "333", "baggage", long, "cookie", "other"),
      called("/a"),
      [],
      called("/b", "traceparent", "4"),
      called("/b", "traceparent", "5", "new", "enters the table"),
      called("/b", "traceparent", "5", "new", "enters the table"),
      called("/b", "traceparent", "6", "new", "enters the table"),
      called("/a", "traceparent", "6", "new", "enters the table")
    ]
    for (const list of [...lists, ...lists]) {
      // What a list says is what counts, not which array it is, nor what the caller makes of it later.
      const own = [...list]
      assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(own))), list)
      own.fill("changed")
    }
    const settled = called("/a", "traceparent", "7")
    assert.strictEqual(toHex(encoder.encode([...settled])), toHex(encoder.encode([...settled])))
    encoder.setPeerTableSize(0)
    decoder.setMaxTableSize(0)
    assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(settled))), settled)
    assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(settled))), settled)
  })

  it("never indexes secrets", () => {
    const encoder = new HpackEncoder(4096, ["x-api-key"])
    const decoder = makeDecoder()
    const names = ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"]
    for (const name of names) {
      for (const value of ["~secret~", "", "~secret~"]) {
        const block = encoder.encode([name, value])
        assert.strictEqual(block[0]! & 0xf0, 0x10, name)
        assert.deepStrictEqual(headersOf(decode(decoder, block)), [name, value])
      }
    }
    assert.deepStrictEqual(tableOf(decoder), [])
  })

  it("keeps long fields, and texts of errors, out of the table", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const lists = [
      ["content-length", "17"],
      ["grpc-message", "no such user"],
      ["x-long", "v".repeat(257)]
    ]
    for (const list of lists) {
      const block = encoder.encode(list)
      assert.strictEqual(block[0]! & 0xf0, 0x00, list[0])
      assert.deepStrictEqual(headersOf(decode(decoder, block)), list)
    }
    assert.deepStrictEqual(tableOf(decoder), [])
    const ordinary = ["grpc-status", "0", "grpc-message", "", "x-long", "v".repeat(256)]
    assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(ordinary))), ordinary)
    assert.strictEqual(tableOf(decoder).length, ordinary.length)
  })

  it("of fields that change on every call puts the first into the table, for its name, and packs no value", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const value = (at: number) => `00-4bf92f3577b34da6a3ce929d0e0e473${at}-00f067aa0ba902b7-01`
    for (const name of [
      "grpc-timeout",
      "grpc-retry-pushback-ms",
      "traceparent",
      "rpc-transit-traceparent",
      "stream-log-id"
    ]) {
      const before = tableOf(decoder).length
      for (let at = 0; at < 3; at++) {
        const block = encoder.encode([name, value(at)])
        assert.deepStrictEqual(headersOf(decode(decoder, block)), [name, value(at)])
        // An index of the name in two bytes, a length in one, and the value as it is.
        if (at > 0) assert.deepStrictEqual([block.length, block[0]! & 0xf0], [2 + 1 + value(at).length, 0x00], name)
      }
      assert.strictEqual(tableOf(decoder).length, before + 2)
    }
  })

  it("uses Huffman only where it is shorter", () => {
    const encoder = new HpackEncoder(0)
    assert.strictEqual(toHex(encoder.encode([])), "20")
    assert.strictEqual(toHex(encoder.encode(["~", "aaa"])), "00017e8218c7")
    assert.strictEqual(toHex(encoder.encode(["~", "ab"])), "00017e026162")
    assert.strictEqual(toHex(encoder.encode(["~", "{}"])), "00017e027b7d")
  })

  it("tells the peer the smallest and the final size at the start of the next block", () => {
    const encoder = new HpackEncoder()
    encoder.setPeerTableSize(100)
    encoder.setPeerTableSize(4096)
    assert.strictEqual(toHex(encoder.encode([])), "3f453fe11f")
    assert.strictEqual(toHex(encoder.encode([])), "")
    // Fields that survive the smaller size go too: golang.org/x/net refuses a second update while its table is not empty.
    const decoder = makeDecoder()
    decode(decoder, encoder.encode(["x-a", "1"]))
    encoder.setPeerTableSize(100)
    encoder.setPeerTableSize(4096)
    const block = encoder.encode(["x-a", "1"])
    assert.strictEqual(toHex(block).slice(0, 8), "203fe11f")
    assert.deepStrictEqual(headersOf(decode(decoder, block)), ["x-a", "1"])
    assert.deepStrictEqual(tableOf(decoder), ["x-a", "1"])
  })

  it("does not take more table than its own limit, nor announces what did not change", () => {
    const encoder = new HpackEncoder(256)
    assert.strictEqual(toHex(encoder.encode([])), "3fe101")
    encoder.setPeerTableSize(0xffff_ffff)
    encoder.setPeerTableSize(256)
    assert.strictEqual(toHex(encoder.encode([])), "")
    const growing = new HpackEncoder(65_536)
    growing.setPeerTableSize(65_536)
    assert.strictEqual(toHex(growing.encode([])), "3fe1ff03")
  })
})

describe("HpackDecoder", () => {
  it("gives the same list for the same block until the table changes", () => {
    const decoder = makeDecoder()
    const block = hex("8286 84 00 0178 0131")
    const first = decode(decoder, block)
    assert.isFalse(Object.isFrozen(headersOf(first)))
    assert.strictEqual(decode(decoder, block), first)
    assert.isTrue(Object.isFrozen(headersOf(first)))
    const shifted = new Uint8Array(20)
    shifted.set(block, 7)
    assert.strictEqual(decoder.decode(shifted, 7, 7 + block.length), first)
    decode(decoder, hex("40 0178 0132"))
    assert.strictEqual(headersOf(decode(decoder, hex("be")))[1], "2")
    decode(decoder, hex("40 0178 0133"))
    assert.strictEqual(headersOf(decode(decoder, hex("be")))[1], "3")
    assert.deepStrictEqual(headersOf(decode(decoder, block)), headersOf(first))
  })

  it("does not take a block for another of the same length, however many it saw", () => {
    const decoder = makeDecoder()
    // One buffer for all: the decoder must not look at the caller's bytes later.
    const block = hex("00 0178 0100")
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20; i++) {
        const value = String.fromCharCode(0x61 + i)
        block[4] = 0x61 + i
        assert.deepStrictEqual(headersOf(decode(decoder, block)), ["x", value])
      }
    }
  })

  it("refuses what is not HPACK", () => {
    const invalid = [
      ["80", "index 0"],
      ["be", "an index above both tables"],
      ["ff ffffff07", "an index far above both tables"],
      ["7e 0161", "a name index above both tables"],
      ["0f 30 0161", "a name index above both tables, without indexing"],
      ["ff", "an integer cut off"],
      ["3f", "a size update cut off"],
      ["40", "a literal without a name"],
      ["40 01", "a name cut off"],
      ["40 0161", "a literal without a value"],
      ["40 0161 02 62", "a value cut off"],
      ["41", "a value missing behind an indexed name"],
      ["40 0161 7f ffffff7f 61", "a string longer than the block"],
      ["40 0161 82 ffff", "Huffman: padding of more than seven bits"],
      ["40 0161 81 18", "Huffman: padding that is not ones"],
      ["40 0161 84 ffffffff", "Huffman: EOS"],
      ["00 82 ffff 0161", "Huffman: a bad name"],
      ["3fe2 1f", "a size update above the limit"],
      ["82 20", "a size update behind a field"],
      ["20 82 3fe11f", "a second size update behind a field"]
    ] as const
    for (const [block, what] of invalid) {
      const result = decode(makeDecoder(), hex(block))
      assert.strictEqual(result.kind, "compression", what)
      assert.isTrue(result.kind === "compression" && result.detail.length > 0, what)
    }
  })

  it("refuses integers above 2^31 - 1 or of more than five further bytes", () => {
    for (const block of ["ff ffffffff0f", "ff 818080808000", "ff 8080808080", "00 7f 818080808000", "3f e1ffffff07"]) {
      const result = decode(makeDecoder({ maxTableSize: 0xffff_ffff }), hex(block))
      assert.deepStrictEqual(result, { kind: "compression", detail: "an integer is too large" }, block)
    }
    const largest = decode(makeDecoder({ maxTableSize: 0xffff_ffff }), hex("3f e0ffffff07 82"))
    assert.strictEqual(largest.kind, "headers")
  })

  it("accepts integers written longer than needed and several size updates in front", () => {
    const decoder = makeDecoder()
    assert.deepStrictEqual(headersOf(decode(decoder, hex("20 3fe11f 3fe19f8000 82"))), [":method", "GET"])
    assert.deepStrictEqual(headersOf(decode(decoder, hex("00 7f828000" + "61".repeat(129) + "00"))), [
      "a".repeat(129),
      ""
    ])
  })

  it("wants a size update after the limit was reduced below the table's size", () => {
    assert.strictEqual(decode(reduced(100), hex("82")).kind, "compression")
    assert.strictEqual(decode(reduced(100), hex("3f46 82")).kind, "compression")
    assert.strictEqual(decode(reduced(100), hex("3f45 82")).kind, "headers")
    assert.strictEqual(decode(reduced(100, 4096), hex("3fe11f 82")).kind, "compression")
    assert.strictEqual(decode(reduced(100, 4096), hex("3f45 3fe11f 82")).kind, "headers")
    assert.strictEqual(decode(reduced(50, 100), hex("3f45 82")).kind, "compression")
    assert.strictEqual(decode(reduced(50, 100), hex("3f13 3f45 82")).kind, "headers")
    assert.strictEqual(decode(reduced(8192), hex("82")).kind, "headers")
    assert.strictEqual(decode(reduced(8192), hex("3fe13f 82")).kind, "headers")
    // Nor does a block that it remembers get by.
    const decoder = makeDecoder()
    decode(decoder, hex("82"))
    decoder.setMaxTableSize(100)
    assert.strictEqual(decode(decoder, hex("82")).kind, "compression")
  })

  const reduced = (...sizes: ReadonlyArray<number>) => {
    const decoder = makeDecoder()
    for (const size of sizes) decoder.setMaxTableSize(size)
    return decoder
  }

  it("keeps as many fields as fit, in order", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const list: Array<string> = []
    for (let i = 0; i < 200; i++) list.push("x", String(1000 + i))
    assert.deepStrictEqual(headersOf(decode(decoder, encoder.encode(list))), list)
    // 37 bytes a field: 110 of them fit into 4096 bytes.
    const kept = Array.from({ length: 110 }, (_, i) => ["x", String(1199 - i)]).flat()
    assert.deepStrictEqual(tableOf(decoder), kept)
    const again = encoder.encode(kept)
    assert.isAtMost(again.length, 110 * 2)
    assert.deepStrictEqual(headersOf(decode(decoder, again)), kept)
  })

  it("takes a field larger than the table as the order to empty it", () => {
    const decoder = makeDecoder({ maxTableSize: 64 })
    decode(decoder, hex("40 0178 0131"))
    assert.deepStrictEqual(tableOf(decoder), ["x", "1"])
    const block = Uint8Array.from([0x40, 1, 0x78, 33, ...Array.from({ length: 33 }, () => 0x61)])
    assert.deepStrictEqual(headersOf(decode(decoder, block)), ["x", "a".repeat(33)])
    assert.deepStrictEqual(tableOf(decoder), [])
  })

  it("tells blocks of one length apart, however many there are", () => {
    const encoder = new HpackEncoder()
    const decoder = makeDecoder()
    const list = (call: number): ReadonlyArray<string> => [...request, "traceparent", String(1000 + call)]
    const blocks = Array.from({ length: 40 }, (_, call) => encoder.encode(list(call)).slice())
    for (const block of blocks.slice(0, 2)) decode(decoder, block)
    for (let call = 2; call < blocks.length; call++) {
      assert.deepStrictEqual(headersOf(decode(decoder, blocks[call]!)), list(call))
      assert.deepStrictEqual(headersOf(decode(decoder, blocks[call - 1]!)), list(call - 1))
      if (call > 12) assert.deepStrictEqual(headersOf(decode(decoder, blocks[call - 10]!)), list(call - 10))
    }
  })

  it("reports a list over a limit and stays in step", () => {
    const decoder = makeDecoder({ maxListSize: 99, maxHeaders: 3 })
    // Three fields of 33, 33 and 33 bytes fit exactly.
    assert.strictEqual(decode(decoder, hex("00 0178 00 00 0178 00 00 0178 00")).kind, "headers")
    const tooLarge = decode(decoder, hex("00 0178 00 00 0178 00 00 0178 0131 40 0161 0162"))
    assert.deepStrictEqual(tooLarge, { kind: "tooLarge", limit: "maxListSize" })
    assert.deepStrictEqual(tableOf(decoder), ["a", "b"])
    const tooMany = makeDecoder({ maxHeaders: 3 })
    assert.strictEqual(decode(tooMany, hex("82 82 82")).kind, "headers")
    const result = decode(tooMany, hex("82 82 82 82 40 0161 0162"))
    assert.deepStrictEqual(result, { kind: "tooLarge", limit: "maxHeaders" })
    assert.deepStrictEqual(tableOf(tooMany), ["a", "b"])
    // The limit that was passed first is the one reported.
    const both = makeDecoder({ maxHeaders: 1, maxListSize: 100 })
    assert.deepStrictEqual(decode(both, hex("82 82 82 82")), { kind: "tooLarge", limit: "maxHeaders" })
    // What is over the limit is checked like the rest.
    assert.strictEqual(decode(tooMany, hex("82 82 82 82 80")).kind, "compression")
  })

  it("survives the bomb of references to one large field", () => {
    const decoder = makeDecoder()
    const large = Uint8Array.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...Array.from({ length: 4000 }, () => 0x62)])
    assert.strictEqual(headersOf(decode(decoder, large))[1]!.length, 4000)
    const bomb = new Uint8Array(1 << 20).fill(0xbe)
    assert.deepStrictEqual(decode(decoder, bomb), { kind: "tooLarge", limit: "maxListSize" })
    assert.strictEqual(headersOf(decode(decoder, hex("be"))).length, 2)
  })
})

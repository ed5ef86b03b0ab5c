import { assert, describe, it } from "@effect/vitest"
import {
  type DataRun,
  frameEnd,
  FrameReader,
  type FrameSink,
  payloadAt,
  type ReaderLimit
} from "../../src/internal/ttstream/reader.ts"
import type { CallHeader } from "../../src/RawCall.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { cut, data, exception, frame, header, meta, requestHeader, rst, trailer } from "./raw.ts"
import { defaults } from "./support.ts"

/** Writes down what it is told. */
class Log implements FrameSink {
  chunkKept = false
  readonly lines: Array<string> = []
  readonly limits: Array<ReaderLimit | undefined> = []
  /** Data frames that were put together. */
  gathered = 0
  readonly reader: FrameReader
  constructor(options: Partial<typeof defaults> = {}) {
    this.reader = new FrameReader(this, { ...defaults, ...options })
  }
  onData(streamId: number, bytes: Uint8Array, start: number, end: number, run: DataRun, gathered: boolean): boolean {
    if (gathered) this.gathered++
    const seen = { count: 0, size: 0, newest: 0 }
    for (let at = start; at < end; at = frameEnd(bytes, at)) {
      const payload = bytes.slice(payloadAt(bytes, at), frameEnd(bytes, at))
      this.lines.push(`${streamId} data ${Buffer.from(payload).toString("hex")}`)
      seen.count++
      seen.size += payload.length
      seen.newest = payload.length
    }
    assert.deepStrictEqual({ ...run }, seen)
    return false
  }
  onFrame(type: number, streamId: number, given: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    const keys = JSON.stringify([[...given.ints].sort(), [...given.strings]])
    this.lines.push(`${streamId} ${type} ${keys} ${Buffer.from(bytes.slice(start, end)).toString("hex")}`)
  }
  onTooLarge(streamId: number, size: number): void {
    this.lines.push(`${streamId} too large ${size}`)
  }
  onViolation(detail: string, limit: ReaderLimit | undefined): void {
    this.lines.push(`violation ${detail}`)
    this.limits.push(limit)
  }
  read(...chunks: ReadonlyArray<Uint8Array>): this {
    for (const chunk of chunks) this.reader.read(chunk)
    return this
  }
}

const script = (choose: Choices): Buffer =>
  Buffer.concat(
    Array.from({ length: 1 + choose.below(30) }, () => {
      const sid = choose.pick([1, 2, -7, 0, 2 ** 31 - 1])
      const method = choose.pick(["Echo", "M", "a".repeat(300)])
      const swapped = choose.below(2) === 0
      switch (choose.below(9)) {
        case 0:
          return requestHeader(sid, method, { swapped })
        case 1:
          return trailer(sid, choose.below(2) === 0 ? {} : { payload: exception("boom", 6) })
        case 2:
          return rst(sid, { payload: exception("gone", 12007), strings: { ttscp: "a,b" } })
        case 3:
          return meta(sid, { strings: { rip: "1" }, payload: "opaque" })
        case 4:
          return data(Buffer.alloc(choose.below(5000), choose.below(256)), sid, { method, swapped })
        default:
          return data("x".repeat(choose.below(40)), sid, { method, swapped })
      }
    })
  )

describe("ttstream reader", () => {
  it.prop("any split of the bytes gives the same frames", { given: choices }, ({ given }) => {
    const choose = new Choices(given)
    const bytes = script(choose)
    const options = { maxReceiveMessageSize: choose.pick([4 * 1024 * 1024, 1000, 10]) }
    const whole = new Log(options).read(Uint8Array.from(bytes))
    const largest = choose.pick([1, 3, 20, 50, 4000])
    const split = new Log(options).read(...cut(bytes, () => 1 + choose.below(largest)))
    assert.deepStrictEqual(split.lines, whole.lines)
    assert.isFalse(split.reader.midFrame)
    assert.strictEqual(whole.gathered, 0)
  })

  it("gathers a frame that spans chunks, however it is cut", () => {
    const bytes = Buffer.concat([data("hello"), data("again")])
    const size = bytes.length / 2
    for (let at = 1; at < size; at++) {
      const log = new Log().read(bytes.subarray(0, at))
      assert.deepStrictEqual(log.lines, [])
      assert.isTrue(log.reader.midFrame)
      log.read(bytes.subarray(at))
      assert.deepStrictEqual(log.lines, ["1 data 68656c6c6f", "1 data 616761696e"])
      assert.strictEqual(log.gathered, 1)
      assert.isFalse(log.reader.midFrame)
    }
  })

  it("knows the headers of Data frames again by their bytes alone, and takes nothing else for one of them", () => {
    const log = new Log()
    // More methods than are remembered, each in both orders, each twice.
    const frames: Array<Buffer> = []
    const expected: Array<string> = []
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 12; i++) {
        for (const swapped of [false, true]) {
          frames.push(data("d", i, { method: `M${i}`, swapped }), trailer(i, { method: `M${i}`, swapped }))
          const ints = JSON.stringify([
            [
              ["9", `M${i}`],
              ["27", "4"]
            ]
              .sort()
              .map(([k, v]) => [Number(k), v]),
            []
          ])
          expected.push(`${i} data 64`, `${i} 4 ${ints} `)
        }
      }
    }
    log.read(Buffer.concat(frames))
    const normal = (line: string) => line.replace(/\[\[.*\]\]/, "keys")
    assert.deepStrictEqual(log.lines.map(normal), expected.map(normal))
  })

  it("remembers headers in memory of their own", () => {
    const chunk = Buffer.alloc(70_000)
    const bytes = data("x")
    chunk.set(bytes)
    const log = new Log()
    log.reader.read(chunk.subarray(0, bytes.length))
    const { known } = log.reader as unknown as { readonly known: ReadonlyArray<Uint8Array> }
    assert.strictEqual(known.length, 1)
    assert.isBelow(known[0]!.buffer.byteLength, 100)
  })

  it("accepts the protocol ids that Kitex accepts, and flags with more bits", () => {
    for (const protocol of [0x00, 0x03, 0x04, 0x10, 0x11]) {
      assert.deepStrictEqual(new Log().read(data("x", 1, { protocol })).lines, ["1 data 78"])
    }
    assert.deepStrictEqual(new Log().read(data("x", 1, { flags: 0x8003 })).lines, ["1 data 78"])
  })

  const wrong: ReadonlyArray<readonly [name: string, bytes: Uint8Array, text: RegExp]> = [
    [
      "magic",
      frame({ magic: 0x1001 }),
      /^not TTHeader protocol \(first4Bytes=0x[0-9a-f]{8}, second4Bytes=0x10010002\)$/
    ],
    ["HTTP/2", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), /^not TTHeader protocol \(first4Bytes=0x50524920,/],
    ["no streaming flag", frame({ flags: 1 }), /^unexpected header flags: 1$/],
    ["a type that there is not", frame({ type: 9 }), /^unexpected frame type: 9$/],
    ["a type in words", frame({ type: "Data\nx" }), /^unexpected frame type: Data\\nx$/],
    ["no type", frame({ blocks: Buffer.from("10000100090001780000", "hex") }), /^unexpected frame type: $/],
    ["no info", frame({ headerWords: 0, length: 10 }), /^invalid header length\[0\]$/],
    [
      "LENGTH before the end of the header",
      frame({ length: 20 }),
      /^invalid data: LENGTH\(20\) ends before the header/
    ],
    ["LENGTH 0", frame({ length: 0 }), /^invalid data: LENGTH\(0\) ends before the header/],
    [
      "LENGTH over the largest",
      frame({ length: 0x40000000 }),
      /^invalid data: LENGTH\(1073741824\) larger than the limit/
    ],
    ["a protocol that there is not", frame({ protocol: 0x21 }), /^unsupported ProtocolID\[33\]$/],
    [
      "transforms that are not there",
      frame({ blocks: Buffer.alloc(2), protocol: 0x10 }).fill(0xff, 15, 16),
      /^need read 255 transformIDs, but not enough$/
    ],
    [
      "an unknown block",
      frame({ blocks: Buffer.from("7f0000", "hex") }),
      /^ttHeader read kv info failed, invalid infoIDType\[0x7f\], headerInfo=0x/
    ],
    [
      "a block that is cut off",
      frame({ blocks: Buffer.from("01000200", "hex") }),
      /^ttHeader read kv info failed, error reading str kv info: EOF/
    ]
  ]
  for (const [name, bytes, text] of wrong) {
    it(`says what is wrong: ${name}`, () => {
      for (const size of [1, 7, Infinity]) {
        const log = new Log().read(...cut(Buffer.concat([data("ok"), bytes, data("never")]), () => size))
        assert.strictEqual(log.lines.length, 2)
        assert.strictEqual(log.lines[0], "1 data 6f6b")
        assert.match(log.lines[1]!.slice("violation ".length), text)
        assert.deepStrictEqual(log.limits, [undefined])
        assert.isFalse(log.reader.midFrame)
      }
    })
  }

  it("names the limits of headers, before it has stored what is over them", () => {
    const large = header(1, { strings: { a: "x".repeat(2000) } })
    const many = header(1, { strings: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, ""])) })
    const size = new Log({ maxTTHeaderSize: 1000 })
    size.read(large.subarray(0, 14))
    assert.deepStrictEqual(size.limits, ["maxTTHeaderSize"])
    const fields = new Log().read(many)
    assert.deepStrictEqual(fields.limits, ["maxHeaderFields"])
    assert.match(fields.lines[0]!, /300 entries are more than the 256 that may come/)
    const counted = new Log({ maxTTHeaderSize: 300_000 })
    counted.read(frame({ blocks: Buffer.from("01ffff", "hex") }))
    assert.deepStrictEqual(counted.limits, ["maxHeaderFields"])
  })

  it("reads past a payload that is too large without storing it, and goes on behind it", () => {
    const size = 1_000_000
    for (const piece of [1000, Infinity]) {
      const log = new Log({ maxReceiveMessageSize: 100 })
      const bytes = Buffer.concat([
        data("a"),
        data(Buffer.alloc(size), 5),
        data("b"),
        data(Buffer.alloc(101), 5),
        trailer(5)
      ])
      for (const chunk of cut(bytes, () => piece)) {
        log.read(chunk)
        // Nothing but the beginning of a frame is ever kept.
        assert.isBelow((log.reader as any).gathering.bytes.length, 2000)
      }
      assert.deepStrictEqual(
        log.lines.map((line) => line.split(" ").slice(0, 4).join(" ").trim()),
        ["1 data 61", `5 too large ${size}`, "1 data 62", "5 too large 101", `5 4 [[[27,"4"],[9,"Echo"]],[]]`]
      )
    }
  })

  it("believes a LENGTH only as far as bytes come", () => {
    const log = new Log({ maxReceiveMessageSize: 0x3fffff00 })
    log.read(frame({ type: 3, payload: Buffer.alloc(100), length: 0x3ffffe00 }))
    assert.isTrue(log.reader.midFrame)
    assert.isBelow((log.reader as any).gathering.bytes.length, 2_000_000)
  })
})

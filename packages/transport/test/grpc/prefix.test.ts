import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { noEncoding } from "../../src/internal/grpc/compression.ts"
import { Deframer } from "../../src/internal/grpc/prefix.ts"
import { concat } from "../http2/raw.ts"

const message = (payload: Uint8Array, flag = 0) =>
  concat([Uint8Array.of(flag, 0, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255), payload])
const bytes = (size: number, seed = 1) => Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) & 255)
const copy = (bytes: Uint8Array, start: number, end: number) => bytes.slice(start, end)
const takeAll = (deframer: Deframer, max = Infinity) => {
  const into: Array<Uint8Array> = []
  deframer.take(copy, max, into, noEncoding)
  return into
}

const Case = Schema.Struct({
  sizes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))),
  cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))),
  compact: Schema.Boolean,
  takes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })))
})

describe("messages", () => {
  it.prop(
    "are the same for any split, however they are taken",
    [Case],
    ([{ compact, cuts, sizes, takes }]) => {
      const messages = sizes.map((size, i) => bytes(size, i))
      const wire = concat(messages.map((payload) => message(payload)))
      const deframer = new Deframer(1000)
      const got: Array<Uint8Array> = []
      let window = 0
      const take = (max: number) => {
        deframer.take(copy, max, got, noEncoding)
        window += deframer.takenWindow
      }
      let at = 0
      for (let i = 0; at < wire.length; i++) {
        const size = cuts.length === 0 ? wire.length : cuts[i % cuts.length]!
        // Each piece comes in a chunk of its own with something around it, as DATA does.
        const chunk = concat([bytes(9), wire.subarray(at, at + size), bytes(100)])
        deframer.push(chunk, 9, 9 + Math.min(size, wire.length - at))
        if (compact) deframer.compact()
        take(takes.length === 0 ? 0 : takes[i % takes.length]!)
        at += size
      }
      take(Infinity)
      assert.deepStrictEqual(got, messages)
      assert.strictEqual(window, wire.length)
      assert.strictEqual(deframer.available, 0)
      assert.strictEqual(deframer.unfinished, 0)
    },
    { arbitrary: { runs: 300 } }
  )

  it("in one chunk are read in place", () => {
    const chunk = concat([message(bytes(3)), message(bytes(5))])
    const deframer = new Deframer(1000)
    deframer.push(chunk, 0, chunk.length)
    const seen: Array<Uint8Array> = []
    deframer.take((bytes) => bytes, 2, seen, noEncoding)
    assert.isTrue(seen.every((bytes) => bytes === chunk))
  })

  it("a decoder that throws loses its message alone", () => {
    const chunk = concat([message(bytes(1, 1)), message(bytes(1, 2)), message(bytes(1, 3))])
    const deframer = new Deframer(1000)
    deframer.push(chunk, 0, chunk.length)
    const into: Array<number> = []
    const decode = (bytes: Uint8Array, start: number) => {
      if (bytes[start] === 2) throw new Error("bad")
      return bytes[start]!
    }
    assert.throws(() => deframer.take(decode, 3, into, noEncoding), "bad")
    assert.strictEqual(deframer.takenWindow, 12)
    deframer.take(decode, 3, into, noEncoding)
    assert.deepStrictEqual(into, [1, 3])
  })

  it("above the limit is refused on its prefix, those before it stay", () => {
    const deframer = new Deframer(10)
    const chunk = concat([message(bytes(10)), message(bytes(11)).subarray(0, 5)])
    for (let i = 0; i < chunk.length; i++) deframer.push(chunk, i, i + 1)
    assert.isTrue(deframer.refused)
    assert.deepStrictEqual(takeAll(deframer), [bytes(10)])
  })

  it("a huge claim is believed as its bytes arrive", () => {
    const before = process.memoryUsage().arrayBuffers
    const deframers = Array.from({ length: 50 }, () => {
      const deframer = new Deframer(2 ** 31)
      deframer.push(Uint8Array.of(0, 0x40, 0, 0, 0, 1), 0, 6)
      return deframer
    })
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 100 * 1024 * 1024)
    assert.strictEqual(deframers[0]!.announced, 2 ** 30 + 5)
  })

  it("gathers what is larger than its first buffer", () => {
    const payload = bytes(3 * 1024 * 1024 + 7)
    const wire = message(payload)
    wire[1] = payload.length >> 24
    const deframer = new Deframer(2 ** 31)
    for (let at = 0; at < wire.length; at += 65_536) deframer.push(wire, at, Math.min(wire.length, at + 65_536))
    assert.deepStrictEqual(takeAll(deframer), [payload])
  })

  it("that wait do not keep their chunks alive", () => {
    const deframer = new Deframer(1000)
    for (let i = 0; i < 1000; i++) {
      const chunk = new Uint8Array(64 * 1024)
      chunk.set(message(Uint8Array.of(i & 255)), 100)
      deframer.push(chunk, 100, 106)
      deframer.compact()
    }
    const buffers = new Set<ArrayBufferLike>()
    deframer.take((bytes) => buffers.add(bytes.buffer), 1000, [], noEncoding)
    const held = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)
    assert.isBelow(held, 4 * 6 * 1000)
  })

  it("gives the buffer of a gathered message to the next one, unless the decoder keeps views of it", () => {
    const size = 100_000
    const gather = (keepsBytes: boolean) => {
      const deframer = new Deframer(size)
      const view = Object.assign((bytes: Uint8Array, start: number, end: number) => bytes.subarray(start, end), {
        keepsBytes
      })
      return [1, 2].map((seed) => {
        const wire = message(bytes(size, seed))
        deframer.push(wire, 0, 50_000)
        deframer.push(wire, 50_000, wire.length)
        const into: Array<Uint8Array> = []
        deframer.take(view, 1, into, noEncoding)
        return into[0]!
      })
    }
    const [first, second] = gather(true)
    assert.deepStrictEqual(first, bytes(size, 1))
    assert.deepStrictEqual(second, bytes(size, 2))
    const [third, fourth] = gather(false)
    assert.strictEqual(third!.buffer, fourth!.buffer)
  })
})

import { assert, describe, it } from "@effect/vitest"
import type { Output } from "@millrace/codec/Output"
import { Schema } from "effect"
import { CallOutbox } from "../src/internal/callOutbox.ts"
import { MessageWriter } from "../src/internal/pingpong/writer.ts"
import type { Encoding } from "../src/RawCall.ts"
import { concat } from "./http2/raw.ts"
import { encodeBytes, hex, noFields, options, TestServer, decodeBytes } from "./pingpong/support.ts"

const envelope = { type: 1, method: "Echo", sequenceId: 1 }

const send = (
  outbox: CallOutbox,
  body: Uint8Array,
  encode: (body: Uint8Array, out: Output) => void = encodeBytes,
  encoding: Encoding = "buffered"
) => new MessageWriter(outbox, options).write(encoding, 0, noFields, envelope, body, encode)

/** A binary member by reference, and bytes around it. */
const encodeByReference = (bytes: Uint8Array, out: Output) => {
  encodeBytes(Uint8Array.of(1), out)
  out.segments.push({ at: out.position, bytes })
  encodeBytes(Uint8Array.of(2), out)
}

const head = "80010001000000044563686f00000001"

describe("what was written", () => {
  it("comes out as it was encoded, in one chunk while it fits", () => {
    const outbox = new CallOutbox()
    assert.isUndefined(outbox.take())
    assert.strictEqual(send(outbox, Uint8Array.of(7)), 1)
    send(outbox, Uint8Array.of(8))
    assert.strictEqual(outbox.length, 34)
    const chunks = outbox.take()!
    assert.strictEqual(chunks.length, 1)
    assert.strictEqual(hex(chunks[0]!), `${head}07${head}08`)
    assert.strictEqual(outbox.length, 0)
    assert.strictEqual(outbox.taken, 34)
    outbox.recycle()
  })

  it("stays as it is until the kernel took it, whatever is written meanwhile", () => {
    const outbox = new CallOutbox()
    let given: Array<readonly [chunk: Uint8Array, text: string]> = []
    for (let i = 0; i < 40; i++) {
      send(outbox, new Uint8Array(5000).fill(i))
      if (i % 3 === 0) for (const chunk of outbox.take()!) given.push([chunk, hex(chunk)])
      if (i % 3 !== 1) continue
      for (const [chunk, text] of given) assert.strictEqual(hex(chunk), text)
      given = []
      // More was written than the kernel took.
      outbox.recycle()
    }
  })

  it("gives back what the kernel took while more and more is written", () => {
    const outbox = new CallOutbox()
    const buffers = new Set<ArrayBufferLike>()
    const body = new Uint8Array(9000)
    for (let i = 0; i < 70; i++) send(outbox, body)
    for (let turn = 0; turn < 20; turn++) {
      for (const { buffer } of outbox.take()!) buffers.add(buffer)
      for (let i = 0; i < 70; i++) send(outbox, body)
      outbox.recycle()
    }
    // What waits, what the kernel has, and what other tests left in the pool.
    assert.isBelow(buffers.size, 70)
  })

  it("is not lost when the first message of another buffer cannot be encoded", () => {
    const outbox = new CallOutbox()
    send(outbox, new Uint8Array(60_000).fill(1))
    assert.throws(() =>
      send(outbox, Uint8Array.of(2), () => {
        throw new Error("cannot be encoded")
      })
    )
    assert.strictEqual(concat(outbox.take()!).length, 60_016)
    send(outbox, Uint8Array.of(3))
    assert.strictEqual(hex(concat(outbox.take()!)), `${head}03`)
  })

  it("uses the same buffer again, and one that another connection had", () => {
    const outbox = new CallOutbox()
    const buffers = [outbox, outbox, new CallOutbox()].map((outbox) => {
      send(outbox, Uint8Array.of(1))
      const [chunk] = outbox.take()!
      outbox.recycle()
      return chunk!.buffer
    })
    assert.strictEqual(new Set(buffers).size, 1)
  })

  it("by reference is not copied, and counts", () => {
    const outbox = new CallOutbox()
    const large = new Uint8Array(100_000).fill(9)
    send(outbox, Uint8Array.of(5))
    assert.strictEqual(send(outbox, large, encodeByReference, "ttheader-framed"), 100_002)
    send(outbox, Uint8Array.of(6))
    const chunks = outbox.take()!
    assert.strictEqual(chunks.length, 3)
    assert.strictEqual(chunks[1], large)
    const all = concat(chunks)
    assert.strictEqual(outbox.taken, all.length)
    const sizes: Array<number> = []
    const server = new TestServer((call) => sizes.push(call.take(decodeBytes).length))
    // The first message is no struct; a frame around it is.
    server.receive(all.subarray(17))
    assert.strictEqual(sizes[0], 100_002)
    outbox.recycle()
  })

  it("has a checksum over what is by reference too", () => {
    const outbox = new CallOutbox()
    const large = new Uint8Array(10_000).fill(3)
    new MessageWriter(outbox, { ...options, checksum: true }).write(
      "ttheader-framed",
      0,
      noFields,
      envelope,
      large,
      encodeByReference
    )
    const server = new TestServer(undefined, { checksum: true })
    server.receive(concat(outbox.take()!))
    assert.isUndefined(server.ended)
    assert.strictEqual(server.calls[0]!.size, 10_002)
    outbox.recycle()
  })

  it("is nothing when the encoder throws", () => {
    const outbox = new CallOutbox()
    const fail = (bytes: Uint8Array, out: Output) => {
      encodeByReference(bytes, out)
      throw new Error("no")
    }
    assert.throws(() => send(outbox, Uint8Array.of(1), fail), "no")
    assert.isUndefined(outbox.take())
    send(outbox, Uint8Array.of(1), encodeByReference)
    for (const encoding of ["framed", "ttheader", "ttheader-framed"] as const) {
      assert.throws(() => send(outbox, Uint8Array.of(1), fail, encoding), "no")
    }
    send(outbox, Uint8Array.of(4))
    assert.strictEqual(hex(concat(outbox.take()!)), `${head}010102${head}04`)
    outbox.recycle()
  })

  it("is nothing when the header is too long", () => {
    const outbox = new CallOutbox()
    const fields = { ints: [], strings: [["k", "x".repeat(65_536)]] as const }
    const write = () =>
      new MessageWriter(outbox, options).write("ttheader", 0, fields, envelope, Uint8Array.of(0), encodeBytes)
    assert.throws(write, /string exceeded 65535B max size/)
    assert.isUndefined(outbox.take())
  })

  it("of a large message leaves from the buffer that it was encoded into, and does not stay", () => {
    const outbox = new CallOutbox()
    const written = (size: number) => {
      let buffer: ArrayBufferLike | undefined
      send(outbox, new Uint8Array(size), (bytes, out) => {
        encodeBytes(bytes, out)
        buffer = out.buffer.buffer
      })
      const chunks = outbox.take()!
      assert.strictEqual(chunks.length, 1)
      assert.strictEqual(chunks[0]!.buffer, buffer)
      outbox.recycle()
      return buffer!.byteLength
    }
    assert.isAbove(written(300 * 1024), 300 * 1024)
    assert.isAbove(written(16 * 1024 * 1024), 16 * 1024 * 1024)
    assert.isAtMost(written(10), 4 * 1024 * 1024)
  })

  const Step = Schema.Literals(["small", "medium", "large", "reference", "fail", "take", "recycle", "discard"])
  it.prop(
    "is what a model says, for any order of writing and taking",
    [Schema.Array(Step)],
    ([steps]) => {
      const outbox = new CallOutbox()
      let waiting = ""
      let taken = 0
      let unrecycled: Array<readonly [chunk: Uint8Array, text: string]> = []
      const sizes = { small: 3, medium: 9000, large: 80_000, reference: 20_000, fail: 9000 }
      for (const [i, step] of steps.entries()) {
        if (step === "take") {
          const chunks = outbox.take()
          assert.strictEqual(hex(concat(chunks ?? [])), waiting)
          taken += waiting.length / 2
          waiting = ""
          for (const chunk of chunks ?? []) unrecycled.push([chunk, hex(chunk)])
        } else if (step === "recycle") {
          for (const [chunk, text] of unrecycled) assert.strictEqual(hex(chunk), text)
          unrecycled = []
          outbox.recycle()
        } else if (step === "discard") {
          outbox.discard()
          waiting = ""
        } else {
          const body = new Uint8Array(sizes[step]).fill(i)
          if (step === "fail") {
            assert.throws(() =>
              send(outbox, body, (bytes, out) => {
                encodeByReference(bytes, out)
                throw new Error("no")
              })
            )
          } else {
            send(outbox, body, step === "reference" ? encodeByReference : encodeBytes)
            waiting += head + (step === "reference" ? `01${hex(body)}02` : hex(body))
          }
        }
        assert.strictEqual(outbox.length, waiting.length / 2)
        assert.strictEqual(outbox.taken, taken)
      }
    },
    { arbitrary: { runs: 100 } }
  )
})

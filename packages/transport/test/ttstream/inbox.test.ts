import { assert, describe, it } from "@effect/vitest"
import { Inbox } from "../../src/internal/ttstream/inbox.ts"
import { payloadAt } from "../../src/internal/ttstream/reader.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { decodeText } from "../support/raw.ts"
import { data } from "./raw.ts"

/** Puts frames into the inbox, as they lie in one chunk. */
const push = (inbox: Inbox, chunk: Uint8Array, ends: ReadonlyArray<number>, gathered = false): void => {
  let start = 0
  for (const end of ends) {
    const size = end - payloadAt(chunk, start)
    inbox.push(chunk, start, end, { count: 1, size, newest: size }, gathered)
    start = end
  }
}

const chunkOf = (texts: ReadonlyArray<string>, size = 0): readonly [Uint8Array, ReadonlyArray<number>] => {
  const frames = texts.map((text) => data(text))
  let at = 0
  const ends = frames.map((frame) => (at += frame.length))
  const chunk = new Uint8Array(Math.max(at, size))
  chunk.set(Buffer.concat(frames))
  return [chunk, ends]
}

/** Bytes of all memory that the inbox keeps alive. */
const retained = (inbox: Inbox): number => {
  const buffers = new Set<ArrayBufferLike>()
  const { first, runs } = inbox as unknown as { readonly first: number; readonly runs: Array<{ bytes: Uint8Array }> }
  for (const { bytes } of runs.slice(first)) buffers.add(bytes.buffer)
  let sum = 0
  for (const buffer of buffers) sum += buffer.byteLength
  return sum
}

const runsOf = (inbox: Inbox): number => (inbox as unknown as { readonly runs: Array<unknown> }).runs.length

describe("ttstream inbox", () => {
  it.prop("gives messages in order, whatever is packed meanwhile", { given: choices }, ({ given }) => {
    const choose = new Choices(given)
    const inbox = new Inbox()
    const expected: Array<string> = []
    let count = 0
    for (let step = 0; step < 30; step++) {
      const what = choose.below(4)
      if (what <= 1) {
        const length = choose.pick([0, 1, 5, 254, 255, 256, 1000, 5000])
        const texts = Array.from({ length: 1 + choose.below(what === 0 ? 1 : 20) }, () =>
          `${count++} `.padEnd(length, "x")
        )
        const [chunk, ends] = chunkOf(texts, choose.pick([0, 65536]))
        push(inbox, chunk, ends, texts.length === 1 && choose.below(2) === 0)
        expected.push(...texts)
      } else if (what === 2) inbox.compact()
      else {
        const max = choose.below(30)
        const got: Array<string> = []
        inbox.take(decodeText, max, got)
        const taken = expected.splice(0, max)
        assert.deepStrictEqual(got, taken)
        assert.strictEqual(inbox.takenBytes, taken.join("").length)
        assert.strictEqual(inbox.takenSize, taken.at(-1)?.length ?? 0)
      }
      assert.strictEqual(inbox.available, expected.length)
      assert.strictEqual(inbox.bytes, expected.join("").length)
    }
  })

  it("keeps one run for the messages of a chunk", () => {
    const inbox = new Inbox()
    push(inbox, ...chunkOf(Array.from({ length: 1000 }, () => "hello")))
    assert.strictEqual(runsOf(inbox), 1)
    assert.strictEqual(inbox.available, 1000)
  })

  it("goes on behind a message that does not decode", () => {
    for (const packed of [false, true]) {
      const inbox = new Inbox()
      push(inbox, ...chunkOf(["a", "bad", "c"]))
      if (packed) inbox.compact()
      const got: Array<string> = []
      const decode = (bytes: Uint8Array, start: number, end: number) => {
        const text = decodeText(bytes, start, end)
        if (text === "bad") throw new Error("no")
        return text
      }
      assert.throws(() => inbox.take(decode, Infinity, got), "no")
      assert.deepStrictEqual([got, inbox.available, inbox.bytes], [["a"], 1, 1])
      assert.deepStrictEqual([inbox.takenBytes, inbox.takenSize], [4, 3])
      inbox.take(decode, Infinity, got)
      assert.deepStrictEqual(got, ["a", "c"])
    }
  })

  for (const [name, length, count] of [
    ["tiny messages", 1, 1500],
    ["small messages", 40, 1500],
    ["messages of 1 KiB", 1024, 500],
    ["large messages", 30_000, 10]
  ] as const) {
    for (const each of [1, 7, 100]) {
      it(`holds no more than four times the payload of ${name}, ${each} a chunk of 64 KiB`, () => {
        const inbox = new Inbox()
        const text = "x".repeat(length)
        for (let i = 0; i < count; i += each) {
          const size = Math.min(each, count - i)
          push(
            inbox,
            ...chunkOf(
              Array.from({ length: size }, () => text),
              65536
            )
          )
          inbox.compact()
        }
        assert.strictEqual(inbox.bytes, length * count)
        // A run costs about 200 bytes beside its buffer.
        assert.isAtMost(retained(inbox) + runsOf(inbox) * 200, inbox.bytes * 4 + 32 * 1024)
        const got: Array<string> = []
        inbox.take(decodeText, Infinity, got)
        assert.strictEqual(got.length, count)
        assert.isTrue(got.every((message) => message === text))
        assert.strictEqual(retained(inbox), 0)
      })
    }
  }

  it("moves a gathered message out of a buffer that is much larger, and keeps one that fits", () => {
    const inbox = new Inbox()
    const [chunk, ends] = chunkOf(["x".repeat(3000)], 1_000_000)
    push(inbox, chunk, ends, true)
    inbox.compact()
    assert.isBelow(retained(inbox), 17_000)
    const fitting = new Inbox()
    const [own, end] = chunkOf(["x".repeat(3000)])
    push(fitting, own, end, true)
    fitting.compact()
    assert.strictEqual(retained(fitting), own.length)
  })

  it("moves what is left of a chunk out of it", () => {
    const inbox = new Inbox()
    push(inbox, ...chunkOf(Array.from({ length: 60 }, () => "x".repeat(1024))))
    inbox.take(decodeText, 55, [])
    inbox.compact()
    assert.isAtMost(retained(inbox), 5 * (1024 + 5))
    const got: Array<string> = []
    inbox.take(decodeText, Infinity, got)
    assert.deepStrictEqual(
      got,
      Array.from({ length: 5 }, () => "x".repeat(1024))
    )
  })

  it("forgets all on discard", () => {
    const inbox = new Inbox()
    push(inbox, ...chunkOf(["a", "b"]))
    inbox.discard()
    assert.deepStrictEqual([inbox.available, inbox.bytes, retained(inbox)], [0, 0, 0])
  })
})

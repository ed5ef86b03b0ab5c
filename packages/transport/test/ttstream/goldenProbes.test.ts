import { assert, describe, it } from "@effect/vitest"
import type { RawListener, RawServerStream, RawStatus } from "../../src/RawStream.ts"
import { fromHex } from "../http2/raw.ts"
import { encodeBytes } from "../support/raw.ts"
import { ServerSide } from "./support.ts"
import { bytesOf, golden, isFrame, type Probe, readFrames, split, told } from "./vectors.ts"

/** A message as its bytes without what is behind it, with its text; throws what Go's reader says. */
const decode = (
  bytes: Uint8Array,
  start: number,
  end: number
): { readonly text: string; readonly bytes: Uint8Array } => {
  if (start === end) throw new Error("*wire.Request read field 0 begin error: ReadFieldBegin: buf too small")
  if (bytes[start] === 0) return { text: "", bytes: bytes.slice(start, start + 1) }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const size = view.getInt32(start + 3)
  if (start + 8 + size > end) throw new Error("*wire.Request read field 1 'message' error: ReadString: buf too small")
  const text = new TextDecoder().decode(bytes.subarray(start + 7, start + 7 + size))
  return { text, bytes: bytes.slice(start, start + 8 + size) }
}

const failed = (text: string): RawStatus => ({ code: 13, message: `biz error: ${text}` })

/** What the recorded handler does, which echoes messages. */
class Handler implements RawListener {
  readonly stream: RawServerStream
  readonly saw: Array<string>
  private done = false

  constructor(stream: RawServerStream, saw: Array<string>) {
    this.stream = stream
    this.saw = saw
    stream.listener = this
    this.run()
  }

  private finish(status: RawStatus): void {
    if (this.done) return
    this.done = true
    this.stream.finish(status, [])
    this.stream.release()
  }

  private run(): void {
    const { stream } = this
    for (;;) {
      if (this.done) return
      const taken: Array<ReturnType<typeof decode>> = []
      try {
        stream.take(decode, 1, taken)
      } catch (error) {
        const { message } = error as Error
        this.saw.push(`recv: ${message}`)
        return this.finish(failed(message))
      }
      const [message] = taken
      if (message !== undefined) this.answer(message)
      else {
        const { end } = stream
        if (end === undefined) return
        if (end._tag !== "Failed") return this.finish({ code: 0, message: "" })
        this.saw.push(`recv: ${end.error.desc}`)
        return this.finish(failed(end.error.desc))
      }
    }
  }

  private answer({ bytes, text }: ReturnType<typeof decode>): void {
    if (text === "wait") return
    if (this.stream.method !== "Server") return void this.stream.write([bytes], 0, encodeBytes)
    // One message, and no more is read.
    this.stream.write([fromHex("080002000000000b0001000000047469636b00")], 0, encodeBytes)
    this.finish({ code: 0, message: "" })
  }

  onReadable(): void {
    this.run()
  }
  onWritable(): void {}
  onAbort({ desc }: { readonly desc: string }): void {
    // Whoever waits for a message hears of it there.
    if (this.stream.end?._tag !== "Failed" || desc.includes("code=12013")) return
    this.saw.push(`context: ${desc}`)
    this.finish(failed(desc))
  }
}

const methods = new Set(["Bidi", "Server", "Client"])

/** Frame by frame, or in pieces of a size. */
const replay = ({ send }: Probe, pieceSize: number | undefined) => {
  const side = new ServerSide()
  const saw: Array<string> = []
  side.verdict = ({ method }) => (methods.has(method) ? undefined : { code: 1, message: `unknown method ${method}` })
  side.onStream = (stream) => new Handler(stream, saw)
  const bytes = fromHex(send)
  const pieces =
    pieceSize === undefined
      ? split(send).map(fromHex)
      : Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, i) =>
          bytes.subarray(i * pieceSize, (i + 1) * pieceSize)
        )
  for (const piece of pieces) side.receive(piece)
  side.deliver()
  return { side, saw, sent: readFrames(side.taken()) }
}

const notHere = new Set([
  // What a method is, is known to whoever has the service.
  "unary-as-stream",
  "unary-as-stream-args",
  "pingpong-method-as-stream",
  // Not on a connection of streams.
  "pingpong-call-of-bidi",
  "pingpong-call-of-unary"
])

/** Types and texts of frames that our server answers on purpose in another way than Kitex's. */
const differs: Record<string, { readonly sent: ReadonlyArray<string>; readonly why: string }> = {
  "unknown-method": {
    sent: ["2", "4 unknown method Nope"],
    why: "Kitex's says nothing at all, and its client waits for ever"
  },
  "header-without-method": { sent: ["2", "4 unknown method "], why: "the same" },
  rst: { sent: [], why: "nobody reads what follows an Rst" },
  "rst-no-payload": { sent: [], why: "the same" },
  "rst-garbage-payload": { sent: [], why: "the same" },
  "duplicate-header": {
    sent: ["5 stream[1] was opened again before it had ended"],
    why: "an id that is in use opens no second stream"
  },
  "data-after-trailer": { sent: ["2", "4"], why: "nothing follows a half close; Kitex's handler may still see it" },
  "client-trailer-biz": {
    sent: ["2", "4 biz error: biz error: code=7, msg=m"],
    why: "what a client says at its end is no outcome of the handler"
  }
}

const shown = ({ header, payload }: ReturnType<typeof readFrames>[number]): string => {
  const type = header.ints.get(27)!
  if (payload.length === 0) return type
  const view = new DataView(payload.buffer, payload.byteOffset)
  const at = 12 + view.getInt32(4)
  return `${type} ${new TextDecoder().decode(payload.subarray(at + 7, at + 7 + view.getInt32(at + 3)))}`
}

describe("a Kitex server's answers to a client's bytes", () => {
  for (const probe of golden.probes) {
    const { closed, handlerSaw, name, reply } = probe
    if (notHere.has(name)) continue
    for (const size of [undefined, 1, 13]) {
      it(`${name}${size === undefined ? "" : `, in pieces of ${size}`}`, () => {
        const { saw, sent, side } = replay(probe, size)
        assert.strictEqual(side.closed !== undefined, closed)
        if (handlerSaw !== undefined) assert.deepStrictEqual(saw, handlerSaw)
        assert.deepStrictEqual(side.defects, [])
        assert.strictEqual(side.connection.active, 0)
        const other = differs[name]
        if (other !== undefined) return assert.deepStrictEqual(sent.map(shown), other.sent)
        const wanted = reply.filter(isFrame).flatMap((frame) => readFrames(bytesOf(frame)))
        assert.deepStrictEqual(sent.map(told), wanted.map(told))
        assert.deepStrictEqual(
          sent.map(({ streamId }) => streamId),
          wanted.map(({ streamId }) => streamId)
        )
      })
    }
  }

  it("each exception is of one that is there", () => {
    for (const name of [...notHere, ...Object.keys(differs)]) {
      assert.isDefined(
        golden.probes.find((probe) => probe.name === name),
        name
      )
    }
  })
})

import { assert, describe, it } from "@effect/vitest"
import { format } from "../../src/internal/ttstream/errors.ts"
import { FrameType, readExceptionPayload } from "../../src/internal/ttstream/frames.ts"
import type { CallEntries } from "../../src/RawCall.ts"
import type { RawCancellation, RawClientStream, RawServerStream, RawStatus } from "../../src/RawStream.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { decodeBytes, encodeBytes } from "../support/raw.ts"
import { ClientSide, entriesOf, ServerSide } from "./support.ts"
import {
  bytesOf,
  endText,
  type Frame,
  golden,
  isFrame,
  readFrame,
  type ReadFrame,
  readFrames,
  renumber,
  told,
  type Transcript
} from "./vectors.ts"

const payloadOf = (frame: Frame): Uint8Array => readFrames(bytesOf(frame))[0]!.payload
const methodOf = (frame: Frame): string => readFrame(frame.hex).header.ints.get(9)!
const withoutService = (frame: Frame): CallEntries => (frame.strings ?? []).filter(([key]) => key !== "isn")

const recorded: ReadonlyArray<Transcript> = [
  ...golden.transcripts,
  ...golden.chains.map((chain) => ({ ...chain, script: "", clientSaw: [] }))
].filter(({ frames }) => frames.length > 0)

/** What the client says of a cancellation, from the Rst of Kitex's. */
const cancellationOf = (rst: Frame) => {
  const [text, code] = rst.exception!
  const names = readFrame(rst.hex).header.strings.get("ttscp")?.split(",") ?? []
  return { caller: names.at(-1) ?? "", cancellation: { code, text: text as string, path: names.slice(0, -1) } }
}

/** The error of whoever cancels: its own text has no path. */
const cancelledBy = ({ code, text }: RawCancellation): TransportError =>
  new TransportError({ reason: new Cancelled(), code, desc: format(code, "client", undefined, text) })

/** Bytes come in pieces of this size. */
const inPieces = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** Does what Kitex's client did, and compares each frame with its. */
class ClientReplay {
  readonly side = new ClientSide()
  readonly streams = new Map<number, RawClientStream>()
  private readonly ids = new Map<number, number>()
  private sent: ReadonlyArray<ReadFrame> = []
  private readonly frames: ReadonlyArray<Frame>

  constructor(frames: ReadonlyArray<Frame>, pieceSize = Infinity) {
    this.frames = frames
    for (const frame of frames) {
      if (frame.dir === "c2s") this.send(frame)
      else {
        const bytes = renumber(bytesOf(frame), (id) => this.ids.get(id)!)
        for (const piece of inPieces(bytes, Math.min(pieceSize, bytes.length))) this.side.receive(piece)
      }
      this.sent = [...this.sent, ...readFrames(this.side.taken())]
    }
    assert.deepStrictEqual(this.sent.map(told), [], "frames that Kitex did not send")
  }

  private send(frame: Frame): void {
    if (this.sent.length === 0) {
      this.act(frame)
      this.sent = readFrames(this.side.taken())
    }
    const [first, ...rest] = this.sent
    this.sent = rest
    if (frame.type === FrameType.Header) this.ids.set(frame.sid, first!.streamId)
    assert.deepStrictEqual(told(first!), told(readFrames(bytesOf(frame))[0]!))
    assert.strictEqual(first!.streamId, this.ids.get(frame.sid))
  }

  private act(frame: Frame): void {
    const stream = this.streams.get(frame.sid)
    if (frame.type === FrameType.Header) {
      const rst = this.frames.find(({ sid, type }) => sid === frame.sid && type === FrameType.Rst)
      const method = methodOf(frame)
      const service = readFrame(frame.hex).header.strings.get("isn")!
      const fields = { ints: [], strings: withoutService(frame) }
      const caller = rst === undefined ? "golden-client" : cancellationOf(rst).caller
      this.streams.set(frame.sid, this.side.open(method, { header: { service, method, caller, fields } }))
    } else if (frame.type === FrameType.Data) {
      assert.strictEqual(stream!.write([payloadOf(frame)], 0, encodeBytes), 1)
      assert.strictEqual(stream!.lastWrittenSize, payloadOf(frame).length)
    } else if (frame.type === FrameType.Trailer) stream!.closeSend()
    else {
      const { cancellation } = cancellationOf(frame)
      stream!.abort("cancel", cancelledBy(cancellation), cancellation)
    }
  }
}

// What our client does on purpose in another way than Kitex's.
const clientDiffers = new Set([
  // Kitex's gives the business error in place of messages that came before it.
  "two-messages-then-biz"
])

describe("a Kitex client's conversations", () => {
  for (const { clientSaw, frames: all, name } of recorded) {
    it(`${name}: the same frames`, () => {
      const frames = all.filter(isFrame)
      const { side, streams } = new ClientReplay(frames)
      for (const [sid, stream] of streams) {
        const own = frames.filter((frame) => frame.sid === sid)
        const ended = own.findIndex(
          ({ dir, type }) => type === FrameType.Rst || (dir === "s2c" && type === FrameType.Trailer)
        )
        const last = own[ended]
        if (last?.type === FrameType.Rst) assert.strictEqual(stream.available, 0)
        else {
          const messages: Array<Uint8Array> = []
          stream.take(decodeBytes, Infinity, messages)
          assert.deepStrictEqual(
            messages,
            own.filter(({ dir, type }) => dir === "s2c" && type === FrameType.Data).map(payloadOf)
          )
        }
        const header = own.find(({ dir, type }) => dir === "s2c" && type === FrameType.Header)
        if (header !== undefined && last?.type !== FrameType.Rst) {
          assert.deepStrictEqual(
            entriesOf(stream.header).map(([key, [value]]) => [key, value]),
            (header.strings ?? []).map(([key, value]) => [key, value])
          )
        }
        assert.strictEqual(stream.end === undefined, last === undefined)
      }
      assert.strictEqual(side.connection.active, [...streams.values()].filter(({ end }) => end === undefined).length)
      assert.strictEqual(side.streamsEnded, [...streams.values()].filter(({ end }) => end !== undefined).length)
      assert.deepStrictEqual(side.defects, [])
    })

    const recv = clientSaw.findLast(({ op }) => op === "recv" || op === "closeAndRecv")
    if (recv?.error === undefined || recv.error.startsWith("(recorder") || clientDiffers.has(name)) continue
    it(`${name}: the same end, in pieces`, () => {
      const [stream] = new ClientReplay(all.filter(isFrame), 7).streams.values()
      assert.strictEqual(endText(stream!), recv.error)
      const trailer = clientSaw.findLast(({ op }) => op === "trailer()")
      if (typeof trailer?.value !== "object" || trailer.value === null || stream!.trailer === undefined) return
      // The keys of a business error are its own.
      const keys = Object.entries(trailer.value).filter(([key]) => !key.startsWith("biz-"))
      assert.deepStrictEqual(new Map(entriesOf(stream!.trailer).map(([key, [value]]) => [key, value])), new Map(keys))
    })
  }
})

/** The status that Kitex's handler ended with. */
const statusOf = (trailer: Frame): { readonly status: RawStatus; readonly trailers: CallEntries } => {
  const { header, payload } = readFrame(trailer.hex)
  const trailers = (trailer.strings ?? []).filter(([key]) => !key.startsWith("biz-"))
  if (payload.length > 0) {
    const exception = readExceptionPayload(payload, 0, payload.length)
    if (typeof exception === "string") throw new Error(exception)
    return { status: { code: 13, message: exception.message }, trailers }
  }
  const code = header.strings.get("biz-status")
  if (code === undefined) return { status: { code: 0, message: "" }, trailers }
  const extra = JSON.parse(header.strings.get("biz-extra") ?? "{}")
  const message = header.strings.get("biz-message") ?? ""
  return { status: { code: 13, message, biz: { code: Number(code), extra } }, trailers }
}

// What our server does on purpose in another way than Kitex's.
const serverDiffers: Record<string, string> = {
  "trailer-biz-status": "users cannot set keys of the protocol",
  "bidi-unicode-error": "texts are text: what is no UTF-8 was replaced before",
  "bidi-biz-empty-extra": "an empty extra is none",
  "unknown-method": "Kitex's says nothing at all, and its client waits for ever",
  "unknown-service": "the same"
}

/** Does what Kitex's server did, and compares each frame with its. `early`: headers go out by themselves. */
class ServerReplay {
  readonly side = new ServerSide()
  readonly streams = new Map<number, RawServerStream>()
  readonly requests = new Map<number, ReadonlyArray<Uint8Array>>()
  private readonly frames: ReadonlyArray<Frame>
  private readonly early: boolean
  private sent: ReadonlyArray<ReadFrame> = []

  constructor(frames: ReadonlyArray<Frame>, early: boolean) {
    this.frames = frames
    this.early = early
    for (const frame of frames) {
      if (frame.dir === "c2s") this.receive(frame)
      else if (!this.isOver(frame.sid)) this.send(frame)
      assert.deepStrictEqual(readFrames(this.side.taken()), [], "frames that Kitex did not send")
    }
    assert.deepStrictEqual(this.sent.map(told), [])
  }

  // Behind an Rst Kitex's server still writes how its handler ended, which clients ignore; ours writes nothing.
  private isOver(sid: number): boolean {
    return this.streams.get(sid)!.writeEnded !== undefined
  }

  private receive(frame: Frame): void {
    const bytes = bytesOf(frame)
    for (const piece of inPieces(bytes, this.early ? bytes.length : 5)) this.side.receive(piece)
    if (frame.type !== FrameType.Header) return
    const stream = this.side.accepted.at(-1)!
    this.streams.set(frame.sid, stream)
    const header = this.frames.find(
      ({ dir, sid, type }) => dir === "s2c" && type === FrameType.Header && sid === frame.sid
    )
    if (!this.early) stream.pendingHeaders = header?.strings ?? []
  }

  private send(frame: Frame): void {
    if (this.sent.length === 0) {
      const stream = this.streams.get(frame.sid)!
      if (frame.type === FrameType.Header) {
        if (this.early) stream.sendHeaders(frame.strings ?? [])
        // It comes with what is next.
        else return
      } else if (frame.type === FrameType.Data) stream.write([payloadOf(frame)], 0, encodeBytes)
      else {
        this.take(frame.sid)
        const { status, trailers } = statusOf(frame)
        assert.strictEqual(stream.finish(status, trailers), undefined)
        stream.release()
      }
      this.sent = readFrames(this.side.taken())
    }
    if (this.sent.length > 1) {
      const [header, ...rest] = this.sent
      const wanted = this.frames.find(
        ({ dir, sid, type }) => dir === "s2c" && type === FrameType.Header && sid === frame.sid
      )!
      assert.deepStrictEqual(told(header!), told(readFrames(bytesOf(wanted))[0]!))
      this.sent = rest
    }
    const [first, ...rest] = this.sent
    this.sent = rest
    assert.deepStrictEqual(told(first!), told(readFrames(bytesOf(frame))[0]!))
    assert.strictEqual(first!.streamId, frame.sid)
  }

  take(sid: number): void {
    const messages: Array<Uint8Array> = [...(this.requests.get(sid) ?? [])]
    this.streams.get(sid)!.take(decodeBytes, Infinity, messages)
    this.requests.set(sid, messages)
  }
}

describe("a Kitex server's conversations", () => {
  for (const { frames: all, name } of recorded) {
    const frames = all.filter(isFrame)
    if (serverDiffers[name] !== undefined || !frames.some(({ dir }) => dir === "s2c")) continue
    for (const early of [true, false]) {
      it(`${name}: the same frames${early ? "" : ", headers by themselves, in pieces"}`, () => {
        const replay = new ServerReplay(frames, early)
        for (const [sid, stream] of replay.streams) {
          const own = frames.filter((frame) => frame.sid === sid)
          const header = own[0]!
          assert.strictEqual(stream.method, methodOf(header))
          assert.strictEqual(stream.service, "GoldenStream")
          assert.deepStrictEqual(new Map(stream.header!.strings), new Map(header.strings))
          assert.deepStrictEqual(entriesOf(stream.metadata), [])
          replay.take(sid)
          const rst = own.find(({ dir, type }) => dir === "c2s" && type === FrameType.Rst)
          const messages = own.filter(({ dir, type }) => dir === "c2s" && type === FrameType.Data).map(payloadOf)
          assert.deepStrictEqual(replay.requests.get(sid), messages)
          if (rst !== undefined) {
            const { end, writeEnded } = stream
            assert.strictEqual(typeof writeEnded === "object" && writeEnded._tag, "Failed")
            assert.isDefined(end)
          }
        }
        assert.deepStrictEqual(replay.side.defects, [])
      })
    }
  }

  const cancels = golden.transcripts.filter(({ handlerSaw }) => handlerSaw !== undefined)
  for (const { frames, handlerSaw, name } of cancels) {
    it(`${name}: the handler hears why`, () => {
      const { streams } = new ServerReplay(frames.filter(isFrame), true)
      const [stream] = streams.values()
      const { writeEnded } = stream!
      if (typeof writeEnded !== "object" || writeEnded._tag !== "Failed") throw new Error("it goes on")
      assert.deepStrictEqual(handlerSaw, [`context: ${writeEnded.error.desc}`])
    })
  }

  it("are all there", () => {
    assert.strictEqual(recorded.length, golden.transcripts.length + golden.chains.length)
    for (const name of Object.keys(serverDiffers))
      assert.isDefined(
        recorded.find((one) => one.name === name),
        name
      )
  })
})

import type { Output } from "@millrace/codec/Output"
import { Effect } from "effect"
import type { RawListener, RawServerStream, RawStream } from "../../src/RawStream.ts"
import { ClientTransport, type OpenRequest, ServerTransport } from "../../src/Transport.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const encodeText = (text: string, out: Output): void => {
  const bytes = encoder.encode(text)
  out.ensure(bytes.length)
  out.buffer.set(bytes, out.position)
  out.position += bytes.length
}
export const decodeText = (bytes: Uint8Array, start: number, end: number): string =>
  decoder.decode(bytes.subarray(start, end))

/** Bytes at or above 4 KiB go by reference, as the codec does it. */
export const encodeBytes = (bytes: Uint8Array, out: Output): void => {
  if (bytes.length >= 4096) {
    out.segments.push({ at: out.position, bytes })
    return
  }
  out.ensure(bytes.length)
  out.buffer.set(bytes, out.position)
  out.position += bytes.length
}
export const decodeBytes = (bytes: Uint8Array, start: number, end: number): Uint8Array => bytes.slice(start, end)

/** What happened on a stream, and a way to wait for it. */
export class Recorder implements RawListener {
  readable = 0
  writable = 0
  aborted = 0
  private waiters: Array<() => void> = []
  readonly stream: RawStream
  constructor(stream: RawStream) {
    this.stream = stream
    stream.listener = this
  }
  onReadable() {
    this.readable++
    this.wake()
  }
  onWritable() {
    this.writable++
    this.wake()
  }
  onAbort() {
    this.aborted++
    this.wake()
  }
  private wake() {
    const waiters = this.waiters
    this.waiters = []
    for (const waiter of waiters) waiter()
  }
  until(condition: (stream: RawStream) => boolean): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const check = () => {
        if (condition(this.stream)) resume(Effect.void)
        else this.waiters.push(check)
      }
      check()
    })
  }
}

export const recorderOf = (stream: RawStream): Recorder =>
  stream.listener instanceof Recorder ? stream.listener : new Recorder(stream)

/** Waits for n messages, or for the end. */
export const read = <A>(stream: RawStream, n: number, decode: (b: Uint8Array, s: number, e: number) => A) =>
  Effect.gen(function* () {
    const into: Array<A> = []
    const recorder = recorderOf(stream)
    while (into.length < n) {
      yield* recorder.until((stream) => stream.available > 0 || stream.end !== undefined)
      if (stream.available === 0) break
      stream.take(decode, n - into.length, into)
    }
    return into
  })

export const readTexts = (stream: RawStream, n = Infinity) => read(stream, n, decodeText)

export const ended = (stream: RawStream) =>
  Effect.map(
    recorderOf(stream).until((stream) => stream.end !== undefined),
    () => stream.end!
  )

/** Writes everything, waiting where the buffer is full. */
export const writeAll = <A>(
  stream: RawStream,
  messages: ReadonlyArray<A>,
  encode: (message: A, out: Output) => void,
  endStream = false
) =>
  Effect.gen(function* () {
    const recorder = recorderOf(stream)
    let from = 0
    for (;;) {
      from = stream.write(messages, from, encode, endStream)
      if (from === messages.length || stream.writeEnded !== undefined) return from
      yield* recorder.until((stream) => stream.writable || stream.writeEnded !== undefined)
    }
  })

/** Echoes every message, then ends with OK. */
export const echo = (stream: RawServerStream): Effect.Effect<void> =>
  Effect.gen(function* () {
    const recorder = recorderOf(stream)
    for (;;) {
      yield* recorder.until((stream) => stream.available > 0 || stream.end !== undefined)
      const batch: Array<Uint8Array> = []
      stream.take(decodeBytes, 256, batch)
      if (batch.length > 0) yield* writeAll(stream, batch, encodeBytes)
      else if (stream.end !== undefined) break
    }
    if (stream.end._tag === "HalfClosed") {
      stream.finish({ code: 0, message: "" }, [["x-trailer", "t"]])
    } else if (stream.end._tag === "Failed") {
      stream.finish({ code: stream.end.error.code, message: stream.end.error.desc }, [])
    }
    stream.release()
  })

/** Listens with a handler effect for each stream. */
export const serve = (handler: (stream: RawServerStream) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const context = yield* Effect.context()
    const fork = Effect.runForkWith(context)
    const streams: Array<RawServerStream> = []
    const listening = yield* server.listen({
      onStream: (stream) => {
        streams.push(stream)
        fork(handler(stream))
      },
      onCall: (call) => call.abort()
    })
    return { listening, streams, address: `127.0.0.1:${listening.address.port}` }
  })

const noFields = { ints: [], strings: [] }

/** A request as the layer above makes it, for whatever carries it. */
export const requestTo = (address: string, request: Partial<OpenRequest> = {}): OpenRequest => {
  const path = request.path ?? "/echo.TestService/Echo"
  const [, service = "", method = ""] = /([^./]*)\/([^/]*)$/.exec(path) ?? []
  return { address, path, authority: "echo", header: { service, method, caller: "", fields: noFields }, ...request }
}

export const openStream = (address: string, request: Partial<OpenRequest> = {}) =>
  Effect.flatMap(ClientTransport, (client) => client.open(requestTo(address, request)))

import { Output } from "@millrace/codec/Output"
import { Metadata, type RawStream } from "@millrace/transport"
import { Cause, Clock, Effect } from "effect"
import type { ClientStream, Middleware } from "../../src/index.ts"
import { Duplex } from "../../src/internal/duplex.ts"
import { StreamInfo } from "../../src/internal/serverInfo.ts"
import { Timers } from "../../src/internal/timers.ts"
import { TestService } from "./echo.ts"

type CallError = ClientStream.CallError

const text = new TextDecoder()
const bytesOf = (message: string) => new TextEncoder().encode(message)

/** A raw stream of texts: what came, and what was written, `room` messages at a time. */
export class FakeRaw implements RawStream.RawStream {
  readonly protocol = "grpc"
  readonly peer = { address: "memory" }
  listener: RawStream.RawListener | undefined = undefined
  readonly queue: Array<string> = []
  readonly written: Array<string> = []
  end: RawStream.RawEnd | undefined = undefined
  room = Infinity
  lastTakenBytes = 0
  lastTakenSize = 0
  lastWrittenBytes = 0
  lastWrittenSize = 0
  lastWrittenCount = 0
  readonly buffered = 0
  readonly writable = true
  readonly writeEnded = undefined
  /** What the end handed to `take` and `write`. */
  decoders = new Set<unknown>()
  encoders = new Set<unknown>()

  get available(): number {
    return this.queue.length
  }

  arrive(...messages: ReadonlyArray<string>): void {
    this.queue.push(...messages)
    this.listener!.onReadable()
  }

  finish(): void {
    this.end = { _tag: "HalfClosed" }
    this.listener!.onReadable()
  }

  take<A>(decode: RawStream.Decode<A>, max: number, into: Array<A>): void {
    this.decoders.add(decode)
    this.lastTakenBytes = 0
    while (into.length < max && this.queue.length > 0) {
      const bytes = bytesOf(this.queue.shift()!)
      this.lastTakenBytes += bytes.length
      this.lastTakenSize = bytes.length
      into.push(decode(bytes, 0, bytes.length))
    }
  }

  write<A>(messages: ReadonlyArray<A>, from: number, encode: RawStream.Encode<A>): number {
    this.encoders.add(encode)
    this.lastWrittenBytes = this.lastWrittenSize = this.lastWrittenCount = 0
    let next = from
    while (next < messages.length && next - from < this.room) {
      const out = new Output()
      encode(messages[next]!, out)
      const bytes = out.toBytes()
      this.written.push(text.decode(bytes))
      this.lastWrittenBytes += bytes.length
      this.lastWrittenSize = bytes.length
      this.lastWrittenCount++
      next++
    }
    return next
  }
}

export const decode: RawStream.Decode<unknown> = (bytes, start, end) => text.decode(bytes.subarray(start, end))
export const encode: RawStream.Encode<unknown> = (message, out) => {
  const bytes = bytesOf(message as string)
  out.ensure(bytes.length)
  out.buffer.set(bytes, out.position)
  out.position += bytes.length
}

/** An end with nothing of a call around it; what it refuses it survives, as that of a server. */
export class FakeEnd extends Duplex {
  protected recvRefused(): undefined {}
  protected errorOf(): undefined {}
  protected done(): Effect.Effect<never, Cause.Done> {
    return Cause.done()
  }
  protected recvFailed(error: CallError): Effect.Effect<never, CallError> {
    return Effect.fail(error)
  }
  protected sendRefused(): CallError {
    throw new Error("it never ends")
  }
  protected sendFailed(error: CallError): Effect.Effect<never, CallError> {
    return Effect.fail(error)
  }
  protected failed(): void {}
  protected get reported(): boolean {
    return false
  }
  onAbort(): void {}
}

export const fakeEnd = (
  recv: ReadonlyArray<Middleware.RecvMiddleware>,
  send: ReadonlyArray<Middleware.SendMiddleware> = []
) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const raw = new FakeRaw()
    const end = new FakeEnd(
      {
        timers: new Timers(clock, Effect.runFork),
        messageTracers: [],
        recvMiddleware: recv,
        sendMiddleware: send,
        logStall: () => {}
      },
      new StreamInfo("TestService", "Echo", "bidirectional", "/TestService/Echo", "memory", Metadata.empty, {
        header: undefined,
        protocol: "grpc"
      }),
      { service: TestService, method: TestService.methods[0] },
      raw,
      decode,
      encode,
      { deadline: 0, firstMessage: 0, recv: 0, recvFailsAlone: false, send: 0, stallWarning: 0 }
    )
    return { raw, end }
  })

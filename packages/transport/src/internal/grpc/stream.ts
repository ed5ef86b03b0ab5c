/**
 * What both ends of a gRPC stream share: messages in, messages out, and the one listener.
 *
 * @internal
 */
import { Output } from "@millrace/codec/Output"
import type { Decode, Encode, RawEnd, RawListener, RawPeer, RawStream } from "../../RawStream.ts"
import type { Compression } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { Notified } from "../engine.ts"
import type { AbortCause, Connection, HeaderList, Http2Stream, StreamOwner } from "../http2/api.ts"
import type { Limits } from "../http2/limits.ts"
import { takeLarge } from "../http2/outbox.ts"
import { noEncoding } from "./compression.ts"
import { Deframer, type Expand, prefixLength } from "./prefix.ts"

/** What a stream is told once, whoever carries it. @internal */
export interface StreamOptions {
  readonly maxReceiveMessageSize: number
  readonly sendBufferLimit: number
  readonly compression: Compression | undefined
  /** For the errors that name them. */
  readonly limits: Limits
}

/** What a stream needs of the driver that carries it. @internal */
export interface Carrier {
  readonly connection: Connection
  readonly peer: RawPeer
  readonly streamOptions: StreamOptions
  now(): number
  /** Set by whoever keeps bytes of the chunk that is being read. */
  chunkKept: boolean
  /** Something waits to be written: flush in this tick. */
  wake(): void
  /** Call `notify` once after the parse of this read, or in this tick. */
  mark(stream: Notified): void
}

const Readable = 1
const Writable = 2
const Aborted = 4
const Announced = 8

// Encoders are synchronous, so all streams share one buffer; an encoder that writes to another stream gets a fresh one.
let idleOutput: Output | undefined

/** @internal */
export abstract class GrpcStream implements RawStream, StreamOwner, Notified {
  listener: RawListener | undefined = undefined
  lastTakenBytes = 0
  lastTakenSize = 0
  lastWrittenBytes = 0
  lastWrittenSize = 0
  lastWrittenCount = 0
  end: RawEnd | undefined = undefined

  protected readonly carrier: Carrier
  protected readonly inbound: Deframer
  protected stream!: Http2Stream
  protected expand: Expand = noEncoding
  protected compress: "gzip" | undefined = undefined
  private pending = 0
  /** The size of the message that was let in whole. */
  private expected = 0

  constructor(carrier: Carrier) {
    this.carrier = carrier
    this.inbound = new Deframer(carrier.streamOptions.maxReceiveMessageSize)
  }

  get protocol(): "grpc" {
    return "grpc"
  }

  get peer(): RawPeer {
    return this.carrier.peer
  }

  get available(): number {
    return this.inbound.available
  }

  abstract readonly writeEnded: "closed" | RawEnd | undefined

  get buffered(): number {
    return this.stream.buffered
  }

  get writable(): boolean {
    return this.writeEnded === undefined && this.stream.buffered < this.carrier.streamOptions.sendBufferLimit
  }

  // ---- in

  take<A>(decode: Decode<A>, max: number, into: Array<A>): void {
    const inbound = this.inbound
    try {
      inbound.take(decode, max, into, this.expand)
    } finally {
      this.lastTakenBytes = inbound.takenBytes
      this.lastTakenSize = inbound.takenSize
      if (inbound.takenWindow > 0) {
        this.carrier.connection.consume(this.stream, inbound.takenWindow, this.carrier.now())
        this.carrier.wake()
      }
      this.expectRest()
    }
  }

  /** A message that nobody can take before it is whole may not wait for a window that only its being taken opens. */
  private expectRest(): void {
    const whole = this.inbound.announced
    if (this.inbound.available > 0 || whole === 0) {
      this.expected = 0
      return
    }
    if (this.expected !== 0 || this.end !== undefined) return
    this.expected = whole
    this.carrier.connection.expect(this.stream, whole)
    this.carrier.wake()
  }

  protected receive(bytes: Uint8Array, start: number, end: number): void {
    const before = this.inbound.available
    if (this.inbound.push(bytes, start, end)) this.carrier.chunkKept = true
    if (this.inbound.refused) this.refuse()
    else {
      if (this.inbound.announced > 0) this.expectRest()
      if (this.inbound.available > before) this.markReadable()
    }
  }

  /** The peer claimed a message above the limit. */
  protected abstract refuse(): void

  abstract onHeaders(headers: HeaderList, endStream: boolean): void
  abstract onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void
  abstract onAbort(cause: AbortCause): void

  onWritable(): void {
    this.mark(Writable)
  }

  protected markReadable(): void {
    this.mark(Readable)
  }

  /** The stream is dead in both directions: whoever reads and whoever writes has to know. */
  protected markAborted(): void {
    this.mark(Aborted | Readable | Writable)
  }

  protected markEnded(): void {
    this.mark(Readable | Writable)
  }

  /** A new stream of the server: tell whoever accepts it, after the parse of this read. */
  protected markAnnounced(): void {
    this.mark(Announced)
  }

  /** Hands a new stream to whoever accepts it. */
  protected announce(): void {}

  private mark(what: number): void {
    if (this.pending === 0) this.carrier.mark(this)
    this.pending |= what
  }

  notify(): void {
    const pending = this.pending
    this.pending = 0
    const listener = this.listener
    if (pending & Announced) this.announce()
    else if (listener !== undefined) {
      const error = pending & Aborted ? this.abortError() : undefined
      if (error !== undefined) listener.onAbort(error)
      if (pending & Readable) this.listener?.onReadable()
      if (pending & Writable) this.listener?.onWritable()
    }
    if (this.inbound.available > 0) this.inbound.compact()
  }

  /** Why the whole stream is dead. */
  protected abstract abortError(): TransportError | undefined

  // ---- out

  /** Sends what must go before the first message. */
  protected beforeWrite(): void {}

  write<A>(messages: ReadonlyArray<A>, from: number, encode: Encode<A>, endStream = false): number {
    this.lastWrittenBytes = 0
    this.lastWrittenSize = 0
    this.lastWrittenCount = 0
    if (this.writeEnded !== undefined) return from
    const limit = this.carrier.streamOptions.sendBufferLimit
    if (this.stream.buffered >= limit && from < messages.length) return from
    this.beforeWrite()
    let next = from
    if (from === messages.length) {
      if (endStream) this.sendEnd()
    } else if (this.compress !== undefined) next = this.writeCompressed(messages, from, encode, endStream, limit)
    else {
      const out = idleOutput ?? new Output()
      idleOutput = undefined
      try {
        while (next < messages.length && this.stream.buffered < limit) {
          next = this.writeSome(messages, next, encode, endStream, limit, out)
        }
      } finally {
        out.clear()
        idleOutput = out
      }
    }
    this.carrier.wake()
    return next
  }

  /** Encodes until the buffer is full, then hands everything to the engine at once. */
  private writeSome<A>(
    messages: ReadonlyArray<A>,
    from: number,
    encode: Encode<A>,
    endStream: boolean,
    limit: number,
    out: Output
  ): number {
    const room = limit - this.stream.buffered
    let next = from
    let written = 0
    let last = 0
    let referenced = 0
    out.clear()
    try {
      while (next < messages.length && out.position + referenced < room) {
        const at = out.position
        const segments = out.segments.length
        try {
          out.ensure(prefixLength)
          out.position = at + prefixLength
          encode(messages[next]!, out)
        } catch (error) {
          out.rewind(at, segments)
          throw error
        }
        let size = out.position - at - prefixLength
        for (let i = segments; i < out.segments.length; i++) {
          size += out.segments[i]!.bytes.length
          referenced += out.segments[i]!.bytes.length
        }
        writePrefix(out.buffer, at, 0, size)
        written += size
        last = size
        next++
      }
    } finally {
      this.wrote(next - from, written, last)
      this.sendOutput(out, endStream && next === messages.length)
    }
    return next
  }

  private wrote(count: number, bytes: number, last: number): void {
    if (count === 0) return
    this.lastWrittenBytes += bytes
    this.lastWrittenSize = last
    this.lastWrittenCount += count
  }

  private sendOutput(out: Output, endStream: boolean): void {
    const connection = this.carrier.connection
    if (out.position >= lentFrom && out.segments.length === 0) {
      const end = out.position
      connection.lendData(this.stream, out.exchange(takeLarge()), end, endStream)
      if (endStream) this.sentEnd()
      return
    }
    let sent = 0
    for (const segment of out.segments) {
      if (segment.at > sent) connection.sendData(this.stream, out.buffer, sent, segment.at, false, false)
      sent = segment.at
      connection.sendData(this.stream, segment.bytes, 0, segment.bytes.length, true, false)
    }
    if (out.position > sent || endStream) {
      connection.sendData(this.stream, out.buffer, sent, out.position, false, endStream)
    }
    if (endStream) this.sentEnd()
  }

  private writeCompressed<A>(
    messages: ReadonlyArray<A>,
    from: number,
    encode: Encode<A>,
    endStream: boolean,
    limit: number
  ): number {
    const gzip = this.carrier.streamOptions.compression!.gzip
    let next = from
    while (next < messages.length && this.stream.buffered < limit) {
      const out = new Output(1024)
      encode(messages[next]!, out)
      const packed = gzip(out.toBytes())
      const frame = new Uint8Array(prefixLength + packed.length)
      writePrefix(frame, 0, 1, packed.length)
      frame.set(packed, prefixLength)
      this.wrote(1, packed.length, packed.length)
      next++
      const last = endStream && next === messages.length
      this.carrier.connection.sendData(this.stream, frame, 0, frame.length, true, last)
      if (last) this.sentEnd()
    }
    return next
  }

  protected sendEnd(): void {
    this.carrier.connection.sendData(this.stream, nothing, 0, 0, true, true)
    this.sentEnd()
    this.carrier.wake()
  }

  /** END_STREAM went out with data. */
  protected abstract sentEnd(): void
}

const nothing = new Uint8Array(0)

/** From this size on a message is sent from the buffer it was encoded into: that takes another buffer and saves a copy. */
const lentFrom = 256 * 1024

const writePrefix = (bytes: Uint8Array, at: number, flag: number, length: number): void => {
  bytes[at] = flag
  bytes[at + 1] = length >>> 24
  bytes[at + 2] = length >>> 16
  bytes[at + 3] = length >>> 8
  bytes[at + 4] = length
}

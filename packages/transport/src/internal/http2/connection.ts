/**
 * The HTTP/2 engine, both roles: bytes in, calls out (RFC 9113). This file is the connection: its errors, its end
 * and what the layer above may ask of it. Bytes become frames in `reader`, frames of streams are judged in `inbound`,
 * those of the connection itself in `control`, what is sent goes through `sender` into `outbox`; `states`, `flow`,
 * `limits`, `settings` and `fields` hold the rules.
 *
 * @internal
 */
import type { ConnectionEnd } from "../engine.ts"
import type { AbortCause, Connection, ConnectionOwner, HeaderList, Http2Stream, StreamOwner } from "./api.ts"
import { Control, type ControlHost } from "./control.ts"
import { listSize } from "./fields.ts"
import { defaultFlow, type FlowOptions, Inflow } from "./flow.ts"
import { ErrorCode, Flag, FrameType, maxInt31, minFrameSize, readUint31 } from "./frames.ts"
import { frameError } from "./frameRules.ts"
import { Inbound } from "./inbound.ts"
import {
  Bucket,
  Counters,
  defaultLimits,
  defaultSendBufferLimit,
  type Given,
  type Limits,
  withDefaults
} from "./limits.ts"
import { Outbox } from "./outbox.ts"
import { FrameReader, type FrameSink, Payload } from "./reader.ts"
import { Sender } from "./sender.ts"
import { PeerSettings } from "./settings.ts"
import { State } from "./states.ts"
import { Stream, Streams } from "./streams.ts"

/** @internal */
export interface Http2Options {
  readonly limits?: Given<Limits> | undefined
  readonly flow?: Given<FlowOptions> | undefined
  /** SETTINGS_MAX_FRAME_SIZE of ours, in bytes; payload is handed on as it comes, so a larger one gains nothing. */
  readonly maxFrameSize?: number | undefined
  /** Bytes that wait in one stream from which on `onWritable` tells when there is room again (Kitex: 64 KiB). */
  readonly sendBufferLimit?: number | undefined
  /** Names of header fields that no table may hold. */
  readonly secrets?: Iterable<string> | undefined
  /** Milliseconds of the driver's clock: a round trip is measured only with it. */
  readonly now?: number | undefined
}

/** @internal */
export class Http2Connection implements Connection, ControlHost, FrameSink {
  readonly role: "client" | "server"
  readonly owner: ConnectionOwner
  readonly limits: Limits
  readonly counters = new Counters()
  readonly outbox = new Outbox()
  readonly peer = new PeerSettings()
  readonly inflow: Inflow
  readonly streams: Streams
  readonly sender: Sender
  closed = false
  lastPeerStreamId = 0
  lastReceived: number
  private readonly reader: FrameReader
  private readonly inbound: Inbound
  private readonly control: Control
  private readonly resetBucket: Bucket
  /** Streams with a message that is to be let in whole, and its size, in order: others hold all that may come in so. */
  private readonly expecting = new Map<Stream, number>()
  private nextStreamId = 1
  /** The last list that was measured: many answers are one list. */
  private sized: HeaderList | undefined = undefined
  private size = 0

  constructor(role: "client" | "server", options: Http2Options, owner: ConnectionOwner) {
    this.role = role
    this.owner = owner
    this.limits = withDefaults(defaultLimits, options.limits)
    const flow = withDefaults(defaultFlow, options.flow)
    this.inflow = new Inflow(flow)
    this.streams = new Streams(this.inflow, () => {
      this.announceConnection()
      if (this.expecting.size > 0) this.letIn()
    })
    this.sender = new Sender(
      this.outbox,
      this.peer,
      this.streams,
      options.sendBufferLimit ?? defaultSendBufferLimit,
      options.secrets ?? []
    )
    this.reader = new FrameReader(this, role === "server")
    this.inbound = new Inbound(this)
    this.control = new Control(this, options.maxFrameSize ?? minFrameSize, options.now)
    this.resetBucket = new Bucket(this.limits.resetBudget)
    this.lastReceived = options.now ?? 0
    this.control.start(flow)
  }

  get now(): number {
    return this.lastReceived
  }

  get active(): number {
    return this.streams.live.size
  }

  get openable(): number {
    if (this.role === "server" || this.closed || this.control.goingAway) return 0
    if (this.nextStreamId > maxInt31) return 0
    return Math.max(0, this.peer.maxConcurrentStreams - this.streams.live.size)
  }

  get midFrame(): boolean {
    return this.reader.midFrame || this.inbound.blockStream !== 0
  }

  receive(chunk: Uint8Array, now: number): void {
    if (this.closed) return
    this.lastReceived = now
    this.reader.read(chunk)
    if (this.outbox.length <= this.limits.maxOutboxBytes || this.closed) return
    this.counters.outboxFloods++
    this.fail(ErrorCode.EnhanceYourCalm, "nothing is read", "maxOutboxBytes")
  }

  end(cause: ConnectionEnd): void {
    const goaway = this.control.goawayReceived
    const told = goaway !== undefined && goaway.code !== ErrorCode.NoError && cause._tag === "PeerClosed"
    this.close(told ? { _tag: "PeerGoaway", code: goaway.code, debug: goaway.debug } : cause)
  }

  get maxHeaderListSize(): number {
    return this.peer.maxHeaderListSize
  }

  fits(headers: HeaderList): boolean {
    return this.maxHeaderListSize === Number.POSITIVE_INFINITY || this.sizeOf(headers) <= this.maxHeaderListSize
  }

  private sizeOf(headers: HeaderList): number {
    if (headers === this.sized) return this.size
    this.sized = headers
    return (this.size = listSize(headers))
  }

  openStream(headers: HeaderList, endStream: boolean, owner: StreamOwner): Http2Stream {
    const refused = this.openable === 0 || !this.fits(headers)
    const stream = new Stream(refused ? 0 : this.nextStreamId, this.peer.initialWindowSize, this.inflow.open(this.now))
    stream.owner = owner
    stream.released = true
    this.streams.add(stream)
    if (refused) {
      this.streams.move(stream, State.ResetByUs)
      return stream
    }
    this.nextStreamId += 2
    this.control.trafficSincePing = true
    this.sender.headers(stream, headers, endStream)
    return stream
  }

  sendHeaders(stream: Http2Stream, headers: HeaderList, endStream: boolean): boolean {
    const sending = this.sending(stream, headers)
    if (sending !== undefined) this.sender.headers(sending, headers, endStream)
    return sending !== undefined
  }

  sendTrailers(stream: Http2Stream, headers: HeaderList, thenReset: boolean): boolean {
    const sending = this.sending(stream, headers)
    if (sending !== undefined) this.sender.trailers(sending, headers, thenReset)
    return sending !== undefined
  }

  /** The stream, when it may send this list; one whose list the peer does not take is reset. */
  private sending(stream: Http2Stream, headers: HeaderList): Stream | undefined {
    if (stream.localClosed) return undefined
    this.control.trafficSincePing = true
    if (this.fits(headers)) return stream as Stream
    this.reset(stream, ErrorCode.InternalError)
    return undefined
  }

  sendData(
    stream: Http2Stream,
    bytes: Uint8Array,
    start: number,
    end: number,
    owned: boolean,
    endStream: boolean
  ): void {
    this.control.trafficSincePing = true
    this.sender.data(stream as Stream, bytes, start, end, owned, endStream)
  }

  lendData(stream: Http2Stream, buffer: Uint8Array, end: number, endStream: boolean): void {
    this.control.trafficSincePing = true
    this.sender.lend(stream as Stream, buffer, end, endStream)
  }

  reset(stream: Http2Stream, code: number): void {
    if (stream.closed) return
    this.outbox.frame32(FrameType.RstStream, stream.id, code)
    this.streams.move(stream as Stream, State.ResetByUs)
  }

  consume(stream: Http2Stream, bytes: number, now: number): void {
    const increment = this.inflow.consume((stream as Stream).inflow, bytes, now)
    this.announce(stream, increment)
    this.announceConnection()
    if (this.expecting.size > 0) this.letIn()
  }

  expect(stream: Http2Stream, bytes: number): void {
    if (stream.remoteClosed) return
    this.control.takeLargeFrames(bytes)
    this.expecting.set(stream as Stream, bytes)
    this.letIn()
  }

  private letIn(): void {
    if (this.closed) return
    for (const [stream, bytes] of this.expecting) {
      if (!stream.remoteClosed) {
        // Each stream of a server has a handler that reads it. A client may read its streams one after another, in any order:
        // one that had to wait for others could wait for ever.
        if (this.role === "server" && !this.inflow.admits(stream.inflow, bytes)) return
        this.announce(stream, this.inflow.expect(stream.inflow, bytes))
      }
      this.expecting.delete(stream)
    }
  }

  private announceConnection(): void {
    const increment = this.inflow.connectionIncrement()
    if (increment > 0 && !this.closed) this.outbox.frame32(FrameType.WindowUpdate, 0, increment)
  }

  release(stream: Http2Stream): void {
    this.streams.release(stream as Stream)
  }

  ping(payload: Uint8Array): void {
    if (!this.closed) this.control.ping(payload)
  }

  goaway(lastStreamId: number, code: number, debug: string): void {
    if (!this.closed) this.control.goaway(lastStreamId, code, debug)
  }

  pump(): void {
    this.sender.pump()
  }

  /** What follows is the engine's side: `ControlHost` for the frames, `FrameSink` for the reader. */

  isIdle(id: number): boolean {
    if (this.role === "client") return (id & 1) === 0 || id >= this.nextStreamId
    return (id & 1) === 0 || (id > this.lastPeerStreamId && !this.isBeyondGoaway(id))
  }

  isBeyondGoaway(id: number): boolean {
    return this.role === "server" && id > this.control.goawaySent && id > this.lastPeerStreamId
  }

  fail(code: number, detail: string, limit?: string): void {
    if (this.closed) return
    this.control.writeGoaway(this.lastPeerStreamId, code, detail)
    this.close(limit === undefined ? { _tag: "Error", code, detail } : { _tag: "Error", code, detail, limit })
  }

  failStream(id: number, code: number, detail: string, limit?: string): void {
    this.counters.streamErrors++
    const stream = this.streams.live.get(id)
    if (stream === undefined) this.streams.forgo(id)
    else this.streams.move(stream, State.ResetByUs)
    this.answerReset(id, code)
    const cause: AbortCause = { _tag: "StreamError", code, detail }
    stream?.owner?.onAbort(limit === undefined ? cause : { ...cause, limit })
    if (this.role === "server" && !this.resetBucket.take(this.now)) this.resetFlood()
  }

  answerReset(id: number, code: number): void {
    this.outbox.frame32(FrameType.RstStream, id, code)
    this.answered()
  }

  refuse(id: number, headers: HeaderList, endStream: boolean): void {
    this.streams.forgo(id)
    if (!this.fits(headers)) return this.answerReset(id, ErrorCode.InternalError)
    this.sender.block(id, headers, true)
    // The client need not send the rest.
    if (!endStream) this.outbox.frame32(FrameType.RstStream, id, ErrorCode.NoError)
    this.answered()
  }

  allowReset(stream: Stream): boolean {
    if (this.role === "client") return true
    if (stream.answered) {
      this.counters.honestResets++
      return true
    }
    this.counters.unreadResets++
    if (this.resetBucket.take(this.now)) return true
    this.counters.resetFloods++
    return false
  }

  private resetFlood(): void {
    this.counters.resetFloods++
    this.fail(ErrorCode.EnhanceYourCalm, "too many broken streams", "resetBudget")
  }

  announce(stream: Http2Stream, increment: number): void {
    if (increment > 0 && !stream.remoteClosed) this.outbox.frame32(FrameType.WindowUpdate, stream.id, increment)
  }

  answered(): void {
    if (++this.outbox.controlFrames <= this.limits.maxControlFrames) return
    this.counters.controlFloods++
    this.fail(ErrorCode.EnhanceYourCalm, "answers are not read", "maxControlFrames")
  }

  private close(end: ConnectionEnd): void {
    if (this.closed) return
    this.closed = true
    for (const stream of this.streams.live.values()) {
      this.streams.move(stream, State.ResetByUs)
      stream.owner?.onAbort({ _tag: "ConnectionClosed", end })
    }
    this.owner.onClose(end)
  }

  onBadPreface(): void {
    this.fail(ErrorCode.ProtocolError, "bad client preface")
  }

  onBadPadding(): void {
    this.fail(ErrorCode.ProtocolError, "DATA has more padding than payload")
  }

  onFrameHeader(type: number, flags: number, streamId: number, length: number): number {
    const { blockStream } = this.inbound
    if (!this.peer.received && (type !== FrameType.Settings || (flags & Flag.Ack) !== 0)) {
      return this.failFrame(ErrorCode.ProtocolError, "first frame received is not a setting frame")
    }
    if (length > this.control.maxFrameSize)
      return this.failFrame(ErrorCode.FrameSizeError, `a frame of ${length} bytes`)
    if (
      blockStream !== 0 ? type !== FrameType.Continuation || streamId !== blockStream : type === FrameType.Continuation
    ) {
      return this.failFrame(ErrorCode.ProtocolError, "a header block is interrupted, or goes on without a beginning")
    }
    const error = frameError(type, flags, streamId, length)
    if (error !== undefined) return this.failFrame(error.code, error.detail)
    switch (type) {
      case FrameType.Data:
        this.control.trafficSincePing = true
        return Payload.Data
      case FrameType.Headers:
        this.control.trafficSincePing = true
        return Payload.Gather
      case FrameType.Priority:
        if (length === 5) return Payload.Gather
        this.inbound.failPriority(streamId, ErrorCode.FrameSizeError, `PRIORITY of ${length} bytes`)
        return Payload.Skip
      case FrameType.Settings:
        return this.control.admitsSettings(length) ? Payload.Gather : Payload.Skip
      default:
        if (type <= FrameType.Continuation) return Payload.Gather
        this.counters.ignoredFrames++
        return Payload.Skip
    }
  }

  private failFrame(code: number, detail: string): number {
    this.fail(code, detail)
    return Payload.Skip
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.Headers:
        this.inbound.onHeadersFrame(flags, streamId, bytes, start, end)
        break
      case FrameType.Priority:
        this.inbound.onPriority(streamId, bytes, start)
        break
      case FrameType.RstStream:
        this.inbound.onReset(streamId, bytes, start)
        break
      case FrameType.Settings:
        this.control.onSettings(flags, bytes, start, end)
        break
      case FrameType.Ping:
        this.control.onPing(flags, bytes, start, end)
        break
      case FrameType.Goaway:
        this.control.onGoaway(bytes, start, end)
        break
      case FrameType.WindowUpdate:
        if (streamId === 0) this.control.onWindowUpdate(readUint31(bytes, start))
        else this.inbound.onWindowUpdate(streamId, readUint31(bytes, start))
        break
      default:
        this.inbound.onContinuation(flags, bytes, start, end)
    }
  }

  onDataStart(streamId: number, size: number, padding: number, endStream: boolean): void {
    this.inbound.onDataStart(streamId, size, padding, endStream)
  }

  onData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.inbound.onData(bytes, start, end, last)
  }
}

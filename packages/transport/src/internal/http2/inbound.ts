/**
 * Frames of streams as they come in: HEADERS, DATA, RST_STREAM, WINDOW_UPDATE, PRIORITY. The table of states says what
 * may come; here is what it means.
 *
 * @internal
 */
import type { ConnectionOwner, HeaderList } from "./api.ts"
import { type Checked, checkRequest, checkResponse, checkTrailers, isInterim } from "./fields.ts"
import type { Inflow } from "./flow.ts"
import { ErrorCode, Flag, FrameType, readUint31, readUint32 } from "./frames.ts"
import { type DecodeResult, HpackDecoder } from "./hpackDecoder.ts"
import type { Counters, Limits } from "./limits.ts"
import { copyBytes, type Outbox } from "./outbox.ts"
import type { Sender } from "./sender.ts"
import { defaultTableSize, type PeerSettings } from "./settings.ts"
import { Event, next, State, Verdict } from "./states.ts"
import { Stream, type Streams } from "./streams.ts"

/** The connection, as its streams see it. @internal */
export interface Host {
  readonly role: "client" | "server"
  readonly owner: ConnectionOwner
  readonly limits: Limits
  readonly counters: Counters
  readonly streams: Streams
  readonly inflow: Inflow
  readonly outbox: Outbox
  readonly peer: PeerSettings
  readonly sender: Sender
  readonly now: number
  lastPeerStreamId: number
  /** True for ids that no stream has had yet, and may not have without HEADERS of the one who opens it. */
  isIdle(id: number): boolean
  /** True for ids above the last one of a GOAWAY of ours. */
  isBeyondGoaway(id: number): boolean
  /** A connection error (RFC 9113 5.4.1). */
  fail(code: number, detail: string, limit?: string): void
  /** A stream error (RFC 9113 5.4.2) that the peer caused. */
  failStream(id: number, code: number, detail: string, limit?: string): void
  /** An answer to the peer that nobody asked the application about. */
  answerReset(id: number, code: number): void
  /** The answer to a request for which there is no stream. */
  refuse(id: number, headers: HeaderList, endStream: boolean): void
  /** The client reset a stream: false when it may not go on like that. */
  allowReset(stream: Stream): boolean
}

const noBytes = new Uint8Array(0)

/** @internal */
export class Inbound {
  private readonly host: Host
  private readonly decoder: HpackDecoder
  /** The stream of a header block that CONTINUATION goes on with, or 0, and what is here of it. */
  blockStream = 0
  private blockEndsStream = false
  private blockSelfDependent = false
  private block = noBytes
  private blockLength = 0
  private continuations = 0
  /** The stream of the DATA frame that is being read; undefined when its payload is for nobody. */
  private dataStream: Stream | undefined = undefined
  private dataEndsStream = false
  private dataPadding = 0
  private emptyDataFrames = 0
  /** Equal blocks decode to the same list, which need not be checked again. */
  private lastHeaders: HeaderList | undefined = undefined
  private lastChecked: Checked | undefined = undefined

  constructor(host: Host) {
    this.host = host
    this.decoder = new HpackDecoder({
      maxTableSize: defaultTableSize,
      maxListSize: host.limits.maxHeaderListSize,
      maxHeaders: host.limits.maxHeaderFields
    })
  }

  onHeadersFrame(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    const { host } = this
    if (host.role === "server" ? (id & 1) === 0 : host.isIdle(id)) {
      host.fail(ErrorCode.ProtocolError, `HEADERS on stream ${id}`)
      return
    }
    const padded = (flags & Flag.Padded) !== 0
    const prioritized = (flags & Flag.Priority) !== 0
    const fixed = (padded ? 1 : 0) + (prioritized ? 5 : 0)
    if (end - start < fixed) {
      host.fail(ErrorCode.FrameSizeError, "HEADERS is too short")
      return
    }
    const padding = padded ? bytes[start]! : 0
    const selfDependent = prioritized && readUint31(bytes, start + (padded ? 1 : 0)) === id
    start += fixed
    if (padding > end - start) {
      host.fail(ErrorCode.ProtocolError, "HEADERS has more padding than payload")
      return
    }
    end -= padding
    const endStream = (flags & Flag.EndStream) !== 0
    if ((flags & Flag.EndHeaders) !== 0) {
      this.endBlock(id, endStream, selfDependent, bytes, start, end)
      return
    }
    this.blockStream = id
    this.blockEndsStream = endStream
    this.blockSelfDependent = selfDependent
    this.continuations = 0
    this.gatherBlock(bytes, start, end)
  }

  onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { host } = this
    if (++this.continuations > host.limits.maxContinuationFrames) {
      host.counters.continuationFloods++
      host.fail(ErrorCode.EnhanceYourCalm, "too many CONTINUATION frames", "maxContinuationFrames")
      return
    }
    if (!this.gatherBlock(bytes, start, end) || (flags & Flag.EndHeaders) === 0) return
    const id = this.blockStream
    const block = this.block
    this.blockStream = 0
    this.block = noBytes
    const length = this.blockLength
    this.blockLength = 0
    this.endBlock(id, this.blockEndsStream, this.blockSelfDependent, block, 0, length)
  }

  private gatherBlock(bytes: Uint8Array, start: number, end: number): boolean {
    const { host } = this
    const length = this.blockLength + end - start
    if (length > host.limits.maxHeaderBlockSize) {
      host.counters.headerBlocksTooLarge++
      host.fail(ErrorCode.EnhanceYourCalm, "header block too large", "maxHeaderBlockSize")
      return false
    }
    if (length > this.block.length) {
      const larger = new Uint8Array(Math.max(length, this.block.length * 2))
      larger.set(this.block.subarray(0, this.blockLength))
      this.block = larger
    }
    copyBytes(this.block, this.blockLength, bytes, start, end)
    this.blockLength = length
    return true
  }

  private endBlock(
    id: number,
    endStream: boolean,
    selfDependent: boolean,
    bytes: Uint8Array,
    start: number,
    end: number
  ): void {
    const { host } = this
    // Every block is decoded, wanted or not: the table must stay in step.
    const result = this.decoder.decode(bytes, start, end)
    if (result.kind === "compression") {
      host.fail(ErrorCode.CompressionError, result.detail)
      return
    }
    const stream = host.streams.live.get(id)
    if (stream !== undefined) this.moreHeaders(stream, endStream, selfDependent, result)
    else if (host.isBeyondGoaway(id)) return
    else if (host.isIdle(id)) this.openStream(id, endStream, selfDependent, result)
    else {
      const state = host.streams.recall(id)
      // RFC 9113 5.1.1: ids rise. One that was passed over is as wrong as one that went down.
      if (state === undefined && host.role === "server")
        host.fail(ErrorCode.ProtocolError, `stream id ${id} is not new`)
      else this.refuse(id, next(state ?? State.ResetByUs, Event.ReceiveHeaders), "HEADERS")
    }
  }

  /** A request. */
  private openStream(id: number, endStream: boolean, selfDependent: boolean, result: DecodeResult): void {
    const { counters, inflow, limits, owner, peer, streams } = this.host
    this.host.lastPeerStreamId = id
    if (!this.acceptable(id, selfDependent, result)) return
    const most = limits.maxConcurrentStreams
    if (streams.live.size >= most || streams.slots >= 2 * most) {
      counters.refusedStreams++
      streams.forgo(id)
      this.host.answerReset(id, ErrorCode.RefusedStream)
      return
    }
    const headers = result.headers
    const checked = this.check(headers, checkRequest)
    const error =
      checked.error ?? (endStream && checked.contentLength > 0 ? "content-length without a body" : undefined)
    if (error !== undefined || checked.error !== undefined) {
      this.host.failStream(id, ErrorCode.ProtocolError, error ?? "")
      return
    }
    const refusal = owner.refuse?.(headers)
    if (refusal !== undefined) {
      this.host.refuse(id, refusal, endStream)
      return
    }
    const stream = new Stream(id, peer.initialWindowSize, inflow.open(this.host.now))
    stream.state = endStream ? State.HalfClosedRemote : State.Open
    stream.headersReceived = true
    stream.contentLeft = checked.contentLength
    streams.add(stream)
    owner.onStream(stream, headers, endStream)
    if (stream.owner !== undefined) return
    // Nobody took it.
    if (!stream.closed) {
      this.host.answerReset(id, ErrorCode.RefusedStream)
      streams.move(stream, State.ResetByUs)
    }
    streams.release(stream)
  }

  /** A response head, or trailers. */
  private moreHeaders(stream: Stream, endStream: boolean, selfDependent: boolean, result: DecodeResult): void {
    const state = next(stream.state, Event.ReceiveHeaders)
    if (state < 0) {
      this.refuse(stream.id, state, "HEADERS")
      return
    }
    if (!this.acceptable(stream.id, selfDependent, result)) return
    const headers = result.headers
    if (stream.headersReceived && !endStream) {
      this.failStream(stream, "a HEADERS frame cannot appear in the middle of a stream")
      return
    }
    const checked = this.check(headers, stream.headersReceived ? checkTrailers : checkResponse)
    if (checked.error !== undefined) {
      this.failStream(stream, checked.error)
      return
    }
    if (!stream.headersReceived) {
      if (isInterim(headers) && !endStream) return
      stream.headersReceived = true
      stream.contentLeft = checked.contentLength
    }
    if (endStream) {
      if (stream.contentLeft > 0) {
        this.failStream(stream, "the body is shorter than content-length")
        return
      }
      this.host.streams.move(stream, next(state, Event.ReceiveEnd))
    }
    stream.owner?.onHeaders(headers, endStream)
  }

  /**
   * False, with the stream refused, for a list over the limit and for a stream that depends on itself (RFC 7540 5.3.1).
   */
  private acceptable(
    id: number,
    selfDependent: boolean,
    result: DecodeResult
  ): result is Extract<DecodeResult, { readonly kind: "headers" }> {
    if (selfDependent) {
      this.host.failStream(id, ErrorCode.ProtocolError, "the stream depends on itself")
      return false
    }
    if (result.kind === "headers") return true
    this.host.counters.headerListsTooLarge++
    // Codes and text of Kitex.
    const code = this.host.role === "server" ? ErrorCode.InternalError : ErrorCode.ProtocolError
    const limit = result.kind === "tooLarge" && result.limit === "maxHeaders" ? "maxHeaderFields" : "maxHeaderListSize"
    this.host.failStream(id, code, "peer header list size exceeded limit", limit)
    return false
  }

  private check(headers: HeaderList, how: (headers: HeaderList) => Checked): Checked {
    if (this.lastHeaders === headers && this.lastChecked !== undefined) return this.lastChecked
    const checked = how(headers)
    if (how === checkRequest) {
      this.lastHeaders = headers
      this.lastChecked = checked
    }
    return checked
  }

  /** The start of a DATA frame: windows and lengths are settled here, so that any split of it gives the same. */
  onDataStart(id: number, size: number, padding: number, endStream: boolean): void {
    const { host } = this
    const { counters, inflow, limits } = host
    const length = size + padding
    this.dataStream = undefined
    if (!inflow.received(length)) {
      host.fail(ErrorCode.FlowControlError, "the connection's window is overrun")
      return
    }
    const increment = inflow.connectionIncrement()
    if (increment > 0) host.outbox.frame32(FrameType.WindowUpdate, 0, increment)
    if (size > 0) this.emptyDataFrames = 0
    else if (!endStream && ++this.emptyDataFrames > limits.maxEmptyDataFrames) {
      counters.emptyDataFloods++
      host.fail(ErrorCode.EnhanceYourCalm, "too many empty DATA frames", "maxEmptyDataFrames")
      return
    }
    const stream = host.streams.live.get(id)
    const verdict = next(stream?.state ?? this.stateOf(id), Event.ReceiveData)
    if (verdict < 0 || stream === undefined) {
      this.refuse(id, verdict, "DATA")
      return
    }
    const { unread, window } = stream.inflow
    if (!inflow.receivedOn(stream.inflow, length)) {
      const detail = `received ${unread + length}-bytes data exceeding the limit ${unread + window} bytes`
      host.failStream(id, ErrorCode.FlowControlError, detail)
      return
    }
    if (stream.contentLeft >= 0) {
      stream.contentLeft -= size
      if (stream.contentLeft < 0 || (endStream && stream.contentLeft > 0)) {
        this.failStream(stream, "the body does not match content-length")
        return
      }
    }
    this.dataStream = stream
    this.dataEndsStream = endStream
    this.dataPadding = padding
  }

  onData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const stream = this.dataStream
    if (stream === undefined) return
    if (last || stream.closed) this.dataStream = undefined
    if (stream.closed) return
    const { inflow, outbox, streams } = this.host
    const endStream = last && this.dataEndsStream
    inflow.deliver(stream.inflow, end - start)
    if (endStream) streams.move(stream, next(stream.state, Event.ReceiveEnd))
    else if (last && this.dataPadding > 0) {
      const increment = inflow.increment(stream.inflow)
      if (increment > 0) outbox.frame32(FrameType.WindowUpdate, stream.id, increment)
    }
    if (start < end || endStream) stream.owner?.onData(bytes, start, end, endStream)
  }

  onReset(id: number, bytes: Uint8Array, start: number): void {
    const { host } = this
    const stream = host.streams.live.get(id)
    if (stream === undefined) {
      this.refuse(id, next(this.stateOf(id), Event.ReceiveReset), "RST_STREAM")
      return
    }
    const allowed = host.allowReset(stream)
    host.streams.move(stream, next(stream.state, Event.ReceiveReset))
    stream.owner?.onAbort({ _tag: "PeerReset", code: readUint32(bytes, start) })
    if (allowed) return
    host.fail(ErrorCode.EnhanceYourCalm, "too many resets", "resetBudget")
  }

  onWindowUpdate(id: number, increment: number): void {
    const { host } = this
    const stream = host.streams.live.get(id)
    const verdict = next(stream?.state ?? this.stateOf(id), Event.ReceiveWindowUpdate)
    if (verdict === Verdict.ConnectionProtocolError) this.refuse(id, verdict, "WINDOW_UPDATE")
    else if (increment === 0 && this.stateOf(id) !== State.ResetByUs) {
      host.failStream(id, ErrorCode.ProtocolError, "WINDOW_UPDATE of 0")
    } else if (stream !== undefined && !host.sender.widen(stream, increment)) {
      host.failStream(id, ErrorCode.FlowControlError, "the stream's window overflows")
    }
  }

  onPriority(id: number, bytes: Uint8Array, start: number): void {
    const { host } = this
    host.counters.ignoredFrames++
    if (readUint31(bytes, start) === id) this.failPriority(id, ErrorCode.ProtocolError, "the stream depends on itself")
  }

  /** A stream error of PRIORITY, which may come in any state: an idle stream cannot be reset. */
  failPriority(id: number, code: number, detail: string): void {
    if (this.host.isIdle(id)) this.host.fail(code, detail)
    else if (this.stateOf(id) !== State.ResetByUs) this.host.failStream(id, code, detail)
  }

  /** The state of any stream; one that is not remembered is taken for one that we reset. */
  private stateOf(id: number): number {
    const { streams } = this.host
    const stream = streams.live.get(id)
    if (stream !== undefined) return stream.state
    if (this.host.isIdle(id)) return State.Idle
    return streams.recall(id) ?? State.ResetByUs
  }

  private failStream(stream: Stream, detail: string): void {
    this.host.failStream(stream.id, ErrorCode.ProtocolError, detail)
  }

  /** What the table refused. */
  private refuse(id: number, verdict: number, frame: string): void {
    const { host } = this
    if (verdict === Verdict.StreamClosed) host.failStream(id, ErrorCode.StreamClosed, `${frame} on a closed stream`)
    else if (verdict === Verdict.ConnectionStreamClosed) {
      host.fail(ErrorCode.StreamClosed, `${frame} on stream ${id}, which has ended`)
    } else if (verdict === Verdict.ConnectionProtocolError) {
      host.fail(ErrorCode.ProtocolError, `${frame} on stream ${id}, which is idle`)
    }
  }
}

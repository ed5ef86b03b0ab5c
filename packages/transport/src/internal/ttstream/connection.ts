/**
 * What both ends of a connection share: frames to the streams that they belong to, and what all streams together hold and send.
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { CallHeader } from "../../RawCall.ts"
import type { RawPeer } from "../../RawStream.ts"
import { ById } from "../byId.ts"
import { CallOutbox } from "../callOutbox.ts"
import type { ConnectionEnd, Notified } from "../engine.ts"
import { IntKey } from "../ttheader/keys.ts"
import type { StreamingCarrier, StreamingConnection, StreamingOptions } from "./api.ts"
import { creditInfo, parseCredit } from "./credit.ts"
import { type Side, violation } from "./errors.ts"
import { frameInfo, FrameType, writeExceptionFrame, writeFrame } from "./frames.ts"
import { Holdings } from "./holdings.ts"
import { type DataRun, FrameReader, type FrameSink, type ReaderLimit } from "./reader.ts"
import { Share } from "./share.ts"
import { Event, next, Verdict } from "./states.ts"
import type { Stream, StreamOwner } from "./stream.ts"

/** Values of the int key Beat. */
const Beat = { Ask: "1", Answer: "2" } as const
const beatQuestion = { strings: [], ints: [[IntKey.Beat, Beat.Ask] as const] }
const beatAnswer = { strings: [], ints: [[IntKey.Beat, Beat.Answer] as const] }

/** @internal */
export abstract class Connection<S extends Stream> implements StreamingConnection, FrameSink, StreamOwner {
  readonly outbox: CallOutbox
  readonly options: StreamingOptions
  closed = false
  received = 0
  frames = 0
  lastReceived: number
  /** The peer has asked for a beat, or answered one. */
  beats = false

  protected abstract readonly side: Side
  protected readonly streams = new ById<S>()
  protected abstract readonly carrier: StreamingCarrier
  private readonly reader: FrameReader
  private readonly holdings: Holdings
  /** Streams with bytes that the kernel has not taken. */
  private readonly senders: Array<Stream> = []
  /** The stream of the last Data frame: most come in rows. */
  private recent: S | undefined = undefined
  /** What is sent without being asked for: all but messages. */
  private readonly answers = new Share()
  private owesBeat = false

  constructor(options: StreamingOptions, now: number) {
    this.options = options
    this.lastReceived = now
    this.outbox = new CallOutbox(() => this.onTaken())
    this.reader = new FrameReader(this, options)
    this.holdings = new Holdings(options, {
      now: () => this.carrier.now(),
      onFull: () => this.carrier.onFull()
    })
  }

  get peer(): RawPeer {
    return this.carrier.peer
  }

  get chunkKept(): boolean {
    return this.carrier.chunkKept
  }
  set chunkKept(kept: boolean) {
    this.carrier.chunkKept = kept
  }

  get active(): number {
    return this.streams.size
  }

  get midFrame(): boolean {
    return this.reader.midFrame && !this.full
  }

  pump(): void {}

  wake(): void {
    this.carrier.wake()
  }

  mark(stream: Notified): void {
    this.carrier.mark(stream)
  }

  // ---- in

  receive(chunk: Uint8Array, now: number): void {
    if (this.closed) return
    this.received += chunk.length
    this.lastReceived = now
    this.reader.read(chunk)
    if (this.closed) return
    if (this.owesBeat) {
      this.owesBeat = false
      this.send(0, frameInfo(FrameType.Meta, "", beatAnswer))
    }
    const { maxOutboxBytes } = this.options
    if (this.answers.size > maxOutboxBytes) {
      this.end(violation(`the peer does not read: more than ${maxOutboxBytes} bytes of answers wait`, "maxOutboxBytes"))
    }
  }

  onData(streamId: number, bytes: Uint8Array, start: number, end: number, run: DataRun, gathered: boolean): boolean {
    this.frames += run.count
    const { recent } = this
    const stream = recent !== undefined && recent.streamId === streamId ? recent : this.streams.get(streamId)
    if (stream === undefined || next(stream.state, Event.ReceiveData) < 0) return false
    this.recent = stream
    stream.onData(bytes, start, end, run, gathered)
    return true
  }

  onFrame(type: number, streamId: number, header: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    this.frames++
    if (type === FrameType.Meta) return this.onMeta(streamId, header)
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      if (type === FrameType.Header) this.onNewHeader(streamId, header)
    } else if (type === FrameType.Header) stream.onHeader(header)
    else if (type === FrameType.Trailer) {
      if (next(stream.state, Event.ReceiveTrailer) !== Verdict.Ignore) stream.onTrailer(header, bytes, start, end)
    } else stream.onRst(header, bytes, start, end)
  }

  onTooLarge(streamId: number): void {
    this.frames++
    this.streams.get(streamId)?.onTooLarge()
  }

  onViolation(detail: string, limit: ReaderLimit | undefined): void {
    this.end(violation(detail, limit))
  }

  /** A Header frame of a stream that is not there. */
  protected onNewHeader(_streamId: number, _header: CallHeader): void {}

  /** Other keys than ours are for proxies. */
  private onMeta(streamId: number, { ints }: CallHeader): void {
    if (streamId !== 0) {
      const amount = parseCredit(ints.get(IntKey.Credit))
      if (amount !== undefined) this.onCredit(streamId, amount)
      return
    }
    const beat = ints.get(IntKey.Beat)
    if (beat === undefined) return
    this.beats = true
    if (beat === Beat.Ask) this.owesBeat = true
  }

  protected onCredit(streamId: number, amount: number): void {
    this.streams.get(streamId)?.onCredit(amount)
  }

  // ---- out

  send(streamId: number, info: Uint8Array): void {
    if (!this.closed) this.sent(writeFrame(this.outbox.open(), streamId, info))
  }

  sendException(streamId: number, info: Uint8Array, method: string, exception: ApplicationException): void {
    if (!this.closed) this.sent(writeExceptionFrame(this.outbox.open(), streamId, info, method, exception))
  }

  private sent(size: number): void {
    this.outbox.commit(size)
    this.answers.add(this.outbox, size)
  }

  sendCredit(stream: Stream, amount: number): void {
    this.send(stream.streamId, creditInfo(stream.name, amount))
    this.wake()
  }

  onSending(stream: Stream): void {
    this.senders.push(stream)
  }

  private onTaken(): void {
    this.answers.settle(this.outbox)
    const { senders } = this
    let left = 0
    for (let i = 0; i < senders.length; i++) {
      const stream = senders[i]!
      if (stream.onTaken()) senders[left++] = stream
    }
    senders.length = left
  }

  // ---- what streams hold

  get full(): boolean {
    return this.holdings.full
  }

  get fullSince(): number | undefined {
    return this.holdings.fullSince
  }

  stalled(): void {
    this.holdings.drop(this.side, this.streams.values())
  }

  onHolding(stream: Stream, bytes: number): void {
    this.holdings.change(stream, bytes)
  }

  // ---- beats

  beat(): void {
    this.send(0, frameInfo(FrameType.Meta, "", beatQuestion))
  }

  // ---- the end

  onOver(stream: Stream): void {
    if (this.recent === stream) this.recent = undefined
    this.streams.delete(stream.streamId)
    this.holdings.settle(stream)
  }

  end(cause: ConnectionEnd): void {
    if (this.closed) return
    this.closed = true
    this.reader.stop()
    this.loseAll(cause)
    this.carrier.onClose(cause)
  }

  /** Tells all streams. */
  protected abstract loseAll(cause: ConnectionEnd): void
}

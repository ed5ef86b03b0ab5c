/**
 * What both ends of a stream over TTHeader share: messages in, messages out, and the one listener.
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { CallHeader } from "../../RawCall.ts"
import type { Decode, Encode, RawEnd, RawListener, RawPeer, RawStream } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import type { CallOutbox } from "../callOutbox.ts"
import type { Notified } from "../engine.ts"
import { fixedSize, HeaderError, patchLength } from "../ttheader/header.ts"
import type { StreamingOptions } from "./api.ts"
import type { Credit } from "./credit.ts"
import { type Fault, headerRefused, type Side } from "./errors.ts"
import { beginFrame, frameInfo, FrameType } from "./frames.ts"
import { Inbox } from "./inbox.ts"
import type { DataRun } from "./reader.ts"
import { Share } from "./share.ts"
import { State } from "./states.ts"

/** What a stream needs of its connection. @internal */
export interface StreamOwner {
  readonly peer: RawPeer
  readonly options: StreamingOptions
  readonly outbox: CallOutbox
  /** Something waits to be written. */
  wake(): void
  mark(stream: Notified): void
  /** A frame without messages. */
  send(streamId: number, info: Uint8Array): void
  sendException(streamId: number, info: Uint8Array, method: string, exception: ApplicationException): void
  /** The stream's share of what is sent was nothing until now. */
  onSending(stream: Stream): void
  /** The stream holds so many bytes more, or less, than before. */
  onHolding(stream: Stream, bytes: number): void
  /** Lets the peer send so much more on the stream. */
  sendCredit(stream: Stream, amount: number): void
  /** The stream is over: frames with its id belong to none. */
  onOver(stream: Stream): void
}

const Readable = 1
const Writable = 2
const Aborted = 4
const Announced = 8
const Sent = 16

/** @internal */
export abstract class Stream implements RawStream, Notified {
  listener: RawListener | undefined = undefined
  lastWrittenBytes = 0
  lastWrittenSize = 0
  lastWrittenCount = 0
  end: RawEnd | undefined = undefined

  readonly streamId: number
  /** The method in its frames. */
  readonly name: string
  readonly share = new Share()
  readonly inbox = new Inbox()
  state: number
  /** The buffer of what was received is full since then, without a break. */
  fullSince: number | undefined = undefined
  leftoverAt = -1
  /** Where both ends have agreed on it. */
  credit: Credit | undefined = undefined

  protected readonly owner: StreamOwner
  /** In front of each message. */
  private readonly dataInfo: Uint8Array
  private pending = 0
  /** A `write` stopped early. */
  private blocked = false

  constructor(owner: StreamOwner, streamId: number, name: string, state: number) {
    this.owner = owner
    this.streamId = streamId
    this.name = name
    this.state = state
    this.dataInfo = frameInfo(FrameType.Data, name)
  }

  abstract readonly side: Side
  abstract readonly writeEnded: "closed" | RawEnd | undefined

  get protocol(): "ttheader-streaming" {
    return "ttheader-streaming"
  }

  get peer(): RawPeer {
    return this.owner.peer
  }

  get available(): number {
    return this.inbox.available
  }

  get lastTakenBytes(): number {
    return this.inbox.takenBytes
  }

  get lastTakenSize(): number {
    return this.inbox.takenSize
  }

  get buffered(): number {
    return this.state === State.Inactive ? 0 : this.share.size
  }

  get writable(): boolean {
    return this.writeEnded === undefined && this.hasRoom
  }

  private get hasRoom(): boolean {
    return this.share.size < this.owner.options.sendBufferLimit && (this.credit === undefined || this.credit.left > 0)
  }

  // ---- in

  /** A frame of the stream was received. */
  abstract onHeader(header: CallHeader): void
  abstract onTrailer(header: CallHeader, bytes: Uint8Array, start: number, end: number): void
  abstract onRst(header: CallHeader, bytes: Uint8Array, start: number, end: number): void
  /** A message came that is too large. */
  abstract onTooLarge(): void
  /** This stream alone ends, with an Rst. */
  abstract fail(fault: Fault): void
  /** The connection has ended under it. */
  abstract onLost(error: TransportError): void

  onData(bytes: Uint8Array, start: number, end: number, run: DataRun, gathered: boolean): void {
    this.inbox.push(bytes, start, end, run, gathered)
    this.owner.onHolding(this, run.size)
    this.markReadable()
  }

  take<A>(decode: Decode<A>, max: number, into: Array<A>): void {
    const { inbox } = this
    const { available, bytes } = inbox
    try {
      inbox.take(decode, max, into)
    } finally {
      this.owner.onHolding(this, inbox.bytes - bytes)
      if (this.credit !== undefined) this.giveBack(this.credit, available - inbox.available, bytes - inbox.bytes)
    }
  }

  private giveBack(credit: Credit, messages: number, bytes: number): void {
    const amount = credit.taken(messages, bytes)
    if (amount > 0 && this.end === undefined) this.owner.sendCredit(this, amount)
  }

  /** The peer takes so much more. */
  onCredit(amount: number): void {
    if (this.credit === undefined) return
    this.credit.grant(amount)
    this.unblock()
  }

  /** The peer has said nothing of credit for so long that it may be Kitex. */
  onNoCredit(): void {
    this.credit?.lift()
    this.unblock()
  }

  /** Forgets what nobody will take. */
  discard(): void {
    const { available, bytes } = this.inbox
    if (available === 0) return
    this.inbox.discard()
    this.owner.onHolding(this, -bytes)
  }

  /** Nobody takes what is here, and there is no place for more. */
  overflow(fault: Fault): void {
    this.discard()
    // What was to come before a good end is gone.
    if (this.end?._tag === "Status") this.end = { _tag: "Failed", error: fault.error }
    else this.fail(fault)
    this.markReadable()
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

  /** All that was written is the kernel's: `sent` is called behind this write. */
  protected markSent(): void {
    this.mark(Sent)
  }

  protected sent(): void {}

  private mark(what: number): void {
    if (this.pending === 0) this.owner.mark(this)
    this.pending |= what
  }

  notify(): void {
    const { listener, pending } = this
    this.pending = 0
    try {
      if (pending & Sent) this.sent()
      if (pending & Announced) this.announce()
      else if (listener !== undefined) {
        const error = pending & Aborted ? this.abortError() : undefined
        if (error !== undefined) listener.onAbort(error)
        if (pending & Readable) this.listener?.onReadable()
        if (pending & Writable) this.listener?.onWritable()
      }
    } finally {
      if (this.inbox.available > 0) this.inbox.compact()
    }
  }

  /** Why the whole stream is dead. */
  protected abstract abortError(): TransportError | undefined

  // ---- out

  /** Sends what must go before the first message. */
  protected beforeWrite(): void {}

  /** Ends the sending side behind the last message. */
  protected abstract sendEnd(): void

  write<A>(messages: ReadonlyArray<A>, from: number, encode: Encode<A>, endStream = false): number {
    this.lastWrittenBytes = 0
    this.lastWrittenSize = 0
    this.lastWrittenCount = 0
    if (this.writeEnded !== undefined) return from
    let next = from
    if (next < messages.length) {
      if (this.hasRoom) {
        this.beforeWrite()
        next = this.writeData(messages, from, encode)
      }
      this.blocked = next < messages.length
    }
    if (endStream && next === messages.length) this.sendEnd()
    this.owner.wake()
    return next
  }

  private writeData<A>(messages: ReadonlyArray<A>, from: number, encode: Encode<A>): number {
    const { credit, dataInfo, owner, share, streamId } = this
    const { outbox } = owner
    const headerSize = fixedSize + dataInfo.length - 4
    let next = from
    while (next < messages.length && this.hasRoom) {
      const out = outbox.open()
      const place = out.position
      const firstSegment = out.segments.length
      let length: number
      try {
        beginFrame(out, streamId, dataInfo)
        encode(messages[next]!, out)
        length = patchLength(out, place, firstSegment)
      } catch (error) {
        outbox.rewind(place, firstSegment)
        // For those before it.
        owner.wake()
        throw error instanceof HeaderError ? headerRefused(this.side, error.message) : error
      }
      outbox.commit(length + 4)
      if (share.size === 0) owner.onSending(this)
      share.add(outbox, length + 4)
      credit?.spend(length - headerSize)
      this.lastWrittenSize = length - headerSize
      this.lastWrittenBytes += length - headerSize
      this.lastWrittenCount++
      next++
    }
    return next
  }

  /** Everything that was taken out of the outbox is the kernel's. Gives whether bytes of this stream are left. */
  onTaken(): boolean {
    this.share.settle(this.owner.outbox)
    this.unblock()
    return this.share.size > 0
  }

  /** Tells who waits that `write` goes on. */
  protected unblock(): void {
    if (!this.blocked || !this.hasRoom) return
    this.blocked = false
    this.mark(Writable)
  }

  protected sendTrailer(): void {
    this.owner.send(this.streamId, frameInfo(FrameType.Trailer, this.name))
  }

  /** Nothing goes out or comes in any more. */
  protected leave(): void {
    this.state = State.Inactive
    this.owner.onOver(this)
  }
}

/**
 * The server's end of a stream: a request that was accepted, its messages, and the one way in which it ends.
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { Metadata, MetadataEntries } from "../../Metadata.ts"
import type { CallHeader } from "../../RawCall.ts"
import type { RawAdmitted, RawEnd, RawServerStream, RawStatus } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import { StringKey } from "../ttheader/keys.ts"
import type { Turns } from "../turns.ts"
import { endingInPlaceOf, endingOf, type Sendable } from "./ending.ts"
import { Code, failedByClient, type Fault, headerRefused, messageTooLarge, openedTwice, resetByPeer } from "./errors.ts"
import { frameInfo, FrameType, noFields, readExceptionPayload } from "./frames.ts"
import { stringsOf } from "./metadata.ts"
import { type Checked, checkedInfo } from "./sentHeader.ts"
import type { ServerRequest } from "./serverRequest.ts"
import { Event, next, State } from "./states.ts"
import { readTrailer } from "./status.ts"
import { Stream, type StreamOwner } from "./stream.ts"

/** What a stream of a server needs of its connection. @internal */
export interface ServerStreamOwner extends StreamOwner {
  readonly turns: Turns
  /** Trailers ask the client to go. */
  readonly draining: boolean
  /** The Trailer of a stream, in this tick. */
  sendEnding(streamId: number, name: string, ending: Sendable): void
  /** The client has reset the stream, or has made us reset it: for nothing, where nothing was answered. */
  onUnanswered(stream: ServerStream): void
}

const noEntries: MetadataEntries = []
const halfClosed: RawEnd = { _tag: "HalfClosed" }

/** @internal */
export class ServerStream extends Stream implements RawServerStream {
  headersSent = false
  pendingHeaders: MetadataEntries = noEntries
  readonly arrivedAt: number
  readonly admitted: RawAdmitted | undefined
  declare protected readonly owner: ServerStreamOwner
  private readonly request: ServerRequest
  private aborted: RawEnd | undefined = undefined
  private finished = false
  private released = false

  constructor(
    owner: ServerStreamOwner,
    streamId: number,
    request: ServerRequest,
    admitted: RawAdmitted | undefined,
    arrivedAt: number
  ) {
    super(owner, streamId, request.nameToSend, State.ServerOpen)
    this.request = request
    this.admitted = admitted
    this.arrivedAt = arrivedAt
    this.markAnnounced()
  }

  protected override announce(): void {
    // Opened and given up in one read: there is nobody to answer.
    if (this.aborted !== undefined) return this.leaveUnseen()
    this.owner.turns.take(this)
  }

  get side(): "server" {
    return "server"
  }
  get header(): CallHeader {
    return this.request.header
  }
  get method(): string {
    return this.request.method
  }
  get service(): string {
    return this.request.service
  }
  get package(): string {
    return this.request.package
  }
  get path(): string {
    return this.request.path
  }
  get thrift(): boolean {
    return true
  }
  get timeoutMillis(): number | undefined {
    return this.request.timeoutMillis
  }
  get metadata(): Metadata {
    return this.request.metadata
  }
  get writeEnded(): "closed" | RawEnd | undefined {
    return this.aborted ?? (this.finished ? "closed" : undefined)
  }

  // ---- in

  onHeader(_header: CallHeader): void {
    this.fail(openedTwice(this.streamId))
    this.owner.onUnanswered(this)
  }

  onTrailer(header: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    this.state = next(this.state, Event.ReceiveTrailer)
    if (this.end !== undefined) return
    const read = readTrailer("server", header, bytes, start, end)
    if (read.failed !== undefined) this.end = { _tag: "Failed", error: read.failed }
    else if (read.status.code === 0) this.end = halfClosed
    else this.end = { _tag: "Failed", error: failedByClient(read.status) }
    this.markReadable()
  }

  onRst(header: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    const exception = end > start ? readExceptionPayload(bytes, start, end) : undefined
    const error = resetByPeer("server", exception, header.strings.get(StringKey.CancelPath))
    this.die(error)
    this.owner.onUnanswered(this)
  }

  // Only receiving has failed: the handler still answers, with this status if it likes.
  onTooLarge(): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error: messageTooLarge("server", this.owner.options.maxReceiveMessageSize).error }
    this.state = State.ServerHalfClosed
    this.markReadable()
  }

  fail({ error, rst }: Fault): void {
    if (this.state === State.Inactive) return
    this.sendRst(rst)
    this.die(error)
  }

  onLost(error: TransportError): void {
    this.die(error)
  }

  private die(error: TransportError): void {
    if (this.state === State.Inactive) return
    this.aborted = { _tag: "Failed", error }
    this.end ??= this.aborted
    this.leave()
    if (this.owner.turns.leave(this)) this.leaveUnseen()
    else this.markAborted()
  }

  protected abortError(): TransportError | undefined {
    return this.aborted?._tag === "Failed" ? this.aborted.error : undefined
  }

  // ---- out

  sendHeaders(metadata: MetadataEntries): void {
    if (this.headersSent || this.writeEnded !== undefined) return
    const checked = this.headerInfo(metadata)
    if (checked.refused !== undefined) throw checked.refused
    this.sendHeader(checked.info)
    this.owner.wake()
  }

  private headerInfo(metadata: MetadataEntries): Checked {
    const strings = stringsOf(metadata)
    if (typeof strings === "string") return { refused: headerRefused("server", strings) }
    const fields = strings.length === 0 ? noFields : { ints: [], strings }
    return checkedInfo("server", FrameType.Header, this.name, fields, this.owner.options)
  }

  private sendHeader(info: Uint8Array): void {
    this.headersSent = true
    this.owner.send(this.streamId, info)
  }

  protected override beforeWrite(): void {
    if (!this.headersSent) this.sendHeaders(this.pendingHeaders)
  }

  /** A server ends its messages with a status. */
  protected sendEnd(): void {}

  finish(status: RawStatus, trailers: MetadataEntries): TransportError | undefined {
    if (this.writeEnded !== undefined) return undefined
    const { name, owner, streamId } = this
    const { draining, options } = owner
    const header = this.headersSent ? undefined : this.headerInfo(this.pendingHeaders)
    const wanted = endingOf(name, status, trailers, draining, options)
    const refused = header?.refused ?? wanted.refused
    if (header !== undefined) {
      this.sendHeader(refused === undefined ? header.info! : frameInfo(FrameType.Header, name))
    }
    const ending = refused === undefined ? wanted : endingInPlaceOf(name, status, refused, draining, options)
    owner.sendEnding(streamId, name, ending as Sendable)
    this.finished = true
    this.listener = undefined
    this.discard()
    this.leave()
    return refused
  }

  abort(reason: "cancel" | "refused" | "shutdown" | "internal", error: TransportError): void {
    this.listener = undefined
    this.discard()
    if (this.aborted !== undefined || this.finished) return
    this.aborted = { _tag: "Failed", error }
    this.end ??= this.aborted
    this.sendRst({ type: resetTypes[reason], message: reason === "shutdown" ? "graceful shutdown" : error.desc })
    this.leave()
    this.owner.wake()
  }

  private sendRst(exception: ApplicationException): void {
    this.owner.sendException(this.streamId, frameInfo(FrameType.Rst, this.name), this.name, exception)
  }

  release(): void {
    if (this.released) return
    this.released = true
    this.discard()
    // What it wrote takes its place until it is gone: a client that reads nothing must not make more and more handlers write.
    if (this.share.size === 0) this.owner.turns.giveBack()
    this.owner.wake()
  }

  override onTaken(): boolean {
    const left = super.onTaken()
    if (!left && this.released) this.markSent()
    return left
  }

  protected override sent(): void {
    this.owner.turns.giveBack()
  }

  private leaveUnseen(): void {
    this.released = true
    this.discard()
    this.admitted?.gone()
  }
}

/** Types of an Rst of ours. */
const resetTypes = {
  cancel: Code.UserCancelled,
  refused: Code.Shutdown,
  shutdown: Code.Shutdown,
  internal: Code.Rst
} as const

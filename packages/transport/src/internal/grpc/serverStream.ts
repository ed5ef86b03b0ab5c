/**
 * The server's end of a gRPC stream: a request that was accepted, its messages, and the one way in which it ends.
 *
 * @internal
 */
import type { Metadata, MetadataEntries } from "../../Metadata.ts"
import type { RawAdmitted, RawEnd, RawServerStream, RawStatus } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import { cut } from "../bizStatus.ts"
import type { AbortCause, HeaderList, Http2Stream } from "../http2/api.ts"
import { expandFor, negotiate } from "./compression.ts"
import { answerTooLarge, messageTooLarge, serverAborted, violation } from "./errors.ts"
import { requestMetadata } from "./metadata.ts"
import type { RequestHead } from "./requestHeaders.ts"
import { encodeResponseHeaders, responseContentType } from "./responseHeaders.ts"
import { Code, ResetCode } from "./status.ts"
import { type Carrier, GrpcStream } from "./stream.ts"
import { encodeTrailers } from "./trailers.ts"
import type { Turns } from "../turns.ts"

const resetCodes = {
  cancel: ResetCode.Cancel,
  refused: ResetCode.RefusedStream,
  shutdown: ResetCode.Shutdown,
  internal: ResetCode.InternalError
} as const

const noEntries: MetadataEntries = []
const halfClosed: RawEnd = { _tag: "HalfClosed" }

/** @internal */
export class ServerStream extends GrpcStream implements RawServerStream {
  headersSent = false
  pendingHeaders: MetadataEntries = noEntries
  readonly arrivedAt: number
  readonly admitted: RawAdmitted | undefined
  private readonly head: RequestHead
  private readonly headers: HeaderList
  private aborted: RawEnd | undefined = undefined
  private finished = false
  private released = false

  private readonly turns: Turns

  constructor(
    carrier: Carrier,
    stream: Http2Stream,
    headers: HeaderList,
    head: RequestHead,
    endStream: boolean,
    turns: Turns,
    admitted: RawAdmitted | undefined
  ) {
    super(carrier)
    this.turns = turns
    this.admitted = admitted
    this.stream = stream
    this.headers = headers
    this.head = head
    this.arrivedAt = carrier.now()
    const { compression, maxReceiveMessageSize } = carrier.streamOptions
    if (head.encoding !== undefined) this.expand = expandFor(head.encoding, compression, maxReceiveMessageSize)
    this.compress = negotiate(head.accepts, compression)
    if (endStream) this.end = halfClosed
    this.markAnnounced()
  }

  protected override announce(): void {
    // Opened and given up in one read: there is nobody to answer.
    if (this.aborted !== undefined) return this.leaveUnseen()
    this.turns.take(this)
  }

  get header(): undefined {
    return undefined
  }
  get service(): string {
    return this.head.service
  }
  get method(): string {
    return this.head.method
  }
  get package(): string {
    return this.head.package
  }
  get path(): string {
    return this.head.path
  }
  get thrift(): boolean {
    return this.head.thrift
  }
  get timeoutMillis(): number | undefined {
    return this.head.timeoutMillis
  }
  get metadata(): Metadata {
    return requestMetadata(this.headers)
  }
  get writeEnded(): "closed" | RawEnd | undefined {
    return this.aborted ?? (this.finished ? "closed" : undefined)
  }

  // ---- in

  onHeaders(_headers: HeaderList, endStream: boolean): void {
    if (endStream) this.halfClose()
  }

  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (this.end !== undefined) return
    if (end > start) this.receive(bytes, start, end)
    if (endStream) this.halfClose()
  }

  private halfClose(): void {
    if (this.end !== undefined) return
    const cut = this.inbound.unfinished > 0 && !this.inbound.barePrefix
    this.end = cut ? { _tag: "Failed", error: violation(Code.Internal, "unexpected EOF") } : halfClosed
    this.markReadable()
  }

  // Only receiving has failed: the handler still answers, with this status if it likes.
  protected refuse(): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error: messageTooLarge(this.carrier.streamOptions.maxReceiveMessageSize) }
    this.markReadable()
  }

  onAbort(cause: AbortCause): void {
    if (this.aborted !== undefined) return
    const error = serverAborted(cause, this.peer.address, this.head.sourceService, this.carrier.streamOptions.limits)
    this.aborted = { _tag: "Failed", error }
    if (this.end === undefined) this.end = this.aborted
    if (this.turns.leave(this)) this.leaveUnseen()
    else this.markAborted()
  }

  protected abortError(): TransportError | undefined {
    return this.aborted?._tag === "Failed" ? this.aborted.error : undefined
  }

  // ---- out

  private get contentType(): string {
    return responseContentType(this.head.contentType)
  }

  sendHeaders(metadata: MetadataEntries): void {
    if (this.headersSent || this.writeEnded !== undefined) return
    const list = encodeResponseHeaders(this.contentType, this.compress, metadata)
    if (typeof list === "string") throw violation(Code.Internal, list)
    const { connection } = this.carrier
    // Without those of the handler nothing else can be tried.
    if (metadata.length > 0 && !connection.fits(list)) throw answerTooLarge(connection.maxHeaderListSize)
    this.headersSent = true
    this.tooLarge(connection.sendHeaders(this.stream, list, false))
    this.carrier.wake()
  }

  /** The engine has reset a stream whose header list the client does not take. */
  private tooLarge(sent: boolean): void {
    if (sent || this.aborted !== undefined) return
    const desc =
      "transport: trying to send header list size larger than the limit set by peer [triggered by handler side]"
    this.aborted = { _tag: "Failed", error: violation(Code.Internal, desc) }
    this.end ??= this.aborted
    this.markAborted()
  }

  protected override beforeWrite(): void {
    if (!this.headersSent) this.sendHeaders(this.pendingHeaders)
  }

  /** The engine ends the stream with trailers only. */
  protected sentEnd(): void {
    this.finished = true
  }

  finish(status: RawStatus, trailers: MetadataEntries): TransportError | undefined {
    if (this.writeEnded !== undefined) return undefined
    const initial = this.initialBlock()
    const list = typeof initial === "string" ? initial : this.endBlock(initial !== undefined, status, trailers)
    const refused = this.refusalOf(initial, list)
    if (refused === undefined && initial !== undefined) {
      this.carrier.connection.sendHeaders(this.stream, initial as HeaderList, false)
    }
    // What cannot be sent must not leave the client without an end.
    const block = refused === undefined ? list : this.endBlock(false, this.inPlaceOf(status, refused), noEntries)
    this.finished = true
    this.headersSent = true
    this.listener = undefined
    this.inbound.discard()
    this.tooLarge(this.carrier.connection.sendTrailers(this.stream, block as HeaderList, true))
    this.carrier.wake()
    return refused
  }

  /** The headers that the handler has set, where they go out with the end; or what is wrong with them. */
  private initialBlock(): HeaderList | string | undefined {
    if (this.headersSent || this.pendingHeaders.length === 0) return undefined
    return encodeResponseHeaders(this.contentType, this.compress, this.pendingHeaders)
  }

  private endBlock(behindHeaders: boolean, status: RawStatus, trailers: MetadataEntries): HeaderList | string {
    if (this.headersSent || behindHeaders) return encodeTrailers(undefined, status, trailers)
    const head = encodeResponseHeaders(this.contentType, undefined, noEntries) as HeaderList
    return encodeTrailers(head, status, trailers)
  }

  /** Why an end cannot be sent. */
  private refusalOf(initial: HeaderList | string | undefined, list: HeaderList | string): TransportError | undefined {
    if (typeof list === "string") return violation(Code.Internal, list)
    const { connection } = this.carrier
    if (connection.fits(list) && (initial === undefined || connection.fits(initial as HeaderList))) return undefined
    return answerTooLarge(connection.maxHeaderListSize)
  }

  private inPlaceOf(status: RawStatus, { code, desc, reason }: TransportError): RawStatus {
    if (reason._tag !== "LimitExceeded" || status.code === 0) return { code, message: desc }
    const { retryAfterMillis } = status
    // Three times three characters for each where the message is not ASCII.
    const message = cut(status.message, `cut: ${desc}`, Math.min(1024, reason.max >> 5))
    return {
      code: status.code,
      message,
      retryAfterMillis,
      ...(status.biz && { biz: { code: status.biz.code, extra: {} } })
    }
  }

  abort(reason: "cancel" | "refused" | "shutdown" | "internal", error: TransportError): void {
    this.listener = undefined
    this.inbound.discard()
    if (this.aborted !== undefined) return
    this.aborted = { _tag: "Failed", error }
    this.end ??= this.aborted
    this.carrier.connection.reset(this.stream, resetCodes[reason])
    this.carrier.wake()
  }

  release(): void {
    if (this.released) return
    this.leave()
    this.turns.giveBack()
  }

  private leaveUnseen(): void {
    this.leave()
    this.admitted?.gone()
  }

  private leave(): void {
    this.released = true
    this.carrier.connection.release(this.stream)
    this.carrier.wake()
  }
}

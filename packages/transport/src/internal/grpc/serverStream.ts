/**
 * The server's end of a gRPC stream: a request that was accepted, its messages, and the one way in which it ends.
 *
 * @internal
 */
import type { Metadata, MetadataEntries } from "../../Metadata.ts"
import type { RawEnd, RawServerStream, RawStatus } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import type { AbortCause, HeaderList, Http2Stream } from "../http2/api.ts"
import { expandFor, negotiate } from "./compression.ts"
import { messageTooLarge, serverAborted, violation } from "./errors.ts"
import { requestMetadata } from "./metadata.ts"
import type { RequestHead } from "./requestHeaders.ts"
import { encodeResponseHeaders, responseContentType } from "./responseHeaders.ts"
import { Code, ResetCode } from "./status.ts"
import { type Carrier, GrpcStream } from "./stream.ts"
import { encodeTrailers } from "./trailers.ts"
import type { Turns } from "./turns.ts"

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
    turns: Turns
  ) {
    super(carrier)
    this.turns = turns
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
    if (this.aborted !== undefined) return this.leave()
    this.turns.take(this)
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
    if (this.turns.leave(this)) this.leave()
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
    this.headersSent = true
    this.tooLarge(this.carrier.connection.sendHeaders(this.stream, list, false))
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

  finish(status: RawStatus, trailers: MetadataEntries): void {
    if (this.writeEnded !== undefined) return
    const list = this.endBlock(status, trailers)
    // A name that cannot be sent must not leave the client without an end.
    const block =
      typeof list === "string" ? this.endBlock({ code: Code.Internal, message: list }, noEntries, true) : list
    this.finished = true
    this.headersSent = true
    this.listener = undefined
    this.inbound.discard()
    this.tooLarge(this.carrier.connection.sendTrailers(this.stream, block as HeaderList, true))
    this.carrier.wake()
  }

  private endBlock(status: RawStatus, trailers: MetadataEntries, plain = false): HeaderList | string {
    if (this.headersSent) return encodeTrailers(undefined, status, trailers)
    const metadata = plain ? noEntries : this.pendingHeaders
    const head = encodeResponseHeaders(this.contentType, undefined, noEntries) as HeaderList
    if (metadata.length === 0) return encodeTrailers(head, status, trailers)
    const initial = encodeResponseHeaders(this.contentType, this.compress, metadata)
    if (typeof initial === "string") return initial
    const block = encodeTrailers(undefined, status, trailers)
    if (typeof block !== "string") this.carrier.connection.sendHeaders(this.stream, initial, false)
    return block
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

  private leave(): void {
    this.released = true
    this.carrier.connection.release(this.stream)
    this.carrier.wake()
  }
}

/**
 * The client's end of a gRPC stream: what it makes of the server's headers, data, trailers and resets.
 *
 * @internal
 */
import * as Metadata from "../../Metadata.ts"
import type { RawClientStream, RawEnd } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import type { AbortCause, HeaderList } from "../http2/api.ts"
import { expandFor } from "./compression.ts"
import { clientAborted, messageTooLarge, violation } from "./errors.ts"
import { responseMetadata } from "./metadata.ts"
import { parseResponseHead } from "./responseHeaders.ts"
import { Code, ResetCode } from "./status.ts"
import { type Carrier, GrpcStream } from "./stream.ts"
import { parseTrailers } from "./trailers.ts"

const resetCodes = { cancel: ResetCode.Cancel, shutdown: ResetCode.Shutdown, done: ResetCode.NoError } as const

/** @internal */
export class ClientStream extends GrpcStream implements RawClientStream {
  header: Metadata.Metadata | undefined = undefined
  trailer: Metadata.Metadata | undefined = undefined
  private sendClosed = false
  private readonly expiresAt: number

  constructor(
    carrier: Carrier,
    headers: HeaderList,
    timeoutMillis: number | undefined,
    compressor: "gzip" | undefined
  ) {
    super(carrier)
    this.compress = compressor
    this.expiresAt = timeoutMillis === undefined ? Infinity : carrier.now() + timeoutMillis
    this.stream = carrier.connection.openStream(headers, false, this)
    carrier.wake()
  }

  get writeEnded(): "closed" | RawEnd | undefined {
    return this.end ?? (this.sendClosed ? "closed" : undefined)
  }

  protected sentEnd(): void {
    this.sendClosed = true
  }

  closeSend(): void {
    if (this.writeEnded === undefined) this.sendEnd()
  }

  abort(reason: "cancel" | "shutdown" | "done", error: TransportError): void {
    this.listener = undefined
    this.inbound.discard()
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.reset(resetCodes[reason])
  }

  protected abortError(): TransportError | undefined {
    return this.end?._tag === "Failed" ? this.end.error : undefined
  }

  onHeaders(headers: HeaderList, endStream: boolean): void {
    if (this.end !== undefined) return
    if (this.header === undefined) {
      const head = parseResponseHead(headers)
      if (head._tag === "NotGrpc") return this.fail(violation(head.code, head.desc), ResetCode.ProtocolError)
      if (!endStream) {
        this.header = responseMetadata(headers)
        if (head.encoding !== undefined) this.setEncoding(head.encoding)
        return this.markReadable()
      }
    } else if (!endStream) {
      const desc = "a HEADERS frame cannot appear in the middle of a stream"
      return this.fail(violation(Code.Internal, desc), ResetCode.ProtocolError)
    }
    const status = parseTrailers(headers)
    if (typeof status === "string") return this.fail(violation(Code.Internal, status), ResetCode.ProtocolError)
    this.header ??= Metadata.empty
    this.trailer = responseMetadata(headers)
    const cut = status.code === 0 && this.inbound.unfinished > 0 && !this.inbound.barePrefix
    this.end = cut ? { _tag: "Failed", error: violation(Code.Internal, "unexpected EOF") } : { _tag: "Status", status }
    if (!this.stream.localClosed) this.reset(ResetCode.NoError)
    this.markEnded()
  }

  private setEncoding(encoding: string): void {
    const { compression, maxReceiveMessageSize } = this.carrier.streamOptions
    this.expand = expandFor(encoding, compression, maxReceiveMessageSize)
  }

  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (this.end !== undefined) return
    if (end > start) this.receive(bytes, start, end)
    if (endStream && this.end === undefined) {
      // Nothing was asked for beyond the end: the reset only gives the stream back.
      const desc = "server closed the stream without sending trailers"
      this.fail(violation(Code.Internal, desc), ResetCode.NoError)
    }
  }

  protected refuse(): void {
    this.fail(messageTooLarge(this.carrier.streamOptions.maxReceiveMessageSize), ResetCode.Cancel)
  }

  onAbort(cause: AbortCause): void {
    if (this.end !== undefined) return
    const late = this.carrier.now() >= this.expiresAt
    const error = clientAborted(cause, this.peer.address, late, this.carrier.streamOptions.limits)
    this.end = { _tag: "Failed", error }
    this.markAborted()
  }

  private fail(error: TransportError, code: number): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.reset(code)
    this.markAborted()
  }

  private reset(code: number): void {
    this.carrier.connection.reset(this.stream, code)
    this.carrier.wake()
  }
}

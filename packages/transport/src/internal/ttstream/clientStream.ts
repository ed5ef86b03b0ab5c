/**
 * The client's end of a stream: it opens with its Header frame and ends with the server's Trailer, or an Rst of either side.
 *
 * @internal
 */
import type { Metadata } from "../../Metadata.ts"
import { empty } from "../../Metadata.ts"
import type { CallHeader } from "../../RawCall.ts"
import type { RawCancellation, RawClientStream, RawEnd } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import { StringKey } from "../ttheader/keys.ts"
import { cancelPath, duplicateHeader, type Fault, messageTooLarge, resetByPeer, userCancelled } from "./errors.ts"
import { frameInfo, FrameType, readExceptionPayload } from "./frames.ts"
import { hiddenInHeader, metadataOf } from "./metadata.ts"
import { checkedInfo } from "./sentHeader.ts"
import { Event, isClientSending, next, State, Verdict } from "./states.ts"
import { readTrailer } from "./status.ts"
import { Stream, type StreamOwner } from "./stream.ts"

/** @internal */
export class ClientStream extends Stream implements RawClientStream {
  header: Metadata | undefined = undefined
  trailer: Metadata | undefined = undefined
  /** Its bytes among all that the connection sends begin there. */
  readonly startsAt: number
  /** Name of the caller, the last in the path of a cancellation. */
  private readonly caller: string

  constructor(owner: StreamOwner, streamId: number, method: string, caller: string) {
    super(owner, streamId, method, State.ClientOpening)
    this.caller = caller
    this.startsAt = owner.outbox.written
  }

  get side(): "client" {
    return "client"
  }

  get writeEnded(): "closed" | RawEnd | undefined {
    return this.end ?? (isClientSending(this.state) ? undefined : "closed")
  }

  protected abortError(): TransportError | undefined {
    return this.end?._tag === "Failed" ? this.end.error : undefined
  }

  // ---- out

  closeSend(): void {
    if (!isClientSending(this.state)) return
    this.sendEnd()
    this.owner.wake()
  }

  protected sendEnd(): void {
    this.sendTrailer()
    this.state = next(this.state, Event.SendTrailer)
  }

  abort(_reason: "cancel" | "shutdown" | "done", error: TransportError, cancellation = userCancelled): void {
    this.listener = undefined
    this.discard()
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.reset(cancellation)
  }

  /** Rst, and the Trailer that ends the stream for servers which do not know what an Rst is. */
  private reset({ code, path, text }: RawCancellation): void {
    const names = cancelPath(path, this.caller)
    const fields = { ints: [], strings: names === undefined ? [] : [[StringKey.CancelPath, names] as const] }
    const { info } = checkedInfo("client", FrameType.Rst, this.name, fields, this.owner.options)
    // A path that is too long is not worth more than the Rst.
    const sent = info ?? frameInfo(FrameType.Rst, this.name)
    this.owner.sendException(this.streamId, sent, this.name, { type: code, message: text })
    this.over()
  }

  /** The last frame of a client that has not half-closed. */
  private over(): void {
    if (isClientSending(this.state)) this.sendTrailer()
    this.leave()
    this.owner.wake()
  }

  // ---- in

  onHeader(header: CallHeader): void {
    const state = next(this.state, Event.ReceiveHeader)
    if (state === Verdict.Duplicate) return this.fail(duplicateHeader(this.streamId))
    this.state = state
    this.header = metadataOf(header, hiddenInHeader)
    this.markReadable()
  }

  onTrailer(header: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    const read = readTrailer("client", header, bytes, start, end)
    if (read.failed !== undefined) this.end = { _tag: "Failed", error: read.failed }
    else {
      this.header ??= empty
      this.trailer = read.trailer
      this.end = { _tag: "Status", status: read.status }
    }
    this.over()
    if (read.failed !== undefined) this.markAborted()
    else this.markEnded()
  }

  onRst(header: CallHeader, bytes: Uint8Array, start: number, end: number): void {
    const exception = end > start ? readExceptionPayload(bytes, start, end) : undefined
    const error = resetByPeer("client", exception, header.strings.get(StringKey.CancelPath))
    this.end = { _tag: "Failed", error }
    this.over()
    this.markAborted()
  }

  onTooLarge(): void {
    this.fail(messageTooLarge("client", this.owner.options.maxReceiveMessageSize))
  }

  fail({ error, rst }: Fault): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.reset({ code: rst.type, text: rst.message, path: [] })
    this.markAborted()
  }

  onLost(error: TransportError): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.leave()
    this.markAborted()
  }
}

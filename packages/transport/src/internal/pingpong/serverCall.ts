/**
 * A request that a server received, and the one way in which it ends.
 *
 * @internal
 */
import { type ApplicationException, MessageType, writeException } from "@millrace/codec/Message"
import type { CallEntries, CallHeader, Encoding, RawServerCall } from "../../RawCall.ts"
import type { Decode, Encode, RawPeer } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"

/** What a call needs of its connection. @internal */
export interface CallOwner {
  readonly peer: RawPeer
  /** Decodes the arguments of the call that is being told of. */
  take<A>(call: ServerCall, decode: Decode<A>): A
  /** Nobody waits for an answer any more. */
  isLost(call: ServerCall): boolean
  answer<A>(
    call: ServerCall,
    type: number,
    body: A,
    encode: Encode<A>,
    strings: CallEntries | undefined,
    close: boolean
  ): number
  leave(call: ServerCall): void
  /** The call has ended without an answer, and its connection is to end. */
  abort(call: ServerCall): void
}

/** What was read of a request. */
interface Request {
  readonly encoding: Encoding
  readonly header: CallHeader | undefined
  readonly method: string
  readonly sequenceId: number
  readonly type: number
  readonly size: number
  readonly total: number
}

/** @internal */
export class ServerCall implements RawServerCall {
  readonly encoding: Encoding
  readonly header: CallHeader | undefined
  readonly service: string
  readonly method: string
  readonly sequenceId: number
  readonly timeoutMillis: number | undefined
  readonly arrivedAt: number
  readonly size: number
  /** Bytes of the request, its header included. */
  readonly total: number
  /** Type of the message. */
  readonly type: number
  onAbort: ((error: TransportError) => void) | undefined = undefined
  /** `onAbort` was called: no answer goes out. */
  aborted = false
  /** A frame of the client's said so: it counts the call until it hears that it has ended. */
  cancelled = false
  /** Neighbours among the running calls of the connection. */
  before: ServerCall | undefined = undefined
  after: ServerCall | undefined = undefined
  private readonly owner: CallOwner
  private ended = false

  constructor(
    owner: CallOwner,
    request: Request,
    service: string,
    timeoutMillis: number | undefined,
    arrivedAt: number
  ) {
    this.owner = owner
    this.encoding = request.encoding
    this.header = request.header
    this.service = service
    this.method = request.method
    this.sequenceId = request.sequenceId
    this.timeoutMillis = timeoutMillis
    this.arrivedAt = arrivedAt
    this.size = request.size
    this.total = request.total
    this.type = request.type
  }

  get peer(): RawPeer {
    return this.owner.peer
  }

  get oneway(): boolean {
    return this.type === MessageType.Oneway
  }

  take<A>(decode: Decode<A>): A {
    return this.owner.take(this, decode)
  }

  reply<A>(result: A, encode: Encode<A>, strings?: CallEntries): number {
    return this.answer(MessageType.Reply, result, encode, strings, false)
  }

  exception(exception: ApplicationException, strings?: CallEntries, close = false): void {
    this.answer(MessageType.Exception, exception, writeException, strings, close)
  }

  private answer<A>(
    type: number,
    body: A,
    encode: Encode<A>,
    strings: CallEntries | undefined,
    close: boolean
  ): number {
    if (this.ended) return 0
    const size = this.owner.isLost(this) ? 0 : this.owner.answer(this, type, body, encode, strings, close)
    this.finish()
    return size
  }

  finish(): void {
    if (this.ended) return
    this.ended = true
    this.owner.leave(this)
  }

  abort(): void {
    if (this.ended) return
    this.finish()
    this.owner.abort(this)
  }

  /** The peer is gone, or does not wait for an answer any more. */
  tellAbort(error: TransportError): void {
    if (this.ended || this.aborted) return
    this.aborted = true
    this.onAbort?.(error)
  }
}

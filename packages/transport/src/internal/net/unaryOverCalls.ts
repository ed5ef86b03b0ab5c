/**
 * A unary call of a client that speaks TTHeader streaming: a stream to whoever makes it, a PingPong call on the wire, as in Kitex.
 *
 * @internal
 */
import type { Output } from "@millrace/codec/Output"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as BizStatus from "../../BizStatus.ts"
import { empty, type Metadata } from "../../Metadata.ts"
import * as Pushback from "../../Pushback.ts"
import type { CallHeaderFields, CallLease, CallTarget, RawClientCall, RawReply, ReplyListener } from "../../RawCall.ts"
import type { Decode, Encode, RawClientStream, RawEnd, RawListener, RawPeer, RawStatus } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import { Code } from "../grpc/status.ts"
import { StringKey } from "../ttheader/keys.ts"
import { hiddenInTrailer, metadataOf } from "../ttstream/metadata.ts"

/** Where calls get their connections. @internal */
export interface Calls {
  readonly tryLease: (target: CallTarget) => CallLease | undefined
  readonly lease: (target: CallTarget) => Effect.Effect<CallLease, TransportError>
  /** Runs what waits for a connection. */
  readonly fork: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
}

// A connection that the pool holds may be dead: one that never took a byte costs another try, and only so many.
const maxTries = 3

/** What a client does not see among the string keys of an answer. */
const hidden: ReadonlySet<string> = new Set([
  ...hiddenInTrailer,
  StringKey.Service,
  StringKey.ConnectionReset,
  StringKey.Checksum,
  "rip"
])

const statusOf = ({ exception, header }: RawReply): RawStatus => {
  const retryAfterMillis = header === undefined ? undefined : Pushback.fromStrings(header.strings)
  // A status with the code 0 is a success.
  if (exception !== undefined) {
    return { code: exception.type || Code.Unknown, message: exception.message, retryAfterMillis }
  }
  const biz = header === undefined ? undefined : BizStatus.fromStrings(header.strings)
  if (biz === undefined) return { code: 0, message: "" }
  return { code: Code.Internal, message: biz.message, biz: { code: biz.code, extra: biz.extra } }
}

/** @internal */
export class UnaryOverCalls implements RawClientStream, ReplyListener {
  listener: RawListener | undefined = undefined
  end: RawEnd | undefined = undefined
  trailer: Metadata | undefined = undefined
  lastTakenBytes = 0
  lastWrittenBytes = 0
  lastWrittenCount = 0

  private readonly calls: Calls
  private readonly target: CallTarget
  private readonly method: string
  private readonly fields: CallHeaderFields
  private lease: CallLease | undefined
  private peerNow: RawPeer
  private tries = 0
  private sent = false
  private closed = false

  // What is sent, until it was answered.
  private message: unknown = undefined
  private encode: Encode<never> | undefined = undefined
  private raw: RawClientCall | undefined = undefined
  private waiting: Fiber.Fiber<unknown> | undefined = undefined

  // The result, until it is taken: inside the read that brought it, or what is kept of it.
  private reply: RawReply | undefined = undefined
  private bytes: Uint8Array | undefined = undefined
  private start = 0
  private stop = 0

  constructor(calls: Calls, target: CallTarget, method: string, fields: CallHeaderFields, lease: CallLease) {
    this.calls = calls
    this.target = target
    this.method = method
    this.fields = fields
    this.lease = lease
    this.peerNow = lease.peer
  }

  get protocol(): "ttheader-framed" {
    return "ttheader-framed"
  }

  get peer(): RawPeer {
    return this.peerNow
  }

  /** A TTHeader of an answer holds both. */
  get header(): Metadata | undefined {
    return this.trailer
  }

  // ---- out

  /** One message, whose answer ends the stream. Nothing else is written. */
  write<A>(messages: ReadonlyArray<A>, from: number, encode: Encode<A>): number {
    this.lastWrittenBytes = 0
    this.lastWrittenCount = 0
    if (!this.writable || from >= messages.length) return from
    const lease = this.lease!
    this.message = messages[from]
    this.encode = encode as Encode<never>
    this.sent = true
    this.lease = undefined
    this.send(lease)
    this.lastWrittenCount = 1
    return from + 1
  }

  /** Throws what encoding it throws, and for a header that is too large. */
  private send(lease: CallLease): void {
    const tries = ++this.tries
    this.peerNow = lease.peer
    const raw = lease.send<unknown>({
      method: this.method,
      oneway: false,
      header: this.fields,
      args: this.message,
      encode: this.encode as (message: unknown, out: Output) => void,
      listener: this
    })
    // The connection may have failed meanwhile, and another have taken the call.
    if (this.tries > tries) return
    this.lastWrittenBytes = raw.sentBytes
    if (this.end === undefined) this.raw = raw
  }

  get lastWrittenSize(): number {
    return this.lastWrittenBytes
  }

  get buffered(): number {
    return 0
  }

  get writable(): boolean {
    return this.writeEnded === undefined
  }

  get writeEnded(): "closed" | RawEnd | undefined {
    return this.end ?? (this.sent || this.closed ? "closed" : undefined)
  }

  closeSend(): void {
    this.closed = true
  }

  abort(_reason: "cancel" | "shutdown" | "done", error: TransportError): void {
    this.reply = undefined
    this.bytes = undefined
    if (this.end?._tag === "Failed") return
    const over = this.end !== undefined
    this.end = { _tag: "Failed", error }
    if (over) return
    this.raw?.abandon()
    this.lease?.release()
    this.lease = undefined
    this.waiting?.interruptUnsafe()
    this.forget()
  }

  /** What was sent is not needed any more. */
  private forget(): void {
    this.message = undefined
    this.encode = undefined
    this.raw = undefined
  }

  // ---- in

  onReply(reply: RawReply): void {
    const { header } = reply
    const status = statusOf(reply)
    this.trailer = header === undefined ? empty : metadataOf(header, hidden)
    this.forget()
    this.end = { _tag: "Status", status }
    if (reply.exception === undefined && status.biz === undefined) this.reply = reply
    this.listener?.onReadable()
    // It is here only now.
    if (this.reply !== undefined) reply.take(this.keep)
    this.reply = undefined
  }

  // Bytes that a decoder was given stay as they are, unless it says that it does not need them.
  private readonly keep: Decode<void> = (bytes, start, end) => {
    this.bytes = bytes
    this.start = start
    this.stop = end
  }

  onSent(): void {}

  onFailed(error: TransportError): void {
    const { reason } = error
    this.raw = undefined
    if (reason._tag !== "ConnectionLost" || reason.neverSent !== true || this.tries >= maxTries) return this.fail(error)
    const lease = this.calls.tryLease(this.target)
    if (lease !== undefined) return this.sendAgain(lease)
    // The step that ends the wait uses the lease or gives it back.
    const dialled = Effect.uninterruptible(
      Effect.map(Effect.exit(Effect.interruptible(this.calls.lease(this.target))), (exit) => {
        this.waiting = undefined
        if (Exit.isSuccess(exit)) return this.sendAgain(exit.value)
        const failure = Cause.findErrorOption(exit.cause)
        this.fail(failure._tag === "Some" ? failure.value : error)
      })
    )
    const fiber = this.calls.fork(dialled)
    if (fiber.pollUnsafe() === undefined) this.waiting = fiber
  }

  private sendAgain(lease: CallLease): void {
    // Nobody waits any more.
    if (this.end !== undefined) return lease.release()
    try {
      this.send(lease)
    } catch (thrown) {
      this.fail(thrown as TransportError)
    }
  }

  private fail(error: TransportError): void {
    if (this.end !== undefined) return
    this.end = { _tag: "Failed", error }
    this.forget()
    this.listener?.onAbort(error)
    this.listener?.onReadable()
  }

  get available(): number {
    return this.reply === undefined && this.bytes === undefined ? 0 : 1
  }

  take<A>(decode: Decode<A>, max: number, into: Array<A>): void {
    const { bytes, reply, start, stop } = this
    this.lastTakenBytes = 0
    if (this.available === 0 || max < 1) return
    this.reply = undefined
    this.bytes = undefined
    if (reply === undefined) {
      this.lastTakenBytes = stop - start
      into.push(decode(bytes!, start, stop))
    } else {
      this.lastTakenBytes = reply.size
      into.push(reply.take(decode))
    }
  }

  get lastTakenSize(): number {
    return this.lastTakenBytes
  }
}

/**
 * The server's end of a PingPong connection: requests in, answers out in whatever order they come, each in the encoding
 * of its request.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType, MessageType, writeException } from "@millrace/codec/Message"
import type { CallEntries, CallHeader } from "../../RawCall.ts"
import type { Decode, Encode, RawPeer } from "../../RawStream.ts"
import type { ConnectionEnd } from "../engine.ts"
import { joined } from "../gather.ts"
import { Answer, answerFields, goodbyeFields } from "../ttheader/fields.ts"
import { Flag, IntKey, StringKey } from "../ttheader/keys.ts"
import type * as Api from "./api.ts"
import { cancelledByClient, serverLost, violation } from "./errors.ts"
import { CallOutbox } from "../callOutbox.ts"
import { type MessageSink, MessageReader } from "./reader.ts"
import { type CallOwner, ServerCall } from "./serverCall.ts"
import { encodeEmpty, hasHeader, MessageWriter } from "./writer.ts"

/** Bytes of answers that wait to be taken: no more calls until they are. A chunk may hold a thousand. */
const fullFrom = 1024 * 1024

/** Bytes that are kept behind the calls that run. Who sends more is not served. */
const maxKept = 4 * 1024 * 1024

/** What a client that has cancelled a call drops, and knows by it that the call has ended. */
const cancelledException: ApplicationException = { type: ExceptionType.InternalError, message: "context canceled" }

/** A type that Kitex has for streams. It passes, and is answered with sequence id 0. */
const streamType = 5

/** Milliseconds, or undefined for what is not a timeout. */
const parseTimeout = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\+?\d+$/.test(text)) return undefined
  const millis = Number(text)
  return millis > 0 && Number.isSafeInteger(millis) ? millis : undefined
}

/** @internal */
export class ServerConnection implements Api.ServerConnection, MessageSink, CallOwner {
  readonly outbox = new CallOutbox()
  closed = false
  active = 0
  received = 0
  lastReceived = 0
  multiplexed = false

  private readonly carrier: Api.ServerCarrier
  private readonly options: Api.CallOptions
  private readonly reader: MessageReader
  private readonly writer: MessageWriter

  /** Running calls, oldest first. */
  private first: ServerCall | undefined = undefined
  private last: ServerCall | undefined = undefined
  /** The call whose request is in the reader. */
  private current: ServerCall | undefined = undefined
  /** Bytes of the requests of running calls. */
  private running = 0
  private draining = false
  /** Nothing else is read; the connection ends with its last call. */
  private finishing = false
  private reading = false
  /** When the chunk came that is being read. */
  private arrivedAt = 0
  /** What came beyond the calls that may run. */
  private rest: Uint8Array | undefined = undefined

  // What is the same as long as the header is.
  private header: CallHeader | undefined = undefined
  private service = ""
  private timeoutMillis: number | undefined = undefined
  private cancels = false

  constructor(carrier: Api.ServerCarrier, options: Api.CallOptions) {
    this.carrier = carrier
    this.options = options
    this.lastReceived = carrier.now()
    this.reader = new MessageReader(this, options)
    this.writer = new MessageWriter(this.outbox, options)
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

  get midMessage(): boolean {
    // Where nothing is read the peer is not to blame.
    return this.reader.midMessage && !this.full && !this.finishing
  }

  get full(): boolean {
    const { connectionBufferLimit, maxConcurrentCalls } = this.options
    return this.active >= maxConcurrentCalls || this.running >= connectionBufferLimit || this.outbox.length >= fullFrom
  }

  get behind(): boolean {
    return this.rest !== undefined
  }

  get kept(): number {
    return this.rest?.length ?? 0
  }

  pump(): void {}

  // ---- in

  receive(chunk: Uint8Array, now: number): void {
    if (this.closed) return
    this.received += chunk.length
    this.lastReceived = now
    this.arrivedAt = now
    if (this.rest === undefined) this.read(chunk)
    else if (this.full && this.kept + chunk.length > maxKept)
      this.onViolation(`more than ${maxKept / 1024 / 1024} MiB came behind ${this.active} calls that do not end`)
    else this.rest = joined(this.rest, chunk)
  }

  resume(now: number): void {
    if (this.closed) return
    this.lastReceived = now
    const { rest } = this
    if (rest === undefined) return
    this.rest = undefined
    this.read(rest)
  }

  private read(chunk: Uint8Array): void {
    if (this.finishing) return
    this.reading = true
    const at = this.full ? 0 : this.reader.read(chunk, 0, chunk.length)
    this.reading = false
    if (at === chunk.length || this.closed || this.finishing) return
    this.rest = chunk.subarray(at)
    this.chunkKept = true
  }

  onMessage(): boolean {
    const { header, type } = this.reader
    if (type !== MessageType.Call && type !== MessageType.Oneway && type !== streamType) {
      this.onViolation(`server side, invalid message type ${type}`)
      return false
    }
    if (header !== this.header) this.readHeader(header)
    if (this.cancels) this.cancel(this.reader.sequenceId)
    else this.begin()
    // The fields of a large header are not worth their memory until the next call.
    if (this.reader.hasLargeHeader) this.readHeader(undefined)
    return !this.closed && !this.finishing && !this.full
  }

  private readHeader(header: CallHeader | undefined): void {
    this.header = header
    this.service = header?.strings.get(StringKey.Service) ?? ""
    this.timeoutMillis = parseTimeout(header?.ints.get(IntKey.RpcTimeout))
    this.cancels = header?.ints.has(IntKey.Cancel) === true
  }

  private begin(): void {
    const call = new ServerCall(this, this.reader, this.service, this.timeoutMillis, this.arrivedAt)
    if (isMultiplexed(call)) this.multiplexed = true
    this.active++
    this.running += call.total
    call.before = this.last
    if (this.last === undefined) this.first = call
    else this.last.after = call
    this.last = call
    this.current = call
    this.carrier.onCall(call)
    this.current = undefined
  }

  private cancel(sequenceId: number): void {
    for (let call = this.last; call !== undefined; call = call.before) {
      if (call.sequenceId !== sequenceId || call.aborted) continue
      call.cancelled = true
      return call.tellAbort(cancelledByClient())
    }
  }

  onViolation(detail: string, limit?: keyof Api.CallOptions): void {
    if (limit !== undefined && this.reader.hasTTHeader) this.refuse(limit)
    this.end(violation(detail, limit))
  }

  /** A message that is over a limit is not read, but its TTHeader says whom to tell: else the client has to guess. */
  private refuse(limit: keyof Api.CallOptions): void {
    const message = `the call is over a limit of the server: ${limit} is ${this.options[limit]}; the connection ends`
    const envelope = { type: MessageType.Exception, method: "none", sequenceId: this.reader.headerSequenceId }
    const fields = answerFields(Answer.Exception | Answer.Last, undefined)
    this.writer.write("ttheader", 0, fields, envelope, { type: ExceptionType.ProtocolError, message }, writeException)
  }

  // ---- from the calls

  take<A>(call: ServerCall, decode: Decode<A>): A {
    if (call !== this.current) throw new Error("the arguments of a call can be read inside onCall only")
    return this.reader.take(decode)
  }

  isLost(call: ServerCall): boolean {
    return this.closed || call.aborted
  }

  answer<A>(
    call: ServerCall,
    type: number,
    body: A,
    encode: Encode<A>,
    strings: CallEntries | undefined,
    close: boolean
  ): number {
    // The end of each message is known here: what was wrong with one is no harm to its neighbours.
    const last = close && (this.draining || !isMultiplexed(call))
    const bits =
      (type === MessageType.Exception ? Answer.Exception : 0) |
      (last || this.draining ? Answer.Last : 0) |
      (isMultiplexed(call) ? Answer.Multiplexed : 0)
    const sequenceId = call.type === streamType ? 0 : call.sequenceId
    const envelope = { type, method: call.method, sequenceId }
    const size = this.writer.write(call.encoding, 0, answerFields(bits, strings), envelope, body, encode)
    if (last) this.finishing = true
    this.carrier.wake()
    return size
  }

  leave(call: ServerCall): void {
    if (call.cancelled && !call.oneway && !this.closed) {
      this.answer(call, MessageType.Exception, cancelledException, writeException, undefined, false)
    }
    const wasFull = this.full
    this.active--
    this.running -= call.total
    const { after, before } = call
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.last = before
    else after.before = before
    if (this.closed) return
    if (this.finishing) {
      if (this.active === 0) this.end({ _tag: "Local", detail: "closed behind an exception" })
    } else if (wasFull && !this.full && !this.reading) this.carrier.onRoom()
    // An end without an answer: the connection is idle, or has drained.
    else if (this.active === 0) this.carrier.wake()
  }

  abort(call: ServerCall): void {
    if (!isMultiplexed(call)) this.end({ _tag: "Local", detail: "a call was aborted" })
  }

  // ---- the end

  drain(): void {
    this.draining = true
  }

  sayGoodbye(): void {
    if (this.closed) return
    const envelope = { type: MessageType.Reply, method: "none", sequenceId: 0 }
    this.writer.write("ttheader", 0, goodbyeFields, envelope, undefined, encodeEmpty)
    this.carrier.wake()
  }

  end(cause: ConnectionEnd): void {
    if (this.closed) return
    this.closed = true
    this.rest = undefined
    const running: Array<ServerCall> = []
    for (let call = this.first; call !== undefined; call = call.after) running.push(call)
    if (running.length > 0) {
      const error = serverLost(this.peer.address, cause, this.options)
      for (const call of running) call.tellAbort(error)
    }
    this.carrier.onClose(cause)
  }
}

/** The client takes answers in any order, and hears that it gets them so. */
const isMultiplexed = (call: ServerCall): boolean =>
  call.header !== undefined && (call.header.flags & Flag.OutOfOrder) !== 0 && hasHeader(call.encoding)

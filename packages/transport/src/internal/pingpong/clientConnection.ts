/**
 * The client's end of a PingPong connection: calls out, each answer to the call that it belongs to.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType, MessageType } from "@millrace/codec/Message"
import type { CallHeader, ConnectionMode, Encoding, OutgoingCall, RawClientCall } from "../../RawCall.ts"
import type { TransportError } from "../../TransportError.ts"
import { ById } from "../byId.ts"
import type { ConnectionEnd } from "../engine.ts"
import { Code } from "../grpc/status.ts"
import { cancelFields } from "../ttheader/fields.ts"
import { Flag, IntKey, StringKey } from "../ttheader/keys.ts"
import { shown } from "../ttheader/text.ts"
import type * as Api from "./api.ts"
import { ClientCall, type ClientCallOwner, Reply } from "./clientCall.ts"
import { badReply, clientLost, clientNeverSent, violation } from "./errors.ts"
import { CallOutbox } from "../callOutbox.ts"
import { type MessageSink, MessageReader } from "./reader.ts"
import { nextSequenceId } from "./sequence.ts"
import { encodeEmpty, hasHeader, MessageWriter } from "./writer.ts"

/** A type that Kitex has for streams, and takes for a reply. */
const streamType = 5

/** Characters of a method's name that came from a peer. */
const shownName = 256

/** Calls that were abandoned before the first answer, and are cancelled when it says that they can be. */
const maxUncancelled = 1024

const notUsable: ConnectionEnd = { _tag: "Local", detail: "the server asked for an end of the connection" }

/** @internal */
export class ClientConnection implements Api.ClientConnection, MessageSink, ClientCallOwner {
  readonly outbox: CallOutbox
  closed = false
  active = 0
  received = 0
  lastReceived = 0
  usable = true
  learned: boolean | undefined = undefined
  lateReplies = 0
  owed = 0
  mayBeLate = false

  private readonly carrier: Api.ClientCarrier
  private readonly options: Api.CallOptions
  private readonly reader: MessageReader
  private readonly writer: MessageWriter
  private readonly reply: Reply

  /** Calls that wait for an answer. */
  private readonly pending = new ById<ClientCall>()
  /** The one of them that has the connection to itself. */
  private exclusive: ClientCall | undefined = undefined
  /** Oneway calls that the kernel has not taken. */
  private readonly unsent: Array<ClientCall> = []
  /** Abandoned calls whose handlers run, for all that is known: the server has not said yet that it takes cancels. */
  private readonly uncancelled = new Map<number, Encoding>()
  /** The last call shared the connection, so that an answer may be late. */
  private shared = false
  /** Oneway calls that were sent, which a server answers when it does not know them. */
  private onewayCalls = 0
  private ending: ConnectionEnd = notUsable
  /** The last header of an answer; most are the same. */
  private header: CallHeader | undefined = undefined

  constructor(carrier: Api.ClientCarrier, options: Api.CallOptions) {
    this.carrier = carrier
    this.options = options
    this.lastReceived = carrier.now()
    this.outbox = new CallOutbox(() => this.onTaken())
    this.reader = new MessageReader(this, options)
    this.writer = new MessageWriter(this.outbox, options)
    // At once: whoever waits for the answer may send the next call before it returns.
    this.reply = new Reply(this.reader, () => {
      this.usable = false
    })
  }

  get chunkKept(): boolean {
    return this.carrier.chunkKept
  }
  set chunkKept(kept: boolean) {
    this.carrier.chunkKept = kept
  }

  get midMessage(): boolean {
    return this.reader.midMessage
  }

  pump(): void {}

  // ---- out

  send<A>(outgoing: OutgoingCall<A>, encoding: Encoding, mode: ConnectionMode): RawClientCall {
    const { args, encode, header, listener, method, oneway } = outgoing
    const shared = mode === "multiplexed" || (mode === "auto" && this.learned === true)
    let sequenceId = nextSequenceId()
    while (this.pending.has(sequenceId)) sequenceId = nextSequenceId()
    const call = new ClientCall(this, this.carrier.peer, sequenceId, method, oneway, shared, encoding, listener)
    if (!this.usable) {
      call.ended = true
      listener.onFailed(clientNeverSent(call.peer.address, this.ending))
      return call
    }
    const flags = mode === "auto" || mode === "multiplexed" ? Flag.OutOfOrder : 0
    const envelope = { type: oneway ? MessageType.Oneway : MessageType.Call, method, sequenceId }
    call.startsAt = this.outbox.written
    call.sentBytes = this.writer.write(encoding, flags, header, envelope, args, encode)
    call.endsAt = this.outbox.written
    this.active++
    this.shared = shared
    if (oneway) {
      this.unsent.push(call)
      this.onewayCalls++
    } else {
      this.pending.set(sequenceId, call)
      if (!shared) this.exclusive = call
    }
    this.carrier.wake()
    return call
  }

  /** What was taken out of the outbox is the kernel's. */
  private onTaken(): void {
    const { unsent } = this
    while (unsent.length > 0 && unsent[0]!.endsAt <= this.outbox.taken) {
      const call = unsent.shift()!
      this.forget(call)
      // A server answers oneway calls that it does not know.
      if (!call.shared) this.usable = false
      call.listener.onSent()
      this.carrier.onCallEnded()
    }
  }

  abandon(call: ClientCall): void {
    this.forget(call)
    // The connection ends, and has not told this call yet.
    if (this.closed) return this.carrier.onCallEnded()
    if (call.oneway) this.unsent.splice(this.unsent.indexOf(call), 1)
    else if (call.shared) {
      this.mayBeLate = true
      this.owed++
    }
    if (!call.shared) this.end({ _tag: "Local", detail: "a call was abandoned" })
    else if (!call.oneway && hasHeader(call.encoding)) this.cancel(call.sequenceId, call.encoding)
    this.carrier.onCallEnded()
  }

  private cancel(sequenceId: number, encoding: Encoding): void {
    const { learned, uncancelled } = this
    if (learned === true) {
      const envelope = { type: MessageType.Oneway, method: "cancel", sequenceId }
      this.writer.write(encoding, Flag.OutOfOrder, cancelFields, envelope, undefined, encodeEmpty)
      this.carrier.wake()
    } else if (learned === undefined) {
      uncancelled.set(sequenceId, encoding)
      if (uncancelled.size > maxUncancelled)
        for (const oldest of uncancelled.keys()) return void uncancelled.delete(oldest)
    }
  }

  /** The server has told whether it multiplexes. */
  private learn(learned: boolean): void {
    const { uncancelled } = this
    this.learned = learned
    if (uncancelled.size === 0) return
    // Forgotten where it does not.
    for (const [sequenceId, encoding] of uncancelled) this.cancel(sequenceId, encoding)
    uncancelled.clear()
  }

  private forget(call: ClientCall): void {
    call.ended = true
    this.active--
    if (!call.oneway) this.pending.delete(call.sequenceId)
    if (this.exclusive === call) this.exclusive = undefined
  }

  // ---- in

  receive(chunk: Uint8Array, now: number): void {
    if (this.closed) return
    this.received += chunk.length
    this.lastReceived = now
    this.reader.read(chunk, 0, chunk.length)
  }

  onMessage(): boolean {
    const { header } = this.reader
    if (header !== undefined && header !== this.header) this.readHeader(header)
    if (this.isGoodbye()) {
      if (this.active === 0) this.end(notUsable)
      return !this.closed
    }
    const call = this.owner()
    if (call !== undefined) this.answer(call)
    else if (this.shared && this.owed + this.onewayCalls > 0) this.dropLate()
    else this.onViolation("an answer came that no call waits for")
    // What it kept is known already, and not worth its memory until the next answer.
    if (this.reader.hasLargeHeader) this.header = undefined
    return !this.closed
  }

  private readHeader(header: CallHeader): void {
    this.header = header
    if (hasHeader(this.reader.encoding)) this.learn(header.ints.get(IntKey.Multiplexed) === "1")
    if (header.strings.has(StringKey.ConnectionReset)) this.usable = false
  }

  /** A frame that belongs to no call and asks us to go. */
  private isGoodbye(): boolean {
    const { header, headerSequenceId, sequenceId, type } = this.reader
    return (
      sequenceId === 0 &&
      headerSequenceId === 0 &&
      type !== MessageType.Exception &&
      header !== undefined &&
      header.strings.has(StringKey.ConnectionReset)
    )
  }

  /**
   * Whose answer it is. Where calls share the connection the TTHeader says so, as in Kitex, if there is one. Proxies write 0
   * as the sequence id of an exception, in either place.
   */
  private owner(): ClientCall | undefined {
    const { encoding, headerSequenceId, sequenceId, type } = this.reader
    if (this.exclusive !== undefined) return this.exclusive
    const call = hasHeader(encoding) ? this.pending.get(headerSequenceId) : undefined
    if (call !== undefined) return call
    return hasHeader(encoding) && type !== MessageType.Exception ? undefined : this.pending.get(sequenceId)
  }

  /** The answer to an abandoned call; to a oneway call when all of those have their answers. */
  private dropLate(): void {
    this.lateReplies++
    if (this.owed === 0) this.onewayCalls--
    else {
      this.owed--
      this.carrier.onRoom()
    }
  }

  private answer(call: ClientCall): void {
    const { behind, type } = this.reader
    this.forget(call)
    let exception: ApplicationException | undefined
    let failure: TransportError | undefined
    if (type === MessageType.Exception) {
      try {
        exception = this.reader.takeException()
      } catch (error) {
        failure = badReply(Code.Internal, `thrift unmarshal Exception failed: ${(error as Error).message}`)
      }
    } else failure = this.check(call)
    // On a shared connection a server closes behind an exception only when it says so in the header.
    const spoilt = failure !== undefined || (!call.shared && (exception !== undefined || behind > 0))
    if (spoilt) this.usable = false
    if (failure !== undefined) call.listener.onFailed(failure)
    else {
      this.reply.exception = exception
      call.listener.onReply(this.reply)
    }
    this.carrier.onCallEnded()
    if (!call.shared && behind > 0) this.onViolation("bytes came behind an answer that no call waits for")
  }

  /** What is wrong with a reply, in Kitex's order. */
  private check(call: ClientCall): TransportError | undefined {
    const { method, sequenceId, type } = this.reader
    if (type !== MessageType.Reply && type !== streamType) {
      return badReply(ExceptionType.InvalidMessageType, `client side, invalid message type ${type}`)
    }
    if (sequenceId !== call.sequenceId) {
      return badReply(
        ExceptionType.BadSequenceId,
        `method[${call.method}] out of order sequence response, expect[${call.sequenceId}], receive[${sequenceId}]`
      )
    }
    if (method !== call.method) {
      return badReply(Code.Internal, `wrong method name, expect=${call.method}, actual=${shown(method, shownName)}`)
    }
    return undefined
  }

  onViolation(detail: string, limit?: keyof Api.CallOptions): void {
    this.end(violation(detail, limit))
  }

  // ---- the end

  end(end: ConnectionEnd): void {
    if (this.closed) return
    const cause = this.carrier.explain(end)
    this.closed = true
    this.usable = false
    this.ending = cause
    const { taken } = this.outbox
    // A call that was never sent may be sent again elsewhere: its bytes must not go out here.
    this.outbox.discard()
    const calls = [...this.pending.values(), ...this.unsent]
    this.pending.clear()
    this.uncancelled.clear()
    this.unsent.length = 0
    if (calls.length > 0) this.failAll(calls, cause, taken)
    this.carrier.onClose(cause)
  }

  private failAll(calls: ReadonlyArray<ClientCall>, cause: ConnectionEnd, taken: number): void {
    const { address } = this.carrier.peer
    let lost: TransportError | undefined
    let neverSent: TransportError | undefined
    for (const call of calls) {
      // Another one that was told has abandoned it.
      if (call.ended) continue
      this.forget(call)
      const error =
        call.startsAt < taken
          ? (lost ??= clientLost(address, cause, this.reader.midMessage, this.options))
          : (neverSent ??= clientNeverSent(address, cause))
      call.listener.onFailed(error)
      this.carrier.onCallEnded()
    }
  }
}

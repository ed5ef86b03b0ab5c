/**
 * One end of a stream between a raw stream and the fibers that use it: receiving and sending, in batches or one message
 * at a time, through the middleware around messages. Both ends are made of it; what differs (how it ends) is in the two
 * classes that extend it.
 *
 * A waiting fiber is resumed inside the socket read that brought what it waits for. A message is taken from the raw
 * stream only by the step that hands it to its fiber, so that an interrupted `recv` loses nothing.
 *
 * @internal
 */
import type { Decode, Encode, RawEnd, RawStream } from "@millrace/transport/RawStream"
import { TransportError } from "@millrace/transport/TransportError"
import type { NonEmptyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { CallError } from "../ClientStream.ts"
import type { StreamContext } from "../Middleware.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { MessageEvent } from "../RpcTracer.ts"
import type { Budgets } from "./budgets.ts"
import * as errors from "./errors.ts"
import { decoding, encoding, isCallError } from "./messageFunctions.ts"
import { layeredFor } from "./middlewareList.ts"
import type { OneMethod } from "./oneMethod.ts"
import { RecvChain, type RecvEnd } from "./recvChain.ts"
import { SendChain, type SendEnd } from "./sendChain.ts"
import { StreamView } from "./streamContext.ts"
import { type Environment, WaitingEnd } from "./waitingEnd.ts"

// Decoding is synchronous: a longer batch would keep every other fiber waiting.
const maxBatch = 1024

/** @internal */
export abstract class Duplex extends WaitingEnd implements RecvEnd, SendEnd {
  readonly #decode: Decode<unknown>
  readonly #encode: Encode<unknown>

  #context: Context.Context<never> = Context.empty()
  /** Undefined where no middleware is an effect. */
  readonly #recvChain: RecvChain | undefined
  readonly #sendChain: SendChain | undefined
  #stream: StreamContext | undefined
  #recvMost = Infinity
  /** Ends what middleware waits for. */
  #waits: Set<() => void> | undefined
  /** The error of a message that was refused behind others, which come first. */
  #recvRefusal: CallError | undefined

  constructor(
    env: Environment,
    info: RpcInfo,
    called: OneMethod,
    raw: RawStream,
    decode: Decode<unknown>,
    encode: Encode<unknown>,
    budgets: Budgets
  ) {
    super(env, info, raw, budgets)
    if (env.recvMiddleware.length > 0) {
      const { around, inside } = layeredFor(env.recvMiddleware, called, info.side)
      if (inside.length > 0) decode = decoding(decode, inside, () => this.stream)
      if (around.length > 0) this.#recvChain = new RecvChain(this, around, maxBatch)
    }
    if (env.sendMiddleware.length > 0) {
      const { around, inside } = layeredFor(env.sendMiddleware, called, info.side)
      if (inside.length > 0) encode = encoding(encode, inside, () => this.stream)
      if (around.length > 0) this.#sendChain = new SendChain(this, around)
    }
    this.#decode = decode
    this.#encode = encode
    raw.listener = this
  }

  /** What middleware around messages runs in. */
  get context(): Context.Context<never> {
    return this.#context
  }

  set context(context: Context.Context<never>) {
    this.#context = context
    this.#stream = undefined
  }

  /** What middleware around messages sees of it. */
  get stream(): StreamContext {
    return (this.#stream ??= new StreamView(this, this.#context))
  }

  /** RPCFinish has been said: tracers hear no more of the stream. */
  protected abstract get reported(): boolean

  /** Why nothing can be received any more, decided by this side; runs in the fiber that receives, before it does. */
  protected abstract recvRefused(): CallError | undefined
  /** What the end of the receiving side means here; undefined is `Cause.Done`. Runs in the fiber that receives. */
  protected abstract errorOf(end: RawEnd): CallError | undefined
  /** The fiber that receives has come to the end. */
  protected abstract done(): Effect.Effect<never, Cause.Done>
  /** A failure on its way to the fiber that receives, behind all middleware. */
  protected abstract recvFailed(error: CallError): Effect.Effect<never, CallError>
  /** Why nothing can be sent any more. */
  protected abstract sendRefused(): CallError
  /** A failure on its way to the fiber that sends, behind all middleware. */
  protected abstract sendFailed(error: CallError): Effect.Effect<never, CallError>

  override fail(error: CallError): void {
    this.#recvChain?.drop()
    super.fail(error)
    const waits = this.#waits
    this.#waits = undefined
    if (waits !== undefined) for (const interrupt of waits) interrupt()
  }

  /** Middleware waits: nobody else can end that when the stream fails. */
  unlessFailed<A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E | CallError, R> {
    const failed = Effect.callback<never, CallError>((resume) => {
      if (this.failure !== undefined) return resume(Effect.fail(this.failure))
      const interrupt = () => resume(Effect.fail(this.failure!))
      const waits = (this.#waits ??= new Set())
      waits.add(interrupt)
      return Effect.sync(() => void waits.delete(interrupt))
    })
    return Effect.raceFirst(failed, wait)
  }

  // --- receiving -------------------------------------------------------------------------------------------------------

  /** The next message. */
  recv(): Effect.Effect<unknown, CallError | Cause.Done> {
    return this.#recvChain === undefined ? this.recvUnseen() : this.#recvChain.recv
  }

  /** The next message, or the end, where no middleware that is an effect sees it. */
  protected recvUnseen(): Effect.Effect<unknown, CallError | Cause.Done> {
    if (this.recvWaits) return this.secondRecv()
    const instead = this.#insteadOfMessage()
    if (instead !== undefined) return this.#recvEnded(instead)
    if (this.raw.available === 0) return this.parkRecv(() => this.recvUnseen(), this.recvBudget)
    const into: Array<unknown> = []
    const refused = this.#take(1, into)
    return refused === undefined ? Effect.succeed(into[0]!) : this.#recvEnded(refused)
  }

  /** All messages that are here, at least one. */
  recvAll(): Effect.Effect<NonEmptyArray<unknown>, CallError | Cause.Done> {
    if (this.#recvChain !== undefined) return this.#recvChain.recvAll
    if (this.recvWaits) return this.secondRecv()
    const instead = this.#insteadOfMessage()
    if (instead !== undefined) return this.#recvEnded(instead)
    if (this.raw.available === 0) return this.parkRecv(() => this.recvAll(), this.recvBudget)
    const into: Array<unknown> = []
    const refused = this.#take(maxBatch, into)
    return into.length === 0 ? this.#recvEnded(refused!) : Effect.succeed(into as NonEmptyArray<unknown>)
  }

  /** The next pull takes no more than so many. */
  limitRecv(most: number): void {
    this.#recvMost = most >= 1 ? Math.min(this.#recvMost, most) : 1
  }

  /** What the innermost middleware gets: messages, or what they end with, without what follows from that. */
  pull(max: number, put: (messages: NonEmptyArray<unknown>) => void): Effect.Effect<void, CallError | Cause.Done> {
    if (this.recvWaits) return this.secondRecv()
    const instead = this.#insteadOfMessage()
    // A business error is an end for middleware, which finds it in the info.
    if (instead !== undefined) return Effect.fail(instead === this.info.bizError ? Cause.Done() : instead)
    if (this.raw.available === 0) {
      // Where it fails alone, the chain looks at the time, and interrupts: middleware that heard of it might fail the stream.
      return this.parkRecv(() => this.pull(max, put), this.recvFailsAlone ? 0 : this.recvBudget)
    }
    const into: Array<unknown> = []
    const refused = this.#take(Math.min(max, this.#recvMost), into)
    this.#recvMost = Infinity
    if (into.length === 0) return Effect.fail(refused!)
    put(into as NonEmptyArray<unknown>)
    return Effect.void
  }

  /** What came out of middleware in place of messages. */
  recvEndedBehind(instead: CallError | Cause.Done): Effect.Effect<never, CallError | Cause.Done> {
    if (!Cause.isDone(instead)) return this.#recvEnded(instead)
    const own = this.#insteadOfMessage()
    // Middleware has had enough.
    if (own === undefined) return Effect.fail(instead)
    if (Cause.isDone(own) || own === this.info.bizError) return this.#recvEnded(own)
    // It has swallowed an error, which has ended the stream all the same.
    return Effect.catch(this.recvFailed(own), () => Effect.fail(instead))
  }

  /** Why there is no message; undefined while one is here or may come. */
  #insteadOfMessage(): CallError | Cause.Done | undefined {
    const refused = this.recvRefused() ?? this.#recvRefusal ?? this.failure
    if (refused !== undefined) {
      this.#recvRefusal = undefined
      return refused
    }
    const { available, end } = this.raw
    return available === 0 && end !== undefined ? (this.errorOf(end) ?? Cause.Done()) : undefined
  }

  #recvEnded(instead: CallError | Cause.Done): Effect.Effect<never, CallError | Cause.Done> {
    if (Cause.isDone(instead)) return this.done()
    this.#tell("streamRecv", 0, 0, 0, instead)
    return this.recvFailed(instead)
  }

  protected recvOverdueAlone(error: CallError): Effect.Effect<never, CallError | Cause.Done> {
    return this.#recvEnded(error)
  }

  /** Gives the error of the message behind those that it took, where there is one. */
  #take(max: number, into: Array<unknown>): CallError | undefined {
    try {
      this.raw.take(this.#decode, max, into)
    } catch (thrown) {
      // The message has come, whatever is wrong with it; only one that cannot be inflated has no size.
      this.#tookMessages(thrown instanceof TransportError ? into.length : into.length + 1)
      if (isCallError(thrown)) {
        if (into.length > 0) this.#recvRefusal = thrown
        return thrown
      }
      const error = errors.fromCodec(this.info, thrown)
      this.fail(error)
      return error
    }
    this.#tookMessages(into.length)
    return undefined
  }

  #tookMessages(count: number): void {
    if (count === 0) return
    const bytes = this.raw.lastTakenBytes
    this.recvCount += count
    this.recvBytes += bytes
    if (this.#recvChain === undefined) this.tellRecv(count, bytes)
  }

  tellRecv(count: number, bytes: number): void {
    if (count > 0) this.#tell("streamRecv", count, bytes, this.raw.lastTakenSize, undefined)
  }

  // --- sending ---------------------------------------------------------------------------------------------------------

  /** Done when the message is in the local buffer. */
  send(message: unknown): Effect.Effect<void, CallError> {
    if (this.#sendChain !== undefined) return this.#sendChain.send(message)
    return Effect.suspend(() => this.#write([message], 0))
  }

  /** The same for a batch. */
  sendAll(messages: ReadonlyArray<unknown>): Effect.Effect<void, CallError> {
    if (this.#sendChain !== undefined) return this.#sendChain.sendAll(messages)
    return this.write(messages)
  }

  /** A send is more than a write. */
  protected get sendsThroughEffects(): boolean {
    return this.#sendChain !== undefined
  }

  write(messages: ReadonlyArray<unknown>): Effect.Effect<void, CallError> {
    return Effect.suspend(() => this.#write(messages, 0))
  }

  #write(messages: ReadonlyArray<unknown>, from: number): Effect.Effect<void, CallError> {
    if (this.sendWaits) return this.secondSend()
    const next = this.writeNow(messages, from, false)
    if (typeof next !== "number") return this.#sendChain === undefined ? this.sendEnded(next) : Effect.fail(next)
    return next === messages.length ? Effect.void : this.parkSend(() => this.#write(messages, next))
  }

  /**
   * Writes without waiting. Gives the index of the first message that found no room, or the failure.
   */
  protected writeNow(messages: ReadonlyArray<unknown>, from: number, endStream: boolean): number | CallError {
    if (this.failure !== undefined) return this.failure
    if (this.raw.writeEnded !== undefined) return this.sendRefused()
    try {
      const next = this.raw.write(messages, from, this.#encode, endStream)
      this.#wroteMessages()
      return next
    } catch (thrown) {
      this.#wroteMessages()
      return isCallError(thrown) ? thrown : errors.fromCodec(this.info, thrown)
    }
  }

  #wroteMessages(): void {
    const count = this.raw.lastWrittenCount
    const bytes = this.raw.lastWrittenBytes
    this.sendCount += count
    this.sendBytes += bytes
    if (this.#sendChain === undefined) this.tellSend(count, bytes)
  }

  tellSend(count: number, bytes: number): void {
    if (count > 0) this.#tell("streamSend", count, bytes, this.raw.lastWrittenSize, undefined)
  }

  sendEnded(error: CallError): Effect.Effect<never, CallError> {
    this.#tell("streamSend", 0, 0, 0, error)
    return this.sendFailed(error)
  }

  /** RPCFinish is to be said: what middleware still has in hand is told of before it. */
  tellRest(): void {
    this.#recvChain?.tell()
    this.#sendChain?.tell()
  }

  secondRecv(): Effect.Effect<never> {
    return this.#secondUse("recv")
  }

  secondSend(): Effect.Effect<never> {
    return this.#secondUse("send")
  }

  #secondUse(operation: "recv" | "send"): Effect.Effect<never> {
    return Effect.die(
      new Error(
        `${this.info.service}.${this.info.method}: ${operation} was called while another ${operation} of the same stream waits; use one fiber for each direction`
      )
    )
  }

  // --- telling tracers ---------------------------------------------------------------------------------------------------

  #tell(
    hook: "streamSend" | "streamRecv",
    count: number,
    bytes: number,
    lastSize: number,
    error: CallError | undefined
  ): void {
    const tracers = this.env.messageTracers
    if (tracers.length === 0 || this.reported) return
    const buffered = hook === "streamSend" ? this.raw.buffered : 0
    const event: MessageEvent = { info: this.info, count, bytes, lastSize, buffered, error }
    for (let i = 0; i < tracers.length; i++) tracers[i]![hook]?.(event)
  }
}

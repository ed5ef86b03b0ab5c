/**
 * One end of a stream between a raw stream and the fibers that use it: receiving and sending, in batches or one message
 * at a time, with their budgets. Both ends are made of it; what differs (how it ends) is in the two classes that extend
 * it.
 *
 * A waiting fiber is resumed inside the socket read that brought what it waits for. A message is taken from the raw
 * stream only by the step that hands it to its fiber, so that an interrupted `recv` loses nothing.
 *
 * @internal
 */
import type { Decode, Encode, RawEnd, RawListener, RawStream } from "@millrace/transport/RawStream"
import type { TransportError } from "@millrace/transport/TransportError"
import type { NonEmptyArray } from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { CallError } from "../ClientStream.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type { Budgets } from "./budgets.ts"
import * as errors from "./errors.ts"
import type { Timer, Timers } from "./timers.ts"

/** What every stream of a client or server shares. @internal */
export interface Environment {
  readonly timers: Timers
  /** Only tracers with hooks for messages. */
  readonly messageTracers: ReadonlyArray<RpcTracer>
  readonly logStall: (message: string) => void
}

// Decoding is synchronous: a longer batch would keep every other fiber waiting.
const maxBatch = 1024

/** @internal */
export abstract class Duplex<Recv, Send> implements RawListener, Timer {
  at = 0
  index = -1
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0

  readonly env: Environment
  readonly info: RpcInfo
  readonly raw: RawStream
  readonly #decode: Decode<Recv>
  readonly #encode: Encode<Send>
  readonly #budgets: Budgets
  readonly #timed: boolean

  /**
   * Set once this end has failed: by a budget, a codec, or a decision of ours. It beats whatever the peer says later.
   */
  protected failure: CallError | undefined
  #recvResume: (() => void) | undefined
  #sendResume: (() => void) | undefined
  #recvSince = 0
  #sendSince = 0
  #stallReported = false

  constructor(
    env: Environment,
    info: RpcInfo,
    raw: RawStream,
    decode: Decode<Recv>,
    encode: Encode<Send>,
    budgets: Budgets
  ) {
    this.env = env
    this.info = info
    this.raw = raw
    this.#decode = decode
    this.#encode = encode
    this.#budgets = budgets
    this.#timed = budgets.firstMessage > 0 || budgets.recv > 0 || budgets.send > 0 || budgets.stallWarning > 0
    if (budgets.deadline > 0) env.timers.arm(this, budgets.deadline)
    raw.listener = this
  }

  /** What the end of the receiving side means here: `Cause.Done`, or an error. Runs in the fiber that received it. */
  protected abstract ended(end: RawEnd): Effect.Effect<never, CallError | Cause.Done>
  /** Why nothing can be sent any more. */
  protected abstract sendRefused(): Effect.Effect<void, CallError>
  /** This end fails: tell the peer in the way of this side. Called once, before waiting fibers are resumed. */
  protected abstract failed(error: CallError): void
  /** A failure of this end on its way to the fiber that receives or sends. */
  protected refused(error: CallError): Effect.Effect<never, CallError> {
    return Effect.fail(error)
  }
  /** The raw stream was aborted by the peer or the connection. */
  abstract onAbort(error: TransportError): void

  // --- receiving -------------------------------------------------------------------------------------------------------

  /** The next message. */
  recv(): Effect.Effect<Recv, CallError | Cause.Done> {
    const ready = this.#receivable()
    if (ready !== undefined) return ready
    if (this.raw.available === 0) return this.#parkRecv(() => this.recv())
    const into: Array<Recv> = []
    return this.#take(1, into) ?? Effect.succeed(into[0]!)
  }

  /** All messages that are here, at least one. */
  recvAll(): Effect.Effect<NonEmptyArray<Recv>, CallError | Cause.Done> {
    const ready = this.#receivable()
    if (ready !== undefined) return ready
    if (this.raw.available === 0) return this.#parkRecv(() => this.recvAll())
    const into: Array<Recv> = []
    const refused = this.#take(maxBatch, into)
    // The messages before the one that was refused come first; the failure is the answer to the next pull.
    return into.length > 0 || refused === undefined ? Effect.succeed(into as NonEmptyArray<Recv>) : refused
  }

  #receivable(): Effect.Effect<never, CallError | Cause.Done> | undefined {
    if (this.#recvResume !== undefined) return this.#secondUse("recv")
    if (this.failure !== undefined) return this.refused(this.failure)
    if (this.raw.available === 0 && this.raw.end !== undefined) return this.ended(this.raw.end)
    return undefined
  }

  #parkRecv<A>(again: () => Effect.Effect<A, CallError | Cause.Done>): Effect.Effect<A, CallError | Cause.Done> {
    return Effect.callback((resume) => {
      this.#recvResume = () => resume(Effect.suspend(again))
      if (this.#timed) {
        this.#recvSince = this.env.timers.now()
        this.#armWait(this.#recvSince, this.#recvBudget())
      }
      return Effect.sync(() => {
        this.#recvResume = undefined
      })
    })
  }

  #recvBudget(): number {
    const { firstMessage, recv } = this.#budgets
    return this.recvCount === 0 && firstMessage > 0 ? firstMessage : recv
  }

  #take(max: number, into: Array<Recv>): Effect.Effect<never, CallError> | undefined {
    try {
      this.raw.take(this.#decode, max, into)
    } catch (thrown) {
      this.#tookMessages(into.length)
      const error = errors.fromCodec(this.info, thrown)
      this.fail(error)
      return this.refused(error)
    }
    this.#tookMessages(into.length)
    return undefined
  }

  #tookMessages(count: number): void {
    if (count === 0) return
    const bytes = this.raw.lastTakenBytes
    this.recvCount += count
    this.recvBytes += bytes
    const tracers = this.env.messageTracers
    for (let i = 0; i < tracers.length; i++) tracers[i]!.streamRecv?.(this.info, count, bytes)
  }

  // --- sending ---------------------------------------------------------------------------------------------------------

  /** Done when the message is in the local buffer. */
  send(message: Send): Effect.Effect<void, CallError> {
    return Effect.suspend(() => this.#write([message], 0))
  }

  /** The same for a batch. */
  sendAll(messages: ReadonlyArray<Send>): Effect.Effect<void, CallError> {
    return Effect.suspend(() => this.#write(messages, 0))
  }

  #write(messages: ReadonlyArray<Send>, from: number): Effect.Effect<void, CallError> {
    if (this.#sendResume !== undefined) return this.#secondUse("send")
    const next = this.writeNow(messages, from, false)
    if (typeof next !== "number") return next
    return next === messages.length ? Effect.void : this.#parkSend(messages, next)
  }

  /**
   * Writes without waiting. Gives the index of the first message that found no room, or the failure.
   */
  protected writeNow(
    messages: ReadonlyArray<Send>,
    from: number,
    endStream: boolean
  ): number | Effect.Effect<void, CallError> {
    if (this.failure !== undefined) return this.refused(this.failure)
    if (this.raw.writeEnded !== undefined) return this.sendRefused()
    try {
      const next = this.raw.write(messages, from, this.#encode, endStream)
      this.#wroteMessages(next - from)
      return next
    } catch (thrown) {
      return Effect.fail(errors.fromCodec(this.info, thrown))
    }
  }

  #wroteMessages(count: number): void {
    if (count === 0) return
    const bytes = this.raw.lastWrittenBytes
    this.sendCount += count
    this.sendBytes += bytes
    const tracers = this.env.messageTracers
    for (let i = 0; i < tracers.length; i++) tracers[i]!.streamSend?.(this.info, count, bytes)
  }

  #parkSend(messages: ReadonlyArray<Send>, from: number): Effect.Effect<void, CallError> {
    return Effect.callback((resume) => {
      this.#sendResume = () => resume(Effect.suspend(() => this.#write(messages, from)))
      if (this.#timed) {
        this.#sendSince = this.env.timers.now()
        this.#armWait(this.#sendSince, this.#budgets.send)
      }
      return Effect.sync(() => {
        this.#sendResume = undefined
      })
    })
  }

  #secondUse(operation: "recv" | "send"): Effect.Effect<never> {
    return Effect.die(
      new Error(
        `${this.info.service}.${this.info.method}: ${operation} was called while another ${operation} of the same stream waits; use one fiber for each direction`
      )
    )
  }

  // --- the raw stream's voice ----------------------------------------------------------------------------------------------

  onReadable(): void {
    const resume = this.#recvResume
    if (resume === undefined) return
    this.#recvResume = undefined
    resume()
  }

  onWritable(): void {
    const resume = this.#sendResume
    if (resume === undefined) return
    this.#sendResume = undefined
    resume()
  }

  // --- ending ------------------------------------------------------------------------------------------------------------

  /** Fails this end: waiting fibers and every later operation see the error. The first failure stays. */
  fail(error: CallError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.failed(error)
    this.release()
    this.onReadable()
    this.onWritable()
  }

  /** Nothing of this stream shall wake up any more. */
  protected release(): void {
    this.env.timers.disarm(this)
  }

  protected get deadlinePassed(): boolean {
    return this.#budgets.deadline > 0 && this.env.timers.now() >= this.#budgets.deadline
  }

  // --- time --------------------------------------------------------------------------------------------------------------

  #armWait(since: number, budget: number): void {
    const stall = this.#stallReported ? 0 : this.#budgets.stallWarning
    const wait = budget > 0 && stall > 0 ? Math.min(budget, stall) : Math.max(budget, stall)
    if (wait > 0 && (this.index === -1 || since + wait < this.at)) this.env.timers.arm(this, since + wait)
  }

  /** One timer serves every budget: it finds out what is overdue, and when to look again. */
  fire(now: number): number | undefined {
    // The peer has said how the call ended; what is left is to read it.
    if (this.raw.end?._tag === "Status") return undefined
    const { deadline, firstMessage, send, stallWarning } = this.#budgets
    if (deadline > 0 && now >= deadline) {
      this.fail(errors.deadlineExceeded(this.info))
      return undefined
    }
    let next = deadline > 0 ? deadline : Infinity
    if (this.#recvResume !== undefined) {
      const first = this.recvCount === 0 && firstMessage > 0
      const budget = this.#recvBudget()
      if (budget > 0 && now >= this.#recvSince + budget) {
        this.fail(first ? errors.firstMessageTimeout(this.info, budget) : errors.recvTimeout(this.info, budget))
        return undefined
      }
      if (budget > 0) next = Math.min(next, this.#recvSince + budget)
    }
    if (this.#sendResume !== undefined && send > 0) {
      if (now >= this.#sendSince + send) {
        this.fail(errors.sendTimeout(this.info, send))
        return undefined
      }
      next = Math.min(next, this.#sendSince + send)
    }
    if (stallWarning > 0 && !this.#stallReported) next = Math.min(next, this.#checkStall(now, stallWarning))
    return next === Infinity ? undefined : next
  }

  #checkStall(now: number, stallWarning: number): number {
    const recvDue =
      this.#recvResume === undefined || this.raw.writeEnded !== undefined ? Infinity : this.#recvSince + stallWarning
    const sendDue = this.#sendResume === undefined ? Infinity : this.#sendSince + stallWarning
    const due = Math.min(recvDue, sendDue)
    if (due > now) return due
    this.#stallReported = true
    const waits: Array<string> = []
    if (this.#sendResume !== undefined) {
      waits.push(`send has waited ${errors.goDuration(now - this.#sendSince)} for room, the peer does not read`)
    }
    if (this.#recvResume !== undefined) {
      const open = this.raw.writeEnded === undefined ? ", and our own sending side is still open" : ""
      waits.push(`recv has waited ${errors.goDuration(now - this.#recvSince)} for a message${open}`)
    }
    this.env.logStall(
      `stream ${this.info.service}.${this.info.method} with ${this.info.address} stands still on the ${this.info.side}: ${waits.join("; ")}`
    )
    return Infinity
  }
}

/**
 * How an end of a stream waits: the fibers that are parked at it, their budgets of time, and how it fails.
 *
 * @internal
 */
import type { RawListener, RawStream } from "@millrace/transport/RawStream"
import type { TransportError } from "@millrace/transport/TransportError"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { CallError } from "../ClientStream.ts"
import type { RecvMiddleware, SendMiddleware } from "../Middleware.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type { Budgets } from "./budgets.ts"
import * as errors from "./errors.ts"
import { goDuration } from "./goDuration.ts"
import type { Timer, Timers } from "./timers.ts"

/** What every stream of a client or server shares. @internal */
export interface Environment {
  readonly timers: Timers
  /** Only tracers with hooks for messages. */
  readonly messageTracers: ReadonlyArray<RpcTracer>
  readonly recvMiddleware: ReadonlyArray<RecvMiddleware<unknown>>
  readonly sendMiddleware: ReadonlyArray<SendMiddleware<unknown>>
  readonly logStall: (message: string) => void
}

/** @internal */
export const hearsOfMessages = (tracer: RpcTracer): boolean =>
  tracer.streamSend !== undefined || tracer.streamRecv !== undefined || tracer.sendBlocked !== undefined

/** @internal */
export abstract class WaitingEnd implements RawListener, Timer {
  at = 0
  index = -1
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0

  readonly env: Environment
  readonly info: RpcInfo
  readonly raw: RawStream
  readonly #budgets: Budgets
  readonly #timed: boolean
  /** What there was until the deadline when this end began; only where texts say it. */
  readonly #millis: number | undefined

  /**
   * Set once this end has failed: by a budget, a codec, or a decision of ours. It beats whatever the peer says later.
   */
  protected failure: CallError | undefined
  /** The last receive that was overdue and failed alone. */
  overdueAlone: CallError | undefined
  #recvResume: ((overdue?: CallError) => void) | undefined
  #sendResume: (() => void) | undefined
  #recvSince = 0
  /** The budget of the receive that waits. */
  #recvWait = 0
  #sendSince = 0
  #stallReported = false

  constructor(env: Environment, info: RpcInfo, raw: RawStream, budgets: Budgets) {
    this.env = env
    this.info = info
    this.raw = raw
    this.#budgets = budgets
    this.#timed = budgets.firstMessage > 0 || budgets.recv > 0 || budgets.send > 0 || budgets.stallWarning > 0
    const { deadline } = budgets
    if (deadline > 0) env.timers.arm(this, deadline)
    this.#millis = deadline > 0 && info.protocol === "ttheader-streaming" ? deadline - env.timers.now() : undefined
  }

  /** A receive fails, and nothing else. */
  protected abstract recvOverdueAlone(error: CallError): Effect.Effect<never, CallError | Cause.Done>
  /** This end fails: tell the peer in the way of this side. Called once, before waiting fibers are resumed. */
  protected abstract failed(error: CallError): void
  /** The raw stream was aborted by the peer or the connection. */
  abstract onAbort(error: TransportError): void

  // --- parked fibers -----------------------------------------------------------------------------------------------------

  protected get recvWaits(): boolean {
    return this.#recvResume !== undefined
  }

  protected get sendWaits(): boolean {
    return this.#sendResume !== undefined
  }

  protected parkRecv<A>(
    again: () => Effect.Effect<A, CallError | Cause.Done>,
    budget: number
  ): Effect.Effect<A, CallError | Cause.Done> {
    return Effect.callback((resume) => {
      // A constant first: V8 makes a closure old that is written straight into a property, and all that it knows with it.
      const goOn = (overdue?: CallError) =>
        resume(overdue === undefined ? Effect.suspend(again) : this.recvOverdueAlone(overdue))
      this.#recvResume = goOn
      if (this.#timed) {
        this.#recvSince = this.env.timers.now()
        this.#recvWait = budget
        this.#armWait(this.#recvSince, budget)
      }
      return Effect.sync(() => {
        this.#recvResume = undefined
      })
    })
  }

  protected parkSend(again: () => Effect.Effect<void, CallError>): Effect.Effect<void, CallError> {
    return Effect.callback((resume) => {
      const told = this.env.messageTracers.length > 0
      // A constant first, as above.
      const goOn = () => {
        if (told) this.#tellBlocked()
        resume(Effect.suspend(again))
      }
      this.#sendResume = goOn
      if (this.#timed || told) this.#sendSince = this.env.timers.now()
      if (this.#timed) this.#armWait(this.#sendSince, this.sendBudget)
      return Effect.sync(() => {
        this.#sendResume = undefined
      })
    })
  }

  #tellBlocked(): void {
    const millis = this.env.timers.now() - this.#sendSince
    for (const tracer of this.env.messageTracers) tracer.sendBlocked?.(this.info, millis)
  }

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

  // --- time --------------------------------------------------------------------------------------------------------------

  protected get deadlinePassed(): boolean {
    return this.#budgets.deadline > 0 && this.env.timers.now() >= this.#budgets.deadline
  }

  protected deadlineExceeded(): CallError {
    return errors.deadlineExceeded(this.info, this.#millis)
  }

  get awaitsFirst(): boolean {
    return this.recvCount === 0 && this.#budgets.firstMessage > 0
  }

  get recvBudget(): number {
    return this.awaitsFirst ? this.#budgets.firstMessage : this.#budgets.recv
  }

  /** Not at the first message where that has a budget of its own. */
  protected get recvFailsAlone(): boolean {
    return this.#budgets.recvFailsAlone && !this.awaitsFirst
  }

  /** A receive has taken longer than its budget: its error, and the failure of this end unless it fails alone. */
  recvOverdue(first: boolean): CallError {
    const { firstMessage, recv, recvFailsAlone } = this.#budgets
    if (recvFailsAlone && !first) return (this.overdueAlone = errors.recvTimeout(this.info, recv, true))
    this.fail(first ? errors.firstMessageTimeout(this.info, firstMessage) : errors.recvTimeout(this.info, recv))
    return this.failure!
  }

  get sendBudget(): number {
    return this.#budgets.send
  }

  sendOverdue(): CallError {
    this.fail(errors.sendTimeout(this.info, this.#budgets.send))
    return this.failure!
  }

  get #recvDue(): number {
    return this.recvWaits && this.#recvWait > 0 ? this.#recvSince + this.#recvWait : Infinity
  }

  #armWait(since: number, budget: number): void {
    const stall = this.#stallReported ? 0 : this.#budgets.stallWarning
    const wait = budget > 0 && stall > 0 ? Math.min(budget, stall) : Math.max(budget, stall)
    if (wait > 0 && (this.index === -1 || since + wait < this.at)) this.env.timers.arm(this, since + wait)
  }

  /** One timer serves every budget: it finds out what is overdue, and when to look again. */
  fire(now: number): number | undefined {
    // The peer has said how the call ended; what is left is to read it.
    if (this.raw.end?._tag === "Status") return undefined
    const { deadline, send, stallWarning } = this.#budgets
    if (deadline > 0 && now >= deadline) {
      this.fail(this.deadlineExceeded())
      return undefined
    }
    let next = deadline > 0 ? deadline : Infinity
    if (this.#recvDue <= now) {
      const error = this.recvOverdue(this.awaitsFirst)
      if (this.failure !== undefined) return undefined
      const resume = this.#recvResume!
      this.#recvResume = undefined
      resume(error)
      // Whoever received may have waited again, or ended the stream.
      if (this.failure !== undefined || this.raw.end !== undefined) return undefined
    }
    next = Math.min(next, this.#recvDue)
    if (this.sendWaits && send > 0) {
      if (now >= this.#sendSince + send) {
        this.sendOverdue()
        return undefined
      }
      next = Math.min(next, this.#sendSince + send)
    }
    if (stallWarning > 0 && !this.#stallReported) next = Math.min(next, this.#checkStall(now, stallWarning))
    return next === Infinity ? undefined : next
  }

  #checkStall(now: number, stallWarning: number): number {
    const recvDue = !this.recvWaits || this.raw.writeEnded !== undefined ? Infinity : this.#recvSince + stallWarning
    const sendDue = this.sendWaits ? this.#sendSince + stallWarning : Infinity
    const due = Math.min(recvDue, sendDue)
    if (due > now) return due
    this.#stallReported = true
    const waits: Array<string> = []
    if (this.sendWaits) {
      waits.push(`send has waited ${goDuration(now - this.#sendSince)} for room, the peer does not read`)
    }
    if (this.recvWaits) {
      const open = this.raw.writeEnded === undefined ? ", and our own sending side is still open" : ""
      waits.push(`recv has waited ${goDuration(now - this.#recvSince)} for a message${open}`)
    }
    this.env.logStall(
      `stream ${this.info.service}.${this.info.method} with ${this.info.address} stands still on the ${this.info.side}: ${waits.join("; ")}`
    )
    return Infinity
  }
}

/**
 * One PingPong or oneway call on the server: what its handler can say about it, and how it ends. The exit of the handler's
 * fiber is where the answer is written, unless the server stops before.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import * as BizStatus from "@millrace/transport/BizStatus"
import type * as Metadata from "@millrace/transport/Metadata"
import type * as Metainfo from "@millrace/transport/Metainfo"
import type { CallEntries, RawServerCall } from "@millrace/transport/RawCall"
import type { RawCancellation, RawPeer } from "@millrace/transport/RawStream"
import { TransportError } from "@millrace/transport/TransportError"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import { RpcError } from "../RpcError.ts"
import type * as Public from "../ServerCall.ts"
import * as answerStrings from "./answerStrings.ts"
import type { Admitted } from "./admitted.ts"
import * as callErrors from "./callErrors.ts"
import * as cancellation from "./cancellation.ts"
import * as callMeta from "./callMeta.ts"
import * as errors from "./errors.ts"
import { HandlerFiber, type HandlerOwner } from "./handlerFiber.ts"
import { cameFromHandler, type SingleCall } from "./handlerChain.ts"
import type { Lifecycle } from "./lifecycle.ts"
import * as outcomes from "./outcome.ts"
import { noResult, type Result, resultOf } from "./plan.ts"
import type { CallRoute } from "./routes.ts"
import type { CallInfo } from "./serverInfo.ts"
import { report, type Running, type Serving } from "./serving.ts"
import type { Timer } from "./timers.ts"
import * as tracing from "./tracing.ts"

/**
 * How long after the deadline its exception goes out. Both ends run out of time at one moment, and a Kitex client has to see its
 * own timeout, not an answer: who still waits by now has no clock.
 */
const overdueMillis = 100

const noStrings: CallEntries = []

/** @internal */
export class PingPongServerCall implements SingleCall, HandlerOwner, Running, Timer {
  at = 0
  index = -1
  readonly internalError = ExceptionType.InternalError
  inHandler = false
  handlerFailure: { readonly error: unknown } | undefined = undefined
  result: Result | undefined = undefined
  readonly recvCount = 1
  sendCount = 0
  sendBytes = 0

  readonly info: CallInfo
  readonly #serving: Serving
  readonly #raw: RawServerCall
  readonly #route: CallRoute
  /** Until the handler has it: a large one is not to live as long as its call. */
  #request: unknown
  readonly #oneway: boolean
  readonly #deadline: number
  readonly #admitted: Admitted | undefined
  place = -1
  readonly lifecycle: Lifecycle | undefined
  readonly #handler: HandlerFiber
  #strings: CallEntries = noStrings
  /** What the hooks have made of them. */
  #written: CallEntries | undefined = undefined
  /** Why the call is over whatever its handler says: the deadline, the peer, the server. */
  #failure: RpcError | undefined = undefined
  /** Nobody reads an answer. */
  #unheard: boolean
  /** The raw call has ended. */
  #answered = false
  /** The raw call ends by the timer, some time behind the handler. */
  #answersLate = false

  /** `deadline` is a time of the clock, 0 for none. */
  constructor(
    serving: Serving,
    info: CallInfo,
    raw: RawServerCall,
    route: CallRoute,
    request: unknown,
    deadline: number,
    admitted: Admitted | undefined
  ) {
    this.#serving = serving
    this.info = info
    this.#raw = raw
    this.#route = route
    this.#request = request
    this.#oneway = info.mode === "oneway"
    this.#unheard = this.#oneway
    this.#deadline = deadline
    this.#admitted = admitted
    if (admitted !== undefined) admitted.opened = true
    this.lifecycle = serving.lifecycle(info)
    this.#handler = new HandlerFiber(serving, this)
    if (this.lifecycle !== undefined) this.lifecycle.counts = this
  }

  // --- what the handler sees -----------------------------------------------------------------------------------------

  get peer(): RawPeer {
    return this.#raw.peer
  }

  get metadata(): Metadata.Metadata {
    return this.info.metadata
  }

  get metainfo(): Metainfo.Metainfo {
    return this.info.metainfo
  }

  get draining(): Effect.Effect<void> {
    return this.#serving.draining
  }

  // Getters, so that a handler may take them off the call.
  get setHeader(): Public.ServerCall["setHeader"] {
    const add = this.info.mode === "unary" ? answerStrings.append : answerStrings.add
    return (key, value) =>
      Effect.sync(() => {
        this.#strings = add(this.#strings, key, value)
      })
  }

  sendBackwardValue(key: string, value: string): void {
    this.#strings = answerStrings.add(this.#strings, key, value)
  }

  /** An answer has one header, and nothing behind it. */
  get setTrailer(): Public.ServerCall["setTrailer"] {
    return this.setHeader
  }

  get sendHeader(): Effect.Effect<void> {
    return Effect.void
  }

  get recvBytes(): number {
    return this.#raw.size
  }

  get returned(): boolean {
    return this.#handler.returned
  }

  get cancellation(): RawCancellation | undefined {
    return this.#failure === undefined ? undefined : cancellation.byError(this.info, this.#failure)
  }

  // --- running ---------------------------------------------------------------------------------------------------------

  run(): void {
    // The client of a oneway call closes the connection behind it, and does not mean the handler.
    if (!this.#oneway) {
      // A constant first: see waitingEnd.ts.
      const onAbort = (error: TransportError) => this.#aborted(error)
      this.#raw.onAbort = onAbort
    }
    if (this.#deadline > 0) this.#serving.timers.arm(this, this.#deadline)
    this.#serving.began(this)
    this.#handler.run(this.#route.context, this.#deadline)
  }

  /** Tracers that take no effect start here: a context that is set later costs the fiber more. */
  begin(context: Context.Context<never>): Context.Context<never> {
    return this.lifecycle?.direct === true ? this.lifecycle.begin(context) : context
  }

  main(): Effect.Effect<unknown, unknown> {
    if (this.lifecycle === undefined || this.lifecycle.started) return this.#answer()
    return Effect.flatMap(this.lifecycle.start(), (context) => {
      if (context === undefined) return this.#answer()
      // Suspended: what is provided with a context is held as long as it runs, and this is the request.
      return tracing.within(
        Effect.suspend(() => this.#answer()),
        context
      )
    })
  }

  #answer(): Effect.Effect<unknown, unknown> {
    const { readMeta } = this.#serving
    try {
      for (let i = 0; i < readMeta.length; i++) readMeta[i]!(this.metadata, this.info)
    } catch (thrown) {
      return Effect.fail(thrown)
    }
    const request = this.#request
    this.#request = undefined
    return this.#route.answer(this, request)
  }

  // --- ending: from outside --------------------------------------------------------------------------------------------

  /** The deadline. What the handler still does is waited for; its answer comes too late. */
  fire(): undefined {
    if (this.#answersLate) return this.#answerLate()
    this.#failure ??= callErrors.deadlineExceeded(this.info, this.#raw.timeoutMillis!)
    this.#handler.interrupt("deadline")
  }

  #aborted(error: TransportError): void {
    // Both ends run out of time at one moment.
    const late = this.#deadline > 0 && this.#serving.timers.now() >= this.#deadline
    this.#failure ??= late
      ? callErrors.deadlineExceeded(this.info, this.#raw.timeoutMillis!)
      : errors.fromTransport(this.info, error)
    this.#unheard = true
    this.#handler.interrupt("clientAbort")
  }

  shutdown(): void {
    if (!this.#handler.returned) {
      this.#failure ??= callErrors.shutdown(this.info)
      // Now: the client does not wait for a handler that may not be interrupted.
      this.#except(callErrors.overtaken(this.#failure), true)
    }
    this.#handler.interrupt("shutdown")
  }

  // --- ending: the handler has returned --------------------------------------------------------------------------------

  settle(exit: Exit.Exit<unknown, unknown>): void {
    this.#serving.timers.disarm(this)
    let outcome: outcomes.Outcome
    try {
      outcome = this.#conclude(exit)
    } catch (defect) {
      outcome = this.#died(Cause.die(defect), defect)
    }
    if (!this.#answered && !this.#answersLate) this.#raw.finish()
    if (this.#oneway) this.#logFailure(outcome)
    this.#handler.returned = true
    this.#admitted?.ended(outcome)
    // What middleware has put in its place may be no business error, or none at all.
    this.info.bizError = outcome.bizError
    report(this.#serving, this, outcome)
  }

  #logFailure({ bizError, exit }: outcomes.Outcome): void {
    const failure = Exit.isFailure(exit) ? errors.causeFailure(exit.cause) : undefined
    if (bizError !== undefined) this.#serving.onewayFailed(this.info, bizError.message)
    // A defect has its own line.
    else if (failure?.defect === false) this.#serving.onewayFailed(this.info, (failure.value as RpcError).desc)
  }

  #conclude(exit: Exit.Exit<unknown, unknown>): outcomes.Outcome {
    const panic = this.#handler.panic(exit)
    if (panic !== undefined) return this.#died(panic, errors.causeFailure(panic)!.value)
    if (this.#failure !== undefined) return this.#overtaken(this.#failure)
    if (Exit.isSuccess(exit)) return this.#succeeded(exit.value)
    const failure = errors.causeFailure(exit.cause)
    return failure === undefined ? this.#interrupted() : this.#failed(failure.value)
  }

  #succeeded(value: unknown): outcomes.Outcome {
    return this.#reply(this.result ?? resultOf(this.#route.plan.method, value))
  }

  #failed(error: unknown): outcomes.Outcome {
    const fromHandler = cameFromHandler(this, error)
    if (fromHandler) {
      const exception = this.#route.plan.exceptionOf(error)
      if (exception !== undefined) return this.#reply({ [exception]: error })
      if (error instanceof BizStatusError) return this.#replyBusinessError(error)
    }
    return this.#refuse(error, fromHandler)
  }

  #refuse(error: unknown, fromHandler: boolean): outcomes.Outcome {
    const exception = callErrors.toException(this.info, error, fromHandler)
    // Of a handler it is no refusal.
    this.#except(exception, false, fromHandler ? undefined : callErrors.pushback(error))
    return outcomes.failed(error instanceof RpcError ? error : callErrors.fromException(this.info, exception))
  }

  #replyBusinessError(error: BizStatusError): outcomes.Outcome {
    if (this.#raw.header === undefined && !this.#oneway) this.#serving.businessErrorLost(this.info, this.#route.plan)
    const { extra, statusCode: code, statusMessage: message } = error
    const biz = { code, message, extra }
    const replied = this.#reply(noResult, biz)
    if (replied !== outcomes.completed) return this.sendCount === 0 ? replied : { ...replied, bizError: error }
    return outcomes.failed(error)
  }

  /** The handler's fiber was overtaken by the deadline, the peer or the server. */
  #overtaken(failure: RpcError): outcomes.Outcome {
    const due = this.#deadline + overdueMillis
    const { timers } = this.#serving
    if (failure.reason._tag === "DeadlineExceeded" && !this.#unheard && !this.#answered && timers.now() < due) {
      this.#answersLate = true
      timers.arm(this, due)
    } else this.#except(callErrors.overtaken(failure))
    return outcomes.failed(failure)
  }

  #answerLate(): undefined {
    this.#except(callErrors.overtaken(this.#failure!))
    // The client has gone meanwhile.
    if (!this.#answered) this.#raw.finish()
  }

  #interrupted(): outcomes.Outcome {
    const error = errors.cancelled(this.info)
    this.#except(callErrors.toException(this.info, error, false))
    return outcomes.interrupted
  }

  #died(cause: Cause.Cause<unknown>, defect: unknown): outcomes.Outcome {
    this.#handler.log(cause, defect)
    this.#except(callErrors.panic(this.info, defect))
    return outcomes.broken(Cause.die(defect))
  }

  #reply(result: Result, biz?: BizStatus.BizStatus): outcomes.Outcome {
    if (this.#unheard) return outcomes.completed
    let strings: CallEntries
    try {
      strings = this.#metaWritten()
    } catch (thrown) {
      return this.#refuse(thrown, false)
    }
    try {
      // Kitex's own keys win over those of the handler.
      if (biz !== undefined) strings = [...strings, ...BizStatus.toEntries(biz)]
      this.sendBytes = this.#raw.reply(result, this.#route.plan.encodeResponse, strings)
    } catch (thrown) {
      const error = errors.fromCodec(this.info, thrown)
      const cut = thrown instanceof TransportError
      if (cut) this.#serving.answerCut(this.info, this.#route.plan, error.desc)
      if (cut && biz !== undefined) this.#replyCut(biz, error.desc)
      else this.#except({ type: ExceptionType.InternalError, message: error.desc })
      return outcomes.failed(error)
    }
    this.#answered = true
    this.sendCount = 1
    return outcomes.completed
  }

  /** A business error whose header is too large: its number and the beginning of its message alone. */
  #replyCut(biz: BizStatus.BizStatus, why: string): void {
    const strings = BizStatus.toEntries(BizStatus.shortened(biz, `cut: ${why}`))
    try {
      this.sendBytes = this.#raw.reply(noResult, this.#route.plan.encodeResponse, strings)
    } catch {
      return this.#except({ type: ExceptionType.InternalError, message: why })
    }
    this.#answered = true
    this.sendCount = 1
  }

  #metaWritten(): CallEntries {
    if (this.#written !== undefined) return this.#written
    // A hook that throws is not asked again for the answer that says so.
    this.#written = noStrings
    const { writeMeta } = this.#serving
    return (this.#written =
      writeMeta.length === 0 ? this.#strings : callMeta.write(writeMeta, this.#strings, this.info))
  }

  #except(exception: ApplicationException, close = false, own: CallEntries = noStrings): void {
    if (this.#unheard || this.#answered) return
    this.#answered = true
    try {
      const written = this.#metaWritten()
      this.#raw.exception(exception, own.length === 0 ? written : [...written, ...own], close)
    } catch {
      // The strings do not fit, a hook throws, or the type is no i32.
      this.#raw.exception({ type: ExceptionType.InternalError, message: exception.message }, noStrings, close)
    }
  }
}

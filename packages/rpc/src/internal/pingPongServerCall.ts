/**
 * One PingPong or oneway call on the server: what its handler can say about it, and how it ends. The exit of the handler's
 * fiber is where the answer is written, unless the server stops before.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import * as BizStatus from "@millrace/transport/BizStatus"
import * as Metadata from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import type { CallEntries, RawServerCall } from "@millrace/transport/RawCall"
import type { RawPeer } from "@millrace/transport/RawStream"
import type { TransportError } from "@millrace/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type * as Public from "../ServerCall.ts"
import * as answerStrings from "./answerStrings.ts"
import * as callErrors from "./callErrors.ts"
import * as errors from "./errors.ts"
import { HandlerFiber, type HandlerOwner } from "./handlerFiber.ts"
import { completed, type Lifecycle, type Outcome } from "./lifecycle.ts"
import type { Result } from "./plan.ts"
import type { CallRoute, SingleCall } from "./routes.ts"
import type { Running, Serving } from "./serving.ts"
import type { Timer } from "./timers.ts"

/**
 * How long after the deadline its exception goes out. Both ends run out of time at one moment, and a Kitex client has to see its
 * own timeout, not an answer: who still waits by now has no clock.
 */
const overdueMillis = 100

const noStrings: CallEntries = []
const noKeys: ReadonlySet<string> = new Set()
const noResult: Result = {}

/** @internal */
export class PingPongServerCall implements SingleCall, HandlerOwner, Running, Timer {
  at = 0
  index = -1
  inHandler = false
  handlerFailure: unknown = undefined
  result: Result | undefined = undefined
  readonly recvCount = 1
  sendCount = 0
  sendBytes = 0

  readonly info: RpcInfo
  readonly #serving: Serving
  readonly #raw: RawServerCall
  readonly #route: CallRoute
  /** Until the handler has it: a large one is not to live as long as its call. */
  #request: unknown
  readonly #oneway: boolean
  readonly #deadline: number
  readonly #ended: (() => void) | undefined
  readonly #lifecycle: Lifecycle | undefined
  readonly #handler: HandlerFiber
  #strings: CallEntries = noStrings
  /** Why the call is over whatever its handler says: the deadline, the peer, the server. */
  #failure: RpcError | undefined = undefined
  /** Nobody reads an answer. */
  #unheard: boolean
  /** The raw call has ended. */
  #answered = false
  /** The raw call ends by the timer, some time behind the handler. */
  #answersLate = false

  /** `deadline` is a time of the clock, 0 for none; `ended` runs when the handler has. */
  constructor(
    serving: Serving,
    info: RpcInfo,
    raw: RawServerCall,
    route: CallRoute,
    request: unknown,
    deadline: number,
    ended: (() => void) | undefined
  ) {
    this.#serving = serving
    this.info = info
    this.#raw = raw
    this.#route = route
    this.#request = request
    this.#oneway = info.mode === "oneway"
    this.#unheard = this.#oneway
    this.#deadline = deadline
    this.#ended = ended
    this.#lifecycle = serving.lifecycle(info)
    this.#handler = new HandlerFiber(serving, this)
    if (this.#lifecycle !== undefined) this.#lifecycle.counts = this
  }

  // --- what the handler sees -----------------------------------------------------------------------------------------

  get peer(): RawPeer {
    return this.#raw.peer
  }

  get metadata(): Metadata.Metadata {
    return metadataOf(this.#raw)
  }

  get metainfo(): Metainfo.Metainfo {
    return Metainfo.fromCallHeader(this.#raw.header)
  }

  get draining(): Effect.Effect<void> {
    return this.#serving.draining
  }

  // Getters, so that a handler may take them off the call.
  get setHeader(): Public.ServerCall["setHeader"] {
    return (key, value) =>
      Effect.sync(() => {
        this.#strings = answerStrings.add(this.#strings, key, value)
      })
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

  // --- running ---------------------------------------------------------------------------------------------------------

  run(): void {
    // The client of a oneway call closes the connection behind it, and does not mean the handler.
    if (!this.#oneway) this.#raw.onAbort = (error) => this.#aborted(error)
    if (this.#deadline > 0) this.#serving.timers.arm(this, this.#deadline)
    this.#serving.began(this)
    this.#handler.run(this.#route.context, this.#deadline)
  }

  main(): Effect.Effect<unknown, unknown> {
    if (this.#lifecycle === undefined) return this.#answer()
    return Effect.andThen(
      this.#lifecycle.start(),
      Effect.suspend(() => this.#answer())
    )
  }

  #answer(): Effect.Effect<unknown, unknown> {
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
    let outcome: Outcome
    try {
      outcome = this.#conclude(exit)
    } catch (defect) {
      outcome = this.#died(Cause.die(defect), defect)
    }
    if (!this.#answered && !this.#answersLate) this.#raw.finish()
    if (this.#oneway) this.#logFailure(outcome)
    this.#handler.returned = true
    this.#ended?.()
    if (this.#lifecycle === undefined) return this.#serving.gone(this)
    this.#serving
      .runFork(this.#lifecycle.finish(outcome.reason, outcome.exit, outcome.bizError))
      .addObserver(() => this.#serving.gone(this))
  }

  #logFailure({ bizError, exit }: Outcome): void {
    const failure = Exit.isFailure(exit) ? errors.causeFailure(exit.cause) : undefined
    if (bizError !== undefined) this.#serving.onewayFailed(this.info, bizError.message)
    // A defect has its own line.
    else if (failure?.defect === false) this.#serving.onewayFailed(this.info, (failure.value as RpcError).desc)
  }

  #conclude(exit: Exit.Exit<unknown, unknown>): Outcome {
    const panic = this.#handler.panic(exit)
    if (panic !== undefined) return this.#died(panic, errors.causeFailure(panic)!.value)
    if (this.#failure !== undefined) return this.#overtaken(this.#failure)
    if (Exit.isSuccess(exit)) return this.#succeeded(exit.value)
    const failure = errors.causeFailure(exit.cause)
    return failure === undefined ? this.#interrupted() : this.#failed(failure.value)
  }

  #succeeded(value: unknown): Outcome {
    if (this.result !== undefined) return this.#reply(this.result, this.#strings)
    const hasResult = this.#route.plan.method.response !== undefined
    return this.#reply(hasResult ? { success: value } : noResult, this.#strings)
  }

  #failed(error: unknown): Outcome {
    const fromHandler = this.inHandler && (this.handlerFailure === undefined || this.handlerFailure === error)
    if (fromHandler) {
      const exception = this.#route.plan.exceptionOf(error)
      if (exception !== undefined) return this.#reply({ [exception]: error }, this.#strings)
      if (error instanceof BizStatusError) return this.#replyBusinessError(error)
    }
    const exception = callErrors.toException(error, fromHandler)
    this.#except(exception)
    return failed(error instanceof RpcError ? error : callErrors.fromException(this.info, exception))
  }

  #replyBusinessError(error: BizStatusError): Outcome {
    if (this.#raw.header === undefined && !this.#oneway) this.#serving.businessErrorLost(this.info, this.#route.plan)
    const { extra, statusCode: code, statusMessage: message } = error
    const entries = BizStatus.toEntries({ code, message, extra })
    // Kitex's own keys win over those of the handler.
    const replied = this.#reply(noResult, [...this.#strings, ...entries])
    return replied === completed ? { reason: "error", exit: Exit.void, bizError: error } : replied
  }

  /** The handler's fiber was overtaken by the deadline, the peer or the server. */
  #overtaken(failure: RpcError): Outcome {
    const due = this.#deadline + overdueMillis
    const { timers } = this.#serving
    if (failure.reason._tag === "DeadlineExceeded" && !this.#unheard && !this.#answered && timers.now() < due) {
      this.#answersLate = true
      timers.arm(this, due)
    } else this.#except(callErrors.overtaken(failure))
    return failed(failure)
  }

  #answerLate(): undefined {
    this.#except(callErrors.overtaken(this.#failure!))
    // The client has gone meanwhile.
    if (!this.#answered) this.#raw.finish()
  }

  #interrupted(): Outcome {
    const error = errors.cancelled(this.info)
    this.#except(callErrors.toException(error, false))
    return { reason: "interrupted", exit: Exit.interrupt(), bizError: undefined }
  }

  #died(cause: Cause.Cause<unknown>, defect: unknown): Outcome {
    this.#handler.log(cause, defect)
    this.#except(callErrors.panic(this.info, defect))
    return { reason: "error", exit: Exit.die(defect), bizError: undefined }
  }

  #reply(result: Result, strings: CallEntries): Outcome {
    if (this.#unheard) return completed
    try {
      this.sendBytes = this.#raw.reply(result, this.#route.plan.encodeResponse, strings)
    } catch (thrown) {
      const error = errors.fromCodec(this.info, thrown)
      this.#except({ type: ExceptionType.InternalError, message: error.desc })
      return failed(error)
    }
    this.#answered = true
    this.sendCount = 1
    return completed
  }

  #except(exception: ApplicationException, close = false): void {
    if (this.#unheard || this.#answered) return
    this.#answered = true
    try {
      this.#raw.exception(exception, this.#strings, close)
    } catch {
      // The strings do not fit, or the type is no i32.
      this.#raw.exception({ type: ExceptionType.InternalError, message: exception.message }, noStrings, close)
    }
  }
}

const failed = (error: RpcError): Outcome => ({ reason: "error", exit: Exit.fail(error), bizError: undefined })

/** The string keys of a request. @internal */
export const metadataOf = ({ header }: RawServerCall): Metadata.Metadata =>
  header === undefined ? Metadata.empty : Metadata.fromStrings(header.strings, noKeys)

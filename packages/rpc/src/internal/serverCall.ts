/**
 * One call on the server, of any mode: the stream, what its handler can say about it, and how it ends. The exit of the
 * handler's fiber is the only place where a status is written.
 *
 * @internal
 */
import type { MetadataEntries } from "@millrace/transport/Metadata"
import * as Metadata from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import type { RawEnd, RawPeer, RawServerStream, RawStatus } from "@millrace/transport/RawStream"
import * as TransportError from "@millrace/transport/TransportError"
import type { NonEmptyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type * as Public from "../ServerCall.ts"
import type { Budgets } from "./budgets.ts"
import { Duplex, type Environment } from "./duplex.ts"
import * as errors from "./errors.ts"
import { type FiberEnvironment, HandlerFiber, type HandlerOwner } from "./handlerFiber.ts"
import { completed, type Lifecycle, type Outcome } from "./lifecycle.ts"
import type { MethodPlan, Result } from "./plan.ts"
import type { Running } from "./serving.ts"
import * as unread from "./unread.ts"

/** What the calls of one server share. @internal */
export interface ServerEnvironment extends Environment, FiberEnvironment {
  readonly draining: Effect.Effect<void>
  /** Nothing of the call runs any more. */
  readonly gone: (call: Running) => void
}

/** The grace time of a stopping server is over. @internal */
export const shutdownReset = new TransportError.TransportError({
  reason: new TransportError.StreamReset({ resetCode: 1000, byPeer: false }),
  code: 14,
  desc: "graceful shutdown"
})

const ok: RawStatus = { code: 0, message: "" }
const noEntries: MetadataEntries = []

/** @internal */
export class ServerCall extends Duplex<unknown, unknown> implements Public.ServerCall, HandlerOwner, Running {
  declare readonly env: ServerEnvironment
  declare readonly raw: RawServerStream
  readonly #plan: MethodPlan
  readonly #main: (call: ServerCall) => Effect.Effect<unknown, unknown>
  readonly #deadline: number
  readonly #lifecycle: Lifecycle | undefined
  readonly #ended: (() => void) | undefined
  readonly #sendMillis: number

  readonly #handler: HandlerFiber
  /** What happens while this is set is the handler's doing: other errors are not business errors. */
  inHandler = false
  /** The failure that came out of the handler itself, where middleware may have put another in its place. */
  handlerFailure: unknown
  /** The result of a method that has one, where middleware stands between it and the exit of the fiber. */
  result: Result | undefined
  #trailers: MetadataEntries = noEntries
  /** Nothing may go on the wire any more: the status went out early, or the stream is dead. */
  #silent = false

  constructor(
    env: ServerEnvironment,
    info: RpcInfo,
    raw: RawServerStream,
    plan: MethodPlan,
    main: (call: ServerCall) => Effect.Effect<unknown, unknown>,
    budgets: Budgets,
    lifecycle: Lifecycle | undefined,
    ended: (() => void) | undefined
  ) {
    super(env, info, raw, plan.decodeRequest, plan.encodeResponse, budgets)
    this.#plan = plan
    this.#main = main
    this.#deadline = budgets.deadline
    this.#handler = new HandlerFiber(env, this)
    this.#lifecycle = lifecycle
    this.#ended = ended
    this.#sendMillis = budgets.send
    if (lifecycle !== undefined) lifecycle.counts = this
  }

  // --- what the handler sees -----------------------------------------------------------------------------------------

  get peer(): RawPeer {
    return this.raw.peer
  }

  get metadata(): Metadata.Metadata {
    return this.raw.metadata
  }

  get metainfo(): Metainfo.Metainfo {
    return Metainfo.fromMetadata(this.raw.metadata)
  }

  get draining(): Effect.Effect<void> {
    return this.env.draining
  }

  // Getters, so that a handler may take them off the call.
  get setHeader(): Public.ServerCall["setHeader"] {
    return (key, value) =>
      Effect.sync(() => {
        checkEntry(key, value)
        if (this.raw.headersSent) {
          throw new Error(
            `setHeader(${JSON.stringify(key)}): the response headers went out already; call it before sendHeader and the first message`
          )
        }
        this.raw.pendingHeaders = [...this.raw.pendingHeaders, [key, value]]
      })
  }

  get sendHeader(): Effect.Effect<void> {
    return Effect.sync(() => this.sendHeadersNow())
  }

  get setTrailer(): Public.ServerCall["setTrailer"] {
    return (key, value) =>
      Effect.sync(() => {
        checkEntry(key, value)
        this.#trailers = [...this.#trailers, [key, value]]
      })
  }

  sendHeadersNow(): void {
    if (!this.raw.headersSent && !this.#silent) this.raw.sendHeaders(this.raw.pendingHeaders)
  }

  // --- receiving and sending -------------------------------------------------------------------------------------------

  /** The one request of a method that has one. Kitex reads exactly one; what comes behind it is ignored. */
  request(): Effect.Effect<unknown, CallError> {
    return Effect.catch(this.recv(), (error) => Effect.fail(Cause.isDone(error) ? errors.noMessage(this.info) : error))
  }

  override recv(): Effect.Effect<unknown, CallError | Cause.Done> {
    return this.#handler.returned ? Effect.fail(errors.handlerReturned(this.info)) : super.recv()
  }

  override recvAll(): Effect.Effect<NonEmptyArray<unknown>, CallError | Cause.Done> {
    return this.#handler.returned ? Effect.fail(errors.handlerReturned(this.info)) : super.recvAll()
  }

  protected ended(end: RawEnd): Effect.Effect<never, CallError | Cause.Done> {
    return end._tag === "Failed" ? Effect.fail(errors.fromTransport(this.info, end.error)) : Cause.done()
  }

  protected sendRefused(): Effect.Effect<void, CallError> {
    const end = this.raw.writeEnded
    return Effect.fail(
      typeof end === "object" && end._tag === "Failed"
        ? errors.fromTransport(this.info, end.error)
        : errors.handlerReturned(this.info)
    )
  }

  // --- running ---------------------------------------------------------------------------------------------------------

  run(context: Context.Context<never>): void {
    this.#handler.run(context, this.#deadline)
  }

  main(): Effect.Effect<unknown, unknown> {
    if (this.#lifecycle === undefined) return this.#main(this)
    return Effect.andThen(
      this.#lifecycle.start(),
      Effect.suspend(() => this.#main(this))
    )
  }

  /** The status of a call that nobody waits for. */
  answerEarly(): void {
    if (this.#silent) return
    this.#silent = true
    this.raw.finish(ok, this.#trailers)
  }

  // --- ending: from outside --------------------------------------------------------------------------------------------

  protected failed(error: CallError): void {
    const reason = error instanceof RpcError ? error.reason._tag : undefined
    if (reason === "DeadlineExceeded") this.#handler.interrupt("deadline")
    // A status would wait behind the messages that the client does not read.
    else if (reason === "SendTimeout") {
      this.#silent = true
      this.raw.abort("cancel", errors.localCancel)
    }
  }

  onAbort(error: TransportError.TransportError): void {
    // Both ends run out of time at one moment; whose word arrives first must not change the answer.
    this.#dead(
      error.code === 1 && this.deadlinePassed
        ? errors.deadlineExceeded(this.info)
        : errors.fromTransport(this.info, error)
    )
    this.#handler.interrupt("clientAbort")
  }

  /** The grace time is over. */
  shutdown(): void {
    if (!this.#handler.returned) {
      this.#dead(errors.fromTransport(this.info, shutdownReset))
      this.raw.abort("shutdown", shutdownReset)
    }
    this.#handler.interrupt("shutdown")
    this.#wakeLeftovers()
  }

  #dead(failure: RpcError): void {
    this.#silent = true
    this.failure ??= failure
    this.release()
  }

  // --- ending: the handler has returned --------------------------------------------------------------------------------

  settle(exit: Exit.Exit<unknown, unknown>): void {
    this.release()
    let outcome: Outcome
    try {
      outcome = this.#conclude(exit)
    } catch (defect) {
      outcome = this.#died(Cause.die(defect), defect)
    }
    this.#handler.returned = true
    this.#wakeLeftovers()
    this.raw.release()
    unread.limit(this.env.timers, this.raw, this.#sendMillis, errors.localCancel)
    this.#ended?.()
    if (this.#lifecycle === undefined) return this.env.gone(this)
    this.env
      .runFork(this.#lifecycle.finish(outcome.reason, outcome.exit, outcome.bizError))
      .addObserver(() => this.env.gone(this))
  }

  /** Fibers that outlive the handler and still wait at the stream. */
  #wakeLeftovers(): void {
    this.onReadable()
    this.onWritable()
  }

  #conclude(exit: Exit.Exit<unknown, unknown>): Outcome {
    const panic = this.#handler.panic(exit)
    if (panic !== undefined) return this.#died(panic, errors.causeFailure(panic)!.value)
    const failure = Exit.isSuccess(exit) ? undefined : errors.causeFailure(exit.cause)
    const own = this.failure
    if (own instanceof RpcError && (this.#silent || own.reason._tag === "DeadlineExceeded")) {
      this.#finish(errors.toStatus(own, false))
      return { reason: "error", exit: Exit.fail(own), bizError: undefined }
    }
    if (failure === undefined) return Exit.isSuccess(exit) ? this.#succeeded(exit.value) : this.#interrupted()
    return this.#failed(failure.value)
  }

  #succeeded(value: unknown): Outcome {
    const method = this.#plan.method
    if (method.mode === "unary" || method.mode === "pingPong") {
      return this.#answer(this.result ?? (method.response === undefined ? {} : { success: value }))
    }
    this.#finish(ok)
    return completed
  }

  #answer(result: Result): Outcome {
    const wrote = this.writeNow([result], 0, false)
    if (typeof wrote !== "number") return this.#failed(Cause.squash((wrote as Exit.Failure<never, CallError>).cause))
    this.#finish(ok)
    return completed
  }

  #failed(error: unknown): Outcome {
    const fromHandler = this.inHandler && (this.handlerFailure === undefined || this.handlerFailure === error)
    const exception = fromHandler && this.result === undefined ? this.#plan.exceptionOf(error) : undefined
    if (exception !== undefined) return this.#answer({ [exception]: error })
    const status = errors.toStatus(error, fromHandler)
    this.#finish(status)
    if (error instanceof BizStatusError && status.biz !== undefined) {
      return { reason: "error", exit: Exit.void, bizError: error }
    }
    const known = error instanceof RpcError ? error : (errors.fromStatus(this.info, status) as RpcError)
    return { reason: "error", exit: Exit.fail(known), bizError: undefined }
  }

  #interrupted(): Outcome {
    this.#finish(errors.toStatus(errors.cancelled(this.info), false))
    return { reason: "interrupted", exit: Exit.interrupt(), bizError: undefined }
  }

  #died(cause: Cause.Cause<unknown>, defect: unknown): Outcome {
    this.#handler.log(cause, defect)
    this.#finish(errors.panicStatus(this.info, defect))
    return { reason: "error", exit: Exit.die(defect), bizError: undefined }
  }

  #finish(status: RawStatus): void {
    if (!this.#silent) this.raw.finish(status, this.#trailers)
  }
}

const checkEntry = (key: string, value: Metadata.MetadataValue): void => {
  const refusal = Metadata.refusal(key, value)
  if (refusal !== undefined) throw new Error(refusal)
}

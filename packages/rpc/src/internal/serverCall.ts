/**
 * One call on the server, of any mode: the stream, what its handler can say about it, and how it ends. The exit of the
 * handler's fiber is the only place where a status is written.
 *
 * @internal
 */
import * as HeaderStrings from "@millrace/transport/HeaderStrings"
import type { MetadataEntries } from "@millrace/transport/Metadata"
import * as Metadata from "@millrace/transport/Metadata"
import type * as Metainfo from "@millrace/transport/Metainfo"
import type { RawCancellation, RawEnd, RawPeer, RawServerStream, RawStatus } from "@millrace/transport/RawStream"
import * as TransportError from "@millrace/transport/TransportError"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { MetaHandler } from "../MetaHandler.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { ServerInfo } from "../RpcInfo.ts"
import type * as Public from "../ServerCall.ts"
import type { Admitted } from "./admitted.ts"
import type { Budgets } from "./budgets.ts"
import * as cancellation from "./cancellation.ts"
import { Duplex } from "./duplex.ts"
import * as errors from "./errors.ts"
import { type FiberEnvironment, HandlerFiber, type HandlerOwner } from "./handlerFiber.ts"
import { cameFromHandler, type SingleCall, type StreamCall } from "./handlerChain.ts"
import type { Lifecycle } from "./lifecycle.ts"
import * as outcomes from "./outcome.ts"
import { type MethodPlan, type Result, resultOf } from "./plan.ts"
import { report, type Running } from "./serving.ts"
import type { StreamInfo } from "./serverInfo.ts"
import { panicStatus, toStatus } from "./statuses.ts"
import * as tracing from "./tracing.ts"
import * as unread from "./unread.ts"
import type { Environment } from "./waitingEnd.ts"

/** What the calls of one server share. @internal */
export interface ServerEnvironment extends Environment, FiberEnvironment {
  /** An error, or who hears of the end of the call. */
  readonly admit: (info: ServerInfo, peer: string) => RpcError | Admitted | undefined
  readonly draining: Effect.Effect<void>
  /** The `onReadStream` of all meta handlers; undefined where there is none. */
  readonly readStream: MetaHandler["onReadStream"]
  /** The client did not get an answer as it was. */
  readonly answerCut: (info: RpcInfo, method: object, why: string) => void
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
export class ServerCall extends Duplex implements SingleCall, StreamCall, HandlerOwner, Running {
  declare readonly env: ServerEnvironment
  declare readonly raw: RawServerStream
  declare readonly info: StreamInfo
  readonly #plan: MethodPlan
  readonly #main: (call: ServerCall) => Effect.Effect<unknown, unknown>
  readonly #deadline: number
  place = -1
  readonly lifecycle: Lifecycle | undefined
  #admitted: Admitted | undefined
  readonly #sendMillis: number

  readonly #handler: HandlerFiber
  inHandler = false
  handled = false
  handlerFailure: { readonly error: unknown } | undefined = undefined
  result: Result | undefined = undefined
  #trailers: MetadataEntries = noEntries
  /** Nothing may go on the wire any more: the status went out early, or the stream is dead. */
  #silent = false
  /** What has ended the stream: the client, the connection, the stop of the server. */
  #aborted: TransportError.TransportError | undefined = undefined

  constructor(
    env: ServerEnvironment,
    info: StreamInfo,
    raw: RawServerStream,
    plan: MethodPlan,
    main: (call: ServerCall) => Effect.Effect<unknown, unknown>,
    budgets: Budgets,
    lifecycle: Lifecycle | undefined,
    admitted: Admitted | undefined
  ) {
    super(env, info, plan, raw, plan.decodeRequest, plan.encodeResponse, budgets)
    this.#plan = plan
    this.#main = main
    this.#deadline = budgets.deadline
    this.#handler = new HandlerFiber(env, this)
    this.lifecycle = lifecycle
    this.#admitted = admitted
    if (admitted !== undefined) admitted.opened = true
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
    return this.info.metainfo
  }

  get draining(): Effect.Effect<void> {
    return this.env.draining
  }

  // Getters, so that a handler may take them off the call.
  get setHeader(): Public.ServerCall["setHeader"] {
    return (key, value) =>
      Effect.sync(() => {
        this.#checkEntry(key, value)
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
        this.#checkEntry(key, value)
        this.#trailers = [...this.#trailers, [key, value]]
      })
  }

  #checkEntry(key: string, value: Metadata.MetadataValue): void {
    const refusalOf = this.info.protocol === "grpc" ? Metadata.refusal : HeaderStrings.refusal
    const refusal = refusalOf(key, value)
    if (refusal !== undefined) throw new Error(refusal)
  }

  /** Kitex has no place for them in a stream. */
  sendBackwardValue(): void {}

  sendHeadersNow(): void {
    if (!this.raw.headersSent && !this.#silent) this.raw.sendHeaders(this.raw.pendingHeaders)
  }

  // --- receiving and sending -------------------------------------------------------------------------------------------

  /** The one request of a method that has one. Kitex reads exactly one; what comes behind it is ignored. */
  request(): Effect.Effect<unknown, CallError> {
    return Effect.catch(this.recv(), (error) => Effect.fail(Cause.isDone(error) ? errors.noMessage(this.info) : error))
  }

  protected recvRefused(): CallError | undefined {
    return this.#handler.returned ? errors.handlerReturned(this.info) : undefined
  }

  protected errorOf(end: RawEnd): CallError | undefined {
    return end._tag === "Failed" ? errors.fromTransport(this.info, end.error) : undefined
  }

  protected done(): Effect.Effect<never, Cause.Done> {
    return Cause.done()
  }

  // The handler decides what becomes of its call.
  protected recvFailed(error: CallError): Effect.Effect<never, CallError> {
    return Effect.fail(error)
  }

  protected sendFailed(error: CallError): Effect.Effect<never, CallError> {
    return Effect.fail(error)
  }

  protected sendRefused(): CallError {
    const end = this.raw.writeEnded
    return typeof end === "object" && end._tag === "Failed"
      ? errors.fromTransport(this.info, end.error)
      : errors.handlerReturned(this.info)
  }

  // --- running ---------------------------------------------------------------------------------------------------------

  run(context: Context.Context<never>): void {
    this.#handler.run(context, this.#deadline)
  }

  get internalError(): number {
    return errors.internal
  }

  get returned(): boolean {
    return this.#handler.returned
  }

  protected get reported(): boolean {
    return this.lifecycle?.finished === true
  }

  /** Tracers that take no effect start here: a context that is set later costs the fiber more. */
  begin(context: Context.Context<never>): Context.Context<never> {
    const { lifecycle } = this
    // Hooks stand around the start.
    if (lifecycle === undefined || !lifecycle.direct || this.env.readStream !== undefined) return context
    const within = lifecycle.begin(context)
    lifecycle.streamStart()
    return within
  }

  main(): Effect.Effect<unknown, unknown> {
    const { readStream } = this.env
    if (readStream === undefined) return this.#trace()
    return readStream(Effect.suspend(() => this.#trace()) as Effect.Effect<void, CallError>, this.info)
  }

  #trace(): Effect.Effect<unknown, unknown> {
    const { lifecycle } = this
    if (lifecycle === undefined || lifecycle.started) return this.#inContext()
    return Effect.flatMap(lifecycle.start(), (context) => {
      lifecycle.streamStart()
      if (context === undefined) return this.#inContext()
      // Suspended: what is provided with a context is held as long as it runs, and this may be the request.
      return tracing.within(
        Effect.suspend(() => this.#inContext()),
        context
      )
    })
  }

  #inContext(): Effect.Effect<unknown, unknown> {
    if (this.env.recvMiddleware.length === 0 && this.env.sendMiddleware.length === 0) return this.#main(this)
    return Effect.withFiber((fiber) => {
      this.context = fiber.context
      return this.#main(this)
    })
  }

  /** Admission of a call that has waited for its request: why it may not go on. */
  admit(): RpcError | undefined {
    const admitted = this.env.admit(this.info, this.raw.peer.address)
    if (admitted instanceof RpcError) return admitted
    this.#admitted = admitted
    if (admitted !== undefined) admitted.opened = true
    return undefined
  }

  /** The status of a call that nobody waits for. */
  answerEarly(): void {
    this.#finish(ok)
    this.#silent = true
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
    this.#aborted = error
    // Both ends run out of time at one moment; whose word arrives first must not change the answer.
    const late = errors.isCancel(this.info, error) && this.deadlinePassed
    this.#dead(late ? this.deadlineExceeded() : errors.fromTransport(this.info, error))
    this.#handler.interrupt("clientAbort")
  }

  /** The grace time is over. */
  shutdown(): void {
    if (!this.#handler.returned) {
      this.#aborted = shutdownReset
      this.#dead(errors.fromTransport(this.info, shutdownReset))
      this.raw.abort("shutdown", shutdownReset)
    }
    this.#handler.interrupt("shutdown")
    this.#wakeLeftovers()
  }

  get cancellation(): RawCancellation | undefined {
    if (this.#aborted !== undefined) return cancellation.byAbort(this.info, this.#aborted)
    const { failure } = this
    const late = failure instanceof RpcError && failure.reason._tag === "DeadlineExceeded"
    return late ? cancellation.byError(this.info, failure) : undefined
  }

  #dead(failure: CallError): void {
    this.#silent = true
    this.failure ??= failure
    this.release()
  }

  // --- ending: the handler has returned --------------------------------------------------------------------------------

  settle(exit: Exit.Exit<unknown, unknown>): void {
    this.release()
    let outcome: outcomes.Outcome
    try {
      outcome = this.#conclude(exit)
    } catch (defect) {
      outcome = this.#died(Cause.die(defect), defect)
    }
    this.#handler.returned = true
    this.#wakeLeftovers()
    this.raw.release()
    unread.limit(this.env.timers, this.raw, this.#sendMillis, errors.localCancel)
    this.#admitted?.ended(outcome)
    // What middleware has put in its place may be no business error, or none at all.
    this.info.bizError = outcome.bizError
    report(this.env, this, outcome)
  }

  /** Fibers that outlive the handler and still wait at the stream. */
  #wakeLeftovers(): void {
    this.onReadable()
    this.onWritable()
  }

  #conclude(exit: Exit.Exit<unknown, unknown>): outcomes.Outcome {
    const panic = this.#handler.panic(exit)
    if (panic !== undefined) return this.#died(panic, errors.causeFailure(panic)!.value)
    const failure = Exit.isSuccess(exit) ? undefined : errors.causeFailure(exit.cause)
    const own = this.failure
    if (own instanceof RpcError && (this.#silent || own.reason._tag === "DeadlineExceeded")) {
      return this.#end(toStatus(this.info, own, false), outcomes.failed(own))
    }
    if (failure === undefined) return Exit.isSuccess(exit) ? this.#succeeded(exit.value) : this.#interrupted()
    return this.#failed(failure.value)
  }

  #succeeded(value: unknown): outcomes.Outcome {
    const method = this.#plan.method
    if (method.mode === "unary" || method.mode === "pingPong") {
      return this.#answer(this.result ?? resultOf(method, value))
    }
    return this.#end(ok, outcomes.completed)
  }

  #answer(result: Result): outcomes.Outcome {
    const wrote = this.writeNow([result], 0, false)
    if (typeof wrote !== "number") return this.#failed(wrote)
    return this.#end(ok, outcomes.completed)
  }

  #failed(error: unknown): outcomes.Outcome {
    const fromHandler = cameFromHandler(this, error)
    const exception = fromHandler && this.result === undefined ? this.#plan.exceptionOf(error) : undefined
    if (exception !== undefined) return this.#answer({ [exception]: error })
    const status = toStatus(this.info, error, fromHandler)
    if (error instanceof BizStatusError && status.biz !== undefined) {
      return this.#end(status, outcomes.failed(error))
    }
    const known = error instanceof RpcError ? error : (errors.fromStatus(this.info, status) as RpcError)
    return this.#end(status, outcomes.failed(known))
  }

  #interrupted(): outcomes.Outcome {
    this.#finish(toStatus(this.info, errors.cancelled(this.info), false))
    return outcomes.interrupted
  }

  #died(cause: Cause.Cause<unknown>, defect: unknown): outcomes.Outcome {
    this.#handler.log(cause, defect)
    this.#finish(panicStatus(this.info, defect))
    return outcomes.broken(Cause.die(defect))
  }

  /** The outcome, unless what it says did not reach the client as it was. */
  #end(status: RawStatus, outcome: outcomes.Outcome): outcomes.Outcome {
    const refused = this.#finish(status)
    if (refused === undefined || Exit.isFailure(outcome.exit)) return outcome
    return { ...outcomes.failed(errors.fromTransport(this.info, refused)), bizError: outcome.bizError }
  }

  #finish(status: RawStatus): TransportError.TransportError | undefined {
    if (this.#silent) return undefined
    const refused = this.raw.finish(status, this.#trailers)
    if (refused !== undefined) this.env.answerCut(this.info, this.#plan, refused.desc)
    return refused
  }
}

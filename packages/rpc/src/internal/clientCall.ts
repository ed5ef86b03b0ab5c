/**
 * One streaming call on the client: a duplex whose end is a status, and whose scope is its lifecycle.
 *
 * @internal
 */
import * as Metadata from "@millrace/transport/Metadata"
import type { RawClientStream, RawEnd } from "@millrace/transport/RawStream"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { Budgets } from "./budgets.ts"
import * as cancellation from "./cancellation.ts"
import { ClientInfo } from "./clientInfo.ts"
import type { HandledCall } from "./currentCall.ts"
import { Duplex } from "./duplex.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import * as outcomes from "./outcome.ts"
import type { MethodPlan } from "./plan.ts"
import type { Environment } from "./waitingEnd.ts"

/** @internal */
export class ClientCall extends Duplex {
  declare readonly raw: RawClientStream
  readonly #lifecycle: Lifecycle
  /** The call on whose behalf this one is made. */
  readonly #handled: HandledCall | undefined
  readonly #onHeader: ((header: Metadata.Metadata) => void) | undefined
  readonly #onTrailer: ((trailer: Metadata.Metadata) => void) | undefined
  #headerSeen = false
  #trailerSeen = false
  #waiting: Array<() => void> | undefined
  #answer: { readonly message: unknown } | undefined
  #endError: CallError | undefined
  /** Of a send behind a good end. */
  #doneError: CallError | undefined
  #decision: outcomes.Outcome | undefined

  constructor(
    env: Environment,
    info: RpcInfo,
    raw: RawClientStream,
    plan: MethodPlan,
    budgets: Budgets,
    lifecycle: Lifecycle,
    handled: HandledCall | undefined,
    onHeader: ((header: Metadata.Metadata) => void) | undefined,
    onTrailer: ((trailer: Metadata.Metadata) => void) | undefined
  ) {
    super(env, info, plan, raw, plan.decodeResponse, plan.encodeRequest, budgets)
    this.#handled = handled
    this.#lifecycle = lifecycle
    lifecycle.counts = this
    this.#onHeader = onHeader
    this.#onTrailer = onTrailer
    lifecycle.streamStart()
  }

  // --- operations ----------------------------------------------------------------------------------------------------------

  /** The one request of a method that has one, and the half close behind it. */
  request(message: unknown): Effect.Effect<void, CallError> {
    if (this.sendsThroughEffects) return this.#orGiveUp(Effect.andThen(this.send(message), this.closeSend))
    // Never waits: the buffer is empty.
    return Effect.suspend(() => {
      const wrote = this.writeNow([message], 0, true)
      return typeof wrote === "number" ? Effect.void : this.#orGiveUp(this.sendEnded(wrote))
    })
  }

  /** Without its request the stream is of no use to anybody, unless the server has answered without it. */
  #orGiveUp(sent: Effect.Effect<void, CallError>): Effect.Effect<void, CallError> {
    return Effect.catch(sent, (error) => {
      if (error === this.#doneError) return Effect.void
      this.fail(error)
      return this.#failedWith(error)
    })
  }

  readonly closeSend: Effect.Effect<void, CallError> = Effect.sync(() => {
    if (this.failure === undefined) this.raw.closeSend()
  })

  /**
   * The one response of a method that has one. The end of the stream is read behind it, as Kitex does
   * (`codec/grpc/grpc.go`), where middleware does not see it.
   */
  readonly response: Effect.Effect<unknown, CallError> = Effect.suspend(() =>
    this.#answer === undefined ? this.#first : Effect.succeed(this.#answer)
  ).pipe(
    Effect.flatMap((answer) =>
      Effect.suspend(() => this.recvUnseen()).pipe(
        Effect.matchEffect({
          onFailure: (error) => (Cause.isDone(error) ? Effect.succeed(answer.message) : Effect.fail(error)),
          onSuccess: () =>
            Effect.suspend(() => {
              const error = errors.secondResponse(this.info)
              this.fail(error)
              return Effect.andThen(this.finish(outcomes.failed(error)), Effect.fail(error))
            })
        })
      )
    )
  )

  readonly #first: Effect.Effect<{ readonly message: unknown }, CallError> = Effect.suspend(() => this.recv()).pipe(
    Effect.matchEffect({
      onFailure: (error) => Effect.fail(Cause.isDone(error) ? errors.noMessage(this.info) : error),
      // Kept: whoever is interrupted before the end of the stream may ask again.
      onSuccess: (message) => Effect.succeed((this.#answer = { message }))
    })
  )

  readonly header: Effect.Effect<Metadata.Metadata, CallError> = Effect.suspend(() => {
    if (this.raw.header !== undefined) return Effect.succeed(this.raw.header)
    if (this.failure !== undefined) return this.#failedWith(this.failure)
    const end = this.raw.end
    if (end === undefined) return this.#wait(() => this.header)
    // Trailers alone: there is no header, and that is no failure.
    return end._tag === "Failed" ? this.#endOf(end) : Effect.succeed(Metadata.empty)
  })

  readonly trailer: Effect.Effect<Metadata.Metadata, CallError> = Effect.suspend(() => {
    if (this.raw.trailer !== undefined) return Effect.succeed(this.raw.trailer)
    if (this.failure !== undefined) return this.#failedWith(this.failure)
    const end = this.raw.end
    if (end === undefined) return this.#wait(() => this.trailer)
    return end._tag === "Failed" ? this.#endOf(end) : Effect.succeed(Metadata.empty)
  })

  #wait(again: () => Effect.Effect<Metadata.Metadata, CallError>): Effect.Effect<Metadata.Metadata, CallError> {
    return Effect.callback((resume) => {
      const wake = () => resume(Effect.suspend(again))
      const waiting = (this.#waiting ??= [])
      waiting.push(wake)
      return Effect.sync(() => {
        const at = waiting.indexOf(wake)
        if (at >= 0) waiting.splice(at, 1)
      })
    })
  }

  override onReadable(): void {
    const { end, header } = this.raw
    if (header !== undefined) this.#lifecycle.streamRecvHeader(header)
    if (end !== undefined) this.#lifecycle.streamFinish(this.raw.trailer)
    const waiting = this.#waiting
    if (waiting !== undefined && (header !== undefined || end !== undefined || this.failure !== undefined)) {
      this.#waiting = undefined
      for (const wake of waiting) wake()
    }
    super.onReadable()
  }

  protected recvRefused(): undefined {
    this.#tellHeader()
  }

  #tellHeader(): void {
    if (this.#onHeader === undefined || this.#headerSeen) return
    const header = this.raw.header ?? (this.raw.end?._tag === "Status" ? Metadata.empty : undefined)
    if (header === undefined) return
    this.#headerSeen = true
    this.#onHeader(header)
  }

  #tellTrailer(): void {
    if (this.#onTrailer === undefined || this.#trailerSeen) return
    this.#trailerSeen = true
    this.#onTrailer(this.raw.trailer ?? Metadata.empty)
  }

  readonly cancel: Effect.Effect<void> = Effect.suspend(() => {
    const error = this.#cancelled()
    return this.end(error, { ...outcomes.failed(error), reason: "explicit" })
  })

  readonly finishWith = (error?: RpcError): Effect.Effect<void> =>
    this.end(error ?? this.#cancelled(), {
      ...(error === undefined ? outcomes.completed : outcomes.failed(error)),
      reason: "explicit"
    })

  protected get reported(): boolean {
    return this.#lifecycle.finished
  }

  /** True when nothing more can come of this call. */
  get over(): boolean {
    return this.failure !== undefined || this.raw.end !== undefined
  }

  // --- ending --------------------------------------------------------------------------------------------------------------

  onAbort(): void {}

  protected errorOf(end: RawEnd): CallError | undefined {
    if (end._tag === "Status") {
      this.#tellHeader()
      this.#tellTrailer()
      if (errors.fromStatus(this.info, end.status) === undefined) return undefined
    }
    return this.#endedBy(end)
  }

  protected done(): Effect.Effect<never, Cause.Done> {
    this.release()
    // In place of the one response it is no good end.
    const missing = this.info.mode === "client" && this.#answer === undefined
    return Effect.andThen(
      this.finish(missing ? outcomes.failed(errors.noMessage(this.info)) : outcomes.completed),
      Cause.done()
    )
  }

  protected recvFailed(error: CallError): Effect.Effect<never, CallError> {
    if (error === this.overdueAlone) return Effect.fail(error)
    // Middleware, or a message that is none: the stream is of no use any more.
    if (error !== this.#endError) this.fail(error)
    return this.#failedWith(error)
  }

  /** The error of an end that is not a good one, each time the same. */
  #endedBy(end: RawEnd): CallError {
    if (this.raw.available === 0) this.release()
    if (this.#endError !== undefined) return this.#endError
    const error = (this.#endError = this.#errorOf(end))
    if (error instanceof BizStatusError && this.info instanceof ClientInfo) this.info.bizError = error
    return error
  }

  #endOf(end: RawEnd): Effect.Effect<never, CallError> {
    return this.#failedWith(this.#endedBy(end))
  }

  /** A failure of the call on its way to whoever uses it: reported before. */
  #failedWith(error: CallError): Effect.Effect<never, CallError> {
    if (this.#lifecycle.finished) return Effect.fail(error)
    return Effect.andThen(this.finish(this.#decision ?? outcomes.failed(error)), Effect.fail(error))
  }

  #errorOf(end: RawEnd): CallError {
    if (end._tag === "Status") return errors.fromStatus(this.info, end.status) ?? errors.streamDone(this.info)
    if (end._tag === "HalfClosed") return errors.streamDone(this.info)
    // Both ends run out of time at one moment; whose word arrives first must not change the answer.
    return errors.isCancel(this.info, end.error) && this.deadlinePassed
      ? this.deadlineExceeded()
      : errors.fromTransport(this.info, end.error)
  }

  protected sendRefused(): CallError {
    const end = this.raw.end
    if (end === undefined || end._tag === "HalfClosed") return errors.streamDone(this.info)
    if (end._tag === "Failed") return this.#endedBy(end)
    return end.status.code === 0
      ? (this.#doneError ??= errors.streamDone(this.info))
      : errors.statusError(this.info, end.status)
  }

  protected sendFailed(error: CallError): Effect.Effect<never, CallError> {
    if (this.failure !== undefined) return this.#failedWith(error)
    const end = this.raw.end
    // What ended the stream is what is reported, whatever the send fails with.
    return end === undefined || end._tag === "HalfClosed" || this.errorOf(end) === undefined
      ? Effect.fail(error)
      : Effect.catch(this.#endOf(end), () => Effect.fail(error))
  }

  protected failed(error: CallError): void {
    this.raw.abort("cancel", errors.localCancel, cancellation.toServer(this.info, error, this.#handled))
  }

  #cancelled(): RpcError {
    return errors.cancelled(this.info, this.#handled?.cancellation)
  }

  /** An end that this side decided on. */
  end(error: CallError, outcome: outcomes.Outcome): Effect.Effect<void> {
    return Effect.suspend(() => {
      // Whoever waits hears of the error first, and reports what was decided.
      this.#decision ??= outcome
      this.fail(error)
      return this.finish(outcome)
    })
  }

  /** RPCFinish, once. */
  finish(outcome: outcomes.Outcome): Effect.Effect<void> {
    return this.#lifecycle.finish(outcome)
  }

  /** The scope of the call has closed: whatever has not ended yet ends now. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    this.release()
    // A budget ran out, and nobody asked afterwards.
    if (this.failure instanceof RpcError) return this.finish(outcomes.failed(this.failure))
    // Fibers outside the scope may still wait at the stream.
    return this.end(this.#cancelled(), outcomes.ofScope(exit))
  }
}

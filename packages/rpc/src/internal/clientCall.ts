/**
 * One streaming call on the client: a duplex whose end is a status, and whose scope is its lifecycle.
 *
 * @internal
 */
import * as Metadata from "@millrace/transport/Metadata"
import type { RawClientStream, RawEnd } from "@millrace/transport/RawStream"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { EndReason } from "../RpcTracer.ts"
import type { Budgets } from "./budgets.ts"
import { Duplex, type Environment } from "./duplex.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import type { MethodPlan } from "./plan.ts"

/** @internal */
export class ClientCall extends Duplex<unknown, unknown> {
  declare readonly raw: RawClientStream
  readonly #lifecycle: Lifecycle
  readonly #onHeader: ((header: Metadata.Metadata) => void) | undefined
  readonly #onTrailer: ((trailer: Metadata.Metadata) => void) | undefined
  #headerSeen = false
  #trailerSeen = false
  #waiting: Array<() => void> | undefined
  #answer: { readonly message: unknown } | undefined
  #endError: CallError | undefined
  #decision: { readonly reason: EndReason; readonly exit: Exit.Exit<void, RpcError> } | undefined

  constructor(
    env: Environment,
    info: RpcInfo,
    raw: RawClientStream,
    plan: MethodPlan,
    budgets: Budgets,
    lifecycle: Lifecycle,
    onHeader: ((header: Metadata.Metadata) => void) | undefined,
    onTrailer: ((trailer: Metadata.Metadata) => void) | undefined
  ) {
    super(env, info, raw, plan.decodeResponse, plan.encodeRequest, budgets)
    this.#lifecycle = lifecycle
    lifecycle.counts = this
    this.#onHeader = onHeader
    this.#onTrailer = onTrailer
  }

  // --- operations ----------------------------------------------------------------------------------------------------------

  /** The one request of a method that has one, and the half close behind it. Never waits: the buffer is empty. */
  request(message: unknown): Effect.Effect<void, CallError> {
    return Effect.suspend(() => {
      const wrote = this.writeNow([message], 0, true)
      if (typeof wrote === "number") return Effect.void
      // Without its request the stream is of no use to anybody.
      return Effect.catch(wrote, (error) => {
        this.fail(error)
        return this.refused(error)
      })
    })
  }

  readonly closeSend: Effect.Effect<void, CallError> = Effect.sync(() => {
    if (this.failure === undefined) this.raw.closeSend()
  })

  /**
   * The one response of a method that has one. The end of the stream is read behind it, as Kitex does
   * (`codec/grpc/grpc.go`).
   */
  readonly response: Effect.Effect<unknown, CallError> = Effect.suspend(() =>
    this.#answer === undefined ? this.#first : Effect.succeed(this.#answer)
  ).pipe(
    Effect.flatMap((answer) =>
      Effect.suspend(() => this.recv()).pipe(
        Effect.matchEffect({
          onFailure: (error) => (Cause.isDone(error) ? Effect.succeed(answer.message) : Effect.fail(error)),
          onSuccess: () =>
            Effect.suspend(() => {
              const error = errors.secondResponse(this.info)
              this.fail(error)
              return Effect.andThen(this.finish("error", Exit.fail(error)), Effect.fail(error))
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
    if (this.failure !== undefined) return this.refused(this.failure)
    const end = this.raw.end
    if (end === undefined) return this.#wait(() => this.header)
    // Trailers alone: there is no header, and that is no failure.
    return end._tag === "Failed" ? this.#endOf(end) : Effect.succeed(Metadata.empty)
  })

  readonly trailer: Effect.Effect<Metadata.Metadata, CallError> = Effect.suspend(() => {
    if (this.raw.trailer !== undefined) return Effect.succeed(this.raw.trailer)
    if (this.failure !== undefined) return this.refused(this.failure)
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
    const waiting = this.#waiting
    if (
      waiting !== undefined &&
      (this.raw.header !== undefined || this.raw.end !== undefined || this.failure !== undefined)
    ) {
      this.#waiting = undefined
      for (const wake of waiting) wake()
    }
    super.onReadable()
  }

  override recv(): Effect.Effect<unknown, CallError | Cause.Done> {
    this.#tellHeader()
    return super.recv()
  }

  override recvAll() {
    this.#tellHeader()
    return super.recvAll()
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
    const error = errors.cancelled(this.info)
    return this.end("explicit", error, Exit.fail(error))
  })

  readonly finishWith = (error?: RpcError): Effect.Effect<void> =>
    this.end("explicit", error ?? errors.cancelled(this.info), error === undefined ? Exit.void : Exit.fail(error))

  /** True when nothing more can come of this call. */
  get over(): boolean {
    return this.failure !== undefined || this.raw.end !== undefined
  }

  // --- ending --------------------------------------------------------------------------------------------------------------

  onAbort(): void {}

  protected ended(end: RawEnd): Effect.Effect<never, CallError | Cause.Done> {
    if (end._tag === "Status") {
      this.#tellHeader()
      this.#tellTrailer()
      if (errors.fromStatus(this.info, end.status) === undefined) {
        this.release()
        return Effect.andThen(this.finish("eof", Exit.void), Cause.done())
      }
    }
    return this.#endOf(end)
  }

  /** The error of an end that is not a good one: reported, and failed with, each time the same. */
  #endOf(end: RawEnd): Effect.Effect<never, CallError> {
    const error = (this.#endError ??= this.#errorOf(end))
    if (this.raw.available === 0) this.release()
    return this.refused(error)
  }

  protected override refused(error: CallError): Effect.Effect<never, CallError> {
    if (this.#lifecycle.finished) return Effect.fail(error)
    const decision = this.#decision
    if (decision !== undefined) return Effect.andThen(this.finish(decision.reason, decision.exit), Effect.fail(error))
    return Effect.andThen(
      error instanceof BizStatusError ? this.finish("error", Exit.void, error) : this.finish("error", Exit.fail(error)),
      Effect.fail(error)
    )
  }

  #errorOf(end: RawEnd): CallError {
    if (end._tag === "Status") return errors.fromStatus(this.info, end.status) ?? errors.streamDone(this.info)
    if (end._tag === "HalfClosed") return errors.streamDone(this.info)
    // Both ends run out of time at one moment; whose word arrives first must not change the answer.
    return end.error.code === 1 && this.deadlinePassed
      ? errors.deadlineExceeded(this.info)
      : errors.fromTransport(this.info, end.error)
  }

  protected sendRefused(): Effect.Effect<void, CallError> {
    const end = this.raw.end
    if (end === undefined || end._tag === "HalfClosed") return Effect.fail(errors.streamDone(this.info))
    if (end._tag === "Failed") return this.#endOf(end)
    return end.status.code === 0
      ? Effect.fail(errors.streamDone(this.info))
      : Effect.catch(this.#endOf(end), () => Effect.fail(errors.statusError(this.info, end.status)))
  }

  protected failed(): void {
    this.raw.abort("cancel", errors.localCancel)
  }

  /** An end that this side decided on. */
  end(reason: EndReason, error: CallError, exit: Exit.Exit<void, RpcError>): Effect.Effect<void> {
    return Effect.suspend(() => {
      // Whoever waits hears of the error first, and reports what was decided.
      this.#decision ??= { reason, exit }
      this.fail(error)
      return this.finish(reason, exit)
    })
  }

  /** RPCFinish, once. */
  finish(reason: EndReason, exit: Exit.Exit<void, RpcError>, bizError?: BizStatusError): Effect.Effect<void> {
    return this.#lifecycle.finish(reason, exit, bizError)
  }

  /** The scope of the call has closed: whatever has not ended yet ends now. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    this.release()
    // A budget ran out, and nobody asked afterwards.
    if (this.failure instanceof RpcError) return this.finish("error", Exit.fail(this.failure))
    if (Exit.isSuccess(exit)) return this.#close("earlyEnd", Exit.void)
    if (Cause.hasInterruptsOnly(exit.cause)) return this.#close("interrupted", Exit.interrupt())
    return this.#close("error", Exit.failCause(exit.cause as Cause.Cause<RpcError>))
  }

  #close(reason: EndReason, exit: Exit.Exit<void, RpcError>): Effect.Effect<void> {
    // Fibers outside the scope may still wait at the stream.
    return this.end(reason, errors.cancelled(this.info), exit)
  }
}

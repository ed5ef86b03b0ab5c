/**
 * What tracers hear of one call: exactly one RPCStart and one RPCFinish, and what happens to its stream between them.
 *
 * @internal
 */
import * as Metadata from "@millrace/transport/Metadata"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { RpcFinish } from "../RpcTracer.ts"
import type { Outcome } from "./outcome.ts"
import type { Timers } from "./timers.ts"
import * as tracing from "./tracing.ts"

/** Where a lifecycle reads what RPCFinish reports. @internal */
export interface Counts {
  readonly sendCount: number
  readonly recvCount: number
  readonly sendBytes: number
  readonly recvBytes: number
  /** Tells of what is counted, and was not told of because middleware is not done with it. */
  readonly tellRest?: () => void
}

const none: Counts = { sendCount: 0, recvCount: 0, sendBytes: 0, recvBytes: 0 }

// Milliseconds are too coarse for calls. As a number: it is exact for months.
const nanos = ({ clock }: Timers): number => Number(clock.monotonicTimeNanosUnsafe())

/** Hears of a call beside its tracers, once of each. @internal */
export interface Observer {
  created(): void
  answered(): void
  ended(outcome: Outcome): void
}

/** @internal */
export class Lifecycle {
  /** Who admitted the call, and where it went. */
  observer: Observer | undefined = undefined
  /** Where a timeout interrupts the call: its error, once the time is over. */
  declare overdue?: () => RpcError | undefined
  started = false
  finished = false
  counts: Counts = none
  info: RpcInfo
  readonly #tracers: ReadonlyArray<tracing.DirectTracer>
  readonly #timers: Timers
  readonly #startedAt: number
  #stream: "none" | "started" | "header" | "finished" = "none"

  constructor(tracers: ReadonlyArray<tracing.DirectTracer>, timers: Timers, info: RpcInfo) {
    this.#tracers = tracers
    this.#timers = timers
    this.info = info
    this.#startedAt = tracers.length === 0 ? 0 : nanos(timers)
  }

  /** Neither a start nor a finish takes an effect: {@link begin} and {@link end} may stand in for them. */
  get direct(): boolean {
    return tracing.areDirect(this.#tracers)
  }

  /** In place of {@link start}: gives the context of the call, made from that of its fiber. */
  begin(context: Context.Context<never>): Context.Context<never> {
    this.started = true
    return tracing.begin(this.#tracers, this.info, context)
  }

  /**
   * Whoever runs it provides the context that it gives, in place of the fiber's, to everything inside of the call. All
   * tracers start or none: they all finish a call that was started.
   */
  start(): Effect.Effect<Context.Context<never> | undefined> {
    if (this.#tracers.length === 0) return Effect.undefined
    return Effect.uninterruptible(
      Effect.suspend(() => {
        this.started = true
        return tracing.start(this.#tracers, this.info)
      })
    )
  }

  /** The request headers are on their way, or have come. */
  streamStart(): void {
    if (this.#stream !== "none" || this.finished) return
    this.#stream = "started"
    this.observer?.created()
    for (const tracer of this.#tracers) tracer.streamStart?.(this.info)
  }

  /** The response headers have come: the first word counts. */
  streamRecvHeader(header: Metadata.Metadata): void {
    if (this.#stream !== "started") return
    this.#stream = "header"
    this.observer?.answered()
    for (const tracer of this.#tracers) tracer.streamRecvHeader?.(this.info, header)
  }

  handlerStart(): void {
    if (this.finished) return
    for (const tracer of this.#tracers) tracer.handlerStart?.(this.info)
  }

  handlerFinish(): void {
    if (this.finished) return
    for (let at = this.#tracers.length - 1; at >= 0; at--) this.#tracers[at]!.handlerFinish?.(this.info)
  }

  /** The stream is over on the wire: the first word counts, and RPCFinish says it at the latest. */
  streamFinish(trailer: Metadata.Metadata = Metadata.empty): void {
    if (this.#stream !== "started" && this.#stream !== "header") return
    this.#stream = "finished"
    for (let at = this.#tracers.length - 1; at >= 0; at--) this.#tracers[at]!.streamFinish?.(this.info, trailer)
  }

  finish(outcome: Outcome): Effect.Effect<void> {
    if (!this.started || this.finished) {
      if (!this.finished) this.observer?.ended(outcome)
      this.finished = true
      return Effect.void
    }
    // Marked by the step that runs the tracers: a fiber interrupted before it leaves the report to the scope.
    return Effect.uninterruptible(
      Effect.suspend(() => {
        if (this.finished) return Effect.void
        this.counts.tellRest?.()
        this.finished = true
        this.observer?.ended(outcome)
        return tracing.finish(this.#tracers, this.#event(outcome))
      })
    )
  }

  /** In place of {@link finish}. */
  end(outcome: Outcome): void {
    if (this.finished) return
    this.counts.tellRest?.()
    this.finished = true
    this.observer?.ended(outcome)
    if (this.started) tracing.end(this.#tracers, this.#event(outcome))
  }

  #event({ bizError, exit, reason }: Outcome): RpcFinish {
    this.streamFinish()
    const { recvBytes, recvCount, sendBytes, sendCount } = this.counts
    const durationMillis = (nanos(this.#timers) - this.#startedAt) / 1e6
    return {
      info: this.info,
      reason,
      exit,
      bizError,
      durationMillis,
      sendCount,
      recvCount,
      sendBytes,
      recvBytes
    }
  }
}

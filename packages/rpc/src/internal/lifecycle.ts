/**
 * RPCStart and RPCFinish of one call: exactly one of each.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { BizStatusError } from "../BizStatusError.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { EndReason, RpcTracer } from "../RpcTracer.ts"
import type { Timers } from "./timers.ts"
import * as tracing from "./tracing.ts"

/** Where a lifecycle reads what RPCFinish reports. @internal */
export interface Counts {
  readonly sendCount: number
  readonly recvCount: number
  readonly sendBytes: number
  readonly recvBytes: number
}

/** How a call ended. @internal */
export interface Outcome {
  readonly reason: EndReason
  readonly exit: Exit.Exit<void, RpcError>
  readonly bizError: BizStatusError | undefined
}

/** @internal */
export const completed: Outcome = { reason: "eof", exit: Exit.void, bizError: undefined }

const none: Counts = { sendCount: 0, recvCount: 0, sendBytes: 0, recvBytes: 0 }

/** @internal */
export class Lifecycle {
  finished = false
  counts: Counts = none
  info: RpcInfo
  readonly #tracers: ReadonlyArray<RpcTracer>
  readonly #timers: Timers
  readonly #startedAt: number

  constructor(tracers: ReadonlyArray<RpcTracer>, timers: Timers, info: RpcInfo) {
    this.#tracers = tracers
    this.#timers = timers
    this.info = info
    this.#startedAt = tracers.length === 0 ? 0 : timers.now()
  }

  start(): Effect.Effect<void> {
    return this.#tracers.length === 0 ? Effect.void : tracing.start(this.#tracers, this.info)
  }

  finish(
    reason: EndReason,
    exit: Exit.Exit<void, RpcError>,
    bizError: BizStatusError | undefined
  ): Effect.Effect<void> {
    if (this.#tracers.length === 0 || this.finished) {
      this.finished = true
      return Effect.void
    }
    // Marked by the step that runs the tracers: a fiber interrupted before it leaves the report to the scope.
    return Effect.uninterruptible(
      Effect.suspend(() => {
        if (this.finished) return Effect.void
        this.finished = true
        const { sendCount, recvCount, sendBytes, recvBytes } = this.counts
        return tracing.finish(this.#tracers, {
          info: this.info,
          reason,
          exit,
          bizError,
          durationMillis: this.#timers.now() - this.#startedAt,
          sendCount,
          recvCount,
          sendBytes,
          recvBytes
        })
      })
    )
  }
}

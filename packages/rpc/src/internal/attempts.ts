/**
 * The attempts of one call that a policy may run several times, also side by side: one call for its tracers, which report the
 * attempt that counted, the last that came to an end of its own.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallPolicy } from "../CallPolicy.ts"
import * as Deadline from "../Deadline.ts"
import * as Metainfo from "../Metainfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type { ClientInfo } from "./clientInfo.ts"
import * as errors from "./errors.ts"
import { type Counts, Lifecycle } from "./lifecycle.ts"
import { retryKey } from "./retryKey.ts"
import type { Timers } from "./timers.ts"
import { tracedCall } from "./tracedCall.ts"
import * as tracing from "./tracing.ts"

/** One of them. @internal */
export interface AttemptCall {
  readonly info: ClientInfo
  readonly counts: Counts
  readonly run: Effect.Effect<unknown, unknown>
  /** Tells of what tracers hear of the attempt that counted alone. */
  readonly tellRest?: (lifecycle: Lifecycle) => void
}

/** Makes one; `hostPort` is where it has to go. @internal */
export type MakeAttempt = (
  fiber: Fiber.Fiber<unknown, unknown>,
  lifecycle: Lifecycle,
  hostPort: string | undefined
) => AttemptCall

/** @internal */
export interface Policies {
  readonly retry?: CallPolicy | undefined
  readonly fallback?: CallPolicy | undefined
}

/** What all calls of a client have. @internal */
export interface AttemptsEnvironment {
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly timers: Timers
}

class Attempts {
  readonly #lifecycle: Lifecycle
  readonly #info: ClientInfo
  readonly #make: MakeAttempt
  readonly #all: Array<AttemptCall> = []
  #counted: AttemptCall | undefined

  constructor(lifecycle: Lifecycle, info: ClientInfo, make: MakeAttempt) {
    this.#lifecycle = lifecycle
    this.#info = info
    this.#make = make
  }

  readonly attempt = (number: number, sameInstance = false): Effect.Effect<unknown, unknown> =>
    Effect.withFiber((fiber) => {
      const last = this.#all.at(-1)?.info.address ?? ""
      const attempt = this.#make(fiber, this.#lifecycle, sameInstance && last !== "" ? last : undefined)
      attempt.info.attempt = number
      attempt.info.earlier = this.#addresses()
      this.#all.push(attempt)
      const run = Effect.onExitPrimitive(attempt.run, (exit) => {
        if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) this.#counted = attempt
        return undefined
      })
      return number > 0 ? Metainfo.withPersistentValue(run, retryKey, `${number}`) : run
    })

  report(): void {
    const attempt = this.#counted ?? this.#all.at(-1)
    if (attempt === undefined) return
    const { address, bizError, logId } = attempt.info
    Object.assign(this.#info, { address, bizError, logId, attempt: this.#all.length - 1 })
    this.#lifecycle.counts = attempt.counts
    attempt.tellRest?.(this.#lifecycle)
  }

  #addresses(): ReadonlyArray<string> {
    const addresses = new Set(this.#all.map(({ info }) => info.address))
    addresses.delete("")
    return [...addresses]
  }
}

/**
 * A call with its policies. `deadline` is that of all attempts, infinite for none; `info` is that of the call, with its
 * request.
 *
 * @internal
 */
export const inAttempts = (
  env: AttemptsEnvironment,
  info: ClientInfo,
  { fallback, retry }: Policies,
  deadline: number,
  make: MakeAttempt
): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const lifecycle = new Lifecycle(env.tracers, env.timers, info)
    const attempts = new Attempts(lifecycle, info, make)
    const retried = Effect.suspend(() =>
      retry === undefined ? attempts.attempt(0) : retry.run(attempts.attempt, info)
    )
    const bounded = deadline === Infinity ? retried : Effect.provideService(retried, Deadline.Current, deadline)
    let outcome: Exit.Exit<unknown, unknown> | undefined
    const ended = Effect.onExitPrimitive(bounded, (exit) => {
      outcome = exit
      attempts.report()
      return undefined
    })
    const answer = fallback === undefined ? ended : Effect.suspend(() => fallback.run(() => ended, info))
    if (env.tracers.length === 0) return answer
    return tracedCall(
      lifecycle,
      (context) => tracing.within(answer, context),
      (exit) => (outcome === undefined || (fallback?.reportsAnswer === true && hasFailed(outcome)) ? exit : outcome)
    )
  })

/** A business error is none here: Kitex reports it, whatever stands in for it (`fallback/fallback.go`). */
const hasFailed = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && !(errors.causeFailure(exit.cause)?.value instanceof BizStatusError)

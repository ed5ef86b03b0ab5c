/**
 * The retries of one call: which of its outcomes are worth another attempt, and whether and when that may begin.
 *
 * @internal
 */
import * as Deadline from "@millrace/rpc/Deadline"
import { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { ServiceKeys } from "../breaker/serviceKey.ts"
import { SteadyTime } from "../breaker/steadyTime.ts"
import { Window } from "../breaker/window.ts"
import type { Budget } from "./budget.ts"
import { hint } from "./hint.ts"
import type { Plan } from "./plan.ts"
import * as retryable from "./retryable.ts"

/** @internal */
export type Outcome = Exit.Exit<unknown, unknown>

/** What the calls of one policy share. @internal */
export interface Shared {
  readonly rules: retryable.Rules
  readonly budget: Budget | undefined
  readonly windows: Windows
}

// Samples that a breaker needs before it says anything (Kitex `retry/policy.go`).
const fewestSamples = 10

// Methods of callers and callees; more than that are nobody's own.
const mostWindows = 1000

/** How attempts ended, for each caller, callee and method. @internal */
export class Windows {
  /** That of the windows: what failed does not stay in them longer because the clock was set back. */
  readonly time = new SteadyTime()
  readonly #kept = new Map<string, Window>()
  readonly #keys = new ServiceKeys()

  of(info: RpcInfo): Window {
    const key = this.#keys.of(info)
    let window = this.#kept.get(key)
    if (window === undefined) {
      if (this.#kept.size >= mostWindows) this.#kept.clear()
      window = new Window()
      this.#kept.set(key, window)
    }
    return window
  }
}

/** @internal */
export class Course {
  readonly plan: Plan
  /** Why the last question for another attempt was answered with no, in Kitex's words; undefined where that goes without saying. */
  refusal: string | undefined
  readonly #clock: Clock.Clock
  readonly #shared: Shared
  readonly #info: RpcInfo
  readonly #random: Random.Random
  readonly #window: Window
  readonly #startedAt: number
  readonly #deadline: number
  readonly #stopped: string | undefined

  /** `stopped` says why there is no other attempt anyway. */
  constructor(
    plan: Plan,
    shared: Shared,
    info: RpcInfo,
    fiber: Fiber.Fiber<unknown, unknown>,
    stopped: string | undefined
  ) {
    this.plan = plan
    this.#stopped = stopped
    this.#clock = fiber.getRef(Clock.Clock)
    this.#shared = shared
    this.#info = info
    this.#random = fiber.getRef(Random.Random)
    this.#window = shared.windows.of(info)
    this.#startedAt = this.#clock.currentTimeMillisUnsafe()
    this.#deadline = fiber.getRef(Deadline.Current) ?? Infinity
    shared.budget?.deposit()
  }

  /** An attempt has ended, and was not interrupted because another was quicker. */
  ended(outcome: Outcome): void {
    const ok = Exit.isSuccess(outcome) ? true : countsAs(outcome.cause)
    if (ok === undefined) return
    const now = this.#shared.windows.time.at(this.#clock.currentTimeMillisUnsafe())
    if (ok) this.#window.success(now)
    else this.#window.failure(now)
  }

  /** Whether it is no outcome of the call as long as other attempts run. */
  isRefusedHere(outcome: Outcome): boolean {
    const failure = Exit.isFailure(outcome) ? failureIn(outcome.cause) : undefined
    return failure !== undefined && retryable.isRefusedHere(failure.error)
  }

  /** Whether an outcome is worth another attempt. */
  isRetryable(outcome: Outcome): boolean {
    const { rules } = this.#shared
    if (Exit.isSuccess(outcome)) return rules.retryableResult?.(outcome.value, this.#info) === true
    const failure = failureIn(outcome.cause)
    return failure !== undefined && retryable.isRetryable(failure.error, this.plan.retryTimeouts, rules, this.#info)
  }

  /** Milliseconds from an outcome until attempt `number` may begin; undefined: it may not. */
  again(number: number, outcome: Outcome): number | undefined {
    const failure = Exit.isFailure(outcome) ? failureIn(outcome.cause) : undefined
    const wait = Math.max(
      this.plan.backoff(number, () => this.#random.nextDoubleUnsafe()),
      hint(failure?.error)
    )
    return this.#allows(number, wait) ? wait : undefined
  }

  /** Whether attempt `number` may begin now, beside those that have no answer yet. */
  beside(number: number): boolean {
    return this.#allows(number, 0)
  }

  /** The attempt that was waited for will not begin: nobody waits any more, or another was quicker. */
  unused(): void {
    this.#shared.budget?.giveBack()
  }

  #allows(number: number, wait: number): boolean {
    const { errorRate, maxDuration, maxRetries } = this.plan
    this.refusal = this.#stopped
    if (this.#stopped !== undefined) return false
    if (number > maxRetries) return false
    const now = this.#clock.currentTimeMillisUnsafe()
    const begins = now + wait
    if (begins - this.#startedAt > maxDuration || begins >= this.#deadline) return false
    const window = this.#window
    window.advance(this.#shared.windows.time.at(now))
    if (window.samples >= fewestSamples && window.errorRate >= errorRate) {
      const rate = window.errorRate.toFixed(3)
      this.refusal = `retried ${number - 1}, retry circuit break, errRate=${rate}, sample=${window.samples}`
      return false
    }
    if (this.#shared.budget?.withdraw() === false) {
      this.refusal = `retried ${number - 1}, retry budget is used up`
      return false
    }
    return true
  }
}

/** The one failure of a cause, where it is nothing else: neither a defect nor an interruption is worth another attempt. */
const failureIn = (cause: Cause.Cause<unknown>): Cause.Fail<unknown> | undefined => {
  const [reason] = cause.reasons
  return cause.reasons.length === 1 && Cause.isFailReason(reason!) ? reason : undefined
}

const countsAs = (cause: Cause.Cause<unknown>): boolean | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return undefined
  const failure = failureIn(cause)
  return failure === undefined ? false : retryable.countsAs(failure.error)
}

/** Says in an error of a call why it was not tried again, where Kitex does. @internal */
export const explained = (outcome: Outcome, why: string | undefined): Outcome => {
  if (why === undefined || Exit.isSuccess(outcome)) return outcome
  const error = failureIn(outcome.cause)?.error
  if (!(error instanceof RpcError)) return outcome
  const colon = error.desc.indexOf(": ")
  const end = colon < 0 ? error.desc.length : colon
  const desc = `${error.desc.slice(0, end)}[${why}]${error.desc.slice(end)}`
  return Exit.fail(new RpcError({ ...error, desc }))
}

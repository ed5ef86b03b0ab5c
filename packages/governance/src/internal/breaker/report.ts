/**
 * What others see of circuit breakers: a stream of changes, metrics, and lines of log.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { BreakerState } from "./breaker.ts"
import type { Listener } from "./keyBreaker.ts"
import { BreakerMetrics } from "./breakerMetrics.ts"
import { bucketCount, bucketMillis, type Counts } from "./window.ts"

/** A change of state. @internal */
export interface StateChange {
  readonly level: "service" | "instance"
  /** Whose breaker: as in the reason `CircuitOpen` of those that it refuses. */
  readonly key: string
  readonly from: BreakerState
  readonly to: BreakerState
  /** What the calls of the last ten seconds came to. */
  readonly successes: number
  readonly failures: number
  readonly timeouts: number
  /** All of them. */
  readonly samples: number
  /** Milliseconds of the clock. */
  readonly at: number
}

const windowSeconds = (bucketMillis * bucketCount) / 1000

/** @internal */
export class Report implements Listener {
  readonly #level: StateChange["level"]
  readonly #context: Context.Context<never>
  readonly #changes: PubSub.PubSub<StateChange>
  readonly #now: () => number
  readonly #metrics: BreakerMetrics

  constructor(
    level: StateChange["level"],
    context: Context.Context<never>,
    changes: PubSub.PubSub<StateChange>,
    now: () => number
  ) {
    this.#level = level
    this.#context = context
    this.#changes = changes
    this.#now = now
    this.#metrics = new BreakerMetrics(level, context)
  }

  added(key: string): void {
    this.#metrics.add(key)
  }

  removed(key: string): void {
    this.#metrics.remove(key)
  }

  refused(key: string): void {
    this.#metrics.refused(key)
  }

  changed(key: string, from: BreakerState, to: BreakerState, counts: Counts): void {
    this.#metrics.changed(key, to)
    const samples = counts.successes + counts.failures + counts.timeouts
    const change = { level: this.#level, key, from, to, ...counts, samples, at: this.#now() }
    Effect.runForkWith(this.#context)(Effect.andThen(PubSub.publish(this.#changes, change), log(change)))
  }
}

/** Opening and closing are news; that a probe runs or fails is not. */
const log = (change: StateChange): Effect.Effect<void> => {
  const { failures, from, key, level, samples, timeouts, to } = change
  const whose = `the circuit breaker of ${level} ${key}`
  const numbers = `${failures} failures and ${timeouts} timeouts in the last ${samples} calls, of ${windowSeconds} s`
  if (to === "closed") return Effect.logInfo(`${whose} is closed: calls run again`)
  if (from === "closed") return Effect.logWarning(`${whose} is open, calls are refused: ${numbers}`)
  return Effect.logDebug(`${whose} is ${to === "open" ? "open again, a probe failed" : "half-open: calls probe it"}`)
}

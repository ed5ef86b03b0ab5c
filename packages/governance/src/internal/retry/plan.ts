/**
 * The settings of a retry policy as its calls use them: with defaults, in milliseconds.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import type { Backoff, Mixed } from "./config.ts"

/** @internal */
export type Kind = "failure" | "backup" | "mixed"

/** Those of all kinds: of both, failures and backups. */
type Settings = Partial<(typeof Mixed)["Type"]>

/** @internal */
export interface Plan {
  readonly kind: Kind
  readonly maxRetries: number
  /** Until another attempt begins beside those that run. */
  readonly delay: number
  readonly maxDuration: number
  /** Milliseconds before attempt `number`. */
  readonly backoff: (number: number, random: () => number) => number
  readonly retryTimeouts: boolean
  readonly sameInstance: boolean
  readonly chainStop: boolean
  readonly errorRate: number
}

// Kitex's (`retry/failure.go`, `backup.go`, `mixed.go`).
const usualRetries = { failure: 2, backup: 1, mixed: 1 }

/** @internal */
export const make = (kind: Kind, settings: Settings): Plan => {
  const { chainStop = true, errorRate = 0.1, retryTimeouts = true, sameInstance = false } = settings
  return {
    kind,
    maxRetries: settings.maxRetries ?? usualRetries[kind],
    delay: millis(settings.delay, Infinity),
    maxDuration: millis(settings.maxDuration, Infinity),
    backoff: backoff(settings.backoff ?? { type: "none" }),
    retryTimeouts,
    sameInstance,
    chainStop,
    errorRate
  }
}

const millis = (input: Duration.Input | undefined, absent: number): number =>
  input === undefined ? absent : Duration.toMillis(input)

const backoff = (policy: (typeof Backoff)["Type"]): Plan["backoff"] => {
  switch (policy.type) {
    case "none":
      return () => 0
    case "fixed": {
      const delay = millis(policy.delay, 0)
      return () => delay
    }
    case "random": {
      const min = millis(policy.min, 0)
      const range = millis(policy.max, 0) - min
      return (_number, random) => min + Math.floor(random() * range)
    }
    case "exponential": {
      const { factor = 2 } = policy
      const initial = millis(policy.initial, 0)
      const max = millis(policy.max, 10_000)
      // Half of it by chance: clients that failed together do not come back together.
      return (number, random) => Math.min(max, initial * factor ** (number - 1)) * (0.5 + random() / 2)
    }
  }
}

/**
 * All timers of one connection in one fiber.
 *
 * @internal
 */
import * as Effect from "effect/Effect"

/** @internal */
export interface Timer {
  /** Milliseconds; infinite: never. */
  readonly timeout: number
  /** When what it watches began; undefined while there is nothing to watch. */
  readonly since: () => number | undefined
  readonly expire: () => void
}

/**
 * Runs until interrupted. A timer that is not set now cannot expire before its whole timeout has passed, so sleeping
 * for the least of what is left misses none, however they are set meanwhile.
 *
 * @internal
 */
export const watch = (timers: ReadonlyArray<Timer>, now: () => number): Effect.Effect<never> => {
  const live = timers.filter((timer) => Number.isFinite(timer.timeout))
  if (live.length === 0) return Effect.never
  const round = (): number => {
    const at = now()
    let next = Infinity
    for (const timer of live) {
      let since = timer.since()
      if (since !== undefined && since + timer.timeout <= at) {
        timer.expire()
        since = timer.since()
      }
      next = Math.min(next, since === undefined ? timer.timeout : Math.max(1, since + timer.timeout - at))
    }
    return next
  }
  return Effect.forever(
    Effect.suspend(() => Effect.sleep(round())),
    { disableYield: true }
  )
}

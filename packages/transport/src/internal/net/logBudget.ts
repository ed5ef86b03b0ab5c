/**
 * Warnings that peers can cause, as many as somebody may want to read.
 *
 * @internal
 */
import { Bucket } from "../http2/limits.ts"

const budget = { burst: 20, perSecond: 1 }

/** Lets lines through within a budget, and counts the others. `now` in milliseconds. @internal */
export const withinBudget = (log: (message: string) => void, now: () => number): ((message: string) => void) => {
  const bucket = new Bucket(budget)
  let dropped = 0
  return (message) => {
    if (!bucket.take(now())) {
      dropped++
      return
    }
    log(dropped === 0 ? message : `${message} (and ${dropped} more like it)`)
    dropped = 0
  }
}

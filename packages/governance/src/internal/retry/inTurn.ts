/**
 * Attempts one after the other.
 *
 * @internal
 */
import type { Attempt } from "@millrace/rpc/CallPolicy"
import * as Effect from "effect/Effect"
import { type Course, explained, type Outcome } from "./course.ts"

/** @internal */
export const inTurn = (course: Course, attempt: Attempt): Effect.Effect<unknown, unknown> => {
  const from = (number: number): Effect.Effect<unknown, unknown> =>
    Effect.flatMap(Effect.exit(attempt(number, course.plan.sameInstance)), (outcome: Outcome) => {
      course.ended(outcome)
      if (!course.isRetryable(outcome)) return outcome
      const wait = course.again(number + 1, outcome)
      if (wait === undefined) return explained(outcome, course.refusal)
      if (wait === 0) return from(number + 1)
      const waited = Effect.onInterrupt(Effect.sleep(wait), () => Effect.sync(() => course.unused()))
      return Effect.andThen(waited, from(number + 1))
    })
  return from(0)
}

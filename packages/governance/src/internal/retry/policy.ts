/**
 * A policy out of its plan: what its calls share, and the choice between attempts in turn and side by side.
 *
 * @internal
 */
import type { CallPolicy } from "@millrace/rpc/CallPolicy"
import * as Metainfo from "@millrace/rpc/Metainfo"
import * as Effect from "effect/Effect"
import type { Budget } from "./budget.ts"
import { Course, type Shared, Windows } from "./course.ts"
import { inTurn } from "./inTurn.ts"
import type { Plan } from "./plan.ts"
import type { Rules } from "./retryable.ts"
import { sideBySide } from "./sideBySide.ts"

/** Kitex's `TransitKey`, as it is set, and as it comes out of HTTP/2 headers. */
const retryKeys = ["RetryReq", "RETRYREQ"]

/** @internal */
export const isRetry: Effect.Effect<boolean> = Effect.map(Metainfo.current, ({ persistent }) =>
  retryKeys.some((key) => persistent.has(key))
)

// Kitex's words.
const chainStopped = "chain stop retry"

/** `read` gives the plan of now, undefined for no retries. @internal */
export const policyOf = (read: () => Plan | undefined, rules: Rules, budget: Budget | undefined): CallPolicy => {
  const shared: Shared = { rules, budget, windows: new Windows() }
  return {
    run: (attempt, info) => {
      const plan = read()
      if (plan === undefined || plan.maxRetries === 0) return attempt(0)
      const run = (stopped: boolean) =>
        Effect.withFiber((fiber) => {
          const course = new Course(plan, shared, info, fiber, stopped ? chainStopped : undefined)
          return plan.kind === "failure" || stopped
            ? inTurn(course, attempt)
            : sideBySide(course, attempt, plan.kind === "mixed")
        })
      return plan.chainStop ? Effect.flatMap(isRetry, run) : run(false)
    }
  }
}

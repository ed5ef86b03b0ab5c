/**
 * A call of one answer between its RPCStart and its RPCFinish.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import { RpcError } from "../RpcError.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import { broken, completed, failed, interrupted, type Outcome } from "./outcome.ts"

type AnyExit = Exit.Exit<unknown, unknown>

const asItIs = (exit: AnyExit): AnyExit => exit

/**
 * Gives `call` the context that it runs in, in place of that of its fiber. `reported` says what is reported of what the call came
 * to.
 *
 * @internal
 */
export const tracedCall = <A, E>(
  lifecycle: Lifecycle,
  call: (context: Context.Context<never> | undefined) => Effect.Effect<A, E>,
  reported: (exit: AnyExit) => AnyExit = asItIs
): Effect.Effect<A, E> => {
  if (lifecycle.direct) {
    // A call that is interrupted before it begins has nothing to finish.
    return Effect.onExitPrimitive(
      Effect.withFiber((fiber) => call(lifecycle.begin(fiber.context))),
      (exit) => {
        if (!lifecycle.started) return undefined
        lifecycle.end(outcomeOf(reported(exit)))
        return undefined
      }
    )
  }
  // Nothing comes between a start and the promise of its finish.
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(lifecycle.start(), (context) =>
      Effect.onExit(restore(Effect.suspend(() => call(context))), (exit) => lifecycle.finish(outcomeOf(reported(exit))))
    )
  )
}

/** @internal */
export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return completed
  if (Cause.hasInterruptsOnly(exit.cause)) return interrupted
  const failure = errors.causeFailure(exit.cause)
  if (failure?.value instanceof BizStatusError) return failed(failure.value)
  if (failure?.value instanceof RpcError || failure?.defect === true) {
    return broken(exit.cause as Cause.Cause<RpcError>)
  }
  // A declared exception is an answer.
  return completed
}

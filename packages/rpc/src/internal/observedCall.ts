/**
 * A call of one answer that somebody beside its tracers hears of.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { RpcError } from "../RpcError.ts"
import type { Observer } from "./lifecycle.ts"
import { failed, interrupted, type Outcome } from "./outcome.ts"
import type { Timers } from "./timers.ts"
import { outcomeOf } from "./tracedCall.ts"

/** @internal */
export type EndObserver = Pick<Observer, "ended">

/** Gives the error of a timeout that interrupts the call, once its time is over. @internal */
export type OverdueError = () => RpcError | undefined

const nothing: OverdueError = () => undefined

/** Of a call whose time is over at `due`. Not written straight into a property: see waitingEnd.ts. @internal */
export const overdueAt =
  (timers: Timers, due: number, error: () => RpcError): OverdueError =>
  () =>
    timers.now() >= due ? error() : undefined

/** What observers hear of an interruption: for them a call that its timeout interrupts has failed with that. @internal */
export const interruptedOutcome = (overdue: OverdueError = nothing): Outcome => {
  const error = overdue()
  return error === undefined ? interrupted : failed(error)
}

/** What observers hear of an exit. @internal */
export const observedOutcome = (exit: Exit.Exit<unknown, unknown>, overdue?: OverdueError): Outcome =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? interruptedOutcome(overdue) : outcomeOf(exit)

/** `begin` refuses the call, or gives who hears of its end; `run` runs it. Runs once. @internal */
export const observedCall = <O extends EndObserver | undefined, A, E, R>(
  begin: (fiber: Fiber.Fiber<unknown, unknown>) => RpcError | O,
  run: (observer: O) => Effect.Effect<A, E, R>,
  overdue?: OverdueError
): Effect.Effect<A, E | RpcError, R> => {
  let observer: O | undefined
  // A call that is interrupted before it begins has nobody to tell.
  return Effect.onExitPrimitive(
    Effect.withFiber((fiber): Effect.Effect<A, E | RpcError, R> => {
      const begun = begin(fiber)
      if (begun instanceof RpcError) return Effect.fail(begun)
      observer = begun
      return run(begun)
    }),
    (exit) => {
      observer?.ended(observedOutcome(exit, overdue))
      return undefined
    }
  )
}

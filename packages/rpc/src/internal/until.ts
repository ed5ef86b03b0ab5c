/**
 * A limit for an effect that may do anything, set by the timers that calls share.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Timer, Timers } from "./timers.ts"

class Limited<A, E> implements Timer {
  at = 0
  index = -1
  #fired = false
  #fiber: Fiber.Fiber<void> | undefined
  readonly #overdue: () => E
  readonly #timers: Timers

  constructor(timers: Timers, overdue: () => E) {
    this.#timers = timers
    this.#overdue = overdue
  }

  run(
    self: Effect.Effect<A, E>,
    at: number,
    resume: (effect: Effect.Effect<A, E>) => void
  ): Effect.Effect<void> | undefined {
    this.#timers.arm(this, at)
    const limited = Effect.map(Effect.exit(Effect.interruptible(self)), (exit) => {
      this.#timers.disarm(this)
      resume(
        this.#fired && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Effect.fail(this.#overdue()) : exit
      )
    })
    // It never fails: whoever watches fibers would take its failure for one that nobody hears of.
    const fiber = Effect.runForkWith(Fiber.getCurrent()!.context)(limited, { uninterruptible: true })
    if (fiber.pollUnsafe() !== undefined) return undefined
    this.#fiber = fiber
    return Fiber.interrupt(fiber)
  }

  fire(): undefined {
    this.#fired = true
    this.#fiber?.interruptUnsafe()
  }
}

/**
 * Interrupts an effect at a time of the clock, waits for its finalizers, and fails with `overdue` in its place.
 *
 * @internal
 */
export const until = <A, E>(
  self: Effect.Effect<A, E>,
  timers: Timers,
  at: number,
  overdue: () => E
): Effect.Effect<A, E> => Effect.callback((resume) => new Limited<A, E>(timers, overdue).run(self, at, resume))

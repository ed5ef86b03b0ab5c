/** Virtual time that passes while what is on its way arrives: a pipe in memory takes turns of the loop, no time. */
import { Effect } from "effect"
import { TestClock } from "effect/testing"

/** Lets everything run that can. */
export const settle = Effect.promise(async () => {
  for (let turns = 0; turns < 8; turns++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets everything run until it is so, on sockets too. */
export const until = (so: () => boolean): Effect.Effect<void> =>
  Effect.whileLoop({ while: () => !so(), body: () => turn, step: () => {} })

/** Lets everything run that can, then so much time pass, a step at a time. */
export const pass = (millis: number, step = millis): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* settle
    for (let at = 0; at < millis; at += step) {
      yield* TestClock.adjust(Math.min(step, millis - at))
      yield* settle
    }
  })

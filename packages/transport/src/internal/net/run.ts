/**
 * The life of what reads a socket as an effect: its timers run beside it, and whoever interrupts it closes the socket.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { type Timer, watch } from "./watchdog.ts"

/** A driver, or what comes before one. @internal */
export interface Reader {
  /** Its socket is closed, or somebody else's. */
  readonly over: boolean
  onOver: (() => void) | undefined
  now(): number
  timers(): ReadonlyArray<Timer>
  /** Closes the socket, now. */
  destroy(detail: string): void
}

const over = (reader: Reader): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (reader.over) return resume(Effect.void)
    reader.onOver = () => resume(Effect.void)
  })

/** Done when it is over. @internal */
export const run = (reader: Reader): Effect.Effect<void> =>
  Effect.raceFirst(
    over(reader),
    Effect.suspend(() => watch(reader.timers(), () => reader.now()))
  ).pipe(
    Effect.ensuring(
      Effect.suspend(() => {
        if (reader.over) return Effect.void
        reader.destroy("the transport was closed")
        return over(reader)
      })
    )
  )

/** Runs a function so many milliseconds later, in fibers that end with the scope. @internal */
export const makeAfter: Effect.Effect<(millis: number, run: () => void) => void, never, Scope.Scope> = Effect.map(
  FiberSet.makeRuntime(),
  (fork) => (millis, run) => void fork(Effect.andThen(Effect.sleep(millis), Effect.sync(run)))
)

/**
 * What a server waits for before it stops: side by side, for a limited time, while calls are still taken.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** @internal */
export class BeforeDrain {
  readonly #timeout: Duration.Duration
  readonly #effects = new Set<Effect.Effect<void>>()

  constructor(timeout: Duration.Input) {
    this.#timeout = Duration.fromInputUnsafe(timeout)
  }

  readonly add = (effect: Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope> => {
    // The same effect may be added twice.
    const own = Effect.suspend(() => effect)
    return Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => this.#effects.add(own)),
        () => Effect.sync(() => this.#effects.delete(own))
      )
    )
  }

  readonly run: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#effects.size === 0) return Effect.void
    const all = Effect.forEach(this.#effects, (effect) => Effect.catchCause(effect, logged), {
      concurrency: "unbounded",
      discard: true
    })
    // What cannot be interrupted, as the finalizers of a scope, is left.
    return Effect.flatMap(Effect.forkDetach(all, { startImmediately: true }), (fiber) =>
      Effect.timeoutOrElse(Fiber.await(fiber), {
        duration: this.#timeout,
        orElse: () => {
          fiber.interruptUnsafe()
          return tooLong
        }
      })
    )
  })
}

const logged = (cause: Parameters<typeof Effect.logError>[0]): Effect.Effect<void> =>
  Effect.logError("what the server does before it stops died; it stops all the same", cause)

const tooLong = Effect.logWarning(
  "what the server does before it stops (beforeDrain) takes longer than beforeDrainTimeout: the server stops now"
)

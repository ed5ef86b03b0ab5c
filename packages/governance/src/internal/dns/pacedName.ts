/**
 * One name of DNS, which is not asked too often: an answer holds for a time, a failure for a shorter one.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import type { Resolved, ResolveError } from "../../Resolver.ts"
import type { Found } from "./lookup.ts"

const firstBackoff = 1000

/** Of a clock that is never set back: an answer would hold for as long as that. */
const millis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe() / nanosInMilli)
const nanosInMilli = 1_000_000n

/** @internal */
export class PacedName {
  readonly #lookup: Effect.Effect<Found, ResolveError>
  readonly #minMillis: number
  // Who asks while another does gets its answer; where the first is interrupted, the next one asks.
  readonly #turn = Semaphore.makeUnsafe(1)
  #answer: Exit.Exit<Found, ResolveError> | undefined
  #holdsUntil = 0
  #failures = 0

  constructor(lookup: Effect.Effect<Found, ResolveError>, minMillis: number) {
    this.#lookup = lookup
    this.#minMillis = minMillis
  }

  get resolve(): Effect.Effect<Resolved, ResolveError> {
    return Semaphore.withPermit(
      this.#turn,
      Effect.clockWith((clock) => this.#at(clock))
    )
  }

  #at(clock: Clock.Clock): Effect.Effect<Resolved, ResolveError> {
    const left = this.#holdsUntil - millis(clock)
    if (this.#answer !== undefined && left > 0) {
      return Exit.isSuccess(this.#answer)
        ? Effect.succeed({ instances: this.#answer.value.instances, ttlMillis: left })
        : this.#answer
    }
    return Effect.onExit(
      Effect.map(this.#lookup, (found) => ({ ...found, ttlMillis: Math.max(found.ttlMillis ?? 0, this.#minMillis) })),
      (exit) => Effect.sync(() => this.#keep(exit, millis(clock)))
    )
  }

  #keep(exit: Exit.Exit<Found, ResolveError>, now: number): void {
    if (Exit.hasInterrupts(exit)) return
    this.#answer = exit
    if (Exit.isSuccess(exit)) {
      this.#failures = 0
      this.#holdsUntil = now + Math.max(exit.value.ttlMillis ?? 0, this.#minMillis)
    } else {
      this.#holdsUntil = now + Math.min(this.#minMillis, firstBackoff * 2 ** this.#failures)
      this.#failures++
    }
  }
}

/**
 * Messages a second of one key: a bucket that fills evenly (GCRA). More may be taken than is there: the bucket is then in
 * debt, and whoever took waits until that is paid. So streams that share a key are served in the order in which they took.
 *
 * Its time is counted in messages, those that might have passed since it was made: so a rate that changes counts for what
 * is waited for already, and a clock that is set back holds up nobody.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Account } from "./accounts.ts"

/** @internal */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

// Sums of fractions are not exact: so much of a message, or of a millisecond, is nothing.
const epsilon = 1e-3

/** Whoever waits longer looks at the rate again meanwhile. */
const lookMillis = 1000

/** @internal */
export class MessageRate implements Account {
  /** Streams that wait for what they have taken. */
  waiting = 0
  readonly #rate: () => Rate
  /** So many might have passed, at the last look. */
  #passed = 0
  #lookedAt = Infinity
  /** Where everything that was taken is paid. */
  #taken = -Infinity

  constructor(rate: () => Rate) {
    this.#rate = rate
  }

  /** Whole messages that may pass now; negative in debt. */
  available(now: number): number {
    const { burst, perSecond } = this.#look(now)
    return isLimit(perSecond) ? Math.floor(Math.min(burst, this.#passed - this.#taken) + epsilon) : Infinity
  }

  /** Takes so many: gives a ticket, which says when they may pass. */
  take(count: number, now: number): number {
    const { burst, perSecond } = this.#look(now)
    if (!isLimit(perSecond)) return -Infinity
    return (this.#taken = Math.max(this.#taken, this.#passed - burst) + count)
  }

  /** Milliseconds until what was taken with a ticket may pass. */
  due(ticket: number, now: number): number {
    const { perSecond } = this.#look(now)
    const millis = ((ticket - this.#passed) * 1000) / perSecond
    return isLimit(perSecond) ? Math.max(0, Math.ceil(millis - epsilon)) : 0
  }

  /** Some that were taken will not pass. */
  giveBack(count: number): void {
    this.#taken -= count
  }

  /** Milliseconds until one message may pass, at least one. */
  untilOne(now: number): number {
    return Math.max(1, this.due(this.#taken + 1, now))
  }

  idle(now: number): boolean {
    return this.waiting === 0 && this.available(now) >= Math.floor(this.#rate().burst)
  }

  /** Waits until what was taken with a ticket may pass. */
  wait(ticket: number, now: () => number): Effect.Effect<void> {
    const paid: Effect.Effect<void> = Effect.suspend(() => {
      const due = this.due(ticket, now())
      return due === 0 ? Effect.void : Effect.andThen(Effect.sleep(Math.min(due, lookMillis)), paid)
    })
    return Effect.suspend(() => {
      this.waiting++
      return Effect.ensuring(
        paid,
        Effect.sync(() => {
          this.waiting--
        })
      )
    })
  }

  /** What has passed since the last look counts by the rate of now. */
  #look(now: number): Rate {
    const rate = this.#rate()
    const elapsed = now - this.#lookedAt
    this.#lookedAt = now
    if (elapsed > 0 && isLimit(rate.perSecond)) this.#passed += (elapsed * rate.perSecond) / 1000
    return rate
  }
}

const isLimit = (perSecond: number): boolean => perSecond > 0 && perSecond < Infinity

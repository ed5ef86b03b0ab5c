/**
 * Time that never goes back, out of a clock that may be set back: what waits for a time then waits no longer than it
 * would have.
 *
 * @internal
 */

/** Readings this far apart come from calls that overtake each other, not from a clock that was set. */
const overtakenMillis = 1000

/** @internal */
export class SteadyTime {
  #last = 0
  #offset = 0

  /** The time for a reading of the clock. */
  at(now: number): number {
    let time = now + this.#offset
    if (time < this.#last) {
      if (this.#last - time > overtakenMillis) this.#offset += this.#last - time
      time = this.#last
    }
    this.#last = time
    return time
  }
}

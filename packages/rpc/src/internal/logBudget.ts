/**
 * How many lines of log peers can cause: some at once, then one a second, which says how many were left out.
 *
 * @internal
 */

const burst = 20
const millisPerLine = 1000

/** @internal */
export class LogBudget {
  #left = burst
  #countedAt = 0
  #leftOut = 0

  /** The line as it is logged at this time of the clock; undefined when it is not. */
  line(text: string, now: number): string | undefined {
    this.#left = Math.min(burst, this.#left + (now - this.#countedAt) / millisPerLine)
    this.#countedAt = now
    if (this.#left < 1) {
      this.#leftOut++
      return undefined
    }
    this.#left--
    const more = this.#leftOut === 0 ? "" : ` (and ${this.#leftOut} more like it)`
    this.#leftOut = 0
    return text + more
  }
}

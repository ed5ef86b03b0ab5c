/**
 * How many retries calls may have: a share of the calls, and some on top.
 *
 * @internal
 */

// In hundredths of a retry, so that shares in whole percent add up to what they are.
const oneRetry = 100

/** @internal */
export class Budget {
  readonly #percent: number
  readonly #most: number
  #saved: number

  constructor(percent: number, burst: number) {
    this.#percent = percent
    this.#most = burst * oneRetry
    this.#saved = this.#most
  }

  /** A call begins. */
  deposit(): void {
    this.#saved = Math.min(this.#most, this.#saved + this.#percent)
  }

  /** Whether a retry may begin, which it then has taken. */
  withdraw(): boolean {
    if (this.#saved < oneRetry) return false
    this.#saved -= oneRetry
    return true
  }

  /** A retry that was withdrawn will not begin. */
  giveBack(): void {
    this.#saved = Math.min(this.#most, this.#saved + oneRetry)
  }
}

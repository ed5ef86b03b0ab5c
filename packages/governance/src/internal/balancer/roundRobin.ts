/**
 * One after the other.
 *
 * @internal
 */

/** @internal */
export class RoundRobin {
  readonly #count: number
  #next: number

  constructor(count: number, start: number) {
    this.#count = count
    this.#next = start
  }

  next(): number {
    const next = this.#next
    this.#next = next + 1 === this.#count ? 0 : next + 1
    return next
  }
}

/**
 * The picks of {@link SmoothOrder}, each found once and kept for the rounds that follow, as in Kitex.
 *
 * @internal
 */
import { SmoothOrder } from "./smoothOrder.ts"

/** A round with more picks is not kept: two bytes each. */
const longestKept = 2 ** 20
const mostKept = 2 ** 16

/** @internal */
export class SmoothRound {
  readonly #order: SmoothOrder
  readonly #kept: Uint16Array | undefined
  #found = 0
  #next = 0

  constructor(shares: ReadonlyArray<number>) {
    this.#order = new SmoothOrder(shares)
    if (this.#order.round <= longestKept && shares.length <= mostKept) this.#kept = new Uint16Array(this.#order.round)
  }

  next(): number {
    if (this.#kept === undefined) return this.#order.next()
    const at = this.#next
    this.#next = at + 1 === this.#kept.length ? 0 : at + 1
    if (at === this.#found) {
      this.#kept[at] = this.#order.next()
      this.#found++
    }
    return this.#kept[at]!
  }
}

/**
 * A random choice by weight in constant time: Vose's alias method (Kitex's `loadbalance/weighted_random_with_alias_method.go`).
 * Every index has an equal column, of which it owns a part; the rest of the column is another's.
 *
 * @internal
 */
import { sumOf } from "./weights.ts"

/** @internal */
export class AliasTable {
  readonly #random: () => number
  readonly #own: Float64Array
  readonly #alias: Int32Array

  constructor(weights: ReadonlyArray<number>, random: () => number) {
    const count = weights.length
    this.#random = random
    this.#own = new Float64Array(count).fill(1)
    this.#alias = new Int32Array(count)
    const sum = sumOf(weights)
    const scaled = Float64Array.from(weights, (weight) => (weight * count) / sum)
    const small: Array<number> = []
    const large: Array<number> = []
    const sort = (index: number) => (scaled[index]! < 1 ? small : large).push(index)
    for (let index = 0; index < count; index++) sort(index)
    while (small.length > 0 && large.length > 0) {
      const short = small.pop()!
      const long = large.pop()!
      this.#own[short] = scaled[short]!
      this.#alias[short] = long
      scaled[long]! -= 1 - scaled[short]!
      sort(long)
    }
  }

  next(): number {
    // One number for both: its whole part is the column, its fraction the place in it.
    const at = this.#random() * this.#own.length
    const column = Math.floor(at)
    return at - column < this.#own[column]! ? column : this.#alias[column]!
  }
}

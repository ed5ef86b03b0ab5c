/**
 * The better of two random choices: nearly as good as the best of all (the busiest has only a few more than the mean), in constant time, and
 * without the herd that runs to the one best. The two are drawn by weight, so that at rest each gets its share.
 *
 * @internal
 */
import type { AliasTable } from "./aliasTable.ts"
import { sumOf } from "./weights.ts"

/** What is looked at. @internal */
export interface Loaded {
  readonly active: number
  readonly latency: (now: number) => number
}

/** Whether the second has less to do than the first. Streams count in proportion to weights. @internal */
export type IsBetter = (second: Loaded, first: Loaded, secondScale: number, firstScale: number, now: number) => boolean

/** @internal */
export const hasFewer: IsBetter = (second, first, secondScale, firstScale) =>
  second.active * secondScale < first.active * firstScale

/**
 * The cost of one more call, as Finagle has it: what it would wait for. An instance that was not measured yet is compared by its streams
 * alone, or all would go there until it answers.
 *
 * @internal
 */
export const costsLess: IsBetter = (second, first, secondScale, firstScale, now) => {
  const secondLatency = second.latency(now)
  const firstLatency = first.latency(now)
  if (secondLatency === 0 || firstLatency === 0) return hasFewer(second, first, secondScale, firstScale, now)
  return secondLatency * (second.active * secondScale + 1) < firstLatency * (first.active * firstScale + 1)
}

/** @internal */
export class TwoChoices<A extends Loaded> {
  readonly #items: ReadonlyArray<A>
  readonly #isBetter: IsBetter
  readonly #random: () => number
  readonly #table: AliasTable
  /** What a stream of each counts: less, the more it has of the mean weight. */
  readonly #scales: Float64Array

  constructor(
    items: ReadonlyArray<A>,
    weights: ReadonlyArray<number>,
    isBetter: IsBetter,
    table: AliasTable,
    random: () => number
  ) {
    this.#items = items
    this.#isBetter = isBetter
    this.#random = random
    this.#table = table
    const mean = sumOf(weights) / weights.length
    this.#scales = Float64Array.from(weights, (weight) => mean / weight)
  }

  next(now: number): A {
    const count = this.#items.length
    const first = this.#table.next()
    if (count === 1) return this.#items[0]!
    let second = this.#table.next()
    // Twice the same is no choice: one of the others then.
    if (second === first) second = (first + 1 + Math.floor(this.#random() * (count - 1))) % count
    const one = this.#items[first]!
    const other = this.#items[second]!
    return this.#isBetter(other, one, this.#scales[second]!, this.#scales[first]!, now) ? other : one
  }
}

/**
 * A random choice by weights that grow with time: each from a part of its own up to the whole, in a straight line.
 *
 * One is drawn by its whole weight, and taken with the probability that is the part of it that it has now, else another is drawn. So shares
 * are exact at any time, and nothing has to be made anew as time passes. Parts are compared to the greatest: where all
 * are equally new the first is taken.
 *
 * @internal
 */
import { AliasTable } from "./aliasTable.ts"

/** @internal */
export interface Warming {
  readonly weight: number
  /** Milliseconds of the clock. */
  readonly since: number
}

/** The last of so many draws, divided by the smallest part, is taken: fewer than one in 10^17 picks gets there. */
const patience = 40

/** @internal */
export class WarmingUp {
  readonly #random: () => number
  readonly #table: AliasTable
  readonly #since: Float64Array
  readonly #oldest: number
  readonly #youngest: number
  readonly #duration: number
  readonly #start: number
  readonly #mostDraws: number

  constructor(items: ReadonlyArray<Warming>, duration: number, start: number, random: () => number) {
    this.#random = random
    this.#table = new AliasTable(
      items.map(({ weight }) => weight),
      random
    )
    this.#since = Float64Array.from(items, ({ since }) => since)
    this.#oldest = this.#since.reduce((least, since) => Math.min(least, since))
    this.#youngest = this.#since.reduce((most, since) => Math.max(most, since))
    this.#duration = duration
    this.#start = start
    this.#mostDraws = Math.ceil(patience / start)
  }

  next(now: number): number {
    let index = this.#table.next()
    if (now - this.#youngest >= this.#duration) return index
    const greatest = this.#part(now < this.#youngest ? this.#youngest : this.#oldest, now)
    for (let draws = 1; draws < this.#mostDraws; draws++) {
      if (this.#random() * greatest < this.#part(this.#since[index]!, now)) break
      index = this.#table.next()
    }
    return index
  }

  /** What one has of its weight: all where its time is yet to come, it was there before the clock was set back. */
  #part(since: number, now: number): number {
    const age = now - since
    return age < 0 || age >= this.#duration ? 1 : this.#start + (1 - this.#start) * (age / this.#duration)
  }
}

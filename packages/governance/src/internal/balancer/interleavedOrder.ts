/**
 * Interleaved weighted round robin (Kitex's `loadbalance/interleaved_weighted_round_robin.go`): all take turns, and whoever has had its
 * share leaves until the others have had theirs. Unlike the smooth order its picks need no search; the end of a round belongs to the
 * heaviest alone.
 *
 * @internal
 */

/** A queue with room for all, in a ring. */
class Line {
  length = 0
  readonly #ring: Int32Array
  #first = 0

  constructor(capacity: number) {
    this.#ring = new Int32Array(capacity)
  }

  push(index: number): void {
    const at = this.#first + this.length
    this.#ring[at < this.#ring.length ? at : at - this.#ring.length] = index
    this.length++
  }

  shift(): number {
    const index = this.#ring[this.#first]!
    this.#first = this.#first + 1 === this.#ring.length ? 0 : this.#first + 1
    this.length--
    return index
  }
}

/** @internal */
export class InterleavedOrder {
  readonly #shares: ReadonlyArray<number>
  /** Of this round. */
  readonly #left: Float64Array
  #current: Line
  #later: Line

  /** Whole numbers without a common divisor. */
  constructor(shares: ReadonlyArray<number>) {
    this.#shares = shares
    this.#left = Float64Array.from(shares)
    this.#current = new Line(shares.length)
    this.#later = new Line(shares.length)
    for (let index = 0; index < shares.length; index++) this.#current.push(index)
  }

  next(): number {
    if (this.#current.length === 0) {
      const line = this.#current
      this.#current = this.#later
      this.#later = line
    }
    const index = this.#current.shift()
    if (--this.#left[index]! > 0) this.#current.push(index)
    else {
      this.#left[index] = this.#shares[index]!
      this.#later.push(index)
    }
    return index
  }
}

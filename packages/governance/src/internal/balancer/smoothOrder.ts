/**
 * Smooth weighted round robin, in the order of nginx and Kitex (`loadbalance/weighted_round_robin.go`): at each step every current
 * weight grows by its weight, the first of the greatest is picked, and falls by the sum of all.
 *
 * Taken literally that is a pass over all for each pick. Here a current weight is a line over time, `weight * steps - sum * picks`,
 * and the greatest of many lines is kept by a tournament whose matches know how long their result holds (a kinetic tournament). Those of
 * equal weight are one line: they take turns. So a pick costs the logarithm of the number of different weights.
 *
 * @internal
 */
import { sumOf } from "./weights.ts"

const none = -1

/** @internal */
export class SmoothOrder {
  /** How many picks are a round, after which all is as it was. */
  readonly round: number
  /** Of each line: its weight, its members (a stretch of `#members`), whose turn it is, and how often all had theirs. */
  readonly #weights: Float64Array
  readonly #members: Int32Array
  readonly #starts: Int32Array
  readonly #turns: Int32Array
  readonly #picks: Float64Array
  /** A binary tree from index 1 on, its leaves in the second half: the line that wins there, and until which step. */
  readonly #leaves: number
  readonly #winners: Int32Array
  readonly #until: Float64Array
  #steps = 0

  /** Whole numbers without a common divisor. */
  constructor(shares: ReadonlyArray<number>) {
    this.round = sumOf(shares)
    const lines = new Map<number, Array<number>>()
    shares.forEach((share, index) => {
      const members = lines.get(share)
      if (members === undefined) lines.set(share, [index])
      else members.push(index)
    })
    const count = lines.size
    this.#weights = Float64Array.from(lines.keys())
    this.#members = Int32Array.from([...lines.values()].flat())
    this.#starts = new Int32Array(count + 1)
    let start = 0
    for (const [line, members] of [...lines.values()].entries()) this.#starts[line + 1] = start += members.length
    this.#turns = this.#starts.slice(0, count)
    this.#picks = new Float64Array(count)
    this.#leaves = 2 ** Math.ceil(Math.log2(count))
    this.#winners = new Int32Array(2 * this.#leaves).fill(none)
    this.#until = new Float64Array(2 * this.#leaves).fill(Infinity)
    for (let line = 0; line < count; line++) this.#winners[this.#leaves + line] = line
    this.#begin()
  }

  next(): number {
    if (this.#steps === this.round) this.#begin()
    this.#steps++
    this.#renew(1)
    const line = this.#winners[1]!
    const turn = this.#turns[line]!
    if (turn + 1 < this.#starts[line + 1]!) this.#turns[line] = turn + 1
    else {
      this.#turns[line] = this.#starts[line]!
      this.#picks[line]!++
    }
    for (let match = (this.#leaves + line) >> 1; match > 0; match >>= 1) this.#play(match)
    return this.#members[turn]!
  }

  /** A new round. All are level, and times stay small enough to be exact. */
  #begin(): void {
    this.#steps = 0
    this.#picks.fill(0)
    for (let match = this.#leaves - 1; match > 0; match--) this.#play(match)
  }

  /** Plays the matches again whose results do not hold any more. */
  #renew(match: number): void {
    if (this.#until[match]! > this.#steps) return
    this.#renew(2 * match)
    this.#renew(2 * match + 1)
    this.#play(match)
  }

  #play(match: number): void {
    const winners = this.#winners
    const left = winners[2 * match]!
    const right = winners[2 * match + 1]!
    let winner = left
    let until = Math.min(this.#until[2 * match]!, this.#until[2 * match + 1]!)
    if (right !== none) {
      // Level, the first in the list wins.
      const leftIsFirst = this.#members[this.#turns[left]!]! < this.#members[this.#turns[right]!]!
      let lead = this.#current(left) - this.#current(right)
      let gain = this.#weights[right]! - this.#weights[left]!
      let loserIsFirst = !leftIsFirst
      if (lead < 0 || (lead === 0 && loserIsFirst)) {
        winner = right
        lead = -lead
        gain = -gain
        loserIsFirst = leftIsFirst
      }
      if (gain > 0) {
        const steps = Math.floor(lead / gain)
        const held = this.#steps + (loserIsFirst && steps * gain === lead ? steps : steps + 1)
        if (held < until) until = held
      }
    }
    winners[match] = winner
    this.#until[match] = until
  }

  #current(line: number): number {
    return this.#weights[line]! * this.#steps - this.round * this.#picks[line]!
  }
}

/**
 * A ring of virtual nodes (Kitex's `loadbalance/consist.go`): each address has many points, and a key belongs to the address of the next
 * point. Where an address leaves, its keys go to those that have the next points, and no others move.
 *
 * effect's `HashRing` is not used: for 1,000 instances it is made in some 600 milliseconds, and a node of its own in 50, its pairs are
 * objects, and its search takes longer the more there are. Here the points of an address are numbers made of two hashes of it, and a
 * table of where stretches of the ring end sorts them in one pass and finds them in constant time.
 *
 * @internal
 */
import { hashText, mix } from "./hash.ts"
import { sumOf } from "./weights.ts"

/** A bound for whatever weights a registry says: 4 MB, and a ring that is made in some 20 milliseconds. */
const mostPoints = 2 ** 18

/** Sums of more might be infinite. */
const mostWanted = 1e300

/** How many points each address has; in proportion where together they would be too many. @internal */
export const pointsOf = (wanted: ReadonlyArray<number>): ReadonlyArray<number> => {
  const bounded = wanted.map((count) => Math.min(count, mostWanted))
  const scale = Math.min(1, mostPoints / sumOf(bounded))
  return bounded.map((count) => Math.max(1, Math.round(count * scale)))
}

/** Few enough to look at in turn, and so many that the table of stretches is a small part of the ring. */
const pointsPerStretch = 4

/** The second half of what stands for an address. */
const stepSeed = 0x9e3779b9

/** @internal */
export class HashRing {
  /** Of each point, in order, its hash and the index of its address: side by side, for one look into memory. */
  readonly #points: Uint32Array
  /** Where the points of each stretch of the ring end. */
  readonly #ends: Uint32Array
  readonly #shift: number

  /** The addresses in an order of their own, so that of two equal points the same wins everywhere. */
  constructor(addresses: ReadonlyArray<string>, counts: ReadonlyArray<number>) {
    const total = counts.reduce((sum, count) => sum + count, 0)
    const bits = Math.max(1, Math.ceil(Math.log2(total / pointsPerStretch)))
    this.#points = new Uint32Array(2 * total)
    this.#ends = new Uint32Array(2 ** bits + 1)
    this.#shift = 32 - bits
    // An arithmetic progression of its own for each address, mixed: none of its points is there twice.
    const first = Int32Array.from(addresses, (address) => hashText(address))
    const step = Int32Array.from(addresses, (address) => hashText(address, stepSeed) | 1)
    for (let owner = 0; owner < counts.length; owner++) this.#count(first[owner]!, step[owner]!, counts[owner]!)
    for (let stretch = 1; stretch < this.#ends.length; stretch++) this.#ends[stretch]! += this.#ends[stretch - 1]!
    for (let owner = 0; owner < counts.length; owner++) this.#place(first[owner]!, step[owner]!, counts[owner]!, owner)
  }

  /** The place of the first point behind a hash. */
  find(hash: number): number {
    const points = this.#points
    const stretch = hash >>> this.#shift
    const end = 2 * this.#ends[stretch]!
    let at = stretch === 0 ? 0 : 2 * this.#ends[stretch - 1]!
    while (at < end && points[at]! <= hash) at += 2
    return at === points.length ? 0 : at
  }

  /** Whose point it is. */
  ownerAt(place: number): number {
    return this.#points[place + 1]!
  }

  following(place: number): number {
    return place + 2 === this.#points.length ? 0 : place + 2
  }

  /** How many points the stretches have, at first in the places behind their own. */
  #count(seed: number, step: number, count: number): void {
    const ends = this.#ends
    const shift = this.#shift
    for (let left = count; left > 0; left--) {
      ends[(mix(seed) >>> shift) + 1]!++
      seed = (seed + step) | 0
    }
  }

  /** Where a stretch begins becomes where it ends, point by point. */
  #place(seed: number, step: number, count: number, owner: number): void {
    const points = this.#points
    const ends = this.#ends
    const shift = this.#shift
    for (let left = count; left > 0; left--) {
      const hash = mix(seed)
      let at = 2 * ends[hash >>> shift]!++
      for (; at > 0 && points[at - 2]! > hash; at -= 2) {
        points[at] = points[at - 2]!
        points[at + 1] = points[at - 1]!
      }
      points[at] = hash
      points[at + 1] = owner
      seed = (seed + step) | 0
    }
  }
}

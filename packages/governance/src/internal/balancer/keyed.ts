/**
 * Which of some items a key belongs to.
 *
 * @internal
 */
import { hashText } from "./hash.ts"
import { HashRing } from "./hashRing.ts"

/** @internal */
export class Keyed<A extends { readonly address: string }> {
  readonly ring: HashRing
  /** By address, so that the order of a list does not matter. */
  readonly #items: ReadonlyArray<A>
  readonly #counts: ReadonlyArray<number>

  /** `counts` has the points of each item; a ring over the same addresses with the same points is not made again. */
  constructor(items: ReadonlyArray<A>, counts: ReadonlyArray<number>, previous: Keyed<A> | undefined) {
    const order = [...items.keys()].sort((a, b) => (items[a]!.address < items[b]!.address ? -1 : 1))
    this.#items = order.map((index) => items[index]!)
    this.#counts = order.map((index) => counts[index]!)
    this.ring =
      previous !== undefined && this.#isLike(previous)
        ? previous.ring
        : new HashRing(
            this.#items.map(({ address }) => address),
            this.#counts
          )
  }

  /** Where the one of the key was tried already, its keys go where they would if it were not there. */
  find(key: string, tried: ReadonlyArray<string>): A {
    let place = this.ring.find(hashText(key))
    let item = this.#items[this.ring.ownerAt(place)]!
    if (tried.length === 0 || tried.length >= this.#items.length) return item
    while (tried.includes(item.address)) {
      place = this.ring.following(place)
      item = this.#items[this.ring.ownerAt(place)]!
    }
    return item
  }

  #isLike(other: Keyed<A>): boolean {
    return (
      this.#items.length === other.#items.length &&
      this.#items.every(
        ({ address }, index) => address === other.#items[index]!.address && this.#counts[index] === other.#counts[index]
      )
    )
  }
}

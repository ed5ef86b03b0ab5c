/**
 * What a connection has under way, by its number: streams, calls.
 *
 * Not a `Map`: a `Map` whose entries come and go makes a new table each time the old one is full of holes, and V8 links the old to
 * the new for the sake of iterators. Once one of these has become old to the garbage collector, it keeps all that came behind it
 * alive, each with the calls that were in it, until the next full collection: scavenges then copy the garbage of every call. It
 * took a fifth of a unary call's time in every fourth process.
 *
 * @internal
 */

/** So many slots at least: a power of two. */
const leastBits = 3

// Peers may choose the numbers: that all of them want one slot must not be theirs to choose.
const multiplier = Math.floor(Math.random() * 0x4000_0000) * 2 + 1

const slotsFor = <A>(bits: number): Array<A | undefined> => Array.from({ length: 2 ** bits })

/** Numbers are integers of 32 bits, signed or not. Open addressing, at most half full, without tombstones. @internal */
export class ById<A extends object> {
  size = 0
  private bits = leastBits
  private ids = new Int32Array(2 ** leastBits)
  private things: Array<A | undefined> = slotsFor(leastBits)

  get(id: number): A | undefined {
    return this.things[this.find(id)]
  }

  has(id: number): boolean {
    return this.get(id) !== undefined
  }

  set(id: number, thing: A): void {
    const slot = this.find(id)
    if (this.things[slot] === undefined) {
      this.size++
      this.ids[slot] = id
    }
    this.things[slot] = thing
    if (this.size * 2 > this.ids.length) this.resize(this.bits + 1)
  }

  delete(id: number): void {
    const { ids, things } = this
    const mask = ids.length - 1
    let hole = this.find(id)
    if (things[hole] === undefined) return
    this.size--
    // Whoever had to go past the hole moves into it, or it would not be found any more.
    for (let slot = (hole + 1) & mask; things[slot] !== undefined; slot = (slot + 1) & mask) {
      const passed = (slot - this.home(ids[slot]!)) & mask
      if (passed < ((slot - hole) & mask)) continue
      ids[hole] = ids[slot]!
      things[hole] = things[slot]
      hole = slot
    }
    things[hole] = undefined
    if (this.bits > leastBits && this.size * 8 < ids.length) this.resize(this.bits - 1)
  }

  clear(): void {
    this.size = 0
    this.empty(leastBits)
  }

  /** In the order of their numbers, without those that are deleted or added meanwhile. */
  *values(): Generator<A, void> {
    for (const id of this.ids.filter((_, slot) => this.things[slot] !== undefined).sort()) {
      const thing = this.get(id)
      if (thing !== undefined) yield thing
    }
  }

  private home(id: number): number {
    return Math.imul(id, multiplier) >>> (32 - this.bits)
  }

  /** The slot of a number, or the empty one where it would be. */
  private find(id: number): number {
    const { ids, things } = this
    const mask = ids.length - 1
    const kept = id | 0
    let slot = this.home(id)
    while (things[slot] !== undefined && ids[slot] !== kept) slot = (slot + 1) & mask
    return slot
  }

  private empty(bits: number): void {
    this.bits = bits
    this.ids = new Int32Array(2 ** bits)
    this.things = slotsFor(bits)
  }

  private resize(bits: number): void {
    const { ids, things } = this
    this.empty(bits)
    for (let i = 0; i < things.length; i++) {
      const thing = things[i]
      if (thing === undefined) continue
      const slot = this.find(ids[i]!)
      this.ids[slot] = ids[i]!
      this.things[slot] = thing
    }
  }
}

/**
 * One account for each key that a limit counts by: a method, a peer, whatever a rule reads from a call. Keys come from
 * strangers, so there are so many of them at most.
 *
 * @internal
 */

/** What is counted for one key. @internal */
export interface Account {
  /** Nothing is lost when it is forgotten, and made anew when its key comes again. */
  readonly idle: (now: number) => boolean
}

/** A key that has more characters is none of its own: strangers decide how long theirs are. */
const longestKey = 1024

/** So many of the others are looked at when a key is new. */
const looks = 4

/** @internal */
export class Accounts<A extends Account> {
  readonly #make: (now: number) => A
  readonly #most: number
  /** Those that were not looked at for longest come first. */
  readonly #byKey = new Map<string, A>()
  /** Of all keys that are too long, or came when there was no room for another. */
  #others: A | undefined

  constructor(most: number, make: (now: number) => A) {
    if (!(most >= 0)) throw new Error(`maxKeys of a limit is ${most}: give a number from 0 on`)
    this.#most = most
    this.#make = make
  }

  get size(): number {
    return this.#byKey.size
  }

  of(key: string, now: number): A {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    this.#forgetIdle(now)
    if (this.#byKey.size >= this.#most || key.length > longestKey) return (this.#others ??= this.#make(now))
    const made = this.#make(now)
    this.#byKey.set(key, made)
    return made
  }

  #forgetIdle(now: number): void {
    let left = looks
    for (const [key, account] of this.#byKey) {
      if (left-- === 0) return
      this.#byKey.delete(key)
      if (!account.idle(now)) this.#byKey.set(key, account)
    }
  }
}

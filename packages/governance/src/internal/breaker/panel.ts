/**
 * The circuit breakers of one policy by key: Kitex's panel. There are at most so many: room is made by the closed ones
 * that were not used for longest, then by others.
 *
 * @internal
 */
import type { BreakerState } from "./breaker.ts"
import { KeyBreaker, type Shared } from "./keyBreaker.ts"

const byUse = (a: KeyBreaker, b: KeyBreaker): number =>
  Number(a.breaker.state !== "closed") - Number(b.breaker.state !== "closed") || a.usedAt - b.usedAt

/** @internal */
export class Panel {
  readonly #breakers = new Map<string, KeyBreaker>()
  readonly #shared: Shared
  readonly #maxKeys: number

  constructor(shared: Shared, maxKeys: number) {
    this.#shared = shared
    this.#maxKeys = maxKeys
  }

  /** A key that nobody has asked for is closed. */
  state(key: string): BreakerState {
    return this.#breakers.get(key)?.breaker.state ?? "closed"
  }

  /** The breaker of a key that calls were let through for. */
  get(key: string): KeyBreaker | undefined {
    return this.#breakers.get(key)
  }

  /** The breaker of a key; undefined where calls of the key do not count. */
  enabled(key: string): KeyBreaker | undefined {
    if (!this.#shared.limits(key).enable) return undefined
    let breaker = this.#breakers.get(key)
    if (breaker === undefined) {
      if (this.#breakers.size >= this.#maxKeys) this.#makeRoom()
      breaker = new KeyBreaker(key, this.#shared)
      this.#breakers.set(key, breaker)
      this.#shared.listener.added(key)
    }
    return breaker
  }

  forget(key: string): void {
    const breaker = this.#breakers.get(key)
    if (breaker === undefined) return
    this.#breakers.delete(key)
    breaker.removed()
  }

  clear(): void {
    for (const key of this.#breakers.keys()) this.forget(key)
  }

  /** An eighth at once, so that a new key costs no walk over all others. */
  #makeRoom(): void {
    const oldest = [...this.#breakers.values()].sort(byUse)
    for (const { key } of oldest.slice(0, Math.ceil(this.#maxKeys / 8))) this.forget(key)
  }
}

/**
 * Bytes in flight of one key. Whoever waits is served in the order of coming; one that is larger than all the room has
 * it alone.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Account } from "./accounts.ts"

interface Waiter {
  readonly size: number
  readonly grant: () => void
}

/** @internal */
export class Room implements Account {
  readonly #max: () => number
  readonly #waiters = new Set<Waiter>()
  #inFlight = 0

  constructor(max: () => number) {
    this.#max = max
  }

  get waiting(): number {
    return this.#waiters.size
  }

  get inFlight(): number {
    return this.#inFlight
  }

  idle(): boolean {
    return this.#inFlight === 0 && this.#waiters.size === 0
  }

  /** Not a byte would fit. */
  get full(): boolean {
    return this.#waiters.size > 0 || !this.#fits(1)
  }

  /** Takes so many bytes, where they fit and nobody waits. */
  take(size: number): boolean {
    if (this.#waiters.size > 0 || !this.#fits(size)) return false
    this.#inFlight += size
    return true
  }

  /**
   * Waits until they fit; `granted` runs in the step that gives them, so that none is lost where the fiber is
   * interrupted.
   */
  wait(size: number, granted: () => void): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const grant = () => {
        granted()
        // Not inside of whoever gave back: it may be one of a long row.
        resume(Effect.yieldNow)
      }
      const waiter: Waiter = { size, grant }
      this.#waiters.add(waiter)
      // The limit may have been raised, which nobody told those that wait.
      this.#serve()
      return Effect.sync(() => {
        if (this.#waiters.delete(waiter)) this.#serve()
      })
    })
  }

  giveBack(size: number): void {
    this.#inFlight -= size
    this.#serve()
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.size)) return
      this.#waiters.delete(waiter)
      this.#inFlight += waiter.size
      waiter.grant()
    }
  }

  #fits(size: number): boolean {
    const max = this.#max()
    return !(max > 0) || this.#inFlight === 0 || this.#inFlight + size <= max
  }
}

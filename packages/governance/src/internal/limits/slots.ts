/**
 * Calls that run at the same time.
 *
 * @internal
 */
import type { CallObserver } from "@millrace/rpc/CallObserver"
import type { Account } from "./accounts.ts"

/** It hears of the end of each call that it has admitted, so that a call makes nothing. @internal */
export class Slots implements Account, CallObserver {
  #running = 0

  /** With no limit, zero or less as in Kitex, calls are counted all the same: there may be one later. */
  take(limit: number): boolean {
    if (limit > 0 && this.#running >= limit) return false
    this.#running++
    return true
  }

  ended(): void {
    this.#running--
  }

  idle(): boolean {
    return this.#running === 0
  }
}

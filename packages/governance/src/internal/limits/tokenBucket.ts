/**
 * Kitex's limiter of calls a second (`pkg/limiter/qps_limiter.go`) without its ticker: what the ticks since the last
 * call have brought is reckoned when the next one comes. Each tick of 100 ms brings a tenth of the limit, cut to a
 * whole number, and there is one such part to begin with. A limit below 10 would bring nothing at all in Kitex; here it
 * brings one token at a time, the more seldom the lower it is.
 *
 * @internal
 */
import type { Account } from "./accounts.ts"

const tickMillis = 100
const ticksPerSecond = 10

/** @internal */
export class TokenBucket implements Account {
  #limit: number
  #perTick = 0
  #millisPerTick = tickMillis
  #tokens: number
  #tickedAt: number

  constructor(limit: number, now: number) {
    this.#limit = limit
    this.#tickedAt = now
    this.#pace()
    this.#tokens = this.#perTick
  }

  /** Takes a token: gives 0, or the milliseconds until there may be one. */
  take(limit: number, now: number): number {
    this.#tick(now)
    if (limit !== this.#limit) this.#update(limit)
    if (!(limit > 0)) return 0
    if (this.#tokens > 0) {
      this.#tokens--
      return 0
    }
    return this.#tickedAt + this.#millisPerTick - now
  }

  idle(now: number): boolean {
    this.#tick(now)
    return !(this.#limit > 0) || this.#tokens >= this.#most
  }

  get #most(): number {
    return Math.max(Math.floor(this.#limit), this.#perTick)
  }

  /** Tokens that are there stay, up to one part. */
  #update(limit: number): void {
    this.#limit = limit
    this.#pace()
    this.#tokens = Math.min(this.#tokens, this.#perTick)
  }

  #pace(): void {
    const limit = this.#limit
    const few = limit > 0 && limit < ticksPerSecond
    this.#millisPerTick = few ? 1000 / limit : tickMillis
    this.#perTick = few ? 1 : Math.max(0, Math.floor(limit / ticksPerSecond))
  }

  #tick(now: number): void {
    const ticks = Math.floor((now - this.#tickedAt) / this.#millisPerTick)
    // The clock was set back.
    if (ticks < 0) this.#tickedAt = now
    if (ticks <= 0) return
    this.#tickedAt += ticks * this.#millisPerTick
    const most = this.#most
    if (this.#tokens < most) this.#tokens = Math.min(most, this.#tokens + ticks * this.#perTick)
  }
}

/**
 * How many calls a server bears, from how long they take: `Gradient2Limit` of Netflix's concurrency-limits, over its
 * windows of samples (`WindowedLimit`). Where calls take longer than they did on average, the limit shrinks in
 * proportion; where they do not, it grows by a fixed number, as long as it is used.
 *
 * @internal
 */
import type { CallEnd, CallObserver } from "@millrace/rpc/CallObserver"
import { isStream } from "@millrace/rpc/RpcInfo"
import type { Account } from "./accounts.ts"

/** @internal */
export interface GradientSettings {
  readonly initial: number
  readonly min: number
  readonly max: number
  /** Calls may take so many times the average before the limit shrinks. */
  readonly tolerance: number
  readonly windowMillis: number
}

const smoothing = 0.2
const queueSize = 4
const windowSamples = 10
const longWindows = 600
const warmupWindows = 10
/** Clocks count in milliseconds: what is faster is no measure of load. */
const leastMillis = 1
/** What is known of a key that was not used for a minute may be wrong by now. */
const forgottenMillis = 60_000

/** @internal */
export class Gradient implements Account, CallObserver {
  readonly #settings: () => GradientSettings
  readonly #changed: (limit: number) => void
  #estimate: number
  #running = 0
  #usedAt: number
  /** The average over a long time, and the windows that it is made of while there are few. */
  #longMillis = 0
  #windows = 0
  /** The window. */
  #windowEndsAt: number
  #sum = 0
  #samples = 0
  #mostRunning = 0

  constructor(settings: () => GradientSettings, now: number, changed: (limit: number) => void) {
    this.#settings = settings
    this.#changed = changed
    const { initial, windowMillis } = settings()
    this.#estimate = initial
    this.#usedAt = now
    this.#windowEndsAt = now + windowMillis
    changed(this.limit)
  }

  /** The bounds hold at once when they change, and `max` also where it is below `min`. */
  get limit(): number {
    const { max, min } = this.#settings()
    return Math.floor(Math.min(max, Math.max(min, this.#estimate)))
  }

  take(now: number): boolean {
    if (this.#running >= this.limit) return false
    this.#running++
    this.#usedAt = now
    return true
  }

  idle(now: number): boolean {
    return this.#running === 0 && now - this.#usedAt >= forgottenMillis
  }

  ended(end: CallEnd): void {
    if (measures(end)) this.#sample(end.millis, end.now)
    this.#running--
  }

  #sample(millis: number, now: number): void {
    this.#sum += millis
    this.#samples++
    this.#mostRunning = Math.max(this.#mostRunning, this.#running)
    const settings = this.#settings()
    const left = this.#windowEndsAt - now
    // More than a window is left where the clock was set back, or windows became shorter.
    if ((left > 0 && left <= settings.windowMillis) || this.#samples < windowSamples) return
    this.#adjust(Math.max(leastMillis, this.#sum / this.#samples), settings)
    this.#windowEndsAt = now + settings.windowMillis
    this.#sum = this.#samples = this.#mostRunning = 0
  }

  #adjust(short: number, { max, min, tolerance }: GradientSettings): void {
    const long = this.#average(short)
    // Behind a long time of overload the average would let too much through.
    if (long > 2 * short) this.#longMillis *= 0.9
    const before = this.limit
    // What is not used says nothing of more.
    if (this.#mostRunning >= this.#estimate / 2) {
      const gradient = Math.max(0.5, Math.min(1, (tolerance * long) / short))
      this.#estimate += smoothing * (this.#estimate * gradient + queueSize - this.#estimate)
    }
    this.#estimate = Math.min(max, Math.max(min, this.#estimate))
    if (this.limit !== before) this.#changed(this.limit)
  }

  #average(short: number): number {
    const { length, weight } =
      this.#windows < warmupWindows ? { length: ++this.#windows, weight: 1 } : { length: longWindows + 1, weight: 2 }
    return (this.#longMillis += ((short - this.#longMillis) * weight) / length)
  }
}

/**
 * A stream takes as long as its messages, a call that its client has given up as long as that had patience, and one
 * that another rule refused no time at all.
 */
const measures = ({ created, error, info, reason }: CallEnd): boolean =>
  created &&
  !isStream(info) &&
  reason !== "interrupted" &&
  !(error?._tag === "RpcError" && error.reason._tag === "Cancelled")

/**
 * The states of one circuit breaker, as a function of results and times: Kitex's (gopkg
 * `cloud/circuitbreaker/breaker.go`).
 *
 * - closed: everything may run; a failure that makes the window fail too often opens it;
 * - open: nothing may run, until the cooling time is over and somebody asks: that call is the first probe;
 * - half-open: one probe each interval; enough successes in a row close it, with an empty window, one failure opens it
 *   again.
 *
 * What ends while it is open or half-open counts too, also when it began before: failures go into the window, successes
 * do not.
 *
 * @internal
 */
import { type Counts, Window } from "./window.ts"

/** @internal */
export type BreakerState = "closed" | "halfOpen" | "open"

/** What moves it; read on each use, so that it may change. @internal */
export interface Limits {
  readonly errRate: number
  readonly minSample: number
  readonly coolingMillis: number
  readonly detectMillis: number
  readonly halfOpenSuccesses: number
}

/** Told of each change that was made, with what was in the window. It may ask the same breaker again. @internal */
export type OnChange = (from: BreakerState, to: BreakerState, counts: Counts) => void

/** Times are those of one steady clock, in milliseconds. @internal */
export class Breaker {
  readonly window = new Window()
  readonly #onChange: OnChange
  #state: BreakerState = "closed"
  #openedAt = 0
  #probedAt = 0
  #probeSuccesses = 0

  constructor(onChange: OnChange) {
    this.#onChange = onChange
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Whether a call may run now. In half-open the one that may is the probe of its interval. */
  allows(now: number, limits: Limits): boolean {
    if (this.#state === "closed") return true
    if (this.#state === "open") {
      if (now < this.#openedAt + limits.coolingMillis) return false
      this.#probedAt = now
      this.#probeSuccesses = 0
      this.#become("halfOpen", now)
      return true
    }
    if (now < this.#probedAt + limits.detectMillis) return false
    this.#probedAt = now
    return true
  }

  success(now: number, limits: Limits): void {
    if (this.#state === "closed") this.window.success(now)
    else if (this.#state === "halfOpen" && ++this.#probeSuccesses >= limits.halfOpenSuccesses) {
      this.#become("closed", now)
    }
  }

  failure(now: number, limits: Limits): void {
    this.window.failure(now)
    this.#failed(now, limits)
  }

  timeout(now: number, limits: Limits): void {
    this.window.timeout(now)
    this.#failed(now, limits)
  }

  #failed(now: number, limits: Limits): void {
    if (this.#state === "halfOpen" || (this.#state === "closed" && this.#trips(limits))) {
      this.#openedAt = now
      this.#become("open", now)
    }
  }

  #trips(limits: Limits): boolean {
    return this.window.samples >= limits.minSample && this.window.errorRate >= limits.errRate
  }

  #become(to: BreakerState, now: number): void {
    const from = this.#state
    this.window.advance(now)
    const counts = this.window.counts()
    this.#state = to
    if (to === "closed") this.window.reset()
    this.#onChange(from, to, counts)
  }
}

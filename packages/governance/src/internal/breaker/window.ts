/**
 * What the calls of the last ten seconds came to: a hundred buckets of 100 milliseconds, and their sums. As Kitex's
 * window (gopkg `cloud/circuitbreaker/metricer.go`), with the time of the caller in place of a ticker.
 *
 * @internal
 */

/** @internal */
export const bucketMillis = 100
/** @internal */
export const bucketCount = 100

/** What calls came to, at one moment. @internal */
export interface Counts {
  readonly successes: number
  readonly failures: number
  readonly timeouts: number
}

/** @internal */
export class Window implements Counts {
  successes = 0
  failures = 0
  timeouts = 0
  readonly #successes = new Uint32Array(bucketCount)
  readonly #failures = new Uint32Array(bucketCount)
  readonly #timeouts = new Uint32Array(bucketCount)
  /** Whole buckets since the epoch, at the last time that it was told. */
  #bucket = 0
  /** Where in the arrays that bucket is. */
  #slot = 0

  get samples(): number {
    return this.successes + this.failures + this.timeouts
  }

  /** Of 0 to 1; 0 without samples. */
  get errorRate(): number {
    const { samples } = this
    return samples === 0 ? 0 : (this.failures + this.timeouts) / samples
  }

  counts(): Counts {
    return { successes: this.successes, failures: this.failures, timeouts: this.timeouts }
  }

  /** Forgets what is older than the window is long. Times of a bucket gone by count as those of the last. */
  advance(now: number): void {
    const bucket = Math.floor(now / bucketMillis)
    if (bucket <= this.#bucket) return
    if (bucket - this.#bucket >= bucketCount) this.reset()
    else for (let steps = bucket - this.#bucket; steps > 0; steps--) this.#step()
    this.#bucket = bucket
  }

  success(now: number): void {
    this.advance(now)
    this.successes++
    this.#successes[this.#slot]!++
  }

  failure(now: number): void {
    this.advance(now)
    this.failures++
    this.#failures[this.#slot]!++
  }

  timeout(now: number): void {
    this.advance(now)
    this.timeouts++
    this.#timeouts[this.#slot]!++
  }

  reset(): void {
    if (this.samples === 0) return
    this.successes = this.failures = this.timeouts = 0
    this.#successes.fill(0)
    this.#failures.fill(0)
    this.#timeouts.fill(0)
  }

  #step(): void {
    const slot = this.#slot + 1 === bucketCount ? 0 : this.#slot + 1
    this.#slot = slot
    this.successes -= this.#successes[slot]!
    this.failures -= this.#failures[slot]!
    this.timeouts -= this.#timeouts[slot]!
    this.#successes[slot] = this.#failures[slot] = this.#timeouts[slot] = 0
  }
}

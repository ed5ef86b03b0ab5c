/** The token bucket of calls a second against Kitex's as it is written, with a ticker. */
import { assert, describe, it } from "@effect/vitest"
import { TokenBucket } from "../../src/internal/limits/tokenBucket.ts"
import { seeded } from "../support/random.ts"

/** `pkg/limiter/qps_limiter.go`, line by line; the ticks of the time that passes are run one by one. */
class Kitex {
  limit: number
  tokens: number
  once: number
  tickedAt: number

  constructor(limit: number, now: number) {
    this.limit = limit
    this.once = Kitex.calcOnce(limit)
    this.tokens = this.once
    this.tickedAt = now
  }

  static calcOnce(limit: number): number {
    const once = Math.trunc(limit / (1 / 0.1))
    return once < 0 ? 0 : once
  }

  updateLimit(limit: number): void {
    this.once = Kitex.calcOnce(limit)
    this.limit = limit
    if (this.tokens > this.once) this.tokens = this.once
  }

  acquire(): boolean {
    if (this.limit <= 0) return true
    if (this.tokens <= 0) return false
    return --this.tokens >= 0
  }

  until(now: number): void {
    while (this.tickedAt + 100 <= now) {
      this.tickedAt += 100
      this.updateToken()
    }
  }

  updateToken(): void {
    if (this.limit < this.tokens) return
    let delta = this.limit - this.tokens
    if (delta > this.once || delta < 0) delta = this.once
    this.tokens += delta
    if (this.tokens < this.once) this.tokens = this.once
  }
}

describe("calls a second", () => {
  it("admits what Kitex does, whatever the traffic and the changes of the limit", () => {
    const limits = [10, 15, 100, 999, 1000, 50_000, 0, -1]
    let refused = 0
    let admitted = 0
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed)
      const any = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!
      let now = 1_700_000_000_000 + Math.floor(random() * 1000)
      let limit = any(limits)
      const kitex = new Kitex(limit, now)
      const ours = new TokenBucket(limit, now)
      for (let step = 0; step < 200; step++) {
        now += any([0, 0, 0, 1, 7, 99, 100, 101, 350, 5000])
        kitex.until(now)
        const next = random() < 0.02 ? any(limits) : limit
        if (next !== limit) kitex.updateLimit((limit = next))
        for (let calls = any([0, 1, 1, 3, 40]); calls >= 0; calls--) {
          const wait = ours.take(limit, now)
          const admits = kitex.acquire()
          const expected = admits ? 0 : kitex.tickedAt + 100 - now
          if (wait !== expected) assert.fail(`seed ${seed}, step ${step}, limit ${limit}: ${wait}, not ${expected}`)
          if (admits) admitted++
          else refused++
        }
      }
    }
    assert.isAbove(refused, 10_000)
    assert.isAbove(admitted, 10_000)
  })

  it("below ten a second lets one through at a time, evenly, where Kitex lets none", () => {
    for (const limit of [0.5, 1, 3, 7, 9.5]) {
      const bucket = new TokenBucket(limit, 0)
      let passed = 0
      const seconds = 20
      for (let now = 0; now < seconds * 1000; now++) if (bucket.take(limit, now) === 0) passed++
      // The first one, and then those that the time brought.
      assert.approximately(passed, limit * seconds, 1, `limit ${limit}`)
    }
  })

  it("tells how long to wait: then, and not before, there is a token", () => {
    for (const limit of [0.5, 3, 10, 250]) {
      const bucket = new TokenBucket(limit, 5)
      let now = 17
      while (bucket.take(limit, now) === 0);
      const wait = bucket.take(limit, now)
      assert.isAbove(wait, 0)
      now += wait
      assert.isAbove(bucket.take(limit, now - 0.5), 0)
      assert.strictEqual(bucket.take(limit, now), 0)
    }
  })

  it("is neither generous nor stuck when the clock is set back", () => {
    const bucket = new TokenBucket(100, 1_000_000)
    for (let calls = 0; calls < 10; calls++) assert.strictEqual(bucket.take(100, 1_000_000), 0)
    assert.isAbove(bucket.take(100, 0), 0)
    assert.strictEqual(bucket.take(100, 100), 0)
  })
})

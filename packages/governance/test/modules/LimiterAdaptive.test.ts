/**
 * The adaptive limit against a simulated server: so many workers, a queue before them, and calls that come whether it
 * can or not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Limiter } from "@millrace/governance"
import { type CallObserver, RpcError } from "@millrace/rpc"
import { Effect, Metric, SubscriptionRef } from "effect"
import { admit, admits, request } from "../support/admissions.ts"
import { seeded } from "../support/random.ts"

interface Load {
  readonly seconds: number
  readonly workers: number
  /** Milliseconds of work for a call, given numbers from 0 up to 1. */
  readonly work: (random: () => number) => number
  /** Calls a second that come. */
  readonly offered: number
  /** What happens when it begins. */
  readonly first?: Effect.Effect<void>
}

/**
 * Runs loads one after the other; for each the mean of what ran at a time in its last quarter, and calls done a second.
 */
const simulate = (rule: ReturnType<typeof Limiter.adaptive>, loads: ReadonlyArray<Load>, seed = 1) => {
  const random = seeded(seed)
  let now = 0
  const results = []
  /** When each worker is free again. */
  let free: Array<number> = []
  const ends: Array<{ readonly at: number; readonly end: () => void }> = []
  let running = 0
  for (const { first = Effect.void, offered, seconds, work, workers } of loads) {
    Effect.runSync(first)
    const from = now
    free = Array.from({ length: workers }, (_, worker) => Math.max(now, free[worker] ?? now))
    let done = 0
    let samples = 0
    let sum = 0
    let most = 0
    while (now < from + seconds * 1000) {
      now += (-Math.log(1 - random()) * 1000) / offered
      while (ends.length > 0 && ends[0]!.at <= now) ends.shift()!.end()
      const call = request({}, { now })
      const answer = admit(rule, call)
      const late = now > from + seconds * 750
      if (typeof answer === "function") {
        running++
        const worker = free.indexOf(Math.min(...free))
        const at = Math.max(now, free[worker]!) + work(random)
        free[worker] = at
        const began = now
        const end = () => {
          running--
          if (late) done++
          answer({ millis: at - began, now: at })
        }
        const behind = ends.findLastIndex((other) => other.at <= at)
        ends.splice(behind + 1, 0, { at, end })
      }
      if (late) {
        samples++
        sum += running
        most = Math.max(most, running)
      }
    }
    results.push({ mean: sum / samples, most, perSecond: done / (seconds / 4) })
  }
  return results
}

const steady = () => 20
const noisy = (random: () => number) => (random() < 0.05 ? 200 : 5 + random() * 12)

describe("adaptive", () => {
  it("finds what a server bears: its workers are busy, and little waits", () => {
    for (const workers of [16, 40]) {
      const rule = Limiter.adaptive({ min: 2, max: 1000 })
      const [overloaded] = simulate(rule, [{ seconds: 40, workers, work: steady, offered: workers * 50 * 3 }])
      const capacity = workers * 50
      assert.isAbove(overloaded!.perSecond, capacity * 0.95, `${workers} workers`)
      assert.isBelow(overloaded!.mean, workers * 3, `${workers} workers`)
    }
  })

  it("stays within its bounds", () => {
    const low = Limiter.adaptive({ initial: 5, min: 5, max: 8 })
    const [bounded] = simulate(low, [{ seconds: 60, workers: 100, work: steady, offered: 2000 }])
    assert.strictEqual(bounded!.most, 8)
    const high = Limiter.adaptive({ initial: 30, min: 25, max: 40 })
    const [floor] = simulate(high, [{ seconds: 60, workers: 1, work: steady, offered: 2000 }])
    assert.isAtLeast(floor!.mean, 24)
  })

  it("keeps its bounds before it has measured anything, also those that contradict each other", () =>
    Effect.gen(function* () {
      const config = yield* SubscriptionRef.make<Limiter.AdaptiveConfig>({ max: 8 })
      const rule = Limiter.adaptive(config)
      for (let calls = 0; calls < 8; calls++) assert.isTrue(admits(rule, request()))
      assert.isFalse(admits(rule, request()))
      yield* SubscriptionRef.set(config, { min: 10, max: 100 })
      // It began with 20.
      for (let calls = 8; calls < 20; calls++) assert.isTrue(admits(rule, request()))
      assert.isFalse(admits(rule, request()))
    }).pipe(Effect.runPromise))

  it("tells its limit in a metric", () =>
    Effect.gen(function* () {
      const gauge = Metric.gauge("kitex.limit.adaptive", {
        description: "Calls at a time that the adaptive limit of a server allows",
        attributes: { unit: "1" }
      })
      const rule = Limiter.adaptive({ initial: 33, min: 2, max: 1000 })
      assert.isTrue(admits(rule, request()))
      assert.strictEqual((yield* Metric.value(gauge)).value, 33)
      simulate(rule, [{ seconds: 30, workers: 60, work: steady, offered: 5000 }])
      let running = 1
      while (admits(rule, request({}, { now: 60_000 }))) running++
      const { value } = yield* Metric.value(gauge)
      assert.isAbove(value, 50)
      // Those that the simulation left are in it.
      assert.isAtMost(running, value)
    }).pipe(Effect.runPromise))

  it("gives way when the server slows down, and recovers", () => {
    const rule = Limiter.adaptive({ min: 2, max: 500 })
    const load = { workers: 30, offered: 3000 }
    const [before, slow, after] = simulate(rule, [
      { ...load, seconds: 40, work: steady },
      { ...load, seconds: 20, work: () => 200 },
      { ...load, seconds: 60, work: steady }
    ])
    assert.isBelow(slow!.mean, before!.mean * 0.75)
    assert.isAbove(after!.perSecond, 1500 * 0.9)
  })

  it("does not collapse on noise where nothing is over the limit", () => {
    const rule = Limiter.adaptive({ initial: 60, min: 2, max: 500 })
    const [noise] = simulate(rule, [{ seconds: 30, workers: 100, work: noisy, offered: 2000 }])
    assert.isAbove(noise!.perSecond, 2000 * 0.95)
  })

  it("does not grow on calls that do not need it", () => {
    const rule = Limiter.adaptive({ initial: 40, min: 2, max: 500 })
    simulate(rule, [{ seconds: 60, workers: 100, work: steady, offered: 200 }])
    let at = 0
    while (at < 500 && admits(rule, request({}, { now: 60_000 }))) at++
    // Four or so of the load still run.
    assert.approximately(at, 40, 15)
  })

  it("measures neither streams, nor calls that were given up or refused by another rule", () => {
    const cancelled = new RpcError.RpcError({
      code: 1,
      desc: "context canceled",
      reason: new RpcError.Cancelled({ by: "peer" })
    })
    const ends: ReadonlyArray<Partial<CallObserver.CallEnd>> = [
      { info: request({ mode: "bidirectional" }).info },
      { reason: "interrupted" },
      { reason: "error", error: cancelled },
      { created: false }
    ]
    const rule = Limiter.adaptive({ initial: 20, min: 1, max: 40 })
    for (let window = 1; window < 50; window++) {
      const now = window * 1001
      const running = Array.from({ length: 20 }, () => admit(rule, request({}, { now })))
      // Long ones among short ones: the limit would fall if they counted, or rise.
      running.forEach((call, at) => {
        assert.strictEqual(typeof call, "function")
        if (typeof call === "function") call({ ...ends[at % ends.length], millis: at * 100, now })
      })
    }
    for (let calls = 0; calls < 20; calls++) assert.isTrue(admits(rule, request({}, { now: 60_000 })))
    const refused = admit(rule, request({}, { now: 60_000 }))
    assert.isTrue(refused instanceof RpcError.RpcError && refused.desc === "request over limit: server overloaded")
  })

  it("follows its policy", () =>
    Effect.gen(function* () {
      const config = yield* SubscriptionRef.make<Limiter.AdaptiveConfig>({ initial: 10, min: 10, max: 10 })
      const rule = Limiter.adaptive(config)
      const load: Load = { seconds: 10, workers: 100, work: steady, offered: 5000 }
      const results = simulate(rule, [load, { ...load, first: SubscriptionRef.set(config, { min: 20, max: 20 }) }])
      assert.deepStrictEqual(
        results.map(({ most }) => most),
        [10, 20]
      )
    }).pipe(Effect.runPromise))
})

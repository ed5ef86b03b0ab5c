/** The clock of a machine may be set back, here by an hour: nothing waits for it to come to where it was. */
import { assert, describe, it } from "@effect/vitest"
import { Dns, Instance, Limiter, Retry } from "@millrace/governance"
import { Network } from "@millrace/transport"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { InstanceNode } from "../../src/internal/discovery/instanceNode.ts"
import { MessageRate } from "../../src/internal/limits/messageRate.ts"
import { admit, admits, request } from "../support/admissions.ts"
import { play } from "../support/attempts.ts"
import { endOf } from "../support/balancing.ts"
import { broken, discover, ok, refusal, addressOf, scripted } from "../support/discovery.ts"

const hour = 3_600_000

describe("a clock that is set back", () => {
  it("leaves an instance the trust that it wins back", () => {
    const node = new InstanceNode(Instance.make("a:1"), hour)
    node.began(hour)
    node.ended(endOf({ millis: 1000, now: hour }))
    for (let now = 0; now < 100_000; now += 1000) {
      node.began(now)
      node.ended(endOf({ millis: 1, now }))
    }
    assert.isBelow(node.latency(100_000), 10)
  })

  it.effect("does not make an answer of DNS hold for an hour", () =>
    Effect.gen(function* () {
      let asked = 0
      const network = Network.Network.of({
        addresses: Effect.succeed([]),
        lookup: () =>
          Effect.sync(() => {
            asked++
            return [{ address: "10.0.0.1", family: 4, ttlSeconds: 30 }]
          }),
        lookupService: () => Effect.succeed([])
      })
      yield* TestClock.setTime(2 * hour)
      const { resolve } = yield* Effect.provideService(Dns.make(), Network.Network, network)
      yield* resolve("a")
      yield* TestClock.setTime(hour)
      yield* TestClock.adjust("29 seconds")
      yield* resolve("a")
      assert.strictEqual(asked, 1)
      yield* TestClock.adjust("1 seconds")
      yield* resolve("a")
      assert.strictEqual(asked, 2)
    })
  )

  it("does not hold up messages", () => {
    const rate = new MessageRate(() => ({ perSecond: 10, burst: 1 }))
    assert.strictEqual(rate.due(rate.take(1, hour), hour), 0)
    assert.strictEqual(rate.due(rate.take(1, hour), hour), 100)
    const ticket = rate.take(1, 0)
    assert.strictEqual(rate.due(ticket, 0), 200)
    assert.strictEqual(rate.due(ticket, 200), 0)
  })

  it("does not keep the adaptive limit as it is", () => {
    const rule = Limiter.adaptive({ initial: 20, min: 1, max: 100 })
    const fill = (now: number, millis: number) => {
      let running = 0
      const ends: Array<() => void> = []
      for (let answer = admit(rule, request({}, { now })); typeof answer === "function";) {
        const ended = answer
        ends.push(() => ended({ millis, now: now + millis }))
        running++
        answer = admit(rule, request({}, { now }))
      }
      for (const end of ends) end()
      return running
    }
    for (let second = 0; second < 20; second++) fill(hour + second * 1000, 10)
    const before = fill(hour + 20_000, 10)
    for (let second = 0; second < 20; second++) fill(second * 1000, 10_000)
    assert.isBelow(fill(20_000, 10), before / 2)
  })

  it.effect("does not keep failures in the way of retries", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({ maxRetries: 1 })
      yield* TestClock.setTime(hour)
      for (let call = 0; call < 20; call++) yield* play(policy, [{ takes: 0, ends: "connect" }])
      assert.strictEqual((yield* play(policy, [{ takes: 0, ends: "connect" }])).seen.length, 1)
      yield* TestClock.setTime(0)
      yield* play(policy, [{ takes: 0, ends: "ok" }])
      yield* TestClock.setTime(11_000)
      assert.strictEqual((yield* play(policy, [{ takes: 0, ends: "connect" }])).seen.length, 2)
    })
  )

  it.effect("does not keep calls from asking a source that failed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hour)
      const script = scripted(Effect.fail(broken("a")))
      const { endpoints } = yield* discover(script.source, { refreshInterval: "1 minute" })
      yield* refusal(endpoints)
      yield* TestClock.setTime(0)
      script.answer = ok("a:1")
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
    }).pipe(Effect.scoped)
  )

  it("lets calls a second through as before", () => {
    const rule = Limiter.qps(10)
    assert.isTrue(admits(rule, request({}, { now: hour })))
    assert.isFalse(admits(rule, request({}, { now: 0 })))
    assert.isTrue(admits(rule, request({}, { now: 100 })))
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Discovery, Instance, LoadBalancer, Resolver } from "@millrace/governance"
import { Clock, Effect, Exit, Fiber, Random, Scope, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import {
  type Answer,
  addressOf,
  broken,
  discover,
  instances,
  logging,
  ok,
  refusal,
  scripted
} from "../support/discovery.ts"

const gaps = (asked: ReadonlyArray<number>) => asked.slice(1).map((at, i) => at - asked[i]!)

const withTtl = (ttlMillis: number, ...addresses: ReadonlyArray<string>): Answer =>
  Effect.succeed({ instances: instances(...addresses), ttlMillis })

/** Uses the service for so many seconds. */
const use = (endpoints: Parameters<typeof addressOf>[0], seconds: number) =>
  Effect.gen(function* () {
    for (let i = 0; i < seconds; i++) {
      yield* Effect.exit(addressOf(endpoints))
      yield* TestClock.adjust("1 second")
    }
  })

describe("the refresh of a service in use", () => {
  it.effect("comes each refreshInterval, beside the calls", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source)
      yield* addressOf(endpoints)
      script.answer = Effect.delay(ok("b:1"), 3000)
      yield* TestClock.adjust("7 seconds")
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* addressOf(endpoints), "b:1")
      yield* use(endpoints, 16)
      assert.deepStrictEqual(script.asked, [0, 5000, 13_000, 21_000])
    })
  )

  it.effect("is spread by the jitter, and no more", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source, { jitter: 0.2 })
      yield* use(endpoints, 2000)
      const waits = gaps(script.asked)
      assert.isAtLeast(waits.length, 333)
      for (const wait of waits) {
        assert.isAtLeast(wait, 4000)
        assert.isAtMost(wait, 6000)
      }
      const mean = waits.reduce((a, b) => a + b, 0) / waits.length
      assert.closeTo(mean, 5000, 150)
      assert.isBelow(Math.min(...waits), 4200)
      assert.isAbove(Math.max(...waits), 5800)
    }).pipe(Random.withSeed("jitter"))
  )

  it.effect("keeps at least a second from an answer to the next question", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source, { refreshInterval: 0, jitter: 1 })
      yield* use(endpoints, 20)
      for (const wait of gaps(script.asked)) assert.isAtLeast(wait, 1000)
    })
  )
})

describe("the config", () => {
  it.effect("may change at any time", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const config = yield* SubscriptionRef.make<Discovery.Config>({ jitter: 0 })
      const { endpoints } = yield* Discovery.make({ config }).pipe(
        Effect.provideService(Resolver.Resolver, script.source)
      )
      yield* use(endpoints, 11)
      yield* SubscriptionRef.set(config, { jitter: 0, refreshInterval: "2 seconds", confirmEmpty: 1 })
      yield* use(endpoints, 8)
      assert.deepStrictEqual(script.asked, [0, 5000, 10_000, 15_000, 17_000, 19_000])
      script.answer = ok()
      yield* use(endpoints, 3)
      assert.include(yield* refusal(endpoints), "no instance available")
    })
  )

  it.effect("is checked", () =>
    Effect.gen(function* () {
      for (const config of [{ jitter: 1.5 }, { confirmEmpty: 0 }, { refreshInterval: -1 }]) {
        const exit = yield* Effect.exit(
          Effect.provideService(Discovery.make({ config }), Resolver.Resolver, scripted(ok()).source)
        )
        assert.include(String(exit), Object.keys(config)[0])
      }
    })
  )
})

describe("the TTL of an answer", () => {
  it.effect("says when the next question is, within bounds", () =>
    Effect.gen(function* () {
      const script = scripted(withTtl(12_000, "a:1"))
      const { endpoints } = yield* discover(script.source)
      yield* use(endpoints, 30)
      assert.deepStrictEqual(gaps(script.asked), [12_000, 12_000])
      // A TTL of nothing is no storm.
      script.answer = withTtl(0, "a:1")
      yield* use(endpoints, 30)
      assert.deepStrictEqual(new Set(gaps(script.asked).slice(3)), new Set([1000]))
      script.answer = withTtl(Infinity, "a:1")
      yield* use(endpoints, 10)
      const asked = script.asked.length
      yield* use(endpoints, 299)
      assert.isAtMost(script.asked.length - asked, 1)
      yield* use(endpoints, 5)
      assert.strictEqual(script.asked.length - asked, 1)
    })
  )

  it.effect("is the shortest there is where it is no number", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.succeed({ instances: instances("a:1"), ttlMillis: Number.NaN }))
      const { endpoints } = yield* discover(script.source)
      yield* addressOf(endpoints)
      yield* TestClock.adjust(3500)
      assert.deepStrictEqual(script.asked, [0, 1000, 2000, 3000])
    })
  )

  it.effect("is only made longer by the jitter, because a cache would answer as before", () =>
    Effect.gen(function* () {
      const script = scripted(withTtl(10_000, "a:1"))
      const { endpoints } = yield* discover(script.source, { jitter: 0.5 })
      yield* use(endpoints, 1000)
      for (const wait of gaps(script.asked)) {
        assert.isAtLeast(wait, 10_000)
        assert.isAtMost(wait, 15_000)
      }
      assert.isAbove(new Set(gaps(script.asked)).size, 10)
    }).pipe(Random.withSeed("ttl"))
  )

  it.effect("is that of the last answer: after a failure the interval counts", () =>
    Effect.gen(function* () {
      const script = scripted(withTtl(60_000, "a:1"))
      const { endpoints } = yield* discover(script.source)
      yield* use(endpoints, 59)
      script.answer = Effect.fail(broken("a"))
      yield* use(endpoints, 14)
      assert.deepStrictEqual(script.asked, [0, 60_000, 65_000, 70_000])
    })
  )
})

describe("a source that pushes", () => {
  /** Pushes what a reference has, until `broken` fails the watch. */
  const pushing = Effect.gen(function* () {
    const list = yield* SubscriptionRef.make<ReadonlyArray<Instance.Instance>>(instances("a:1"))
    const script = scripted(Effect.sync(() => ({ instances: list.value })))
    const subscribed: Array<number> = []
    const state = { broken: false, ended: 0 }
    const down = yield* SubscriptionRef.make(false)
    const source: Resolver.Source = {
      ...script.source,
      watch: () =>
        Stream.unwrap(
          Effect.map(Clock.currentTimeMillis, (now) => {
            subscribed.push(now)
            if (down.value) return Stream.fail(broken("a", { desc: "no watch" }))
            return SubscriptionRef.changes(list).pipe(
              Stream.merge(
                SubscriptionRef.changes(down).pipe(
                  Stream.filter((isDown) => isDown),
                  Stream.mapEffect(() => Effect.fail(broken("a", { desc: "lost" })))
                )
              ),
              Stream.ensuring(
                Effect.sync(() => {
                  state.ended++
                })
              )
            )
          })
        )
    }
    return { source, script, subscribed, state, list, down }
  })

  it.effect("is heard at once, and not asked", () =>
    Effect.gen(function* () {
      const { list, script, source } = yield* pushing
      const { endpoints } = yield* discover(source)
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      yield* use(endpoints, 60)
      assert.isAtMost(script.asked.length, 1)
      yield* SubscriptionRef.set(list, instances("b:1"))
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* addressOf(endpoints), "b:1")
      assert.isAtMost(script.asked.length, 1)
    })
  )

  it.effect("is asked from time to time while the watch is down, and subscribed to again ever more rarely", () =>
    logging((lines) =>
      Effect.gen(function* () {
        const { down, list, script, source, state, subscribed } = yield* pushing
        const { endpoints } = yield* discover(source)
        yield* addressOf(endpoints)
        yield* TestClock.adjust("10 seconds")
        const asked = script.asked.length
        yield* SubscriptionRef.set(down, true)
        yield* use(endpoints, 123)
        // Lost at 10 s: again after 1, 2, 4, 8, 16, 30, 30 s more.
        assert.deepStrictEqual(gaps(subscribed), [11_000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
        const polled = gaps(script.asked.slice(asked))
        assert.isAtLeast(polled.length, 22)
        assert.deepStrictEqual(new Set(polled), new Set([5000]))
        yield* SubscriptionRef.set(list, instances("c:1"))
        yield* use(endpoints, 6)
        assert.strictEqual(yield* addressOf(endpoints), "c:1")
        yield* SubscriptionRef.set(down, false)
        yield* use(endpoints, 30)
        assert.deepStrictEqual(lines, [
          "Warn: discovery: script: lost: nothing tells of changes of a, which is asked for every 5000 ms until then",
          "Info: discovery: script tells of changes of a again"
        ])
        const before = script.asked.length
        yield* use(endpoints, 60)
        assert.strictEqual(script.asked.length, before)
        yield* SubscriptionRef.set(list, instances("d:1"))
        yield* TestClock.adjust(0)
        assert.strictEqual(yield* addressOf(endpoints), "d:1")
        assert.strictEqual(state.ended, 1)
      })
    )
  )

  it.effect("does not take an answer that is older than what was pushed", () =>
    Effect.gen(function* () {
      const { list, script, source } = yield* pushing
      script.answer = Effect.delay(ok("old:1"), 500)
      const { endpoints } = yield* discover(source)
      yield* addressOf(endpoints)
      yield* SubscriptionRef.set(list, instances("new:1"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* addressOf(endpoints), "new:1")
    })
  )

  it.effect("is asked whether a list is empty indeed", () =>
    Effect.gen(function* () {
      const { list, script, source } = yield* pushing
      const { endpoints } = yield* discover(source)
      yield* addressOf(endpoints)
      yield* use(endpoints, 20)
      script.answer = ok("a:1")
      yield* SubscriptionRef.set(list, [])
      yield* use(endpoints, 20)
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      script.answer = ok()
      yield* SubscriptionRef.set(list, [])
      yield* use(endpoints, 6)
      assert.include(yield* refusal(endpoints), "no instance available")
    })
  )

  it.effect("serves calls though it cannot be asked", () =>
    Effect.gen(function* () {
      const { script, source } = yield* pushing
      script.answer = Effect.never
      const { endpoints } = yield* discover(source)
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
    })
  )

  it.effect("is left when nobody uses the service, and when the scope closes", () =>
    Effect.gen(function* () {
      const { source, state, subscribed } = yield* pushing
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { endpoints } = yield* discover(source)
          yield* addressOf(endpoints)
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual(state.ended, 1)
          yield* addressOf(endpoints)
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual(subscribed.length, 2)
        })
      )
      assert.strictEqual(state.ended, 2)
    })
  )
})

describe("a service that is forgotten while its watch takes long to end", () => {
  it.effect("begins anew with the next call", () =>
    Effect.gen(function* () {
      const list = yield* SubscriptionRef.make(instances("a:1"))
      let begun = 0
      const source: Resolver.Source = {
        name: "slow",
        resolve: () => Effect.delay(Effect.succeed({ instances: list.value }), 10),
        watch: () => {
          begun++
          return Stream.ensuring(Stream.never, Effect.sleep("20 seconds"))
        }
      }
      const scope = yield* Scope.make()
      const { endpoints } = yield* Scope.provide(discover(source), scope)
      const first = yield* Effect.forkChild(addressOf(endpoints), { startImmediately: true })
      yield* TestClock.adjust("35 seconds")
      yield* Fiber.join(first)
      yield* SubscriptionRef.set(list, instances("b:1"))
      const second = yield* Effect.forkChild(addressOf(endpoints), { startImmediately: true })
      yield* TestClock.adjust(10)
      assert.strictEqual(yield* Fiber.join(second), "b:1")
      assert.strictEqual(begun, 2)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(closing)
    })
  )
})

describe("a list that the program changes", () => {
  it.effect("counts at once, with its weights", () =>
    Effect.gen(function* () {
      const listed = yield* SubscriptionRef.make<Resolver.Listed>({ a: ["a:1", "b:1"] })
      const { endpoints } = yield* discover(
        Resolver.fromInstances(listed),
        {},
        {
          balancer: LoadBalancer.weightedRoundRobin
        }
      )
      const shares = Effect.gen(function* () {
        const counts: Record<string, number> = {}
        for (let i = 0; i < 80; i++) {
          const address = (yield* addressOf(endpoints))!
          counts[address] = (counts[address] ?? 0) + 1
        }
        return counts
      })
      assert.deepStrictEqual(yield* shares, { "a:1": 40, "b:1": 40 })
      yield* TestClock.adjust(0)
      yield* SubscriptionRef.set(listed, { a: ["a:1", Instance.make("b:1", { weight: 30 })] })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* shares, { "a:1": 20, "b:1": 60 })
      yield* SubscriptionRef.set(listed, { a: [Instance.make("a:1", { weight: 0 }), "b:1"] })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* shares, { "b:1": 80 })
      yield* SubscriptionRef.set(listed, { a: [Instance.make("a:1", { weight: 0 })] })
      yield* TestClock.adjust(0)
      assert.strictEqual(
        yield* refusal(endpoints),
        "NoInstance: no more instances to retry: none of the 1 of a that are known has a weight above zero"
      )
    })
  )

  it.effect("has to be confirmed where it becomes empty, which is asked soon", () =>
    Effect.gen(function* () {
      const listed = yield* SubscriptionRef.make<Resolver.Listed>({ a: ["a:1"] })
      const { endpoints } = yield* discover(Resolver.fromInstances(listed))
      yield* use(endpoints, 3)
      yield* SubscriptionRef.set(listed, { a: [] })
      yield* use(endpoints, 1)
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      yield* use(endpoints, 5)
      assert.include(yield* refusal(endpoints), "no instance available")
    })
  )
})

/** What is registered is in etcd, stays there whatever happens to etcd, and is gone when it is taken out. */
import { assert, describe, it } from "@effect/vitest"
import type { Registry } from "@millrace/governance"
import { Clock, Effect, Exit, Fiber, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { FakeEtcd, logged } from "../support/etcd.ts"
import { descOf, keyOf, one, registryIn, two } from "../support/etcdRegistry.ts"

describe("an instance", () => {
  it.effect("is put under a lease of 60 seconds, which goes on as long as the registry", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      yield* registry.register({ ...one, tags: { az: "b" } })
      assert.deepStrictEqual(
        Array.from(etcd.pairs, ([key, { value }]) => [key, value]),
        [[keyOf(one), `{"network":"tcp","address":"10.0.0.1:8888","weight":10,"tags":{"az":"b"}}`]]
      )
      assert.deepStrictEqual(Array.from(etcd.leases.values()), [{ ttl: 60, ends: 60_000 }])
      etcd.requests.length = 0
      yield* TestClock.adjust("10 minutes")
      assert.isTrue(etcd.pairs.has(keyOf(one)))
      assert.lengthOf(
        etcd.requests.filter((request) => request === "a:2379 /v3/lease/keepalive"),
        30
      )
      assert.strictEqual(etcd.leases.size, 1)
    })
  )

  it.effect("that somebody deletes is put back within a third of its lease, under the same lease", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { leaseTtl: "6 seconds" })
      const { lines } = yield* logged(
        Effect.gen(function* () {
          yield* registry.register(one)
          etcd.delete(keyOf(one))
          yield* TestClock.adjust("2 seconds")
          assert.isTrue(etcd.pairs.has(keyOf(one)))
          assert.strictEqual(etcd.leases.size, 1)
        })
      )
      assert.deepStrictEqual(lines, ["Warn etcd: echo at 10.0.0.1:8888 had vanished, and is registered again"])
    })
  )

  it.effect("that etcd has forgotten, lease and all, is put back under a new one", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      yield* registry.register(one)
      const [before] = etcd.leases.keys()
      etcd.forget()
      yield* TestClock.adjust("20 seconds")
      const { lease } = etcd.pairs.get(keyOf(one))!
      assert.notStrictEqual(lease, before)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(etcd.pairs.get(keyOf(one))!.lease, lease)
    })
  )

  it.effect("is there again within seconds after an outage that was longer than its lease; two lines tell of it", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      const { lines } = yield* logged(
        Effect.gen(function* () {
          yield* registry.register(one)
          for (const host of ["a:2379", "b:2379"]) etcd.down.add(host)
          yield* TestClock.adjust("10 minutes")
          assert.isAtMost(etcd.requests.length, 600)
          etcd.down.clear()
          yield* TestClock.adjust("7 seconds")
          assert.isTrue(etcd.pairs.has(keyOf(one)))
          assert.strictEqual(etcd.leases.size, 1)
        })
      )
      assert.deepStrictEqual(lines, [
        "Warn etcd: echo at 10.0.0.1:8888 may vanish, and is tried again and again: http://b:2379 cannot be asked (connect ECONNREFUSED): is etcd there, and can it be reached from here?",
        "Warn etcd: echo at 10.0.0.1:8888 had vanished, and is registered again",
        "Info etcd: echo at 10.0.0.1:8888 is kept again"
      ])
    })
  )

  it.effect("survives an outage that is shorter than its lease", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      yield* registry.register(one)
      const [before] = etcd.leases.keys()
      yield* TestClock.adjust("19 seconds")
      for (const host of ["a:2379", "b:2379"]) etcd.down.add(host)
      yield* TestClock.adjust("30 seconds")
      etcd.down.clear()
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(Array.from(etcd.leases.keys()), [before])
      assert.isTrue(etcd.pairs.has(keyOf(one)))
    })
  )

  it.effect("that is taken out is gone at once, with its lease, and nothing is asked for it any more", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      yield* registry.register(one)
      yield* registry.register(two)
      yield* registry.deregister(one)
      assert.deepStrictEqual(Array.from(etcd.pairs.keys()), [keyOf(two)])
      assert.strictEqual(etcd.leases.size, 1)
      yield* registry.deregister(two)
      etcd.requests.length = 0
      yield* registry.deregister(one)
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(etcd.requests, 0)
    })
  )

  it.effect("of another server at the same address is left alone", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const before = yield* registryIn(etcd)
      const after = yield* registryIn(etcd)
      yield* before.register(one)
      yield* after.register({ ...one, weight: 3 })
      yield* before.deregister(one)
      assert.match(etcd.pairs.get(keyOf(one))!.value, /"weight":3/)
    })
  )

  it.effect("that is registered again has a new weight, and one lease as before", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      yield* registry.register(one)
      yield* registry.register({ ...one, weight: 3 })
      assert.match(etcd.pairs.get(keyOf(one))!.value, /"weight":3/)
      assert.strictEqual(etcd.leases.size, 1)
      etcd.forget()
      yield* TestClock.adjust("20 seconds")
      assert.match(etcd.pairs.get(keyOf(one))!.value, /"weight":3/)
    })
  )

  it.effect("is taken out when the scope of the registry closes, as are all others, at the same time", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(registryIn(etcd), scope)
      yield* registry.register(one)
      yield* registry.register(two)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(etcd.pairs.size, 0)
      etcd.requests.length = 0
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(etcd.requests, 0)
    })
  )

  it.effect("ends with its lease where etcd is down when the scope closes, which takes no longer than a try", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const scope = yield* Scope.make()
      const registry = yield* Scope.provide(registryIn(etcd), scope)
      yield* registry.register(one)
      yield* registry.register(two)
      for (const host of ["a:2379", "b:2379"]) etcd.hanging.add(host)
      const { lines } = yield* logged(
        Effect.gen(function* () {
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
          yield* TestClock.adjust("6 seconds")
          yield* Fiber.join(closing)
        })
      )
      assert.lengthOf(lines, 2)
      assert.match(
        lines[0]!,
        /^Warn etcd: echo at 10\.0\.0\.[12]:8888 stays registered for 60 s at most: http:\/\/[ab]/
      )
    })
  )
})

describe("what cannot be registered", () => {
  const refused: ReadonlyArray<readonly [why: string, registration: Partial<Registry.Registration>, desc: RegExp]> = [
    ["a service with a slash", { service: "a/b" }, /"a\/b" has a "\/" in its name, which divides keys/],
    ["a service without a name", { service: "" }, /the name of the service is empty/],
    ["a weight of nothing", { weight: 0 }, /weight 0 stands for the default in etcd: deregister/],
    ["an address without a port", { address: "10.0.0.1" }, /"10\.0\.0\.1" is no address: give HOST:PORT/],
    ["a part of a weight", { weight: 2.5 }, /weight 2\.5 is no whole number/]
  ]
  for (const [why, wrong, desc] of refused) {
    it.effect(why, () =>
      Effect.gen(function* () {
        const etcd = new FakeEtcd()
        const registry = yield* registryIn(etcd)
        assert.match(yield* descOf(registry.register({ ...one, ...wrong })), desc)
        assert.lengthOf(etcd.requests, 0)
      })
    )
  }

  it.effect("is tried no more, and leaves nothing", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      for (const host of ["a:2379", "b:2379"]) etcd.down.add(host)
      assert.strictEqual(
        yield* descOf(registry.register(one)),
        "http://b:2379 cannot be asked (connect ECONNREFUSED): is etcd there, and can it be reached from here?"
      )
      etcd.down.clear()
      etcd.requests.length = 0
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(etcd.requests, 0)
      assert.strictEqual(etcd.pairs.size, 0)
    })
  )
})

it.effect("one whose answer is lost is no instance, and does not stay", () =>
  Effect.gen(function* () {
    const etcd = new FakeEtcd()
    const registry = yield* registryIn(etcd, { endpoints: ["a:2379"] })
    etcd.unanswered.add("/v3/kv/put")
    const failing = yield* Effect.forkChild(descOf(registry.register(one)), { startImmediately: true })
    yield* TestClock.adjust(1)
    assert.isTrue(etcd.pairs.has(keyOf(one)))
    yield* TestClock.adjust("3 seconds")
    assert.match(yield* Fiber.join(failing), /^http:\/\/a:2379 does not answer within 3000 ms/)
    assert.strictEqual(etcd.pairs.size, 0)
  })
)

const Step = Schema.Union([
  Schema.Struct({ does: Schema.Literals(["register", "deregister", "delete"]), which: Schema.Literals([0, 1, 2]) }),
  Schema.Struct({ does: Schema.Literals(["down", "up", "hang", "forget"]) }),
  Schema.Struct({
    does: Schema.Literal("wait"),
    seconds: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 90 }))
  })
])

it.effect.prop(
  "whatever happens: when etcd has been there for a while, it has what is registered and nothing else",
  [Schema.Array(Step)],
  ([steps]) =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { endpoints: ["a:2379"] })
      const instances = [one, two, { ...one, service: "other", weight: 3 }]
      const registered = new Set<string>()
      const inTime = Effect.fnUntraced(function* <A>(effect: Effect.Effect<A, unknown>) {
        const fiber = yield* Effect.forkChild(Effect.exit(effect), { startImmediately: true })
        // at most three requests, one after the other, and as many to clean up
        yield* TestClock.adjust("15 seconds")
        return Exit.isSuccess(yield* Fiber.join(fiber))
      })
      for (const step of steps) {
        switch (step.does) {
          case "register": {
            const instance = instances[step.which]!
            if (yield* inTime(registry.register(instance))) registered.add(keyOf(instance))
            break
          }
          case "deregister": {
            const instance = instances[step.which]!
            yield* inTime(registry.deregister(instance))
            registered.delete(keyOf(instance))
            break
          }
          case "delete":
            etcd.delete(keyOf(instances[step.which]!))
            break
          case "down":
            etcd.down.add("a:2379")
            break
          case "hang":
            etcd.hanging.add("a:2379")
            break
          case "up":
            etcd.down.clear()
            etcd.hanging.clear()
            break
          case "forget":
            etcd.forget()
            break
          case "wait":
            yield* TestClock.adjust(step.seconds * 1000)
        }
      }
      etcd.down.clear()
      etcd.hanging.clear()
      // longer than a lease, and than a turn of each
      yield* TestClock.adjust("3 minutes")
      etcd.expire(yield* Clock.currentTimeMillis)
      assert.deepStrictEqual(Array.from(etcd.pairs.keys()).sort(), Array.from(registered).sort())
      // no lease is kept for nothing
      assert.strictEqual(etcd.leases.size, registered.size)
    }).pipe(logged, Effect.scoped),
  { arbitrary: { runs: 100 } }
)

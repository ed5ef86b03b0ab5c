/** Which member of etcd is asked, by whom, and what becomes of answers that are none; and the variables of registry-etcd. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Redacted, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { FakeEtcd } from "../support/etcd.ts"
import { descOf, keyOf, one, registryIn, two } from "../support/etcdRegistry.ts"

const auth = { user: "root", password: Redacted.make("secret") }

describe("members", () => {
  it.effect("are asked in turn where one is down, and the one that answers is asked from then on", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      etcd.down.add("a:2379")
      yield* registry.register(one)
      yield* registry.deregister(one)
      assert.deepStrictEqual(etcd.requests, [
        "a:2379 /v3/lease/grant",
        "b:2379 /v3/lease/grant",
        "b:2379 /v3/kv/put",
        "b:2379 /v3/lease/revoke"
      ])
    })
  )

  it.effect("that do not answer have three seconds", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd)
      etcd.hanging.add("a:2379")
      const registering = yield* Effect.forkChild(registry.register(one), { startImmediately: true })
      yield* TestClock.adjust(2999)
      assert.deepStrictEqual(etcd.requests, ["a:2379 /v3/lease/grant"])
      yield* TestClock.adjust(1)
      yield* Fiber.join(registering)
      etcd.hanging.add("b:2379")
      const failing = yield* Effect.forkChild(descOf(registry.register(two)), { startImmediately: true })
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(
        yield* Fiber.join(failing),
        "http://a:2379 does not answer within 3000 ms: is etcd there, and can it be reached from here?"
      )
      etcd.hanging.clear()
    })
  )

  it.effect("that a third one listens at in place of etcd are named, with what to do", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { endpoints: ["a:80"] })
      const bodies: ReadonlyArray<readonly [status: number, body: string, desc: string]> = [
        [200, "<html>", "http://a:80 answers with something that is no JSON (HTTP 200)"],
        [404, "<html>", "http://a:80 answers with something that is no JSON (HTTP 404)"],
        [200, "", "http://a:80 answers with nothing (HTTP 200)"],
        [200, "null", "http://a:80 answers with JSON that is not etcd's (HTTP 200)"],
        [200, `[{"ID":"7"}]`, "http://a:80 answers with JSON that is not etcd's (HTTP 200)"],
        [200, `{"ID":{}}`, "http://a:80 answers with JSON that is not etcd's (HTTP 200)"],
        [404, `{"code":"x"}`, "http://a:80 answers with HTTP 404"],
        [302, `{}`, "http://a:80 answers with HTTP 302"]
      ]
      for (const [status, body, desc] of bodies) {
        etcd.answerAlways(status, body)
        assert.strictEqual(
          yield* descOf(registry.register(one)),
          `${desc}: name the address of etcd's clients, and have its gateway enabled`
        )
      }
    })
  )

  it.effect("that answer without an end are left", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { endpoints: ["a:80"], maxAnswerBytes: 100_000 })
      const pulls = etcd.answerEndlessly(1000)
      assert.match(yield* descOf(registry.register(one)), /^http:\/\/a:80 answers with more than 100000 bytes at once/)
      assert.isAtMost(pulls(), 110)
    })
  )
})

describe("a user", () => {
  it.effect("logs in once, and again when the token is no longer good", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      etcd.token = "first"
      const registry = yield* registryIn(etcd, { auth })
      yield* registry.register(one)
      etcd.token = "second"
      yield* registry.register(two)
      assert.strictEqual(etcd.pairs.size, 2)
      const logins = () => etcd.requests.filter((request) => request.endsWith("authenticate")).length
      assert.strictEqual(logins(), 2)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(logins(), 2)
      assert.strictEqual(etcd.pairs.size, 2)
    })
  )

  it.effect("that etcd does not know is told what to look at", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      etcd.token = "first"
      const registry = yield* registryIn(etcd, { auth: { ...auth, password: Redacted.make("wrong") } })
      const desc = yield* descOf(registry.register(one))
      assert.strictEqual(
        desc,
        "etcd at http://a:2379 refuses: etcdserver: authentication failed, invalid user ID or password (code 3): look at user and password (option `auth`)"
      )
      assert.notInclude(desc, "wrong")
      const nobody = yield* registryIn(etcd)
      assert.strictEqual(
        yield* descOf(nobody.register(one)),
        "etcd at http://a:2379 refuses: etcdserver: user name is empty (code 3): it asks for a user and a password (option `auth`)"
      )
    })
  )

  it.effect("need not log in where nobody has to, and does when it has to later", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { auth })
      yield* registry.register(one)
      etcd.token = "now"
      yield* registry.register(two)
      assert.strictEqual(etcd.pairs.size, 2)
    })
  )
})

describe("the variables of registry-etcd", () => {
  const inEnvironment = (variables: Record<string, string>) =>
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))

  const cases: ReadonlyArray<readonly [variables: Record<string, string>, address: string, ttl: number]> = [
    [{}, "10.0.0.1:8888", 60],
    [{ KITEX_ETCD_REGISTRY_LEASE_TTL: "30" }, "10.0.0.1:8888", 30],
    [{ KITEX_ETCD_REGISTRY_LEASE_TTL: "x", KITEX_IP_TO_REGISTRY: "" }, "10.0.0.1:8888", 60],
    [{ KITEX_IP_TO_REGISTRY: "192.168.0.7" }, "192.168.0.7:8888", 60],
    [{ KITEX_IP_TO_REGISTRY: "fe80::1", KITEX_PORT_TO_REGISTRY: "80" }, "[fe80::1]:80", 60],
    [{ KITEX_PORT_TO_REGISTRY: "80" }, "10.0.0.1:80", 60]
  ]
  for (const [variables, address, ttl] of cases) {
    it.effect(`${JSON.stringify(variables)}: ${address}, ${ttl} s`, () =>
      Effect.gen(function* () {
        const etcd = new FakeEtcd()
        const registry = yield* registryIn(etcd)
        yield* registry.register(one)
        assert.deepStrictEqual(Array.from(etcd.pairs.keys()), [keyOf({ ...one, address })])
        assert.deepStrictEqual(
          Array.from(etcd.leases.values(), (lease) => lease.ttl),
          [ttl]
        )
        yield* registry.deregister(one)
        assert.strictEqual(etcd.pairs.size, 0)
      }).pipe(inEnvironment(variables))
    )
  }

  it.effect("a lease of the options wins, a port that is none is refused", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const registry = yield* registryIn(etcd, { leaseTtl: "5 seconds" })
      assert.match(yield* descOf(registry.register(one)), /"10\.0\.0\.1:http" is no address/)
      yield* registry.register({ ...one, address: "unix:/run/a.sock" })
      assert.deepStrictEqual(
        Array.from(etcd.leases.values(), (lease) => lease.ttl),
        [5]
      )
    }).pipe(inEnvironment({ KITEX_ETCD_REGISTRY_LEASE_TTL: "30", KITEX_PORT_TO_REGISTRY: "http" }))
  )
})

it.effect("what keeps an instance registered is part of no trace", () =>
  Effect.gen(function* () {
    const etcd = new FakeEtcd()
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        spans.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    yield* Effect.gen(function* () {
      const registry = yield* registryIn(etcd)
      yield* registry.register(one)
      yield* TestClock.adjust("1 minute")
    }).pipe(Effect.withTracer(tracer))
    assert.isAtLeast(etcd.requests.length, 4)
    assert.deepStrictEqual(spans, [])
  })
)

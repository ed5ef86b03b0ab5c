import { assert, describe, it } from "@effect/vitest"
import { Dns, Instance, type Resolver } from "@millrace/governance"
import { Network } from "@millrace/transport"
import { Clock, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { addressOf, discover } from "../support/discovery.ts"

const address = (text: string, ttlSeconds?: number): Network.FoundAddress => ({
  address: text,
  family: text.includes(":") ? 6 : 4,
  ...(ttlSeconds === undefined ? {} : { ttlSeconds })
})

const notFound = (hostname: string, kind: "notFound" | "temporary" = "notFound") =>
  new Network.NetworkError({ hostname, kind, desc: `${hostname} has no address` })

/** A network whose DNS answers what the test says, and which remembers when it was asked what. */
const network = () => {
  const asked: Array<readonly [number, string]> = []
  const state: {
    asked: typeof asked
    hosts: Record<string, Effect.Effect<ReadonlyArray<Network.FoundAddress>, Network.NetworkError>>
    services: Record<string, ReadonlyArray<Network.FoundService>>
    service: Network.Network["Service"]
  } = {
    asked,
    hosts: {},
    services: {},
    service: {
      addresses: Effect.succeed([]),
      lookup: (hostname) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          asked.push([now, hostname])
          return state.hosts[hostname] ?? Effect.fail(notFound(hostname))
        }),
      lookupService: (name) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          asked.push([now, name])
          const services = state.services[name]
          return services === undefined ? Effect.fail(notFound(name)) : Effect.succeed(services)
        })
    }
  }
  return state
}

const source = (of: ReturnType<typeof network>, options?: Dns.Options): Effect.Effect<Resolver.Source> =>
  Effect.provideService(Dns.make(options), Network.Network, of.service)

const addresses = (resolved: Resolver.Resolved) => resolved.instances.map((instance) => instance.address)

describe("a name", () => {
  it.effect("is a host with a port, or with Kitex's default", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.hosts["echo"] = Effect.succeed([address("10.0.0.1"), address("fd00::1")])
      dns.hosts["10.0.0.9"] = Effect.succeed([address("10.0.0.9")])
      dns.hosts["::1"] = Effect.succeed([address("::1")])
      const { resolve } = yield* source(dns)
      assert.deepStrictEqual((yield* resolve("echo")).instances, [
        Instance.make("10.0.0.1:443"),
        Instance.make("[fd00::1]:443")
      ])
      assert.deepStrictEqual(addresses(yield* resolve("echo:8888")), ["10.0.0.1:8888", "[fd00::1]:8888"])
      assert.deepStrictEqual(addresses(yield* resolve("10.0.0.9:80")), ["10.0.0.9:80"])
      assert.deepStrictEqual(addresses(yield* resolve("[::1]:80")), ["[::1]:80"])
      assert.deepStrictEqual(addresses(yield* resolve("[::1]")), ["[::1]:443"])
      assert.deepStrictEqual(addresses(yield* resolve("::1")), ["[::1]:443"])
      const other = yield* source(dns, { port: 8000 })
      assert.deepStrictEqual(addresses(yield* other.resolve("echo")), ["10.0.0.1:8000", "[fd00::1]:8000"])
    })
  )

  it.effect("that no host can have is refused for good, without a question", () =>
    Effect.gen(function* () {
      const dns = network()
      const { resolve } = yield* source(dns)
      for (const name of ["", ":80", "a:", "a:0", "a:65536", "a:b", "a:1:2", "[::1", "[]:1", "a]:1"]) {
        const error = yield* Effect.flip(resolve(name))
        assert.isFalse(error.retryable, name)
        assert.include(error.message, `dns: ${JSON.stringify(name)} is no HOST[:PORT]`)
      }
      assert.deepStrictEqual(dns.asked, [])
    })
  )

  it.effect("that is not there now may be there later", () =>
    Effect.gen(function* () {
      const { resolve } = yield* source(network())
      const error = yield* Effect.flip(resolve("echo:80"))
      assert.isTrue(error.retryable)
      assert.strictEqual(error.message, "dns: echo has no address")
    })
  )
})

describe("how often DNS is asked", () => {
  it.effect("is once for a time, for all who ask, and as long as the TTL holds", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.hosts["echo"] = Effect.delay(Effect.succeed([address("10.0.0.1", 300), address("10.0.0.2", 45)]), 100)
      const { resolve } = yield* source(dns)
      const three = yield* Effect.forkChild(
        Effect.all([resolve("echo"), resolve("echo"), resolve("echo")], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(
        (yield* Fiber.join(three)).map(({ ttlMillis }) => ttlMillis),
        [45_000, 45_000, 45_000]
      )
      yield* TestClock.adjust("44 seconds")
      assert.strictEqual((yield* resolve("echo")).ttlMillis, 1000)
      assert.strictEqual(dns.asked.length, 1)
      yield* TestClock.adjust("1 seconds")
      const later = yield* Effect.forkChild(resolve("echo"), { startImmediately: true })
      yield* TestClock.adjust(100)
      yield* Fiber.join(later)
      assert.strictEqual(dns.asked.length, 2)
    })
  )

  it.effect("is not bounded by whoever gives up", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.hosts["echo"] = Effect.delay(Effect.succeed([address("10.0.0.1")]), 100)
      const { resolve } = yield* source(dns)
      const first = yield* Effect.forkChild(resolve("echo"), { startImmediately: true })
      const second = yield* Effect.forkChild(resolve("echo"), { startImmediately: true })
      yield* TestClock.adjust(50)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(addresses(yield* Fiber.join(second)), ["10.0.0.1:443"])
    })
  )

  it.effect("has at least minInterval between two questions, whatever the TTL", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.hosts["echo"] = Effect.succeed([address("10.0.0.1", 0)])
      const { endpoints } = yield* discover(yield* source(dns), { jitter: 0.2 })
      for (let i = 0; i < 600; i++) {
        yield* addressOf(endpoints, "echo:80")
        yield* TestClock.adjust("1 second")
      }
      dns.asked.reduce((before, at) => {
        assert.isAtLeast(at[0] - before[0], 30_000)
        return at
      })
      // 30 seconds, and up to 20 % more by the jitter.
      assert.isAtMost(dns.asked.length, 20)
      assert.isAtLeast(dns.asked.length, 600 / 36)
    }).pipe(Random.withSeed("dns"))
  )

  it.effect("is ever more rarely while it fails", () =>
    Effect.gen(function* () {
      const dns = network()
      const { resolve } = yield* source(dns)
      for (let i = 0; i < 200; i++) {
        yield* Effect.flip(resolve("echo"))
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(
        dns.asked.map(([at]) => at / 1000),
        [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181]
      )
      dns.hosts["echo"] = Effect.succeed([address("10.0.0.1")])
      yield* TestClock.adjust("11 second")
      assert.deepStrictEqual(addresses(yield* resolve("echo")), ["10.0.0.1:443"])
    })
  )

  it.effect("is told for each name, of a bounded number", () =>
    Effect.gen(function* () {
      const dns = network()
      const { resolve } = yield* source(dns)
      for (let i = 0; i < 1001; i++) yield* Effect.flip(resolve(`host${i}`))
      yield* Effect.flip(resolve("host1000"))
      yield* Effect.flip(resolve("host1"))
      assert.strictEqual(dns.asked.length, 1001)
      yield* Effect.flip(resolve("host0"))
      assert.strictEqual(dns.asked.length, 1002)
    })
  )
})

describe("SRV", () => {
  const record = (host: string, port: number, priority: number, weight: number): Network.FoundService => ({
    host,
    port,
    priority,
    weight
  })

  it.effect("gives ports and weights, which the addresses of a host share, of the lowest priority alone", () =>
    Effect.gen(function* () {
      const dns = network()
      const name = "_echo._tcp.example.com"
      dns.services[name] = [record("b", 2, 10, 60), record("a", 1, 10, 0), record("spare", 3, 20, 100)]
      dns.hosts["a"] = Effect.succeed([address("10.0.0.1", 90)])
      dns.hosts["b"] = Effect.succeed([address("10.0.0.2", 50), address("fd00::2", 70)])
      const { resolve } = yield* source(dns, { srv: true })
      const resolved = yield* resolve(name)
      assert.deepStrictEqual(resolved, {
        instances: [
          Instance.make("10.0.0.2:2", { weight: 60 }),
          Instance.make("[fd00::2]:2", { weight: 60 }),
          Instance.make("10.0.0.1:1", { weight: 2 })
        ],
        ttlMillis: 50_000
      })
      assert.deepStrictEqual(new Set(dns.asked.map(([, what]) => what)), new Set([name, "a", "b"]))
    })
  )

  it.effect("gives equal weights where all are 0", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.services["_s._tcp.x"] = [record("a", 1, 0, 0), record("b", 2, 0, 0)]
      dns.hosts["a"] = Effect.succeed([address("10.0.0.1")])
      dns.hosts["b"] = Effect.succeed([address("10.0.0.2")])
      const { resolve } = yield* source(dns, { srv: true })
      assert.deepStrictEqual(
        (yield* resolve("_s._tcp.x")).instances.map(({ weight }) => weight),
        [10, 10]
      )
    })
  )

  it.effect("goes without a host that nobody knows, and fails where nobody knows any", () =>
    Effect.gen(function* () {
      const dns = network()
      dns.services["_s._tcp.x"] = [record("a", 1, 0, 1), record("gone", 2, 0, 1)]
      dns.services["_t._tcp.x"] = [record("gone", 2, 0, 1)]
      dns.hosts["a"] = Effect.succeed([address("10.0.0.1")])
      const { resolve } = yield* source(dns, { srv: true })
      assert.deepStrictEqual(addresses(yield* resolve("_s._tcp.x")), ["10.0.0.1:1"])
      assert.strictEqual((yield* Effect.flip(resolve("_t._tcp.x"))).message, "dns: gone has no address")
      assert.strictEqual((yield* Effect.flip(resolve("_u._tcp.x"))).message, "dns: _u._tcp.x has no address")
    })
  )
})

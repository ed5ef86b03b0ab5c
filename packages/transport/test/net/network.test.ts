import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Schema } from "effect"
import { networkInterfaces } from "node:os"
import { Network, NetworkError } from "../../src/Network.ts"
import { layerNetwork, layerNetworkWith } from "../../src/node/NodeTransport.ts"
import { a, aaaa, dnsServer, srv, type Zone } from "../support/dns.ts"

/** Runs with a network whose only DNS server knows `zone`. */
const withZone = <A, E>(zone: Zone, use: (network: Network["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(dnsServer(zone), ({ address }) =>
    Effect.flatMap(Network, use).pipe(Effect.provide(layerNetworkWith({ servers: [address] })))
  )

describe("addresses behind a name", () => {
  it.live("are those of both families with their TTLs, IPv4 first", () =>
    withZone({ "echo.test": [aaaa(7, 30), a("10.0.0.1", 60), a("10.0.0.2", 60)] }, (network) =>
      Effect.gen(function* () {
        const found = yield* network.lookup("echo.test")
        assert.sameDeepMembers(found.slice(0, 2), [
          { address: "10.0.0.1", family: 4, ttlSeconds: 60 },
          { address: "10.0.0.2", family: 4, ttlSeconds: 60 }
        ])
        assert.deepStrictEqual(found.slice(2), [{ address: "fd00::7", family: 6, ttlSeconds: 30 }])
      })
    )
  )

  it.live("of one family are enough", () =>
    withZone({ "four.test": [a("10.0.0.1", 5)], "six.test": [aaaa(1, 0)] }, (network) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* network.lookup("four.test"), [{ address: "10.0.0.1", family: 4, ttlSeconds: 5 }])
        assert.deepStrictEqual(yield* network.lookup("six.test"), [{ address: "fd00::1", family: 6, ttlSeconds: 0 }])
      })
    )
  )

  it.live("of an IP address are the address, and nobody is asked", () =>
    Effect.gen(function* () {
      const server = yield* dnsServer({})
      yield* Effect.gen(function* () {
        const { lookup } = yield* Network
        assert.deepStrictEqual(yield* lookup("192.0.2.1"), [{ address: "192.0.2.1", family: 4 }])
        assert.deepStrictEqual(yield* lookup("::1"), [{ address: "::1", family: 6 }])
        assert.strictEqual(server.questions, 0)
      }).pipe(Effect.provide(layerNetworkWith({ servers: [server.address] })))
    })
  )

  it.live("that do not exist, or are none of these, are not found", () =>
    withZone({ "other.test": [srv(1, 1, 1, "x.test")] }, (network) =>
      Effect.gen(function* () {
        for (const [name, why] of [
          ["nobody.test", "the name does not exist (ENOTFOUND)"],
          ["other.test", "the name exists, but nothing of this kind is behind it (ENODATA)"],
          [`${"x".repeat(64)}.test`, "the name is no name that DNS can have (EBADNAME)"]
        ] as const) {
          const error = yield* Effect.flip(network.lookup(name))
          assert.isTrue(Schema.is(NetworkError)(error))
          assert.strictEqual(error.kind, "notFound")
          assert.strictEqual(error.hostname, name)
          assert.strictEqual(error.message, `addresses of ${name} not found: ${why}; is it spelled right?`)
        }
      })
    )
  )

  it.live("that a server cannot tell may come later", () =>
    withZone({ "ill.test": "SERVFAIL" }, (network) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(network.lookup("ill.test"))
        assert.strictEqual(error.kind, "temporary")
        assert.strictEqual(
          error.message,
          "addresses of ill.test could not be looked up now (ESERVFAIL); does DNS work?"
        )
      })
    )
  )

  it.live("that nobody tells are not waited for by who is interrupted", () =>
    withZone({ "mute.test": "silent", "echo.test": [a("10.0.0.1", 1)] }, (network) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(network.lookup("mute.test"), { startImmediately: true })
        const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
        assert.isBelow(Duration.toMillis(took), 1000)
        // Others are not cut off with it.
        assert.strictEqual((yield* network.lookup("echo.test")).length, 1)
      })
    )
  )

  it.live("come from the system where DNS does not know the name", () =>
    Effect.gen(function* () {
      const { lookup } = yield* Network
      const found = yield* lookup("localhost")
      assert.isTrue(found.every(({ address }) => address.startsWith("127.") || address === "::1"))
      assert.isAbove(found.length, 0)
    }).pipe(Effect.provide(layerNetwork))
  )
})

describe("places of a service", () => {
  it.live("come with priority and weight", () =>
    withZone({ "_rpc._tcp.test": [srv(1, 20, 8888, "one.test"), srv(2, 0, 9999, "two.test")] }, (network) =>
      Effect.gen(function* () {
        assert.sameDeepMembers(
          [...(yield* network.lookupService("_rpc._tcp.test"))],
          [
            { host: "one.test", port: 8888, priority: 1, weight: 20 },
            { host: "two.test", port: 9999, priority: 2, weight: 0 }
          ]
        )
      })
    )
  )

  it.live("that do not exist are not found, those that nobody can tell are missing now", () =>
    withZone({ "_ill._tcp.test": "SERVFAIL" }, (network) =>
      Effect.gen(function* () {
        const missing = yield* Effect.flip(network.lookupService("_rpc._tcp.test"))
        assert.strictEqual(missing.kind, "notFound")
        assert.match(missing.message, /^services of _rpc\._tcp\.test not found/)
        assert.strictEqual((yield* Effect.flip(network.lookupService("_ill._tcp.test"))).kind, "temporary")
      })
    )
  )
})

it.live("own addresses are those of the interfaces that can be dialled as they are", () =>
  Effect.gen(function* () {
    const { addresses } = yield* Network
    const own = yield* addresses
    const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
    assert.sameMembers(
      own.map(({ address }) => address),
      all.filter(({ address }) => !address.startsWith("fe80:")).map(({ address }) => address)
    )
    for (const { address, family, internal } of own) {
      assert.strictEqual(family, address.includes(":") ? 6 : 4)
      assert.strictEqual(internal, address.startsWith("127.") || address === "::1")
    }
  }).pipe(Effect.provide(layerNetwork))
)

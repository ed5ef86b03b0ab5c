/** A real etcd between Kitex with registry-etcd and us: each finds the other, by weight, and hears when it leaves. */
import { assert, describe, layer, vi } from "@effect/vitest"
import { Discovery, LoadBalancer, Registry, Resolver } from "@millrace/governance"
import * as EtcdRegistry from "@millrace/governance/registries/Etcd"
import { Client, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Exit, Fiber, Layer, Logger, Redacted, Schedule, Scope, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { InteropService, Request } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { endingKitexServer, endingServer, Etcd, type Governed, KitexClient, kitexServer, ourServer } from "./peers.ts"

// each starts programs, a Kitex server registers a second later, and a lease takes its time
vi.setConfig({ testTimeout: 60_000 })

const programs = Layer.mergeAll(Etcd.layer, KitexClient.layer, NodeTransport.layerClient, FetchHttpClient.layer)

/** What our clients and this test know of services. */
const resolver = Layer.unwrap(Effect.map(Etcd, ({ address }) => EtcdRegistry.layerResolver({ endpoints: [address] })))

// what is logged of an outage is right, and of no interest here
const services = resolver.pipe(Layer.provideMerge(programs), Layer.provideMerge(Logger.layer([])))

/** The arguments of a program that registers. */
const registering = (service: string, weight = 10, ...more: ReadonlyArray<string>) =>
  Effect.map(Etcd, ({ address }) => ["--etcd", address, "--service", service, "--weight", String(weight), ...more])

const kitexAs = Effect.fnUntraced(function* (service: string, weight?: number, ...more: ReadonlyArray<string>) {
  return yield* kitexServer(...(yield* registering(service, weight, ...more)))
})

const oursAs = Effect.fnUntraced(function* (service: string, weight?: number, ...more: ReadonlyArray<string>) {
  return yield* ourServer(...(yield* registering(service, weight, ...more)))
})

/** Waits until a service has so many instances: a Kitex server registers a second after it listens. */
const known = (service: string, count: number) =>
  Effect.gen(function* () {
    const { resolve } = yield* Resolver.Resolver
    const { instances } = yield* resolve(service)
    if (instances.length !== count) return yield* Effect.fail(new Error(`${instances.length} of ${count} instances`))
    return instances
  }).pipe(Effect.retry(Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(200)])))

const callsOf = (service: string, balancer?: LoadBalancer.LoadBalancer) =>
  Client.make(CallsService, { destService: service, endpoints: Discovery.endpoints({ balancer }) })

const streamsOf = (service: string) =>
  StreamClient.make(InteropService, { destService: service, endpoints: Discovery.endpoints() })

const countOf = (texts: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1
  return counts
}

const where = { req: new Request({ message: "where" }) }

/** Which servers answered a number of our calls, eight at once. */
const answering = (client: Effect.Success<ReturnType<typeof callsOf>>, count: number) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: count }),
      () =>
        client.Call(where).pipe(
          Effect.map(({ message }) => message!),
          Effect.catchTag("RpcError", ({ code, desc }) => Effect.succeed(`error ${code}: ${desc}`))
        ),
      { concurrency: 8 }
    ),
    countOf
  )

/** Which servers answered a number of calls of a Kitex client, eight at once. */
const kitexAnswering = Effect.fnUntraced(function* (service: string, count: number, mode: Governed["mode"] = "call") {
  const run = yield* KitexClient
  const { address } = yield* Etcd
  const result = yield* run({
    scenario: "governed",
    address: "",
    n: count,
    ask: { word: "where" },
    governed: { mode, etcd: address, service, width: 8 }
  })
  assert.deepStrictEqual([result.ok, result.detail], [true, ""])
  return result.seen[0]!["value"] as Record<string, number>
})

/** Each has its part of the calls, within `slack`. */
const assertShares = (counts: Record<string, number>, weights: Record<string, number>, slack: number) => {
  assert.sameMembers(Object.keys(counts), Object.keys(weights), JSON.stringify(counts))
  const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((a, b) => a + b, 0)
  for (const [address, weight] of Object.entries(weights)) {
    const share = (sum(counts) * weight) / sum(weights)
    assert.closeTo(counts[address]!, share, slack, `${address} of ${JSON.stringify(counts)}`)
  }
}

/** The values under a service, as they lie in etcd. */
const valuesOf = Effect.fnUntraced(function* (service: string) {
  const { address } = yield* Etcd
  const key = `kitex/registry-etcd/${service}/`
  const body = { key: btoa(key), range_end: btoa(`${key.slice(0, -1)}0`) }
  const answer = yield* Effect.promise(async () =>
    (await fetch(`http://${address}/v3/kv/range`, { method: "POST", body: JSON.stringify(body) })).json()
  )
  const { kvs = [] } = answer as { kvs?: ReadonlyArray<{ key: string; value: string }> }
  return kvs.map(({ key: name, value }) => [atob(name), atob(value)] as const)
})

describe.skipIf(!goAvailable())("etcd, Kitex and we", () => {
  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    it.effect("our client finds three Kitex servers, and calls each as often as it weighs", () =>
      Effect.gen(function* () {
        const addresses = yield* Effect.all([kitexAs("three", 1), kitexAs("three", 2), kitexAs("three", 3)], {
          concurrency: "unbounded"
        })
        yield* known("three", 3)
        const weights = Object.fromEntries(addresses.map((address, i) => [address, i + 1]))
        assertShares(yield* answering(yield* callsOf("three"), 600), weights, 2)
        // six standard deviations
        const random = yield* callsOf("three", LoadBalancer.weightedRandom)
        assertShares(yield* answering(random, 1200), weights, 6 * Math.sqrt(1200 / 4))
        const streams = yield* streamsOf("three")
        const answers = yield* Effect.forEach(Array.from({ length: 60 }), () =>
          Stream.runHead(streams.Bidi(Stream.make(new Request({ message: "where" }))))
        )
        assertShares(
          countOf(answers.map((answer) => (answer._tag === "Some" ? answer.value.message! : "nothing"))),
          weights,
          2
        )
      })
    )

    it.effect(
      "a Kitex client finds our servers and Kitex's beside each other, and calls each as often as it weighs",
      () =>
        Effect.gen(function* () {
          const addresses = yield* Effect.all([oursAs("mixed", 1), kitexAs("mixed", 2), oursAs("mixed", 3)], {
            concurrency: "unbounded"
          })
          yield* known("mixed", 3)
          const weights = Object.fromEntries(addresses.map((address, i) => [address, i + 1]))
          for (const mode of ["call", "unary", "bidi"] as const) {
            assertShares(yield* kitexAnswering("mixed", 300, mode), weights, 2)
          }
          assertShares(yield* answering(yield* callsOf("mixed"), 300), weights, 2)
        })
    )

    it.effect("both write the same", () =>
      Effect.gen(function* () {
        const tags = ["--tags", "az=b<,lane=x"]
        const [kitex, ours, kitexBare, bare] = yield* Effect.all(
          [kitexAs("same", 7, ...tags), oursAs("same", 7, ...tags), kitexAs("bare", 7), oursAs("bare", 7)],
          { concurrency: "unbounded" }
        )
        const instances = yield* known("same", 2)
        assert.deepStrictEqual(
          instances.map(({ tags, weight }) => [weight, tags]),
          Array.from({ length: 2 }, () => [7, { az: "b<", lane: "x" }])
        )
        yield* known("bare", 2)
        for (const [service, of, like] of [
          ["same", ours, kitex],
          ["bare", bare, kitexBare]
        ] as const) {
          const values = new Map(yield* valuesOf(service))
          const prefix = `kitex/registry-etcd/${service}/`
          // Go writes < as an escape, which is the same text
          assert.deepStrictEqual(
            JSON.parse(values.get(prefix + of)!),
            JSON.parse(values.get(prefix + like)!.replace(like, of)),
            service
          )
          assert.deepStrictEqual(Object.keys(JSON.parse(values.get(prefix + of)!)), [
            "network",
            "address",
            "weight",
            "tags"
          ])
        }
      })
    )

    it.effect("one that ends in peace is out of etcd before it stops, and no call fails", () =>
      Effect.gen(function* () {
        const [kitex, ours, stays] = yield* Effect.all(
          [
            Effect.flatMap(registering("peace"), (args) => endingKitexServer(...args)),
            Effect.flatMap(registering("peace"), (args) => endingServer(...args)),
            kitexAs("peace")
          ],
          { concurrency: "unbounded" }
        )
        yield* known("peace", 3)
        const client = yield* callsOf("peace")
        yield* answering(client, 9)
        yield* kitexAnswering("peace", 9)
        for (const leaving of [ours, kitex]) {
          // a stream that is there when it begins to end
          const streams = yield* StreamClient.make(InteropService, { hostPorts: [leaving.address] })
          const held = yield* Effect.forkChild(
            Stream.runHead(streams.Bidi(Stream.make(new Request({ message: "sleep", count: 300 })))),
            { startImmediately: true }
          )
          yield* Effect.sleep("50 millis")
          const ending = yield* Effect.forkChild(leaving.end, { startImmediately: true })
          const seen: Record<string, number> = {}
          const kitexSeen: Record<string, number> = {}
          while (ending.pollUnsafe() === undefined) {
            for (const [address, count] of Object.entries(yield* answering(client, 20))) {
              seen[address] = (seen[address] ?? 0) + count
            }
            if (leaving === kitex) continue
            for (const [address, count] of Object.entries(yield* kitexAnswering("peace", 20))) {
              kitexSeen[address] = (kitexSeen[address] ?? 0) + count
            }
          }
          const all = [kitex.address, ours.address, stays]
          assert.includeMembers(all, Object.keys(seen), JSON.stringify(seen))
          assert.includeMembers(all, Object.keys(kitexSeen), JSON.stringify(kitexSeen))
          assert.strictEqual((yield* Fiber.join(held))._tag, "Some")
          assert.notProperty(yield* answering(client, 20), leaving.address)
        }
        assert.deepStrictEqual(Object.keys(yield* answering(client, 20)), [stays])
        assert.deepStrictEqual(Object.keys(yield* kitexAnswering("peace", 20)), [stays])
      })
    )

    it.effect("one that is killed is gone when its lease is over; calls go on meanwhile", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const start = (as: typeof kitexAs) => Scope.provide(as("killed", 10, "--lease", "2"), scope)
        const [kitex, ours] = yield* Effect.all([start(kitexAs), start(oursAs)], { concurrency: "unbounded" })
        const stays = yield* oursAs("killed")
        yield* known("killed", 3)
        const client = yield* callsOf("killed")
        assert.lengthOf(Object.keys(yield* answering(client, 9)), 3)
        assert.sameMembers(Object.keys(yield* kitexAnswering("killed", 9)), [kitex, ours, stays])
        yield* Scope.close(scope, Exit.void)
        // a connection that was broken by it may fail calls that were sent; new ones go elsewhere
        yield* answering(client, 8)
        assert.deepStrictEqual(yield* answering(client, 20), { [stays]: 20 })
        const [left] = yield* known("killed", 1)
        assert.strictEqual(left!.address, stays)
        yield* Effect.sleep("300 millis")
        assert.deepStrictEqual(yield* kitexAnswering("killed", 20), { [stays]: 20 })
      })
    )

    it.effect("while etcd is down calls go on; when it is back, all is registered and changes are seen again", () =>
      Effect.gen(function* () {
        const etcd = yield* Etcd
        const [ours, kitex] = yield* Effect.all([oursAs("outage", 10, "--lease", "2"), kitexAs("outage")], {
          concurrency: "unbounded"
        })
        yield* known("outage", 2)
        const client = yield* callsOf("outage")
        const both = { [ours]: 10, [kitex]: 10 }
        assert.deepStrictEqual(yield* answering(client, 20), both)
        assert.deepStrictEqual(yield* kitexAnswering("outage", 20), both)
        yield* etcd.kill
        yield* Effect.sleep("500 millis")
        assert.deepStrictEqual(yield* answering(client, 20), both)
        assert.deepStrictEqual(yield* kitexAnswering("outage", 20), both)
        yield* etcd.restart("everything")
        yield* known("outage", 2)
        const third = yield* oursAs("outage")
        const sees = (address: string) =>
          Effect.flatMap(answering(client, 12), (counts) =>
            counts[address] === undefined ? Effect.fail(new Error(`not seen: ${JSON.stringify(counts)}`)) : Effect.void
          ).pipe(Effect.retry(Schedule.max([Schedule.spaced("100 millis"), Schedule.recurs(100)])))
        yield* sees(third)
        yield* etcd.kill
        yield* etcd.restart("nothing")
        // Kitex looks for itself every thirty seconds; ours are there within a third of a lease
        const again = yield* known("outage", 1)
        assert.deepStrictEqual(
          again.map(({ address }) => address),
          [ours]
        )
        yield* sees(ours)
      })
    )

    it.effect("a member that is down is passed over", () =>
      Effect.gen(function* () {
        const { address } = yield* Etcd
        const endpoints = ["127.0.0.1:1", address]
        const context = yield* Layer.build(
          Layer.merge(EtcdRegistry.layerRegistry({ endpoints }), EtcdRegistry.layerResolver({ endpoints }))
        )
        const registration: Registry.Registration = { service: "member", address: "127.0.0.1:1", weight: 3, tags: {} }
        const source = Context.get(context, Resolver.Resolver)
        const lists = yield* Effect.forkChild(Stream.runCollect(Stream.take(source.watch!("member"), 3)), {
          startImmediately: true
        })
        yield* Effect.sleep("200 millis")
        const registry = Context.get(context, Registry.Registry)
        yield* registry.register(registration)
        yield* Effect.sleep("100 millis")
        yield* registry.deregister(registration)
        assert.deepStrictEqual(
          (yield* Fiber.join(lists)).map((list) => list.length),
          [0, 1, 0]
        )
      })
    )

    it.effect("a user and a password", () =>
      Effect.gen(function* () {
        const { address } = yield* Etcd
        const post = (path: string, body: object, token?: string) =>
          Effect.promise(async () => {
            const headers = token === undefined ? {} : { authorization: token }
            const response = await fetch(`http://${address}/v3/${path}`, {
              method: "POST",
              body: JSON.stringify(body),
              headers
            })
            return (await response.json()) as { readonly token: string }
          })
        yield* post("auth/user/add", { name: "root", password: "secret" })
        yield* post("auth/role/add", { name: "root" })
        yield* post("auth/user/grant", { user: "root", role: "root" })
        yield* post("auth/enable", {})
        const { token } = yield* post("auth/authenticate", { name: "root", password: "secret" })
        yield* Effect.addFinalizer(() => post("auth/disable", {}, token))
        const options = { endpoints: [address], auth: { user: "root", password: Redacted.make("secret") } }
        const context = yield* Layer.build(
          Layer.merge(EtcdRegistry.layerRegistry(options), EtcdRegistry.layerResolver(options))
        )
        const registration: Registry.Registration = { service: "auth", address: "127.0.0.1:1", weight: 3, tags: {} }
        yield* Context.get(context, Registry.Registry).register(registration)
        const { resolve } = Context.get(context, Resolver.Resolver)
        assert.lengthOf((yield* resolve("auth")).instances, 1)
        const denied = yield* Effect.flip((yield* Resolver.Resolver).resolve("auth"))
        assert.match(denied.desc, /etcdserver: user name is empty \(code 3\): it asks for a user and a password/)
        const wrong = EtcdRegistry.layerResolver({
          endpoints: [address],
          auth: { user: "root", password: Redacted.make("wrong") }
        })
        const refused = yield* Effect.flip(
          Effect.flatMap(Layer.build(wrong), (built) => Context.get(built, Resolver.Resolver).resolve("auth"))
        )
        assert.match(refused.desc, /authentication failed, invalid user ID or password \(code 3\): look at user/)
      })
    )
  })
})

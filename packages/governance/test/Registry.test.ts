import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Discovery, Instance, Registry, Resolver } from "@millrace/governance"
import { Method, Server, Service } from "@millrace/rpc"
import { MemoryTransport, Network, type Transport } from "@millrace/transport"
import { Clock, Context, Effect, Exit, Fiber, Layer, Schedule, Scope } from "effect"
import { TestClock } from "effect/testing"
import { addressOf, logging } from "./support/discovery.ts"
import { StreamClient } from "./support/over.ts"

const network = (...addresses: ReadonlyArray<Network.OwnAddress>) =>
  Layer.succeed(Network.Network, {
    addresses: Effect.succeed(addresses),
    lookup: (hostname) => Effect.fail(new Network.NetworkError({ hostname, kind: "notFound", desc: "" })),
    lookupService: (hostname) => Effect.fail(new Network.NetworkError({ hostname, kind: "notFound", desc: "" }))
  })

const loopback = { address: "127.0.0.1", family: 4, internal: true } as const
const own4 = { address: "10.0.0.7", family: 4, internal: false } as const
const own6 = { address: "fd00::7", family: 6, internal: false } as const

/** A server that listens where the test says, and what it has to do before it stops. */
const server = (hostname: string, port: number) => {
  const before = new Set<Effect.Effect<void>>()
  const layer = Layer.succeed(Server.Server, {
    address: { hostname, port },
    drain: Effect.suspend(() => Effect.forEach(before, (effect) => effect, { discard: true })),
    draining: Effect.never,
    beforeDrain: (effect) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => before.add(effect)),
          () => Effect.sync(() => before.delete(effect))
        )
      )
  })
  return { before, layer }
}

/** A registry that does what the test says, and what it was told when. */
const recorded = (
  options: {
    readonly register?: Effect.Effect<void, Registry.RegistryError>
    readonly deregister?: Effect.Effect<void, Registry.RegistryError>
  } = {}
) => {
  const told: Array<readonly [number, string, Registry.Registration]> = []
  const tell = (what: string, registration: Registry.Registration) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sync(() => void told.push([now, what, registration])))
  return {
    told,
    brief: () => told.map(([now, what, { address }]) => `${now} ${what} ${address}`),
    layer: Layer.succeed(Registry.Registry, {
      name: "recorded",
      register: (registration) => Effect.andThen(tell("register", registration), options.register ?? Effect.void),
      deregister: (registration) => Effect.andThen(tell("deregister", registration), options.deregister ?? Effect.void)
    })
  }
}

const refused = new Registry.RegistryError({ registry: "recorded", service: "echo", desc: "out of order" })

const registeredAs = (
  listening: { readonly hostname: string; readonly port: number },
  addresses: ReadonlyArray<Network.OwnAddress>,
  options: Omit<Registry.Options, "service"> = {}
) =>
  Effect.gen(function* () {
    const registry = recorded()
    yield* Layer.build(
      Registry.layer({ service: "echo", propagation: 0, ...options }).pipe(
        Layer.provide(registry.layer),
        Layer.provide(server(listening.hostname, listening.port).layer),
        Layer.provide(network(...addresses))
      )
    ).pipe(Effect.scoped)
    return registry.told[0]![2]
  })

describe("what a server registers", () => {
  it.effect("is where it listens", () =>
    Effect.gen(function* () {
      const at = (hostname: string, port: number) =>
        Effect.map(registeredAs({ hostname, port }, [loopback, own6, own4]), ({ address }) => address)
      assert.strictEqual(yield* at("10.1.1.1", 80), "10.1.1.1:80")
      assert.strictEqual(yield* at("::1", 80), "[::1]:80")
      assert.strictEqual(yield* at("unix:/tmp/a.sock", 0), "unix:/tmp/a.sock")
      assert.strictEqual(yield* at("memory", 0), "memory")
    })
  )

  it.effect("is an address that others reach, where it listens on all of them", () =>
    Effect.gen(function* () {
      const at = (hostname: string, ...addresses: ReadonlyArray<Network.OwnAddress>) =>
        Effect.map(registeredAs({ hostname, port: 80 }, addresses), ({ address }) => address)
      assert.strictEqual(yield* at("0.0.0.0", loopback, own6, own4), "10.0.0.7:80")
      assert.strictEqual(yield* at("::", loopback, own6, own4), "10.0.0.7:80")
      assert.strictEqual(yield* at("::", loopback, own6), "[fd00::7]:80")
      assert.strictEqual(yield* at("0.0.0.0", loopback, own6), "127.0.0.1:80")
      assert.strictEqual(yield* at("0.0.0.0"), "127.0.0.1:80")
    })
  )

  it.effect("has Kitex's weight, or what the options say", () =>
    Effect.gen(function* () {
      const listening = { hostname: "0.0.0.0", port: 80 }
      assert.deepStrictEqual(yield* registeredAs(listening, [own4]), {
        service: "echo",
        address: "10.0.0.7:80",
        weight: 10,
        tags: {}
      })
      const options = { address: "front:8080", weight: 30, tags: { zone: "x" } }
      assert.deepStrictEqual(yield* registeredAs(listening, [own4], options), { service: "echo", ...options })
    })
  )
})

const begin = (
  registry: ReturnType<typeof recorded>,
  listening: ReturnType<typeof server>,
  options: Omit<Registry.Options, "service"> = {}
) =>
  Layer.build(
    Registry.layer({ service: "echo", ...options }).pipe(
      Layer.provide(registry.layer),
      Layer.provideMerge(listening.layer),
      Layer.provide(network(own4))
    )
  )

describe("a registered server", () => {
  it.effect("leaves before it stops, and serves a little longer", () =>
    Effect.gen(function* () {
      const registry = recorded()
      const listening = server("10.0.0.7", 80)
      const scope = yield* Scope.make()
      const context = yield* Scope.provide(begin(registry, listening), scope)
      yield* TestClock.adjust(100)
      const drain = yield* Effect.forkChild(Context.get(context, Server.Server).drain, { startImmediately: true })
      assert.deepStrictEqual(registry.brief(), ["0 register 10.0.0.7:80", "100 deregister 10.0.0.7:80"])
      yield* TestClock.adjust(999)
      assert.isUndefined(drain.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(drain)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(registry.told.length, 2)
      assert.strictEqual(listening.before.size, 0)
    })
  )

  it.effect("leaves with its scope, and waits as long as it is told", () =>
    Effect.gen(function* () {
      const registry = recorded()
      const scope = yield* Scope.make()
      yield* Scope.provide(begin(registry, server("10.0.0.7", 80), { propagation: "3 seconds" }), scope)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(2999)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(registry.brief(), ["0 register 10.0.0.7:80", "0 deregister 10.0.0.7:80"])
    })
  )

  it.effect("stops though the registry does not let it go, with a line of log", () =>
    logging((lines) =>
      Effect.gen(function* () {
        const registry = recorded({ deregister: Effect.fail(refused) })
        yield* Effect.scoped(begin(registry, server("10.0.0.7", 80)))
        assert.deepStrictEqual(lines, [
          "Warn: 10.0.0.7:80 is still registered as echo while it stops: recorded: out of order"
        ])
      })
    )
  )

  it.effect("fails to start where the registry refuses it", () =>
    Effect.gen(function* () {
      const registry = recorded({ register: Effect.fail(refused) })
      const error = yield* Effect.flip(Effect.scoped(begin(registry, server("10.0.0.7", 80))))
      assert.strictEqual(error.message, "recorded: out of order")
      assert.deepStrictEqual(registry.brief(), ["0 register 10.0.0.7:80"])
    })
  )

  it.effect("tries again as it is told", () =>
    Effect.gen(function* () {
      let left = 2
      const registry = recorded({ register: Effect.suspend(() => (left-- > 0 ? Effect.fail(refused) : Effect.void)) })
      yield* Effect.forkScoped(
        begin(registry, server("10.0.0.7", 80), {
          retry: Schedule.spaced("10 seconds"),
          propagation: 0
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(registry.brief(), [
        "0 register 10.0.0.7:80",
        "10000 register 10.0.0.7:80",
        "20000 register 10.0.0.7:80"
      ])
    })
  )

  it.effect("leaves also when it was interrupted while it registered, because that may have got through", () =>
    Effect.gen(function* () {
      const registry = recorded({ register: Effect.never })
      const starting = yield* Effect.forkChild(
        Effect.scoped(begin(registry, server("10.0.0.7", 80), { propagation: 0 })),
        { startImmediately: true }
      )
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(registry.brief(), ["0 register 10.0.0.7:80", "10 deregister 10.0.0.7:80"])
    })
  )
})

describe("the registry in memory", () => {
  it.effect("tells clients at once", () =>
    Effect.gen(function* () {
      const registry = yield* Registry.Registry
      const { changes, endpoints } = yield* Discovery.make({ config: { confirmEmpty: 1 } })
      const one = { service: "echo", ...Instance.make("a:1") }
      yield* registry.register(one)
      yield* registry.register({ ...one, service: "other" })
      yield* registry.register({ ...one, weight: 20 })
      assert.strictEqual(yield* addressOf(endpoints, "echo"), "a:1")
      assert.isDefined(changes)
      yield* TestClock.adjust(0)
      yield* registry.register({ ...one, address: "b:1" })
      yield* registry.deregister(one)
      yield* registry.deregister(one)
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* addressOf(endpoints, "echo"), "b:1")
      const { resolve } = yield* Resolver.Resolver
      assert.deepStrictEqual(
        (yield* resolve("other")).instances.map(({ address }) => address),
        ["a:1"]
      )
    }).pipe(Effect.scoped, Effect.provide(Registry.layerMemory))
  )

  class Message extends Thrift.Struct<Message>("registry.Message")({ text: Thrift.optional(1, Thrift.String) }) {}
  class Echo extends Service.make("Echo", {
    package: "registry",
    methods: [Method.unary("Say", { request: Message, response: Message })]
  }) {}

  it.effect("brings a server and its clients together, and a call that finds none is refused", () =>
    Effect.gen(function* () {
      const serving = yield* Scope.make()
      const client = yield* StreamClient.make(Echo, { destService: "echo", endpoints: Discovery.endpoints() })
      const early = yield* Effect.flip(client.Say(new Message({ text: "a" })))
      assert.strictEqual(
        early.message,
        "rpc error: code = 13 desc = service discovery error: no instance available: memory has none of echo"
      )
      const transport = yield* Effect.context<Transport.ServerTransport | Registry.Registry>()
      yield* Registry.layer({ service: "echo" }).pipe(
        Layer.provide(Server.layer([Echo])),
        Layer.provide(Echo.toLayer({ Say: (message) => Effect.succeed(message) })),
        Layer.provide(network(own4)),
        Layer.provide(Layer.succeedContext(transport)),
        Layer.build,
        Scope.provide(serving)
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* client.Say(new Message({ text: "b" }))).text, "b")
      const closing = yield* Effect.forkChild(Scope.close(serving, Exit.void), { startImmediately: true })
      yield* TestClock.adjust(500)
      assert.strictEqual((yield* client.Say(new Message({ text: "c" }))).text, "c")
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      assert.include((yield* Effect.flip(client.Say(new Message({ text: "d" })))).message, "no instance available")
    }).pipe(Effect.scoped, Effect.provide(Registry.layerMemory), Effect.provide(MemoryTransport.layer))
  )
})

/** Clients that discover servers over TCP, which come, go and take shares as their registry says. */
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Discovery, Instance, Registry, Resolver } from "@millrace/governance"
import { Client, Method, Server, Service } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Exit, Layer, Logger, Scope, Stream } from "effect"
import { StreamClient } from "./support/over.ts"

class Name extends Thrift.Struct<Name>("discovered.Name")({ name: Thrift.optional(1, Thrift.String) }) {}
class Who extends Service.make("Who", {
  package: "discovered",
  methods: [
    Method.unary("Unary", { request: Name, response: Name }),
    Method.serverStreaming("Watch", { request: Name, response: Name }),
    Method.pingPong("Ping", { arguments: {}, response: Thrift.String })
  ]
}) {}

const destService = "who.svc"

/** A server that tells its name, registered until its scope closes. */
const serve = (name: string, options: Partial<Registry.Options> = {}) =>
  Effect.gen(function* () {
    const registry = yield* Effect.context<Registry.Registry>()
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const context = yield* Registry.layer({ service: destService, propagation: "50 millis", ...options }).pipe(
      Layer.provideMerge(Server.layer([Who], { graceTime: "1 second" })),
      Layer.provide(
        Who.toLayer({
          Unary: () => Effect.succeed(new Name({ name })),
          Watch: () => Stream.concat(Stream.make(new Name({ name })), Stream.never),
          Ping: () => Effect.succeed(name)
        })
      ),
      Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" })),
      Layer.provide(NodeTransport.layerNetwork),
      Layer.provide(Layer.succeedContext(registry)),
      Layer.build,
      Scope.provide(scope)
    )
    return { ...Context.get(context, Server.Server), stop: Scope.close(scope, Exit.void) }
  })

const clients = Effect.gen(function* () {
  const endpoints = Discovery.shared
  const streams = yield* StreamClient.make(Who, { destService, endpoints })
  const calls = yield* Client.make(Who, { destService, endpoints })
  const unary = Effect.map(streams.Unary(new Name({})), ({ name }) => name!)
  const ping = calls.Ping({})
  const watch = streams.Watch(new Name({})).pipe(
    Stream.take(1),
    Stream.runHead,
    Effect.map((head) => (head._tag === "Some" ? head.value.name! : ""))
  )
  return { unary, ping, watch }
})

const environment = Discovery.layer({ config: { refreshInterval: "1 second" } }).pipe(
  Layer.provideMerge(Registry.layerMemory),
  Layer.provideMerge(NodeTransport.layerClient),
  Layer.provideMerge(Logger.layer([]))
)

const counted = (names: ReadonlyArray<string>) => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

describe("clients that discover", () => {
  it.live("share their calls by weight, in every way of calling", () =>
    Effect.gen(function* () {
      yield* serve("a")
      yield* serve("b", { weight: 20 })
      yield* serve("drained", { weight: 0 })
      const { ping, unary, watch } = yield* clients
      for (const call of [unary, ping, watch]) {
        const names = yield* Effect.forEach(Array.from({ length: 60 }), () => call)
        assert.deepStrictEqual(counted(names), { a: 20, b: 40 })
      }
    }).pipe(Effect.scoped, Effect.provide(environment))
  )

  it.live("go elsewhere where an instance cannot be reached", () =>
    Effect.gen(function* () {
      const gone = yield* serve("gone")
      yield* gone.stop
      const registry = yield* Registry.Registry
      const { port } = gone.address
      yield* registry.register({ service: destService, ...Instance.make(`127.0.0.1:${port}`, { weight: 40 }) })
      yield* serve("a")
      yield* serve("b")
      const { ping, unary, watch } = yield* clients
      for (const call of [unary, ping, watch]) {
        const names = yield* Effect.forEach(Array.from({ length: 30 }), () => call, { concurrency: 5 })
        assert.deepStrictEqual(new Set(names), new Set(["a", "b"]))
      }
    }).pipe(Effect.scoped, Effect.provide(environment))
  )

  it.live("take a list as it is given, without a registry", () =>
    Effect.gen(function* () {
      const { address } = yield* serve("a")
      const client = yield* StreamClient.make(Who, { endpoints: Discovery.endpoints() }).pipe(
        Effect.provide(Resolver.layerStatic({ Who: [`127.0.0.1:${address.port}`] }))
      )
      assert.strictEqual((yield* client.Unary(new Name({}))).name, "a")
    }).pipe(Effect.scoped, Effect.provide(environment))
  )
})

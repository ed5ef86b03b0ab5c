import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { CircuitBreaker, Discovery, Instance, Resolver } from "@millrace/governance"
import { Client, Method, RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport, Transport, TransportError } from "@millrace/transport"
import { Effect, Layer, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { StreamClient } from "./support/over.ts"

class Message extends Thrift.Struct<Message>("instances.Message")({ text: Thrift.optional(1, Thrift.String) }) {}

class Search extends Service.make("Search", {
  package: "instances",
  methods: [
    Method.unary("Unary", { request: Message, response: Message }),
    Method.serverStreaming("Watch", { request: Message, response: Message }),
    Method.pingPong("Ping", { arguments: {} })
  ]
}) {}

const refused = new TransportError.TransportError({
  reason: new TransportError.ConnectFailed({ address: "10.0.0.1:80" }),
  code: 14,
  desc: "connection refused"
})

/** A server in memory under all addresses but those that are down; and how often each was dialled. */
const network = () => {
  const down = new Set<string>()
  const dials: Array<string> = []
  const transport = Layer.effect(
    Transport.ClientTransport,
    Effect.map(Transport.ClientTransport, (inner) => {
      const dialled = <A>(address: string, dial: Effect.Effect<A, TransportError.TransportError>) =>
        Effect.suspend(() => {
          dials.push(address)
          return down.has(address) ? Effect.fail(refused) : dial
        })
      return {
        ...inner,
        tryOpen: () => undefined,
        tryLease: () => undefined,
        open: (request) => dialled(request.address, inner.open(request)),
        lease: (target) => dialled(target.address, inner.lease(target))
      }
    })
  )
  const handlers = Search.toLayer({
    Unary: (message) => Effect.succeed(message),
    Watch: (message) => Stream.concat(Stream.make(message), Stream.never),
    Ping: () => Effect.void
  })
  const layer = transport.pipe(
    Layer.provideMerge(Server.layer([Search])),
    Layer.provide(handlers),
    Layer.provideMerge(MemoryTransport.layer)
  )
  /** The addresses that were dialled since the last time. */
  const dialled = () => dials.splice(0)
  return { dialled, down, layer }
}

const made = (services: ReadonlyArray<Instance.Instance>) =>
  Effect.gen(function* () {
    const list = yield* SubscriptionRef.make<Resolver.Listed>({ Search: services })
    const breaker = yield* CircuitBreaker.instances({ minSample: 3 })
    const endpoints = yield* Effect.provide(
      Discovery.endpoints({ instanceBreaker: breaker, config: { confirmEmpty: 1 } }),
      Resolver.layerStatic(list)
    )
    const streams = yield* StreamClient.make(Search, { endpoints })
    const calls = yield* Client.make(Search, { endpoints })
    const text = new Message({ text: "a" })
    return {
      breaker,
      list,
      Unary: streams.Unary(text) as Effect.Effect<unknown, unknown>,
      Ping: calls.Ping({}) as Effect.Effect<unknown, unknown>,
      Watch: Stream.runHead(streams.Watch(text)) as Effect.Effect<unknown, unknown>,
      /** A stream that goes on. */
      stay: Effect.forkScoped(Stream.runDrain(streams.Watch(text)), { startImmediately: true })
    }
  })

const [a, b] = ["10.0.0.1:80", "10.0.0.2:80"] as const

describe("instances that cannot be reached", () => {
  for (const method of ["Unary", "Ping", "Watch"] as const) {
    it.effect(`${method}: are not dialled any more while their breaker is open, and again when it closes`, () => {
      const { dialled, down, layer } = network()
      return Effect.gen(function* () {
        const { breaker, [method]: call } = yield* made([Instance.make(a), Instance.make(b)])
        const twenty = Effect.replicateEffect(call, 20, { discard: true })
        down.add(a)
        // None of them fails: they are tried elsewhere.
        yield* twenty
        const first = dialled()
        assert.strictEqual(first.filter((address) => address === a).length, 3)
        assert.strictEqual(first.filter((address) => address === b).length, 20)
        assert.deepStrictEqual([breaker.state(a), breaker.state(b)], ["open", "closed"])
        yield* twenty
        assert.deepStrictEqual(new Set(dialled()), new Set([b]))
        // A probe that fails costs its call another dial, and nothing else.
        yield* TestClock.adjust(5000)
        yield* twenty
        assert.strictEqual(dialled().filter((address) => address === a).length, 1)
        assert.strictEqual(breaker.state(a), "open")
        down.clear()
        yield* TestClock.adjust(5000)
        yield* twenty
        assert.strictEqual(dialled().filter((address) => address === a).length, 1)
        assert.strictEqual(breaker.state(a), "halfOpen")
        yield* TestClock.adjust(200)
        yield* twenty
        assert.strictEqual(breaker.state(a), "closed")
        // All after the second probe are shared again.
        assert.isAbove(dialled().filter((address) => address === a).length, 8)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })
  }

  it.effect("a stream that was created closes the breaker, though it goes on", () => {
    const { down, layer } = network()
    return Effect.gen(function* () {
      const { breaker, Ping, stay } = yield* made([Instance.make(a)])
      down.add(a)
      yield* Effect.replicateEffect(Effect.ignore(Ping), 3)
      assert.strictEqual(breaker.state(a), "open")
      down.clear()
      yield* TestClock.adjust(5000)
      yield* stay
      yield* TestClock.adjust(200)
      assert.strictEqual(breaker.state(a), "halfOpen")
      yield* stay
      yield* TestClock.adjust(1)
      assert.strictEqual(breaker.state(a), "closed")
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("all of them: the call fails with Kitex's text, and dials nothing", () => {
    const { dialled, down, layer } = network()
    return Effect.gen(function* () {
      const { Unary } = yield* made([Instance.make(a), Instance.make(b)])
      down.add(a).add(b)
      yield* Effect.replicateEffect(Effect.ignore(Unary), 3)
      assert.strictEqual(dialled().length, 6)
      const error = yield* Effect.flip(Unary)
      assert.instanceOf(error, RpcError.RpcError)
      if (!(error instanceof RpcError.RpcError)) return
      assert.strictEqual(
        error.message,
        "rpc error: code = 13 desc = forbidden by circuitbreaker: instance circuitbreak"
      )
      assert.deepStrictEqual(dialled(), [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("that leave the list and come back begin anew", () => {
    const { down, layer } = network()
    return Effect.gen(function* () {
      const { breaker, list, Ping } = yield* made([Instance.make(a), Instance.make(b)])
      down.add(a)
      yield* Effect.replicateEffect(Ping, 10)
      assert.strictEqual(breaker.state(a), "open")
      yield* SubscriptionRef.set(list, { Search: [Instance.make(b)] })
      yield* TestClock.adjust(100)
      yield* Ping
      assert.strictEqual(breaker.state(a), "closed")
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

/** Connections of calls, while instances come and go in the list of a client, and connections grow old. */
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Discovery, LoadBalancer, Resolver } from "@millrace/governance"
import { Client, Method, Server, Service } from "@millrace/rpc"
import type { RawCall } from "@millrace/transport"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Fiber, Layer, Logger, SubscriptionRef } from "effect"

class Pools extends Service.make("Pools", {
  methods: [Method.pingPong("Wait", { arguments: { millis: Thrift.field(1, Thrift.I32) }, response: Thrift.I32 })]
}) {}

/** A server that knows how many calls each of its connections has at once. */
const watching = Effect.gen(function* () {
  const atOnce = new Map<string, number>()
  let most = 0
  let connections = 0
  const accepted = new Set<string>()
  const acceptConnection = ({ address }: { readonly address: string }) => {
    connections++
    accepted.add(address)
    return () => void connections--
  }
  const context = yield* Server.layer([Pools], { graceTime: 0 }).pipe(
    Layer.provide(
      Pools.toLayer({
        Wait: ({ millis }, { peer }) => {
          const now = (atOnce.get(peer.address) ?? 0) + 1
          atOnce.set(peer.address, now)
          most = Math.max(most, now)
          const ended = Effect.sync(() => void atOnce.set(peer.address, atOnce.get(peer.address)! - 1))
          return Effect.ensuring(Effect.as(Effect.sleep(millis), millis), ended)
        }
      })
    ),
    Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1", acceptConnection })),
    Layer.build
  )
  const { port } = Context.get(context, Server.Server).address
  return {
    address: `127.0.0.1:${port}`,
    most: () => most,
    connections: () => connections,
    accepted: () => accepted.size
  }
})

/** Soon: before connections are old. */
const until = (done: () => boolean) =>
  Effect.gen(function* () {
    for (let i = 0; i < 120 && !done(); i++) yield* Effect.sleep(5)
    assert.isTrue(done())
  })

const encodings: ReadonlyArray<RawCall.Encoding> = ["ttheader-framed", "framed", "buffered"]

describe.concurrent("pooled connections", () => {
  for (const transport of encodings) {
    it.live(`are used by one call at a time, and none of an address that is gone stays: ${transport}`, () =>
      Effect.gen(function* () {
        const servers = [yield* watching, yield* watching, yield* watching]
        const addresses = servers.map(({ address }) => address)
        const list = yield* SubscriptionRef.make<ReadonlyArray<string>>(addresses)
        const client = yield* Client.make(Pools, {
          transport,
          connection: "pooled",
          endpoints: Discovery.endpoints({ balancer: LoadBalancer.random })
        }).pipe(Effect.provide(Resolver.layerStatic(list)))
        let state = 7
        const random = (below: number) => {
          state = (state * 1103515245 + 12345) & 0x7fffffff
          return state % below
        }
        let over = false
        let done = 0
        // Some give up: the answer of their call is on its way then.
        const call = Effect.suspend(() => {
          const answer = client.Wait({ millis: random(8) })
          return random(6) === 0 ? Effect.asVoid(Effect.timeoutOption(answer, random(4))) : Effect.asVoid(answer)
        })
        const callers = yield* Effect.forEach(Array.from({ length: 8 }), () =>
          Effect.forkChild(Effect.whileLoop({ while: () => !over, body: () => call, step: () => void done++ }))
        )
        for (let i = 0; i < 60; i++) {
          const left = addresses.filter(() => random(2) === 0)
          yield* SubscriptionRef.set(list, left.length === 0 ? [addresses[random(3)]!] : left)
          yield* Effect.sleep(10)
        }
        yield* SubscriptionRef.set(list, [addresses[0]!])
        // Calls that run there end.
        yield* until(() => servers.slice(1).every(({ connections }) => connections() === 0))
        over = true
        yield* Effect.forEach(callers, Fiber.join)
        for (const { accepted, most } of servers) {
          assert.strictEqual(most(), 1)
          // Each time that its address comes back there are new ones.
          assert.isAbove(accepted(), 8)
        }
        assert.isAbove(done, 100)
        // The last ones grow old in the pool.
        assert.isAbove(servers[0]!.connections(), 0)
        yield* until(() => servers[0]!.connections() === 0)
      }).pipe(
        Effect.scoped,
        Effect.provide(NodeTransport.layerClientWith({ maxConnectionAge: 500 })),
        Effect.provide(Logger.layer([]))
      )
    )
  }
})

/**
 * Three servers in this process, on ports of their own: one that is quick, one that is slow, and one that fails. Each of them
 * registers when it listens, and leaves the registry before it stops.
 */
import { Limiter, type Policy, Registry } from "@millrace/governance"
import { RpcError, Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Exit, Layer, Scope, Stream, SubscriptionRef } from "effect"
import { Price, Shop, shopName } from "./service.ts"

export const names = ["steady", "slow", "failing"] as const
export type Name = (typeof names)[number]

/** How a server does; a scene may change it while the server runs. */
export interface Health {
  /** How long a call takes. */
  millis: number
  /** Every call fails at once. */
  broken: boolean
}

const outOfOrder = new RpcError.RpcError({
  code: 14,
  desc: "the database is out of order",
  reason: new RpcError.Unavailable({ neverSent: false })
})

const handlersOf = (name: Name, health: Health, heard: { calls: number }) => {
  const price = Effect.suspend(() => {
    heard.calls++
    const answer = new Price({ cents: 1999, server: name })
    return health.broken ? Effect.fail(outOfOrder) : Effect.as(Effect.sleep(health.millis), answer)
  })
  return Shop.toLayer({
    GetPrice: () => price,
    FollowPrice: () => Stream.concat(Stream.fromEffect(price), Stream.never)
  })
}

/** A server that listens and is registered when its scope is there. */
const serverOf = (name: Name, health: Health, heard: { calls: number }, atATime: Policy.Policy<number>) =>
  Registry.layer({ service: shopName, tags: { name }, propagation: "100 millis" }).pipe(
    Layer.provideMerge(
      Server.layer([Shop], {
        admission: [Limiter.concurrency(atATime, { retryAfterMillis: 50 })],
        graceTime: "1 second"
      })
    ),
    Layer.provide(handlersOf(name, health, heard)),
    Layer.provide(NodeTransport.layerServer({ host: "127.0.0.1", port: 0 })),
    Layer.provide(NodeTransport.layerNetwork)
  )

/** The servers, as a scene sees them. */
export class Servers extends Context.Service<
  Servers,
  {
    readonly health: Readonly<Record<Name, Health>>
    /** Calls that reached a handler, by server. */
    readonly heard: Readonly<Record<Name, { calls: number }>>
    /** How many calls each server runs at a time; it may be changed. */
    readonly atATime: SubscriptionRef.SubscriptionRef<number>
    readonly address: (name: Name) => string
    /** Stops a server, and starts it again on another port. */
    readonly restart: (name: Name) => Effect.Effect<void>
  }
>()("examples/governance/Servers") {
  static readonly layer = Layer.effect(
    Servers,
    Effect.gen(function* () {
      const registry = yield* Registry.Registry
      const parent = yield* Scope.Scope
      const atATime = yield* SubscriptionRef.make(1000)
      const health = {
        steady: { millis: 3, broken: false },
        slow: { millis: 60, broken: false },
        failing: { millis: 3, broken: false }
      }
      const heard = { steady: { calls: 0 }, slow: { calls: 0 }, failing: { calls: 0 } }
      const running = new Map<Name, { readonly address: string; readonly stop: Effect.Effect<void> }>()

      const start = Effect.fnUntraced(function* (name: Name) {
        const scope = yield* Scope.fork(parent)
        const layer = serverOf(name, health[name], heard[name], atATime)
        const context = yield* Layer.buildWithScope(layer, scope).pipe(
          Effect.provideService(Registry.Registry, registry),
          Effect.orDie
        )
        const { hostname, port } = Context.get(context, Server.Server).address as { hostname: string; port: number }
        running.set(name, { address: `${hostname}:${port}`, stop: Scope.close(scope, Exit.void) })
      })
      yield* Effect.forEach(names, start)
      return Servers.of({
        health,
        heard,
        atATime,
        address: (name) => running.get(name)!.address,
        restart: (name) =>
          Effect.andThen(
            Effect.suspend(() => running.get(name)!.stop),
            start(name)
          )
      })
    })
  )
}

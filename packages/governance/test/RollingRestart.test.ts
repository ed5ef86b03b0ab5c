/** Servers restart one after the other under load: no call that ends by itself is lost. */
import { assert, describe, it } from "@effect/vitest"
import { LoadBalancer, Registry, Resolver } from "@millrace/governance"
import { Effect, Layer, Logger, Random, type Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  inMemory,
  Leftovers,
  load,
  overTcp,
  type ServerSetup,
  type Sites,
  start,
  type Tally,
  waysOf
} from "./support/fleet.ts"
import { settle } from "./support/passing.ts"
import { wire } from "./support/over.ts"

interface Setup extends ServerSetup {
  readonly balancer: LoadBalancer.LoadBalancer
  readonly restarts: number
}

const watching = Registry.layerMemory

/** The registry's list is asked for from time to time: nobody tells of changes. */
const polling = Layer.effect(
  Resolver.Resolver,
  Effect.map(Resolver.Resolver, ({ name, resolve }) => ({ name, resolve }))
).pipe(Layer.provideMerge(watching))

type Ways = Effect.Success<ReturnType<typeof waysOf>>

/** Three servers, of which each is stopped and started again in turn, while clients call them. */
const rolling = <Name extends string>(
  { balancer, restarts, ...setup }: Setup,
  choose: (ways: Ways) => Readonly<Record<Name, Effect.Effect<string, unknown>>>,
  registry = watching,
  place: (left: Leftovers) => Effect.Effect<Sites, never, Scope.Scope> = overTcp
) => {
  const left = new Leftovers()
  return Effect.gen(function* () {
    const tallies = yield* Effect.gen(function* () {
      const sites = yield* place(left)
      return yield* Effect.gen(function* () {
        const fleet: Array<Effect.Effect<void>> = []
        for (let site = 0; site < 3; site++) fleet.push(yield* start(`${site}`, site, setup, sites))
        const loading = yield* load(choose(yield* waysOf(left.watching(balancer))), 2)
        yield* Effect.sleep(50)
        for (let round = 0; round < restarts; round++) {
          yield* fleet[round % 3]!
          fleet[round % 3] = yield* start(`${3 + round}`, round % 3, setup, sites)
        }
        // The last one gets calls too.
        yield* Effect.sleep(50)
        yield* loading.stop
        // Streams that do not end by themselves end with their servers.
        yield* Effect.forEach(fleet, (stop) => stop, { concurrency: 3, discard: true })
        yield* loading.ended
        return loading.tallies
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(registry, sites.client)))
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])), Effect.provide(left.fiberCount))
    yield* Effect.sleep(10)
    assert.deepStrictEqual(left.all, { connections: 0, fibers: 0, active: 0 })
    assert.isAtLeast(left.nodes.size, 3)
    return tallies as Record<Name, Tally>
  })
}

const draining = `Unavailable, draining: ${wire.streams.shutdown}`

const losesNone = (tallies: Record<string, Tally>) =>
  assert.deepStrictEqual(
    Object.entries(tallies).flatMap(([name, { lost }]) => lost.map((error) => `${name}: ${error}`)),
    []
  )

const patient = { propagation: 50, graceTime: 5000 }

describe.concurrent("a rolling restart", () => {
  for (const balancer of [LoadBalancer.weightedRoundRobin, LoadBalancer.leastActive]) {
    it.live(`loses no call and no stream that ends: ${balancer.name}, ten times`, () =>
      Effect.gen(function* () {
        const tallies = yield* rolling({ ...patient, balancer, restarts: 10 }, ({ calls, streams, untold }) => ({
          ...calls,
          ...untold,
          ...streams
        }))
        losesNone(tallies)
        // The calls were at servers of before and of after.
        for (const [name, { servers }] of Object.entries(tallies)) assert.isAbove(servers.size, 4, name)
      })
    )
  }

  it.effect("loses nothing in virtual time either, ten times", () =>
    Effect.gen(function* () {
      const all = rolling(
        { ...patient, balancer: LoadBalancer.leastActive, restarts: 10 },
        ({ calls, streams, untold }) => ({ ...calls, ...untold, ...streams }),
        watching,
        inMemory
      )
      const tallies = yield* Effect.raceFirst(all, Effect.forever(Effect.andThen(settle, TestClock.adjust(5)))).pipe(
        // There are few streams: by chance they might be at less servers.
        Random.withSeed("rolling")
      )
      losesNone(tallies)
      for (const [name, { servers }] of Object.entries(tallies)) assert.isAbove(servers.size, 8, name)
    })
  )

  it.live("ends streams that go on with a typed error, when the grace time is over", () =>
    Effect.gen(function* () {
      const tallies = yield* rolling(
        { propagation: 0, graceTime: 50, balancer: LoadBalancer.leastActive, restarts: 3 },
        ({ endless }) => endless
      )
      assert.deepStrictEqual([...tallies.endless.errors.keys()], [draining])
      assert.isAtLeast(tallies.endless.errors.get(draining)!, 3)
    })
  )

  it.live("without a wait for clients to hear of it loses no call of those that the server can tell", () =>
    Effect.gen(function* () {
      const tallies = yield* rolling(
        { ...patient, propagation: 0, balancer: LoadBalancer.weightedRoundRobin, restarts: 3 },
        ({ calls }) => calls
      )
      losesNone(tallies)
    })
  )

  it.live(
    "without that, and when clients only ask from time to time, loses no call on connections that are shared",
    () =>
      Effect.gen(function* () {
        const tallies = yield* rolling(
          { ...patient, propagation: 0, balancer: LoadBalancer.weightedRoundRobin, restarts: 3 },
          ({ calls: { auto, multiplexed, unary } }) => ({ auto, multiplexed, unary }),
          polling
        )
        losesNone(tallies)
      })
  )

  it.live("loses no call when clients only ask from time to time, and the wait is longer than that", () =>
    Effect.gen(function* () {
      const tallies = yield* rolling(
        { ...patient, propagation: 1200, balancer: LoadBalancer.weightedRoundRobin, restarts: 3 },
        ({ calls, untold }) => ({ ...calls, ...untold }),
        polling
      )
      losesNone(tallies)
    })
  )
})

/** Instances misbehave, in memory and over TCP: every wait of a client ends within its budget, and nothing is left of it. */
import { assert, describe, it } from "@effect/vitest"
import { LoadBalancer } from "@millrace/governance"
import { Effect, Exit, Fiber, Logger, Random, Scope } from "effect"
import { TestClock } from "effect/testing"
import { allowed, budgetsOf, faults, governed, inMemory, kinds, overTcp, tagOf, type World } from "./support/chaos.ts"
import { Leftovers } from "./support/fleet.ts"
import { pass, settle } from "./support/passing.ts"
import { wire } from "./support/over.ts"

/** Real clocks are late on a machine that has more to do: waits are longer there, and may be longer still. */
const places = {
  memory: { make: inMemory, budgets: budgetsOf(1), lateness: 0 },
  TCP: { make: overTcp, budgets: budgetsOf(4), lateness: 1000 }
}
type Place = keyof typeof places

const virtual = Effect.forever(Effect.andThen(settle, TestClock.adjust(10)))

type Client = Effect.Success<ReturnType<typeof governed>>

/** Runs a client among instances. Then what it waited for is looked at, and what it has left. */
const among = (
  place: Place,
  count: number,
  body: (world: World, client: Client) => Effect.Effect<void, unknown, Scope.Scope>,
  balancer = LoadBalancer.weightedRoundRobin
) => {
  const left = new Leftovers()
  const { budgets, lateness, make } = places[place]
  const closed = Array.from({ length: count }, () => 0)
  const connections = (world: World) => world.instances.map(({ connections }) => connections())
  const run = Effect.gen(function* () {
    const servers = yield* Scope.fork(yield* Scope.Scope)
    const world = yield* Scope.provide(make(count, budgets), servers)
    const waits = yield* Effect.gen(function* () {
      const client = yield* governed(world, budgets, left.watching(balancer))
      yield* body(world, client)
      return client.waits
    }).pipe(Effect.scoped, Effect.provide(world.layer))
    // What is still on its way arrives.
    yield* Effect.sleep(20)
    assert.strictEqual(left.all.active, 0)
    // Those in memory belong to the world.
    if (place === "TCP") assert.deepStrictEqual(connections(world), closed)
    yield* Scope.close(servers, Exit.void)
    yield* Effect.sleep(10)
    assert.deepStrictEqual(connections(world), closed)
    return waits
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])), Effect.provide(left.fiberCount))
  return Effect.gen(function* () {
    const waits = yield* place === "memory" ? Effect.raceFirst(run, virtual) : run
    yield* place === "memory" ? pass(10) : Effect.sleep(10)
    for (const { error, kind, millis } of waits) {
      const { millis: most, tags } = allowed(kind, count, budgets)
      assert.isAtMost(millis, most + lateness, `${kind}: ${tagOf(error)}`)
      assert.include(tags.split(" "), tagOf(error), `${kind} after ${millis} ms: ${String(error)}`)
    }
    assert.strictEqual(left.all.fibers, 0)
    return waits
  })
}

/** One of each kind at once, until all have ended. */
const round = (client: Client) =>
  Effect.forEach(kinds, (kind) => Effect.exit(client.call(kind)), { concurrency: "unbounded" })

const rounds = Effect.fnUntraced(function* (client: Client, count: number) {
  const exits: Array<Exit.Exit<string, unknown>> = []
  for (let i = 0; i < count; i++) exits.push(...(yield* round(client)))
  return exits
})

/** Failures that have to do with the instance, not with the time that a call had on a busy machine. */
const failedOf = (place: Place, exits: ReadonlyArray<Exit.Exit<string, unknown>>) =>
  exits
    .filter(Exit.isFailure)
    .map(({ cause }) => String(cause))
    .filter((text) => place === "memory" || !/(Recv|Send) timeout|first message/.test(text))

describe.concurrent("one of three instances", () => {
  for (const place of ["memory", "TCP"] as const) {
    const test = place === "memory" ? it.effect : it.live
    for (const fault of ["refusing", "stalled"] as const) {
      test(`${place}: ${fault} from the beginning, gets no calls once its breaker is open, and some when it is well again`, () =>
        Effect.gen(function* () {
          yield* among(place, 3, (world, client) =>
            Effect.gen(function* () {
              const [bad] = world.instances
              yield* bad!.set(fault)
              const first = failedOf(place, yield* rounds(client, 4))
              // Others take what cannot be connected. A budget may run out where that takes time.
              if (fault === "refusing") assert.deepStrictEqual(first, [])
              assert.strictEqual(client.instanceBreaker.state(bad!.address), "open")
              const before = world.instances.map(({ taken }) => taken())
              assert.deepStrictEqual(failedOf(place, yield* rounds(client, 3)), [])
              const [probes, ...calls] = world.instances.map(({ taken }, i) => taken() - before[i]!)
              assert.isAtMost(probes!, 1)
              assert.isAtLeast(
                calls.reduce((sum, count) => sum + count),
                12
              )
              yield* bad!.set("none")
              yield* Effect.sleep(places[place].budgets.coolingTimeout)
              // Probes find out.
              const closed = () => client.instanceBreaker.state(bad!.address) === "closed"
              for (let i = 0; i < 30 && !closed(); i++) yield* rounds(client, 1)
              assert.isTrue(closed())
              const found = bad!.taken()
              assert.deepStrictEqual(failedOf(place, yield* rounds(client, 3)), [])
              assert.isAtLeast(bad!.taken() - found, 1)
            })
          )
        }))
    }
    for (const fault of ["halfOpen", "slow", "resetting"] as const) {
      test(`${place}: ${fault}, does not hold up anybody for longer than a budget`, () =>
        Effect.gen(function* () {
          const waits = yield* among(place, 3, (world, client) =>
            Effect.gen(function* () {
              yield* rounds(client, 2)
              yield* world.instances[0]!.set(fault)
              yield* rounds(client, 5)
            })
          )
          assert.isAbove(waits.filter(({ error }) => error === undefined).length, 50)
        }))
    }
  }
})

/** Numbers from 0 to 1 that are the same each time. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return state / 0x7fffffff
  }
}

/** Anything happens to any instance while calls of any kind are made. */
const script = (place: Place, seed: number, steps: number) =>
  Effect.suspend(() => {
    const random = randomOf(seed)
    const oneOf = <A>(list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
    const balancer = oneOf([LoadBalancer.weightedRoundRobin, LoadBalancer.leastActive, LoadBalancer.peakEwma()])
    const { coolingTimeout, timeout } = places[place].budgets
    const count = oneOf([1, 3, 4])
    return among(
      place,
      count,
      (world, client) =>
        Effect.gen(function* () {
          const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
          let cut = 0
          for (let step = 0; step < steps; step++) {
            const instance = oneOf(world.instances)
            const flaps = random() < 0.2
            for (let i = flaps ? 6 : 1; i > 0; i--) {
              yield* instance.set(flaps ? (i % 2 === 0 ? "refusing" : "none") : oneOf(["none", ...faults]))
              if (flaps) yield* Effect.sleep(5)
            }
            for (let i = 0; i < 6; i++) {
              const fiber = yield* Effect.forkChild(client.call(oneOf(kinds)), { startImmediately: true })
              fibers.push(fiber)
              if (random() < 0.5) yield* Effect.sleep(oneOf([1, 10, 30]))
              if (random() < 0.1) {
                cut++
                yield* Fiber.interrupt(fiber)
              }
            }
          }
          // Its total budget is the longest that anything waits.
          yield* Effect.sleep(timeout + places[place].lateness)
          assert.strictEqual(fibers.filter((fiber) => fiber.pollUnsafe() === undefined).length, 0)
          const calls = client.waits.filter(({ kind }) => (kinds as ReadonlyArray<string>).includes(kind))
          assert.strictEqual(calls.length, fibers.length)
          for (const instance of world.instances) yield* instance.set("none")
          // Connections that are still half-open end with whoever uses them.
          for (let i = 0; i < 30; i++) {
            yield* Effect.sleep(coolingTimeout / 6)
            if ((yield* rounds(client, 1)).every(Exit.isSuccess)) return
          }
          assert.fail("the client has not recovered")
        }),
      balancer
    ).pipe(Random.withSeed(seed))
  })

describe.concurrent("whatever happens to instances", () => {
  it.effect("waits end within their budgets in memory, and nothing is left", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      for (let seed = 1; seed <= 8; seed++) {
        for (const { error, kind } of yield* script("memory", seed, 10)) seen.add(`${kind} ${tagOf(error)}`)
      }
      // It is of no use unless all of it happens.
      const expected = [
        ...(wire.streams.handshake ? ["open ConnectTimeout", "open interrupted"] : []),
        "open Unavailable",
        "first FirstMessageTimeout",
        "recv RecvTimeout",
        "send SendTimeout",
        ...["RpcTimeout", "Unavailable", "interrupted"].map((tag) => `ping ${tag}`)
      ]
      assert.deepStrictEqual(
        expected.filter((key) => !seen.has(key)),
        []
      )
    })
  )

  it.live("waits end within their budgets over TCP, and nothing is left", () => script("TCP", 1, 12))
})

/**
 * Everything that governs calls at once, against calls that end in every way at any time: whatever was taken is given back,
 * and the metrics are what was counted beside them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { CircuitBreaker, Discovery, Fallback, Limiter, LoadBalancer, Resolver, Retry } from "@millrace/governance"
import { Admission, BizStatusError, Client, type Endpoints, Method, RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Context, Effect, Exit, Fiber, Layer, Metric, Stream } from "effect"
import { TestClock } from "effect/testing"
import { seededBelow } from "./support/random.ts"
import { StreamClient } from "./support/over.ts"

class Text extends Thrift.Struct<Text>("together.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Busy extends Thrift.Exception<Busy>()("together.Busy", { text: Thrift.optional(1, Thrift.String) }) {}
class Work extends Service.make("Work", {
  package: "together",
  methods: [
    Method.unary("Unary", { request: Text, response: Text, exceptions: { busy: Thrift.field(1, Busy) } }),
    Method.serverStreaming("Watch", { request: Text, response: Text }),
    Method.pingPong("Ping", { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.String })
  ]
}) {}

const everywhere = Context.get(Context.empty(), Metric.MetricRegistry)
const addresses = ["a:1", "b:1", "c:1"]
const atOnce = 4
const status = new RpcError.RpcError({ reason: new RpcError.Status(), code: 2, desc: "broken" })
const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })

/** Counts what a rule refuses. */
const watched = (rule: Admission.Admission) => {
  const seen = { refused: 0, open: 0 }
  const admission = Admission.make((request) => {
    const answer = rule.admit(request)
    if (answer instanceof RpcError.RpcError) {
      seen.refused++
      return answer
    }
    seen.open++
    const tell = typeof answer === "function" ? answer : (end: Parameters<typeof answer.ended>[0]) => answer.ended(end)
    return {
      ...(typeof answer === "function"
        ? {}
        : {
            created: (now: number) => answer.created?.(now),
            answered: (millis: number, now: number) => answer.answered?.(millis, now)
          }),
      ended: (end) => {
        seen.open--
        tell(end)
      }
    }
  })
  return { admission, seen }
}

/** Counts what begins and ends at each address. */
const counted = (endpoints: Endpoints.Endpoints) => {
  const began = new Map<string, number>()
  const active = new Map<string, number>()
  const add = (to: Map<string, number>, address: string, count: number) =>
    void to.set(address, (to.get(address) ?? 0) + count)
  const wrap = (choice: Endpoints.Choice): Endpoints.Choice => {
    if (choice === undefined || typeof choice === "string") return choice
    return {
      address: choice.address,
      began: (now) => {
        add(began, choice.address, 1)
        add(active, choice.address, 1)
        choice.began?.(now)
      },
      created: (now) => choice.created?.(now),
      answered: (millis, now) => choice.answered?.(millis, now),
      ended: (end) => {
        add(active, choice.address, -1)
        choice.ended(end)
      }
    }
  }
  const wrapped: Endpoints.Endpoints = {
    ...endpoints,
    pick: (placing) => {
      const choice = endpoints.pick(placing)
      return Effect.isEffect(choice) ? Effect.map(choice, wrap) : wrap(choice)
    }
  }
  return { wrapped, began, active }
}

const metric = (id: string, label: string) =>
  Effect.map(Metric.snapshot, (all) => {
    const found: Record<string, number> = {}
    for (const { attributes, id: other, state } of all) {
      const by = attributes?.[label]
      if (other !== id || by === undefined) continue
      const { count, value } = state as { readonly count?: number; readonly value?: number }
      found[by] = Number(count ?? value)
    }
    return found
  })

/** Rules of limits have no context, and count in the registry that every program has. */
const limitRefusals = Effect.map(
  Effect.provideService(metric("kitex.limit.refusals", "limit"), Metric.MetricRegistry, everywhere),
  ({ concurrency = 0 }) => concurrency
)

const run = (seed: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const random = seededBelow(seed)
    const refusedBefore = yield* limitRefusals
    const limiter = watched(Limiter.concurrency(atOnce, { retryAfterMillis: 3 }))
    let stalls = false
    const outcome = Effect.suspend((): Effect.Effect<string, RpcError.RpcError | BizStatusError.BizStatusError> => {
      if (stalls) return Effect.never
      switch (random(8)) {
        case 0:
          return Effect.fail(status)
        case 1:
          return Effect.fail(biz)
        case 2:
          return Effect.never
        case 3:
          return Effect.die("a handler")
        case 4:
          return Effect.delay(Effect.succeed("slow"), random(60))
        default:
          return Effect.succeed("ok")
      }
    })
    const text = Effect.map(outcome, (text) => new Text({ text }))
    const live = Server.layer([Work], { admission: [limiter.admission], graceTime: 0 }).pipe(
      Layer.provide(
        Work.toLayer({
          Unary: () => (random(10) === 0 ? Effect.fail(new Busy({})) : text),
          Watch: () => Stream.fromEffectRepeat(Effect.delay(text, random(20))),
          Ping: () => outcome
        })
      ),
      Layer.provideMerge(MemoryTransport.layer),
      Layer.orDie
    )
    yield* Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(
        { minSample: 5, errRate: 0.6, coolingTimeout: 40, detectTimeout: 10 },
        { countStreams: "end" }
      )
      const breakerRule = watched(breaker.admission)
      const endpoints = counted(
        yield* Discovery.endpoints({
          balancer: random(2) === 0 ? LoadBalancer.leastActive : LoadBalancer.peakEwma(),
          instanceBreaker: yield* CircuitBreaker.instances({ minSample: 5 })
        })
      )
      const retry = [
        Retry.failure({ backoff: { type: "fixed", delay: 5 } }, { budget: Retry.budget({ percent: 50 }) }),
        Retry.backup({ delay: 10, maxRetries: 2 }),
        Retry.mixed(
          { delay: 10, maxRetries: 3, backoff: { type: "random", min: 1, max: 9 } },
          {
            retryable: () => {
              if (random(9) === 0) throw new Error("a rule")
              return true
            }
          }
        )
      ][random(3)]!
      const fallback = Fallback.make({ onFailure: (failure) => (random(4) === 0 ? Effect.fail(failure) : undefined) })
      const shared = { callerName: "web", endpoints: endpoints.wrapped, admission: [breakerRule.admission] }
      const streams = yield* StreamClient.make(Work, { ...shared, unary: { rpcTimeout: 30, retry, fallback } })
      const calls = yield* Client.make(Work, { ...shared, rpcTimeout: 30, retry, fallback })
      const call = (): Effect.Effect<unknown, unknown> => {
        const request = new Text({ text: "x" })
        switch (random(3)) {
          case 0:
            return streams.Unary(request)
          case 1:
            return calls.Ping({ text: "x" })
          default:
            return Stream.runDrain(
              Stream.take(streams.Watch(request, { recvTimeout: 25, timeout: 100 }), 1 + random(6))
            )
        }
      }
      const running: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let at = 0; at < 120; at++) {
        const fiber = yield* Effect.forkChild(Effect.exit(call()), { startImmediately: true })
        running.push(fiber)
        if (random(3) === 0) yield* TestClock.adjust(random(12))
        const victim = running[random(running.length)]!
        if (random(4) === 0) yield* Effect.forkChild(Fiber.interrupt(victim), { startImmediately: true })
      }
      yield* TestClock.adjust("1 second")
      for (const fiber of running) assert.isDefined(fiber.pollUnsafe(), `seed ${seed}: a call hangs`)
      yield* TestClock.adjust("1 second")

      const began = Object.fromEntries(endpoints.began)
      assert.isAbove(endpoints.began.size, 0)
      assert.deepStrictEqual([...new Set(endpoints.active.values())], [0], `seed ${seed}`)
      assert.deepStrictEqual(yield* metric("kitex.lb.picks", "instance"), { ...zeros, ...began }, `seed ${seed}`)
      assert.deepStrictEqual(yield* metric("kitex.lb.active", "instance"), zeros, `seed ${seed}`)
      assert.strictEqual(limiter.seen.open, 0, `seed ${seed}: places`)
      assert.strictEqual(breakerRule.seen.open, 0, `seed ${seed}: calls that a breaker let through`)
      const refusals = Object.values(yield* metric("kitex.breaker.refusals", "key"))
      assert.strictEqual(
        refusals.reduce((sum, count) => sum + count, 0),
        breakerRule.seen.refused,
        `seed ${seed}`
      )
      assert.strictEqual((yield* limitRefusals) - refusedBefore, limiter.seen.refused, `seed ${seed}`)

      // As many places as at first.
      stalls = true
      const plain = yield* Client.make(Work, { hostPorts: ["d:1"] })
      const filling = yield* Effect.forEach(Array.from({ length: atOnce }), () =>
        Effect.forkChild(plain.Ping({ text: "x" }), { startImmediately: true })
      )
      yield* TestClock.adjust(1)
      for (const fiber of filling) assert.isUndefined(fiber.pollUnsafe())
      assert.isTrue(Exit.isFailure(yield* Effect.exit(plain.Ping({ text: "x" }))))
      yield* Fiber.interruptAll(filling)
    }).pipe(Effect.scoped, Effect.provide(Resolver.layerStatic({ Work: addresses })), Effect.provide(live))
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

const zeros = Object.fromEntries(addresses.map((address) => [address, 0]))

describe("everything at once", () => {
  it.effect("gives back what it has taken, and counts what happened", () =>
    Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], run, { discard: true })
  )
})

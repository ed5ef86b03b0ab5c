import { assert, describe, it } from "@effect/vitest"
import { type Discovery, Instance, type LoadBalancer, Resolver } from "@millrace/governance"
import { RpcError } from "@millrace/rpc"
import { Effect, Exit, Fiber, Metric, Scope, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { addressOf, discover, endOf, inTurn, instances, logging, pick, refusal } from "../support/discovery.ts"

/** A list that the test changes, heard of at once. */
const listed = (...addresses: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const list = yield* SubscriptionRef.make<Resolver.Listed>(instances(...addresses))
    const set = (next: ReadonlyArray<Instance.Instance | string>) =>
      Effect.andThen(SubscriptionRef.set(list, next), TestClock.adjust(0))
    return { source: Resolver.fromInstances(list), set, to: (...next: ReadonlyArray<string>) => set(next) }
  })

const broke = new RpcError.RpcError({
  code: 14,
  desc: "broke off",
  reason: new RpcError.Unavailable({ neverSent: false })
})

const began = (source: Resolver.Source, options?: Omit<Discovery.Options, "config">) =>
  Effect.gen(function* () {
    const discovery = yield* discover(source, { confirmEmpty: 1 }, options)
    yield* addressOf(discovery.endpoints)
    yield* TestClock.adjust(0)
    return discovery
  })

describe("a call that could not be created at an instance", () => {
  it.effect("gets another, until all were tried", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* began((yield* listed("a:1", "b:1", "c:1")).source)
      for (let i = 0; i < 6; i++) assert.strictEqual(yield* addressOf(endpoints, "a", ["a:1", "c:1"]), "b:1")
      assert.isUndefined(yield* addressOf(endpoints, "a", ["c:1", "a:1", "b:1"]))
    })
  )

  it.effect("gets the one of a thousand that was not tried", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 1000 }, (_, i) => `host:${i + 1}`)
      const { endpoints } = yield* began((yield* listed(...all)).source)
      const tried = all.filter((address) => address !== "host:777")
      assert.strictEqual(yield* addressOf(endpoints, "a", tried), "host:777")
    })
  )

  it.effect("gets none of those without weight", () =>
    Effect.gen(function* () {
      const { set, source } = yield* listed("a:1")
      const { endpoints } = yield* began(source)
      yield* set([Instance.make("a:1"), Instance.make("b:1", { weight: 0 }), Instance.make("c:1", { weight: -1 })])
      assert.isUndefined(yield* addressOf(endpoints, "a", ["a:1"]))
    })
  )

  it.effect("counts only where it goes", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* began((yield* listed("a:1", "b:1", "c:1", "d:1")).source)
      const picked = yield* Effect.forEach(Array.from({ length: 20 }), () => pick(endpoints, "a", ["a:1", "c:1"]))
      const nodes = [...new Set(picked)] as unknown as ReadonlyArray<LoadBalancer.Node>
      assert.strictEqual(
        nodes.reduce((sum, { active }) => sum + active, 0),
        20
      )
    })
  )

  it.effect("fails with what a picker refuses, as it is", () =>
    Effect.gen(function* () {
      const error = new RpcError.RpcError({
        code: 13,
        desc: "no key",
        reason: new RpcError.NoInstance({ service: "a", why: "noHashKey" })
      })
      const { endpoints } = yield* discover(
        (yield* listed("a:1")).source,
        {},
        {
          balancer: { name: "refuses", build: () => ({ pick: () => error }) }
        }
      )
      assert.strictEqual(yield* refusal(endpoints), "NoInstance: no key")
    })
  )
})

describe("instances that a breaker does not allow", () => {
  const breaking = (closed: ReadonlySet<string>) => {
    const asked: Array<string> = []
    const ended: Array<string> = []
    const forgotten: Array<string> = []
    return {
      asked,
      ended,
      forgotten,
      instanceBreaker: {
        allows: (address: string, now: number) => {
          asked.push(`${address}@${now}`)
          return closed.has(address)
        },
        ended: (address: string, end: { readonly reason: string }) => void ended.push(`${address} ${end.reason}`),
        forget: (address: string) => void forgotten.push(address)
      }
    }
  }

  it.effect("are skipped", () =>
    Effect.gen(function* () {
      const closed = new Set(["a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1", "h:1"])
      const { asked, ended, instanceBreaker } = breaking(closed)
      const { endpoints } = yield* began((yield* listed(...closed)).source, { instanceBreaker })
      for (const address of closed) if (address !== "g:1") closed.delete(address)
      yield* TestClock.adjust(70)
      for (let i = 0; i < 10; i++) assert.strictEqual(yield* addressOf(endpoints), "g:1")
      assert.strictEqual(asked.at(-1), "g:1@70")
      assert.deepStrictEqual(new Set(ended), new Set(["a:1 eof", "g:1 eof"]))
    })
  )

  it.effect("refuse the call when there are no others", () =>
    Effect.gen(function* () {
      const { asked, instanceBreaker } = breaking(new Set())
      const { endpoints } = yield* discover(
        (yield* listed("a:1", "b:1")).source,
        {},
        { instanceBreaker: Effect.succeed(instanceBreaker) }
      )
      assert.strictEqual(yield* refusal(endpoints), "CircuitOpen: forbidden by circuitbreaker: instance circuitbreak")
      assert.strictEqual(
        yield* refusal(endpoints, "a", ["a:1"]),
        "CircuitOpen: forbidden by circuitbreaker: instance circuitbreak"
      )
      // Tried already: it is no question to the breaker, whose yes would be a probe.
      asked.length = 0
      assert.isUndefined(yield* addressOf(endpoints, "a", ["a:1", "b:1"]))
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("are forgotten with their instance", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1", "b:1")
      const { forgotten, instanceBreaker } = breaking(new Set(["a:1", "b:1"]))
      yield* began(source, { instanceBreaker })
      yield* to("b:1")
      assert.deepStrictEqual(forgotten, ["a:1"])
    })
  )

  it.effect("are not forgotten as long as another service has them", () =>
    Effect.gen(function* () {
      const { forgotten, instanceBreaker } = breaking(new Set(["a:1", "b:1"]))
      const source = Resolver.fromInstances({ one: ["a:1", "b:1"], two: ["b:1", "c:1"] })
      yield* Effect.gen(function* () {
        const { endpoints } = yield* discover(source, { idleTimeout: "30 seconds" }, { instanceBreaker })
        yield* addressOf(endpoints, "one")
        for (let times = 0; times < 30; times++) {
          yield* addressOf(endpoints, "two")
          yield* TestClock.adjust("20 seconds")
        }
        assert.deepStrictEqual(forgotten, ["a:1"])
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(forgotten, ["a:1", "b:1", "c:1"])
    })
  )
})

describe("what is known of an instance", () => {
  const nodeOf = (endpoints: Parameters<typeof pick>[0], others: ReadonlyArray<string> = []) =>
    Effect.map(pick(endpoints, "a", others), (picked) => picked as unknown as LoadBalancer.Node)

  it.effect("outlives lists, with others weights and tags", () =>
    Effect.gen(function* () {
      const { set, source } = yield* listed("a:1", "b:1")
      const { endpoints } = yield* began(source)
      const before = yield* nodeOf(endpoints, ["b:1"])
      yield* TestClock.adjust(500)
      yield* set([Instance.make("a:1", { weight: 3, tags: { zone: "x" } }), Instance.make("c:1")])
      const after = yield* nodeOf(endpoints, ["c:1"])
      assert.strictEqual(after, before)
      assert.strictEqual(after.active, 2)
      assert.strictEqual(after.since, 0)
      assert.deepStrictEqual(after.instance, { address: "a:1", weight: 3, tags: { zone: "x" } })
      assert.strictEqual((yield* nodeOf(endpoints, ["a:1"])).since, 500)
    })
  )

  it.effect("stays as long as it has streams, also when it has left the list for a while", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1", "b:1")
      const { endpoints } = yield* began(source)
      const a = yield* nodeOf(endpoints, ["b:1"])
      const b = yield* nodeOf(endpoints, ["a:1"])
      b.ended(endOf(0))
      yield* to("c:1")
      yield* to("a:1", "b:1")
      const [again, fresh] = [yield* nodeOf(endpoints, ["b:1"]), yield* nodeOf(endpoints, ["a:1"])]
      assert.strictEqual(again, a)
      assert.strictEqual(again.active, 2)
      assert.notStrictEqual(fresh, b)
      assert.strictEqual(fresh.picks, 1)
    })
  )

  it.effect("stays where the balancer changes, which counts from the next call on", () =>
    logging(
      Effect.fnUntraced(function* (lines) {
        const { set, source } = yield* listed("a:1", "b:1")
        const last: LoadBalancer.LoadBalancer = {
          name: "last",
          latency: { failure: "3 seconds" },
          build: (nodes) => ({ pick: () => nodes.at(-1) })
        }
        const balancer = yield* SubscriptionRef.make<LoadBalancer.LoadBalancer>(inTurn)
        const { endpoints } = yield* began(source, { balancer })
        const b = yield* nodeOf(endpoints, ["a:1"])
        yield* SubscriptionRef.set(balancer, last)
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* nodeOf(endpoints), b)
        assert.deepStrictEqual([b.active, b.picks], [4, 4])
        b.ended(endOf(0, { error: broke }))
        assert.strictEqual(b.latency(0), 3000)
        // One that cannot be built is a line in the log.
        const broken = { ...last, name: "broken", build: () => assert.fail("it cannot be built") }
        yield* SubscriptionRef.set<LoadBalancer.LoadBalancer>(balancer, broken)
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* nodeOf(endpoints), b)
        yield* set(["a:1", "b:1", "c:1"])
        assert.strictEqual((yield* nodeOf(endpoints)).instance.address, "c:1")
        assert.deepStrictEqual(lines, [
          "Warn: discovery: a keeps its balancer last, the new one is bad: AssertionError: it cannot be built"
        ])
      })
    )
  )

  it.effect("tells the balancer only of lists that are others, and of the picker before", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1", "b:1")
      const built: Array<string> = []
      const pickers: Array<LoadBalancer.Picker | undefined> = []
      const balancer: LoadBalancer.LoadBalancer = {
        name: "watched",
        build: (nodes, options) => {
          built.push(`${options.service}: ${nodes.map(({ address }) => address).join(" ")}`)
          assert.strictEqual(options.previous, pickers.at(-1))
          const picker = inTurn.build(nodes, options)
          pickers.push(picker)
          return picker
        }
      }
      yield* began(source, { balancer })
      yield* to("b:1", "a:1")
      yield* to("b:1", "a:1", "c:1", "a:1")
      assert.deepStrictEqual(built, ["a: a:1 b:1", "a: b:1 a:1 c:1"])
    })
  )

  it.effect("is told in metrics as long as it is there", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1", "b:1")
      const metrics = Effect.map(Metric.snapshot, (all) =>
        Object.fromEntries(
          all
            .filter(({ id }) => id.startsWith("kitex.lb."))
            .map(({ attributes, id, state }) => [
              `${id} ${attributes?.["instance"]}`,
              "count" in state ? state.count : (state as { readonly value: unknown }).value
            ])
        )
      )
      yield* Effect.gen(function* () {
        const one = yield* discover(source, { confirmEmpty: 1 })
        const two = yield* discover(source, { confirmEmpty: 1 })
        const long = yield* pick(one.endpoints)
        yield* pick(one.endpoints)
        yield* addressOf(one.endpoints)
        yield* pick(two.endpoints)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* metrics, {
          "kitex.lb.picks a:1": 3,
          "kitex.lb.active a:1": 2,
          "kitex.lb.picks b:1": 1,
          "kitex.lb.active b:1": 1
        })
        yield* to("b:1")
        assert.deepStrictEqual((yield* metrics)["kitex.lb.active a:1"], 2)
        long!.ended(endOf(0))
        yield* to("b:1", "c:1")
        // The pick of the other discovery is still there, and its counter has not fallen.
        assert.deepStrictEqual((yield* metrics)["kitex.lb.picks a:1"], 3)
        assert.deepStrictEqual((yield* metrics)["kitex.lb.active a:1"], 1)
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(yield* metrics, {})
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("is not told any more once the scope has begun to close, whatever is pushed then", () =>
    Effect.gen(function* () {
      const list = yield* SubscriptionRef.make(instances("a:1"))
      const scope = yield* Scope.make()
      const { endpoints } = yield* Scope.provide(
        discover({
          name: "slow",
          resolve: () => Effect.succeed({ instances: list.value }),
          watch: () => Stream.ensuring(SubscriptionRef.changes(list), Effect.sleep("1 second"))
        }),
        scope
      )
      yield* addressOf(endpoints, "one")
      yield* addressOf(endpoints, "two")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* SubscriptionRef.set(list, instances("b:1"))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* Metric.snapshot, [])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("has a bounded number of series", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1")
      yield* began(source)
      yield* to(...Array.from({ length: 1500 }, (_, i) => `host:${i + 1}`))
      const of = (id: string) => Effect.map(Metric.snapshot, (all) => all.filter((metric) => metric.id === id))
      const picks = yield* of("kitex.lb.picks")
      assert.isAtMost(picks.length, 1001)
      assert.strictEqual(picks.filter(({ attributes }) => attributes?.["instance"] === "_OTHER").length, 1)
      yield* to("a:1")
      assert.strictEqual((yield* of("kitex.lb.picks")).length, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )
})

describe("changes", () => {
  it.effect("reach listeners of removed addresses, once no service has them", () =>
    Effect.gen(function* () {
      const list = yield* SubscriptionRef.make<Resolver.Listed>({ a: ["x:1", "y:1"], b: ["y:1", "z:1"] })
      const to = (next: Resolver.Listed) => Effect.andThen(SubscriptionRef.set(list, next), TestClock.adjust(0))
      const { endpoints } = yield* discover(Resolver.fromInstances(list), { confirmEmpty: 1 })
      const removed: Array<string> = []
      const stop = endpoints.onRemoved!((address) => void removed.push(address))
      yield* addressOf(endpoints, "a")
      yield* addressOf(endpoints, "b")
      yield* TestClock.adjust(0)
      yield* to({ a: ["x:1"], b: ["y:1", "z:1"] })
      assert.deepStrictEqual(removed, [])
      yield* to({ a: ["x:1"], b: ["z:1"] })
      assert.deepStrictEqual(removed, ["y:1"])
      yield* to({ a: [], b: [Instance.make("z:1", { weight: 3 })] })
      assert.deepStrictEqual(removed, ["y:1", "x:1"])
      stop()
      yield* to({ a: [], b: ["w:1"] })
      assert.deepStrictEqual(removed, ["y:1", "x:1"])
    })
  )

  it.effect("reach them again when the last call there has ended, which may have made a connection since", () =>
    Effect.gen(function* () {
      const { source, to } = yield* listed("a:1", "b:1")
      const { endpoints } = yield* began(source, { balancer: inTurn })
      const removed: Array<string> = []
      endpoints.onRemoved!((address) => void removed.push(address))
      const calls = [yield* pick(endpoints), yield* pick(endpoints), yield* pick(endpoints), yield* pick(endpoints)]
      const ofA = calls.filter((call) => call?.address === "a:1")
      assert.strictEqual(ofA.length, 2)
      yield* to("b:1")
      assert.deepStrictEqual(removed, ["a:1"])
      ofA[0]!.ended(endOf(0))
      assert.deepStrictEqual(removed, ["a:1"])
      ofA[1]!.ended(endOf(0))
      assert.deepStrictEqual(removed, ["a:1", "a:1"])
      // Not while it is in the list.
      yield* to("a:1", "b:1")
      for (const call of calls) if (call?.address === "b:1") call.ended(endOf(0))
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      assert.deepStrictEqual(removed, ["a:1", "a:1"])
    })
  )

  it.effect("are a stream that begins with all of now, and keeps the service known", () =>
    Effect.gen(function* () {
      const { set, to, source } = yield* listed("a:1", "b:1")
      const heard: Array<unknown> = []
      const { changes, instances: known } = yield* discover(source, { confirmEmpty: 1 })
      const reading = yield* Effect.forkChild(
        Stream.runForEach(changes("s"), (change) => Effect.sync(() => heard.push(change))),
        { startImmediately: true }
      )
      yield* TestClock.adjust("10 minutes")
      yield* to("a:1")
      yield* set([Instance.make("a:1", { tags: { zone: "x" } }), "c:1"])
      yield* to()
      yield* TestClock.adjust("10 minutes")
      yield* to("d:1")
      const of = (change: { readonly [key: string]: ReadonlyArray<string> }) => ({
        added: instances(...(change["added"] ?? [])),
        updated: [],
        removed: instances(...(change["removed"] ?? []))
      })
      const a = Instance.make("a:1", { tags: { zone: "x" } })
      assert.deepStrictEqual(heard, [
        of({ added: ["a:1", "b:1"] }),
        of({ removed: ["b:1"] }),
        { added: instances("c:1"), updated: [a], removed: [] },
        { added: [], updated: [], removed: [a, ...instances("c:1")] },
        of({ added: ["d:1"] })
      ])
      assert.deepStrictEqual(yield* known("s"), instances("d:1"))
      yield* Fiber.interrupt(reading)
    })
  )

  it.effect("come as one to who reads slowly", () =>
    Effect.gen(function* () {
      const { to, source } = yield* listed("a:1")
      const { changes } = yield* discover(source)
      const heard: Array<Instance.Change> = []
      yield* Effect.forkChild(
        Stream.runForEach(changes("s"), (change) =>
          Effect.delay(
            Effect.sync(() => heard.push(change)),
            10
          )
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust(1)
      for (let i = 0; i < 1000; i++) yield* to("a:1", `b:${i + 1}`)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(heard, [
        { added: instances("a:1"), updated: [], removed: [] },
        { added: instances("b:1000"), updated: [], removed: [] }
      ])
    })
  )
})

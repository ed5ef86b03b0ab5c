import { assert, describe, it } from "@effect/vitest"
import { CircuitBreaker, Policy } from "@millrace/governance"
import { BizStatusError, RpcError } from "@millrace/rpc"
import type { CallEnd } from "@millrace/rpc/CallObserver"
import {
  Cause,
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Metric,
  Result,
  Schema,
  Scope,
  Stream,
  SubscriptionRef
} from "effect"
import { TestClock } from "effect/testing"
import {
  admitted,
  endOf,
  errorOf,
  failure,
  infoOf,
  key,
  local,
  requestOf,
  runCall,
  timeout
} from "../support/breakerCalls.ts"

const quick = { minSample: 1 } as const

/** Opens the breaker of a call by one failure. */
const open = (admission: CircuitBreaker.CircuitBreaker["Service"]["admission"], now: number, method = "Find") =>
  runCall(admission, now, { error: failure }, { method, path: `/search.Search/${method}` })

const numbersOf = ({ at, from, key, to, successes, failures, timeouts, samples }: CircuitBreaker.StateChange) =>
  `${at} ${key} ${from} ${to} ${successes}/${failures}/${timeouts}/${samples}`

/** Everything that a program reports. */
const observed = () => {
  const registry: Metric.MetricRegistry = new Map()
  const lines: Array<string> = []
  const logger = Logger.layer([
    Logger.make<unknown, void>(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
  ])
  const series = () =>
    Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, registry) as Context.Context<never>).map(
      ({ attributes, id, state }) =>
        `${id} ${attributes?.["level"]} ${attributes?.["key"]} ${"count" in state ? state.count : "value" in state ? state.value : "?"}`
    )
  const run = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    self.pipe(Effect.provide(logger), Effect.provideService(Metric.MetricRegistry, registry))
  return { lines, run, series }
}

describe("what counts for a service", () => {
  const verdict = (end: Partial<CallEnd>) => CircuitBreaker.classify(endOf(0, end))
  const of = (reason: RpcError.RpcError["reason"], over: Partial<CallEnd> = {}) =>
    verdict({ error: errorOf(reason), ...over })

  it("answers", () => {
    assert.strictEqual(verdict({}), "success")
    assert.strictEqual(verdict({ reason: "earlyEnd" }), "success")
    const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
    assert.strictEqual(verdict({ error: biz }), "success")
  })

  it("budgets that ran out", () => {
    const reasons = [
      new RpcError.RpcTimeout({ millis: 1 }),
      new RpcError.RpcTimeout({ millis: 1, neverSent: true }),
      new RpcError.DeadlineExceeded(),
      new RpcError.FirstMessageTimeout({ millis: 1 }),
      new RpcError.RecvTimeout({ millis: 1 }),
      new RpcError.SendTimeout({ millis: 1 })
    ]
    assert.deepStrictEqual(
      reasons.map((reason) => of(reason)),
      reasons.map(() => "timeout")
    )
  })

  it("errors of the service, and of the way to it", () => {
    const reasons = [
      new RpcError.Status(),
      new RpcError.ConnectTimeout({ millis: 50 }),
      new RpcError.Unavailable({ neverSent: true }),
      new RpcError.Unavailable({ neverSent: false }),
      new RpcError.Cancelled({ by: "peer" }),
      new RpcError.Rejected({ limit: "qps" }),
      new RpcError.CodecError({ kind: "short", path: "" }),
      new RpcError.ProtocolViolation()
    ]
    assert.deepStrictEqual(
      reasons.map((reason) => of(reason)),
      reasons.map(() => "failure")
    )
    assert.strictEqual(of(new RpcError.Unavailable({ neverSent: true }), { created: false }), "failure")
  })

  it("nothing that says nothing about the service", () => {
    const reasons = [
      new RpcError.Cancelled({ by: "local" }),
      new RpcError.Forbidden(),
      new RpcError.CircuitOpen({ level: "instance", key: "a" }),
      new RpcError.DiscoveryFailed({ service: "s" }),
      new RpcError.NoInstance({ service: "s", why: "noWeight" }),
      new RpcError.InvalidMetadata(),
      new RpcError.Unavailable({ neverSent: true, draining: true })
    ]
    assert.deepStrictEqual(
      reasons.map((reason) => of(reason)),
      reasons.map(() => "ignore")
    )
    assert.strictEqual(of(new RpcError.Rejected({ limit: "ours" }), { created: false }), "ignore")
    assert.strictEqual(verdict({ reason: "interrupted" }), "ignore")
    assert.strictEqual(verdict({ reason: "explicit" }), "ignore")
    assert.strictEqual(verdict({ reason: "explicit", error: local }), "ignore")
    // A defect.
    assert.strictEqual(verdict({ reason: "error" }), "ignore")
  })
})

describe("what counts for an instance", () => {
  const verdict = (end: Partial<CallEnd>) => CircuitBreaker.classifyConnect(endOf(0, end))
  const uncreated = (reason: RpcError.RpcError["reason"]) => verdict({ error: errorOf(reason), created: false })

  it("connects, and nothing else", () => {
    assert.strictEqual(uncreated(new RpcError.ConnectTimeout({ millis: 50 })), "failure")
    assert.strictEqual(uncreated(new RpcError.Unavailable({ neverSent: true })), "failure")
    assert.strictEqual(uncreated(new RpcError.Unavailable({ neverSent: true, draining: true })), "ignore")
    assert.strictEqual(uncreated(new RpcError.Unavailable({ neverSent: false })), "ignore")
    assert.strictEqual(uncreated(new RpcError.CodecError({ kind: "range", path: "a" })), "ignore")
    assert.strictEqual(verdict({ reason: "interrupted", created: false }), "ignore")
    for (const end of [{}, { error: failure }, { error: timeout }, { reason: "interrupted" as const }]) {
      assert.strictEqual(verdict(end), "success")
    }
  })
})

describe("the rule of a client", () => {
  it.effect("opens at Kitex's defaults, with Kitex's text, code 13 and the key", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make()
      // As Kitex's own test: 200 timeouts run, the next hundred are refused.
      for (let i = 0; i < 300; i++) assert.strictEqual(runCall(admission, i, { error: timeout }), i < 200, `${i}`)
      assert.strictEqual(state(key), "open")
      const refused = admission.admit(requestOf(300))
      assert.instanceOf(refused, RpcError.RpcError)
      if (!(refused instanceof RpcError.RpcError)) return
      assert.strictEqual(
        refused.message,
        "rpc error: code = 13 desc = forbidden by circuitbreaker: service circuitbreak"
      )
      assert.deepStrictEqual({ ...refused.reason }, { ...new RpcError.CircuitOpen({ level: "service", key }) })
      assert.strictEqual(refused.method, "Search.Find")
      assert.strictEqual(admission.admit(requestOf(301)), refused)
    })
  )

  it.effect("opens at another share and another number, as Kitex's tests of both", () =>
    Effect.gen(function* () {
      const rate = (yield* CircuitBreaker.make({ errRate: 0.1, minSample: 100 })).admission
      // One of ten fails; the tenth failure would be of call 100, the 101st.
      for (let i = 0; i < 300; i++) {
        const ran = runCall(rate, i, i % 10 === 0 ? { error: timeout } : {})
        assert.strictEqual(ran, i <= 100, `${i}`)
      }
      const samples = (yield* CircuitBreaker.make({ errRate: 0.5, minSample: 100 })).admission
      for (let i = 0; i < 300; i++) assert.strictEqual(runCall(samples, i, { error: timeout }), i < 100, `${i}`)
    })
  )

  it.effect("has a breaker for each caller, callee and method", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make(quick)
      open(admission, 0)
      assert.isFalse(runCall(admission, 1))
      for (const other of [{ caller: "app" }, { callee: "search2" }, { method: "Get", path: "/search.Search/Get" }]) {
        assert.isTrue(runCall(admission, 1, {}, other), JSON.stringify(other))
      }
      assert.isFalse(runCall(admission, 1))
      assert.deepStrictEqual(["web/search/Find", "app/search/Find", "web/search/Get", "?"].map(state), [
        "open",
        "closed",
        "closed",
        "closed"
      ])
    })
  )

  it.effect("takes another key, and says it in the error", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make(quick, { key: ({ callee }) => callee })
      open(admission, 0)
      const refused = admission.admit(requestOf(1, { method: "Get", path: "/search.Search/Get" }))
      const again = admission.admit(requestOf(1))
      if (!(refused instanceof RpcError.RpcError) || !(again instanceof RpcError.RpcError)) return assert.fail("it ran")
      assert.deepStrictEqual(
        { ...refused.reason },
        { ...new RpcError.CircuitOpen({ level: "service", key: "search" }) }
      )
      assert.deepStrictEqual([refused.method, again.method], ["Search.Get", "Search.Find"])
      assert.strictEqual(state("search"), "open")
    })
  )

  it.effect("takes another classification", () =>
    Effect.gen(function* () {
      const seen: Array<CallEnd> = []
      const { admission, state } = yield* CircuitBreaker.make(quick, {
        classify: (end) => (seen.push(end), end.error === undefined ? "failure" : "success")
      })
      runCall(admission, 0, { error: failure })
      assert.strictEqual(state(key), "closed")
      runCall(admission, 1)
      // One success and one failure are half.
      assert.strictEqual(state(key), "open")
      assert.strictEqual(seen.length, 2)
    })
  )

  it.effect("is not fed by ends that are ignored, in no state", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make(quick)
      for (let i = 0; i < 500; i++) runCall(admission, 0, { reason: "interrupted" })
      assert.strictEqual(state(key), "closed")
      open(admission, 0)
      assert.isTrue(runCall(admission, 5000, { reason: "interrupted" }))
      assert.isTrue(runCall(admission, 5200, { error: local }))
      assert.strictEqual(state(key), "halfOpen")
    })
  )

  it.effect("never opens by business errors, which close it", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make(quick)
      const error = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
      for (let i = 0; i < 300; i++) assert.isTrue(runCall(admission, 0, { error }))
      // More than all of those.
      for (let i = 0; i < 300; i++) runCall(admission, 0, { error: failure })
      assert.strictEqual(state(key), "open")
      for (const now of [5000, 5200]) runCall(admission, now, { error })
      assert.strictEqual(state(key), "closed")
    })
  )
})

describe("streams", () => {
  const stream = { mode: "server" } as const
  const info = infoOf(stream)

  it.effect("count by whether they could be created", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make({ minSample: 2 })
      const one = admitted(admission, 0, stream)!
      one.created!(0)
      one.answered!(1, 1)
      // Nothing of it counts any more: it would be half.
      one.ended(endOf(1, { info, error: failure }))
      assert.strictEqual(state(key), "closed")
      admitted(admission, 1, stream)!.ended(endOf(1, { info, error: failure, created: false }))
      // One success, one failure.
      assert.strictEqual(state(key), "open")
      for (const now of [6000, 6200]) admitted(admission, now, stream)!.created!(now)
      assert.strictEqual(state(key), "closed")
    })
  )

  it.effect("count by how they end where that is wanted, and a first answer is enough for a probe", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make({ minSample: 2, errRate: 0.6 }, { countStreams: "end" })
      const one = admitted(admission, 0, stream)!
      const other = admitted(admission, 0, stream)!
      for (const each of [one, other]) {
        each.created!(0)
        each.answered!(1, 1)
      }
      one.ended(endOf(1, { info, error: errorOf(new RpcError.RecvTimeout({ millis: 10 })) }))
      assert.strictEqual(state(key), "closed")
      other.ended(endOf(2, { info, error: errorOf(new RpcError.Cancelled({ by: "peer" })) }))
      assert.strictEqual(state(key), "open")
      for (const now of [6000, 6200]) {
        const probe = admitted(admission, now, stream)!
        probe.created!(now)
        assert.strictEqual(state(key), "halfOpen")
        probe.answered!(5, now + 5)
      }
      assert.strictEqual(state(key), "closed")
    })
  )

  it.effect("of early ends, cancels, interruptions and business errors none counts against the service", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make(quick, { countStreams: "end" })
      const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
      const ends: ReadonlyArray<Partial<CallEnd>> = [
        { reason: "earlyEnd" },
        { reason: "explicit" },
        { reason: "interrupted" },
        { error: local },
        { error: biz }
      ]
      for (const end of ends) runCall(admission, 0, { ...end, info }, stream)
      assert.strictEqual(state(key), "closed")
    })
  )

  it.effect("unary and PingPong calls count once, when they end", () =>
    Effect.gen(function* () {
      for (const mode of ["unary", "pingPong", "oneway"] as const) {
        const { admission, state } = yield* CircuitBreaker.make({ minSample: 2 })
        runCall(admission, 0, { error: failure, info: infoOf({ mode }) }, { mode })
        assert.strictEqual(state(key), "closed")
        runCall(admission, 0, { info: infoOf({ mode }) }, { mode })
        runCall(admission, 0, { error: timeout, info: infoOf({ mode }) }, { mode })
        assert.strictEqual(state(key), "open", mode)
      }
    })
  )
})

describe("the policy", () => {
  it.effect("changes for breakers that are there, disables them, and keeps their state", () =>
    Effect.gen(function* () {
      const ref = yield* SubscriptionRef.make<CircuitBreaker.Config>({})
      const { admission, state } = yield* CircuitBreaker.make(ref)
      for (let i = 0; i < 150; i++) runCall(admission, 0, { error: failure })
      yield* SubscriptionRef.set(ref, { minSample: 151 })
      runCall(admission, 0, { error: failure })
      assert.strictEqual(state(key), "open")
      yield* SubscriptionRef.set(ref, { enable: false })
      for (let i = 0; i < 300; i++) assert.isTrue(runCall(admission, 1, { error: failure }))
      assert.strictEqual(state(key), "open")
      // Of those nothing has counted: it closes with two probes, as Kitex's test has it.
      yield* SubscriptionRef.set(ref, { errRate: 0.1, minSample: 100 })
      const ran = [4999, 5000, 5001, 5199, 5200, 5201].map((now) => runCall(admission, now))
      assert.deepStrictEqual(ran, [false, true, false, false, true, true])
      assert.strictEqual(state(key), "closed")
    })
  )

  it.effect("does not count the end of a call that was let through before it was disabled", () =>
    Effect.gen(function* () {
      const ref = yield* SubscriptionRef.make<CircuitBreaker.Config>(quick)
      const { admission, state } = yield* CircuitBreaker.make(ref)
      const observer = admitted(admission, 0)!
      yield* SubscriptionRef.set(ref, { ...quick, enable: false })
      observer.ended(endOf(1, { error: failure }))
      yield* SubscriptionRef.set(ref, quick)
      assert.strictEqual(state(key), "closed")
    })
  )

  it.effect("has other thresholds for single keys", () =>
    Effect.gen(function* () {
      const { admission, state } = yield* CircuitBreaker.make({
        minSample: 3,
        keys: { [key]: { minSample: 1 }, "web/search/Get": { enable: false } }
      })
      for (const method of ["Find", "Get", "Other"]) {
        for (let i = 0; i < 2; i++) open(admission, i, method)
      }
      assert.deepStrictEqual(
        ["Find", "Get", "Other"].map((method) => state(`web/search/${method}`)),
        ["open", "closed", "closed"]
      )
      open(admission, 2, "Other")
      assert.strictEqual(state("web/search/Other"), "open")
    })
  )

  it.effect("has times that may be changed", () =>
    Effect.gen(function* () {
      const { admission } = yield* CircuitBreaker.make({
        ...quick,
        coolingTimeout: "1 second",
        detectTimeout: 50,
        halfOpenSuccesses: 3
      })
      open(admission, 0)
      const ran = [999, 1000, 1049, 1050, 1099, 1100, 1100].map((now) => runCall(admission, now))
      assert.deepStrictEqual(ran, [false, true, false, true, false, true, true])
    })
  )

  const decode = Schema.decodeUnknownResult(CircuitBreaker.Config)

  it("is a schema with ranges", () => {
    const good = {
      enable: true,
      errRate: 0.2,
      minSample: 10,
      coolingTimeout: "3 seconds",
      detectTimeout: 100,
      halfOpenSuccesses: 1,
      keys: { "a/b/c": { errRate: 1 } }
    }
    assert.isTrue(Result.isSuccess(decode(good)))
    assert.isTrue(Result.isSuccess(decode({})))
    const bad: ReadonlyArray<readonly [unknown, string]> = [
      [{ errRate: 0 }, "errRate"],
      [{ errRate: 1.1 }, "errRate"],
      [{ errRate: Number.NaN }, "errRate"],
      [{ minSample: 0 }, "minSample"],
      [{ minSample: 1.5 }, "minSample"],
      [{ enable: "yes" }, "enable"],
      [{ halfOpenSuccesses: 0 }, "halfOpenSuccesses"],
      [{ coolingTimeout: -1 }, "coolingTimeout"],
      [{ detectTimeout: "soon" }, "detectTimeout"],
      [{ keys: { a: { minSample: "many" } } }, "minSample"]
    ]
    for (const [value, path] of bad) {
      const result = decode(value)
      assert.isTrue(Result.isFailure(result), JSON.stringify(value))
      if (Result.isFailure(result)) assert.include(String(result.failure), path)
    }
  })

  it.effect("is refused when it is made of a bad value, and keeps the old one when it becomes one", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(CircuitBreaker.make({ errRate: 2 }))
      assert.isTrue(Exit.isFailure(exit) && /errRate/.test(Cause.pretty(exit.cause)))
      const ref = yield* SubscriptionRef.make<CircuitBreaker.Config>({ minSample: 2 })
      const { admission, state } = yield* CircuitBreaker.make(ref)
      yield* SubscriptionRef.set(ref, { minSample: -1 })
      open(admission, 0)
      assert.strictEqual(state(key), "closed")
      open(admission, 0)
      assert.strictEqual(state(key), "open")
    })
  )

  it.effect("comes from the environment", () =>
    Effect.gen(function* () {
      const env = {
        BREAKER_MIN_SAMPLE: "3",
        BREAKER_ERR_RATE: "0.7",
        BREAKER_COOLING_TIMEOUT: "1 second",
        BREAKER_ENABLE: "true"
      }
      const provider = ConfigProvider.constantCase(ConfigProvider.fromEnv({ env }))
      const policy = yield* Effect.provideService(
        Policy.config(CircuitBreaker.Config, "breaker"),
        ConfigProvider.ConfigProvider,
        provider
      )
      const { admission, state } = yield* CircuitBreaker.make(policy)
      runCall(admission, 0)
      for (let i = 0; i < 2; i++) open(admission, 0)
      // Two of three are 0.67.
      assert.strictEqual(state(key), "closed")
      open(admission, 0)
      assert.strictEqual(state(key), "open")
      assert.deepStrictEqual(
        [999, 1000].map((now) => runCall(admission, now)),
        [false, true]
      )
    })
  )

  it.effect("may be a part of another", () =>
    Effect.gen(function* () {
      const file = yield* SubscriptionRef.make<{ readonly breaker: CircuitBreaker.Config }>({ breaker: {} })
      const { admission, state } = yield* CircuitBreaker.make(Policy.map(file, ({ breaker }) => breaker))
      open(admission, 0)
      assert.strictEqual(state(key), "closed")
      yield* SubscriptionRef.set(file, { breaker: quick })
      open(admission, 0)
      assert.strictEqual(state(key), "open")
    })
  )
})

describe("how many keys", () => {
  it.effect("are at most as many as said, and closed ones that were not used for longest go first", () =>
    Effect.gen(function* () {
      const { run, series } = observed()
      yield* Effect.gen(function* () {
        const { admission } = yield* CircuitBreaker.make(quick, { key: ({ method }) => method, maxKeys: 8 })
        open(admission, 0, "M0")
        for (let i = 1; i < 8; i++) runCall(admission, i, {}, { method: `M${i}` })
        runCall(admission, 10, {}, { method: "M1" })
        const left = (method: string) => {
          runCall(admission, 11, {}, { method })
          return series()
            .map((line) => line.slice("kitex.breaker.state service ".length))
            .sort()
        }
        assert.deepStrictEqual(left("New"), ["M0 2", "M1 0", "M3 0", "M4 0", "M5 0", "M6 0", "M7 0", "New 0"])
        for (let i = 3; i < 8; i++) open(admission, 12, `M${i}`)
        open(admission, 13, "New")
        assert.deepStrictEqual(left("Newer"), ["M0 2", "M3 2", "M4 2", "M5 2", "M6 2", "M7 2", "New 2", "Newer 0"])
        open(admission, 14, "Newer")
        // All are open: now they go too.
        assert.deepStrictEqual(left("Newest"), ["M3 2", "M4 2", "M5 2", "M6 2", "M7 2", "New 2", "Newer 2", "Newest 0"])
      }).pipe(Effect.scoped, run)
    })
  )

  it.effect("stay bounded under keys without end, with their metrics", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const { admission } = yield* Effect.provideService(
        CircuitBreaker.make({}, { key: ({ method }) => method, maxKeys: 20 }),
        Metric.MetricRegistry,
        registry
      )
      let most = 0
      for (let i = 0; i < 5000; i++) {
        runCall(admission, i, {}, { method: `M${i}` })
        most = Math.max(most, registry.size)
      }
      assert.strictEqual(most, 20)
    })
  )

  it.effect("is bounded by a number from 1 on", () =>
    Effect.gen(function* () {
      for (const maxKeys of [0, -1, Number.NaN]) {
        const exit = yield* Effect.exit(Effect.scoped(CircuitBreaker.make({}, { maxKeys })))
        assert.include(String(exit), `maxKeys of a circuit breaker is ${maxKeys}: give a number from 1 on`)
      }
    })
  )

  it.effect("does not count what ends after its key is gone", () =>
    Effect.gen(function* () {
      const registry: Metric.MetricRegistry = new Map()
      const breaker = CircuitBreaker.make(quick, { maxKeys: 1 })
      const { admission, state, states } = yield* Effect.provideService(breaker, Metric.MetricRegistry, registry)
      const changes: Array<CircuitBreaker.StateChange> = []
      yield* Effect.forkScoped(
        Stream.runForEach(states, (change) => Effect.sync(() => changes.push(change))),
        { startImmediately: true }
      )
      const observer = admitted(admission, 0)!
      runCall(admission, 1, {}, { method: "Get", path: "/get" })
      observer.ended(endOf(2, { error: failure }))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(changes, [])
      assert.strictEqual(state(key), "closed")
      assert.strictEqual(registry.size, 1)
    })
  )
})

describe("what is seen of it", () => {
  it.effect("each change with its numbers, as a stream, a metric and a line of log", () =>
    Effect.gen(function* () {
      const { lines, run, series } = observed()
      yield* Effect.gen(function* () {
        const { admission, states } = yield* CircuitBreaker.make({ minSample: 4 })
        const changes = yield* Effect.forkChild(Stream.runCollect(Stream.take(states, 5)), { startImmediately: true })
        runCall(admission, 0)
        runCall(admission, 0, { error: timeout })
        runCall(admission, 0, { error: failure })
        assert.deepStrictEqual(series(), [`kitex.breaker.state service ${key} 0`])
        yield* TestClock.setTime(100)
        runCall(admission, 100, { error: failure })
        assert.isFalse(runCall(admission, 100))
        assert.isFalse(runCall(admission, 100))
        assert.deepStrictEqual(series(), [
          `kitex.breaker.state service ${key} 2`,
          `kitex.breaker.refusals service ${key} 2`
        ])
        yield* TestClock.setTime(5100)
        const probe = admitted(admission, 5100)!
        assert.deepStrictEqual(series()[0], `kitex.breaker.state service ${key} 1`)
        probe.ended(endOf(5100, { error: timeout }))
        yield* TestClock.setTime(10_200)
        runCall(admission, 10_200)
        runCall(admission, 10_400)
        assert.deepStrictEqual(series()[0], `kitex.breaker.state service ${key} 0`)
        assert.deepStrictEqual((yield* Fiber.join(changes)).map(numbersOf), [
          `100 ${key} closed open 1/2/1/4`,
          `5100 ${key} open halfOpen 1/2/1/4`,
          `5100 ${key} halfOpen open 1/2/2/5`,
          // Those of the first bucket are ten seconds old.
          `10200 ${key} open halfOpen 0/0/1/1`,
          `10200 ${key} halfOpen closed 0/0/1/1`
        ])
      }).pipe(Effect.scoped, run)
      assert.deepStrictEqual(lines, [
        `Warn the circuit breaker of service ${key} is open, calls are refused: 2 failures and 1 timeouts in the last 4 calls, of 10 s`,
        `Info the circuit breaker of service ${key} is closed: calls run again`
      ])
      // The scope of the breaker has closed.
      assert.deepStrictEqual(series(), [])
    })
  )

  it.effect("breakers that have a key in common are one series, as long as there is one of them", () =>
    Effect.gen(function* () {
      const { run, series } = observed()
      yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        const one = yield* Scope.provide(CircuitBreaker.make(quick), scope)
        const two = yield* CircuitBreaker.make(quick)
        runCall(two.admission, 0)
        open(one.admission, 0, "Find")
        assert.isFalse(runCall(one.admission, 0))
        assert.deepStrictEqual(series(), [
          `kitex.breaker.state service ${key} 2`,
          `kitex.breaker.refusals service ${key} 1`
        ])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(series(), [
          `kitex.breaker.state service ${key} 0`,
          `kitex.breaker.refusals service ${key} 1`
        ])
        open(two.admission, 1, "Find")
        assert.isFalse(runCall(two.admission, 1))
        assert.deepStrictEqual(series(), [
          `kitex.breaker.state service ${key} 2`,
          `kitex.breaker.refusals service ${key} 2`
        ])
      }).pipe(Effect.scoped, run)
      assert.deepStrictEqual(series(), [])
    })
  )

  it.effect("a slow reader loses the oldest changes, and costs nothing", () =>
    Effect.gen(function* () {
      const { admission, states } = yield* CircuitBreaker.make(quick, { key: ({ method }) => method, maxKeys: 5000 })
      const got: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const reader = yield* Effect.forkChild(
        Stream.runForEach(states, ({ key }) =>
          Effect.andThen(
            Effect.sync(() => got.push(key)),
            Deferred.await(gate)
          )
        ),
        { startImmediately: true }
      )
      for (let i = 0; i < 1000; i++) open(admission, 0, `M${i}`)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(1)
      yield* Fiber.interrupt(reader)
      assert.deepStrictEqual(got, ["M0", ...Array.from({ length: 256 }, (_, i) => `M${744 + i}`)])
    })
  )

  it.effect("the stream of changes ends with the scope of the breaker", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { admission, states } = yield* Scope.provide(CircuitBreaker.make(quick), scope)
      const changes = yield* Effect.forkChild(Stream.runCollect(states), { startImmediately: true })
      open(admission, 0)
      yield* TestClock.adjust(1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* Fiber.join(changes)).map(numbersOf), [`0 ${key} closed open 0/1/0/1`])
    })
  )
})

describe("layers", () => {
  it.effect("share one breaker", () =>
    Effect.gen(function* () {
      const [one, other] = yield* Effect.all([CircuitBreaker.admission, CircuitBreaker.admission])
      open(one, 0)
      assert.isFalse(runCall(other, 1))
      assert.strictEqual((yield* CircuitBreaker.CircuitBreaker).state(key), "open")
    }).pipe(Effect.provide(Layer.mergeAll(CircuitBreaker.layer(quick))))
  )
})

describe("instances", () => {
  const refused = { error: errorOf(new RpcError.Unavailable({ neverSent: true }), 14), created: false }
  const address = "10.0.0.1:80"

  it.effect("open by failed connects at Kitex's defaults, one address at a time", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.instances()
      // As Kitex's own test: one of ten connects fails.
      for (let i = 0; i < 400; i++) {
        assert.strictEqual(breaker.allows(address, i), i < 200, `${i}`)
        if (i < 200) breaker.ended(address, endOf(i, refused))
      }
      assert.isTrue(breaker.allows("10.0.0.2:80", 400))
      assert.strictEqual(breaker.state(address), "open")
    })
  )

  it.effect("do not open by what fails after that", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.instances(quick)
      assert.isTrue(breaker.allows(address, 0))
      breaker.ended(address, endOf(0, { error: failure }))
      breaker.ended(address, endOf(0, { error: timeout }))
      assert.strictEqual(breaker.state(address), "closed")
    })
  )

  it.effect("a yes half-open is the probe, and a stream that was created a success", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.instances(quick)
      breaker.allows(address, 0)
      breaker.ended(address, endOf(0, refused))
      assert.deepStrictEqual(
        [1, 5000, 5000, 5200].map((now) => breaker.allows(address, now)),
        [false, true, false, true]
      )
      const stream = infoOf({ mode: "bidirectional" })
      breaker.created!(address, 5200)
      breaker.ended(address, endOf(5200, { info: stream }))
      assert.strictEqual(breaker.state(address), "halfOpen")
      breaker.created!(address, 5201)
      assert.strictEqual(breaker.state(address), "closed")
    })
  )

  it.effect("that are removed are forgotten, and what still ends there makes no new one", () =>
    Effect.gen(function* () {
      const { run, series } = observed()
      yield* Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.instances(quick)
        breaker.allows(address, 0)
        breaker.ended(address, endOf(0, refused))
        assert.deepStrictEqual(series(), [`kitex.breaker.state instance ${address} 2`])
        breaker.forget!(address)
        breaker.created!(address, 1)
        breaker.ended(address, endOf(1, refused))
        assert.deepStrictEqual(series(), [])
        assert.isTrue(breaker.allows(address, 2))
      }).pipe(Effect.scoped, run)
    })
  )

  it.effect("may be disabled", () =>
    Effect.gen(function* () {
      const ref = yield* SubscriptionRef.make<CircuitBreaker.Config>(quick)
      const breaker = yield* CircuitBreaker.instances(ref)
      breaker.allows(address, 0)
      breaker.ended(address, endOf(0, refused))
      assert.isFalse(breaker.allows(address, 1))
      yield* SubscriptionRef.set(ref, { enable: false })
      assert.isTrue(breaker.allows(address, 1))
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Retry } from "@millrace/governance"
import { Deadline, Metainfo, Method, RpcError, Service } from "@millrace/rpc"
import { Effect, Exit, Fiber, Random, Schema, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { type Failure, failureOf, failures, info, play, played, rpcError } from "../support/attempts.ts"

const numbers = (seen: ReadonlyArray<{ readonly number: number }>) => seen.map(({ number }) => number)

describe("failure", () => {
  const retried: ReadonlySet<Failure> = new Set(["timeout", "connect", "unsent", "rejected"])
  for (const failure of Object.keys(failures) as Array<Failure>) {
    const again = retried.has(failure)
    it.effect(`${again ? "calls again" : "does not call again"} after ${failure}`, () =>
      Effect.gen(function* () {
        const { exit, seen } = yield* played(Retry.failure(), [{ takes: 5, ends: failure }])
        assert.deepStrictEqual(numbers(seen), again ? [0, 1, 2] : [0])
        assert.strictEqual(failureOf(exit), failures[failure])
      })
    )
  }

  it.effect("asks the rules about what it would not retry, but never about what cannot go otherwise", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const policy = Retry.failure(
        {},
        {
          retryable: (failure) => {
            asked.push(failure)
            return true
          }
        }
      )
      for (const failure of ["biz", "busy", "lost", "status"] as const) {
        const { seen } = yield* played(policy, [
          { takes: 0, ends: failure },
          { takes: 0, ends: "ok" }
        ])
        assert.deepStrictEqual(numbers(seen), [0, 1], failure)
      }
      for (const failure of ["forbidden", "codec", "timeout"] as const) {
        const { seen } = yield* played(policy, [{ takes: 0, ends: failure }])
        assert.strictEqual(seen.length, failure === "timeout" ? 3 : 1, failure)
      }
      assert.deepStrictEqual(asked, [failures.biz, failures.busy, failures.lost, failures.status])
    })
  )

  it.effect("leaves timeouts alone where it is told to, but not what was never sent", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({ retryTimeouts: false })
      assert.strictEqual((yield* played(policy, [{ takes: 0, ends: "timeout" }])).seen.length, 1)
      assert.strictEqual((yield* played(policy, [{ takes: 0, ends: "unsent" }])).seen.length, 3)
      const unsent = rpcError(new RpcError.RpcTimeout({ millis: 1, neverSent: true }))
      let attempts = 0
      yield* Effect.exit(
        policy.run(
          () =>
            Effect.andThen(
              Effect.sync(() => attempts++),
              Effect.fail(unsent)
            ),
          info
        )
      )
      assert.strictEqual(attempts, 3)
    })
  )

  it.effect("calls again for an answer that the rules refuse", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({}, { retryableResult: (result) => result === 0 })
      const { exit, seen } = yield* played(policy, [{ takes: 0, ends: "ok" }])
      assert.deepStrictEqual(numbers(seen), [0, 1])
      assert.deepStrictEqual(exit, Exit.succeed(1))
    })
  )

  for (const ends of ["defect", "interrupt"] as const) {
    it.effect(`a ${ends} is none to retry`, () =>
      Effect.gen(function* () {
        const { exit, seen } = yield* played(Retry.failure({}, { retryable: () => true }), [{ takes: 1, ends }])
        assert.strictEqual(seen.length, 1)
        assert.isTrue(Exit.isFailure(exit))
      })
    )
  }

  it.effect("waits as the backoff says", () =>
    Effect.gen(function* () {
      const began = (backoff: Retry.Backoff) =>
        Effect.map(
          played(Retry.failure({ maxRetries: 4, backoff }), [{ takes: 1, ends: "connect" }]).pipe(Random.withSeed("s")),
          ({ seen }) => seen.map((attempt, at) => attempt.began - (at === 0 ? 0 : seen[at - 1]!.ended))
        )
      assert.deepStrictEqual(yield* began({ type: "none" }), [0, 0, 0, 0, 0])
      assert.deepStrictEqual(yield* began({ type: "fixed", delay: "7 millis" }), [0, 7, 7, 7, 7])
      const random = yield* began({ type: "random", min: 10, max: 20 })
      assert.isTrue(random.slice(1).every((wait) => wait >= 10 && wait < 20 && Number.isInteger(wait)))
      assert.isTrue(new Set(random.slice(1)).size > 1)
      const grown = yield* began({ type: "exponential", initial: 100, factor: 3, max: 1000 })
      const full = [100, 300, 900, 1000]
      for (const [at, most] of full.entries()) {
        assert.isTrue(grown[at + 1]! >= most / 2 && grown[at + 1]! < most, `${grown[at + 1]}`)
      }
    })
  )

  it.effect("does not call again where what came back was too large: the call has run", () =>
    Effect.gen(function* () {
      let attempts = 0
      const tooLarge = rpcError(new RpcError.Rejected({ limit: "maxReceiveMessageSize", maybeRan: true }))
      const attempt = Effect.suspend(() => (attempts++, Effect.fail(tooLarge)))
      yield* Effect.exit(Retry.failure().run(() => attempt, info))
      assert.strictEqual(attempts, 1)
    })
  )

  it.effect("waits as long as a server asks for, within reason", () =>
    Effect.gen(function* () {
      const rejected = (retryAfterMillis: number) => rpcError(new RpcError.Rejected({ limit: "qps", retryAfterMillis }))
      const began = Effect.fnUntraced(function* (error: RpcError.RpcError) {
        const times: Array<number> = []
        const attempt = Effect.andThen(
          Effect.clockWith((clock) => Effect.sync(() => times.push(clock.currentTimeMillisUnsafe()))),
          Effect.fail(error)
        )
        const policy = Retry.failure({ maxRetries: 1, backoff: { type: "fixed", delay: 20 } })
        const fiber = yield* Effect.forkChild(Effect.exit(policy.run(() => attempt, info)), { startImmediately: true })
        yield* TestClock.adjust("1 hour")
        yield* Fiber.join(fiber)
        return times.slice(1).map((time) => time - times[0]!)
      })
      assert.deepStrictEqual(yield* began(rejected(300)), [300])
      assert.deepStrictEqual(yield* began(rejected(5)), [20])
      assert.deepStrictEqual(yield* began(rejected(-5)), [20])
      assert.deepStrictEqual(yield* began(rejected(10_000)), [10_000])
      assert.deepStrictEqual(yield* began(rejected(10_001)), [])
    })
  )

  it.effect("begins no retry later than maxDuration", () =>
    Effect.gen(function* () {
      const policy = (maxDuration: number) =>
        Retry.failure({ maxRetries: 5, maxDuration, backoff: { type: "fixed", delay: 10 } })
      const steps = [{ takes: 40, ends: "timeout" }] as const
      // They would begin at 50, 100, 150.
      assert.strictEqual((yield* played(policy(49), steps)).seen.length, 1)
      assert.strictEqual((yield* played(policy(50), steps)).seen.length, 2)
      assert.strictEqual((yield* played(policy(120), steps)).seen.length, 3)
    })
  )

  it.effect("begins no retry at the deadline of the fiber or later", () =>
    Effect.gen(function* () {
      const within = (millis: number) =>
        Effect.gen(function* () {
          const policy = Retry.failure({ maxRetries: 5, backoff: { type: "fixed", delay: 10 } })
          const run = Deadline.within(play(policy, [{ takes: 40, ends: "timeout" }]), millis)
          const fiber = yield* Effect.forkChild(run, { startImmediately: true })
          yield* TestClock.adjust("1 hour")
          return (yield* Fiber.join(fiber)).seen.length
        })
      assert.strictEqual(yield* within(50), 1)
      assert.strictEqual(yield* within(51), 2)
      assert.strictEqual(yield* within(101), 3)
    })
  )

  it.effect("a handler whose own call is a retry does without, and the failure says so", () =>
    Effect.gen(function* () {
      for (const key of ["RetryReq", "RETRYREQ"]) {
        const inRetry = (policy: ReturnType<typeof Retry.failure>) =>
          Metainfo.withPersistentValue(played(policy, [{ takes: 30, ends: "timeout" }]), key, "1")
        for (const policy of [Retry.failure(), Retry.backup({ delay: 10 }), Retry.mixed({ delay: 10 })]) {
          const { exit, seen } = yield* inRetry(policy)
          assert.strictEqual(seen.length, 1)
          const error = failureOf(exit)
          assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "RpcTimeout")
          assert.strictEqual((error as RpcError.RpcError).desc, "rpc timeout[chain stop retry]: timeout=1ms, to=Shop")
        }
        assert.strictEqual((yield* inRetry(Retry.failure({ chainStop: false }))).seen.length, 3)
      }
      const transient = Metainfo.withValue(played(Retry.failure(), [{ takes: 1, ends: "timeout" }]), "RetryReq", "1")
      assert.strictEqual((yield* transient).seen.length, 3)
    })
  )

  it.effect("stops while too many attempts of the last ten seconds failed", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({ errorRate: 0.3, maxRetries: 1 })
      const bad = play(policy, [{ takes: 0, ends: "timeout" }])
      // Samples: 7 of success, 2 of failure; the tenth is of failure, and makes 0.3.
      for (let i = 0; i < 7; i++) yield* play(policy, [{ takes: 0, ends: "ok" }])
      assert.strictEqual((yield* bad).seen.length, 2)
      const { exit, seen } = yield* bad
      assert.strictEqual(seen.length, 1)
      assert.strictEqual(
        (failureOf(exit) as RpcError.RpcError).desc,
        "rpc timeout[retried 0, retry circuit break, errRate=0.300, sample=10]: timeout=1ms, to=Shop"
      )
      // Another method has another breaker.
      const other = yield* play(policy, [{ takes: 0, ends: "timeout" }], {
        ...info,
        method: "Other",
        path: "/Shop/Other"
      })
      assert.strictEqual(other.seen.length, 2)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* bad).seen.length, 2)
    })
  )

  it.effect("what a service says counts as a success for the breaker, what never began as nothing", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({ maxRetries: 1 })
      for (let i = 0; i < 100; i++) yield* play(policy, [{ takes: 0, ends: i % 2 === 0 ? "biz" : "busy" }])
      for (let i = 0; i < 50; i++) yield* play(policy, [{ takes: 0, ends: "forbidden" }])
      assert.strictEqual((yield* play(policy, [{ takes: 0, ends: "timeout" }])).seen.length, 2)
    })
  )

  it.effect("settings may change at run time, and a bad one leaves the old in force", () =>
    Effect.gen(function* () {
      const settings = yield* SubscriptionRef.make<Retry.FailureConfig>({ maxRetries: 1 })
      const policy = Retry.failure(settings)
      const attempts = Effect.map(play(policy, [{ takes: 0, ends: "connect" }]), ({ seen }) => seen.length)
      assert.strictEqual(yield* attempts, 2)
      yield* SubscriptionRef.set(settings, { maxRetries: 3 })
      assert.strictEqual(yield* attempts, 4)
      yield* SubscriptionRef.set(settings, { maxRetries: 6 })
      assert.strictEqual(yield* attempts, 4)
      yield* SubscriptionRef.set(settings, { maxRetries: 0 })
      assert.strictEqual(yield* attempts, 1)
    })
  )

  it.effect("the kind may change at run time", () =>
    Effect.gen(function* () {
      const settings = yield* SubscriptionRef.make<Retry.Config>({ type: "none" })
      const policy = Retry.make(settings)
      const attempts = Effect.map(played(policy, [{ takes: 25, ends: "connect" }]), ({ seen }) =>
        seen.map(({ began }) => began)
      )
      assert.deepStrictEqual(yield* attempts, [0])
      yield* SubscriptionRef.set(settings, { type: "failure", maxRetries: 1 })
      assert.deepStrictEqual(yield* attempts, [0, 25])
      yield* SubscriptionRef.set(settings, { type: "backup", delay: 10 })
      assert.deepStrictEqual(yield* attempts, [0, 10])
    })
  )

  it.effect("settings come from JSON", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeUnknownSync(Retry.Config)
      const written = {
        type: "failure",
        maxRetries: 3,
        backoff: { type: "fixed", delay: "20 millis" },
        maxDuration: 45
      }
      const { seen } = yield* played(Retry.make(decode(written)), [{ takes: 0, ends: "connect" }])
      assert.deepStrictEqual(
        seen.map(({ began }) => began),
        [0, 20, 40]
      )
      assert.throws(() => decode({ type: "failure", maxRetries: 6 }), "maxRetries")
      assert.throws(() => decode({ type: "mixed" }), "delay")
      assert.throws(() => decode({ type: "backup", delay: "soon" }), "delay")
    })
  )

  it("refuses settings outside of Kitex's ranges", () => {
    const bad: ReadonlyArray<() => unknown> = [
      () => Retry.failure({ maxRetries: 6 }),
      () => Retry.failure({ maxRetries: -1 }),
      () => Retry.failure({ maxRetries: 1.5 }),
      () => Retry.failure({ errorRate: 0 }),
      () => Retry.failure({ errorRate: 0.31 }),
      () => Retry.failure({ maxDuration: 0 }),
      () => Retry.failure({ backoff: { type: "fixed", delay: 0 } }),
      () => Retry.failure({ backoff: { type: "random", min: 10, max: 10 } }),
      () => Retry.failure({ backoff: { type: "exponential", initial: 10, factor: 0.5 } }),
      () => Retry.backup({ delay: 0 }),
      () => Retry.backup({ delay: 10, maxRetries: 3 }),
      () => Retry.mixed({ delay: 10, maxRetries: 4 }),
      () => Retry.budget({ percent: 101 }),
      () => Retry.budget({ percent: -1 }),
      () => Retry.budget({ percent: 10, burst: 0 })
    ]
    for (const make of bad) assert.throws(make)
    Retry.failure({ maxRetries: 5, errorRate: 0.3 })
    Retry.backup({ delay: 1, maxRetries: 2 })
    Retry.mixed({ delay: 1, maxRetries: 3 })
  })
})

describe("backup", () => {
  it.effect("begins another at exactly the delay, and interrupts what is slower", () =>
    Effect.gen(function* () {
      const { exit, millis, seen } = yield* played(Retry.backup({ delay: "30 millis", maxRetries: 2 }), [
        { takes: 500, ends: "ok" },
        { takes: 100, ends: "ok" },
        { takes: 50, ends: "ok" }
      ])
      assert.deepStrictEqual(exit, Exit.succeed(2))
      assert.strictEqual(millis, 110)
      assert.deepStrictEqual(
        seen.map(({ began, ended, how }) => [began, ended, how]),
        [
          [0, 110, "cut"],
          [30, 110, "cut"],
          [60, 110, "ok"]
        ]
      )
    })
  )

  it.effect("takes the first outcome, also when it is a failure", () =>
    Effect.gen(function* () {
      const { exit, millis, seen } = yield* played(Retry.backup({ delay: 30 }), [
        { takes: 100, ends: "ok" },
        { takes: 5, ends: "connect" }
      ])
      assert.strictEqual(failureOf(exit), failures.connect)
      assert.strictEqual(millis, 35)
      assert.strictEqual(seen[0]!.how, "cut")
    })
  )

  it.effect("goes on with what runs where another is refused on this side: it may be the probe of a breaker", () =>
    Effect.gen(function* () {
      const open = rpcError(new RpcError.CircuitOpen({ level: "service", key: "/Shop/Price" }))
      for (const policy of [Retry.backup({ delay: 10, maxRetries: 2 }), Retry.mixed({ delay: 10, maxRetries: 2 })]) {
        const attempts: Array<number> = []
        const run = (first: Effect.Effect<unknown, unknown>) =>
          Effect.gen(function* () {
            attempts.length = 0
            const call = policy.run((number) => {
              attempts.push(number)
              return number === 0 ? first : Effect.fail(open)
            }, info)
            const calling = yield* Effect.forkChild(Effect.exit(call), { startImmediately: true })
            yield* TestClock.adjust("1 second")
            return yield* Fiber.join(calling)
          })
        assert.deepStrictEqual(yield* run(Effect.delay(Effect.succeed("probed"), 50)), Exit.succeed("probed"))
        assert.deepStrictEqual(attempts, [0, 1, 2])
        assert.strictEqual(failureOf(yield* run(Effect.delay(Effect.fail(failures.status), 50))), failures.status)
        // Nothing else runs.
        assert.strictEqual(failureOf(yield* run(Effect.fail(open))), open)
        assert.deepStrictEqual(attempts, [0])
      }
    })
  )

  it.effect("begins none where the first is quick", () =>
    Effect.gen(function* () {
      const { seen } = yield* played(Retry.backup({ delay: 30 }), [{ takes: 29, ends: "ok" }])
      assert.strictEqual(seen.length, 1)
    })
  )

  it.effect("an interruption ends all of them, and the wait for the next", () =>
    Effect.gen(function* () {
      const policy = Retry.backup({ delay: 30, maxRetries: 2 })
      let live = 0
      let begun = 0
      const attempt = Effect.suspend(() => {
        begun++
        live++
        return Effect.ensuring(
          Effect.never,
          Effect.sync(() => live--)
        )
      })
      const fiber = yield* Effect.forkChild(
        policy.run(() => attempt, info),
        { startImmediately: true }
      )
      yield* TestClock.adjust(35)
      assert.deepStrictEqual([begun, live], [2, 2])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([begun, live], [2, 0])
      yield* TestClock.adjust(1000)
      assert.strictEqual(begun, 2)
    })
  )

  it.effect("waits for the finalizers of what it interrupts", () =>
    Effect.gen(function* () {
      let released = false
      const slow = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(
          Effect.sleep(15),
          Effect.sync(() => {
            released = true
          })
        )
      )
      const call = Retry.backup({ delay: 10 }).run((number) => (number === 0 ? slow : Effect.succeed("second")), info)
      const fiber = yield* Effect.forkChild(
        Effect.map(call, (answer) => [answer, released]),
        { startImmediately: true }
      )
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["second", true])
    })
  )

  it.effect("an attempt whose beginning makes another end is over too", () =>
    Effect.gen(function* () {
      let answer: (effect: Effect.Effect<string>) => void = () => {}
      let cut = 0
      const first = Effect.callback<string>((resume) => {
        answer = resume
      })
      const second = Effect.suspend(() => {
        answer(Effect.succeed("first"))
        return Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            cut++
          })
        )
      })
      const call = Retry.backup({ delay: 10 }).run((number) => (number === 0 ? first : second), info)
      const fiber = yield* Effect.forkChild(call, { startImmediately: true })
      yield* TestClock.adjust(10)
      assert.strictEqual(yield* Fiber.join(fiber), "first")
      assert.strictEqual(cut, 1)
    })
  )

  it.effect("attempts may end at once", () =>
    Effect.gen(function* () {
      const first = yield* Retry.backup({ delay: 10 }).run((number) => Effect.succeed(number), info)
      assert.strictEqual(first, 0)
      const mixed = Retry.mixed({ delay: 10, maxRetries: 3 })
      const fourth = yield* mixed.run(
        (number) => (number < 3 ? Effect.fail(failures.connect) : Effect.succeed(number)),
        info
      )
      assert.strictEqual(fourth, 3)
      assert.strictEqual(
        failureOf(yield* Effect.exit(mixed.run(() => Effect.fail(failures.unsent), info))),
        failures.unsent
      )
    })
  )
})

describe("mixed", () => {
  it.effect("begins another when one has failed, and its delay anew from there", () =>
    Effect.gen(function* () {
      const { exit, seen } = yield* played(Retry.mixed({ delay: 30, maxRetries: 3 }), [
        { takes: 10, ends: "connect" },
        { takes: 100, ends: "ok" },
        { takes: 10, ends: "connect" },
        { takes: 500, ends: "ok" }
      ])
      assert.deepStrictEqual(exit, Exit.succeed(1))
      assert.deepStrictEqual(
        seen.map(({ began }) => began),
        [0, 10, 40, 50]
      )
    })
  )

  it.effect("the last failure is that of the call when none is left", () =>
    Effect.gen(function* () {
      const { exit, millis } = yield* played(Retry.mixed({ delay: 30, maxRetries: 1 }), [
        { takes: 100, ends: "timeout" },
        { takes: 20, ends: "connect" }
      ])
      assert.strictEqual(failureOf(exit), failures.timeout)
      assert.strictEqual(millis, 100)
    })
  )
})

describe("a rule that throws", () => {
  for (const kind of ["failure", "mixed"] as const) {
    it.effect(`is a defect of the call, which ends with it: ${kind}`, () =>
      Effect.gen(function* () {
        const retryable = () => {
          throw new Error("a rule")
        }
        const policy = Retry.make(kind === "failure" ? { type: kind } : { type: kind, delay: 1000 }, { retryable })
        const { exit, millis, seen } = yield* played(policy, [{ takes: 5, ends: "status" }])
        assert.deepStrictEqual([String(exit), millis, seen.length], [String(Exit.die(new Error("a rule"))), 5, 1])
      })
    )
  }
})

class Shop extends Service.make("Shop", {
  methods: [
    Method.pingPong("Price", { arguments: { item: Thrift.field(1, Thrift.String) }, response: Thrift.I32 }),
    Method.pingPong("Other", { arguments: {}, response: Thrift.I32 })
  ]
}) {}

describe("forService", () => {
  it.effect("each method has its own, others the other one", () =>
    Effect.gen(function* () {
      const own = { Price: Retry.failure({ maxRetries: 1 }) }
      const policy = Retry.forService(Shop, own, Retry.failure({ maxRetries: 3 }))
      const attempts = (of: Partial<typeof info>, by = policy) =>
        // Failures of one path stop its retries.
        Effect.map(
          play(by, [{ takes: 0, ends: "connect" }], { ...info, path: `${of.service}/${of.method}`, ...of }),
          ({ seen }) => seen.length
        )
      assert.strictEqual(yield* attempts({ method: "Price" }), 2)
      assert.strictEqual(yield* attempts({ method: "Other" }), 4)
      assert.strictEqual(yield* attempts({ method: "toString" }), 4)
      assert.strictEqual(yield* attempts({ method: "Price", service: "Mall" }), 4)
      assert.strictEqual(yield* attempts({ method: "Other" }, Retry.forService(Shop, own)), 1)
    })
  )

  it("names no methods that the service does not have", () => {
    assert.throws(() => Retry.forService(Shop, { Prise: Retry.none } as {}), /Shop has no method Prise/)
    // @ts-expect-error: there is no such method
    const wrong = () => Retry.forService(Shop, { Prise: Retry.none })
    assert.throws(wrong)
  })
})

describe("rulesForService", () => {
  it.effect("says no of other methods and services", () =>
    Effect.gen(function* () {
      const rules = Retry.rulesForService(Shop, {
        Price: { retryable: (failure) => failure._tag === "RpcError", retryableResult: (price) => price < 2 }
      })
      const policy = Retry.failure({}, rules)
      const attempts = (ends: "ok" | "status", of: Partial<typeof info>) =>
        Effect.map(play(policy, [{ takes: 0, ends }], { ...info, ...of }), ({ seen }) => seen.length)
      assert.strictEqual(yield* attempts("ok", {}), 3)
      assert.strictEqual(yield* attempts("status", {}), 3)
      assert.strictEqual(yield* attempts("ok", { method: "Other", path: "o" }), 1)
      assert.strictEqual(yield* attempts("status", { service: "Else", path: "e" }), 1)
    })
  )
})

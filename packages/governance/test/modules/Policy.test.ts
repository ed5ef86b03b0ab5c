import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Fiber, Option, Schema, Stream, SubscriptionRef } from "effect"
import { vi } from "vitest"
import { Policy, Retry, Timeouts } from "../../src/index.ts"

const Breaker = Schema.Struct({
  errRate: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  cooling: Schema.optionalKey(Policy.DurationInput)
})
type Breaker = (typeof Breaker)["Type"]

const millisOf = (input: Duration.Input) => Duration.toMillis(Duration.fromInputUnsafe(input))

describe("a policy", () => {
  it.effect("is read as a value, as a reference, and as what is made of one", () =>
    Effect.gen(function* () {
      assert.strictEqual(Policy.reader(3)(), 3)
      const reference = yield* SubscriptionRef.make({ limit: 3 })
      const read = Policy.reader(reference)
      const readLimit = Policy.reader(Policy.map(reference, ({ limit }) => limit))
      assert.deepStrictEqual([read(), readLimit()], [{ limit: 3 }, 3])
      yield* SubscriptionRef.set(reference, { limit: 4 })
      assert.deepStrictEqual([read(), readLimit()], [{ limit: 4 }, 4])
      assert.strictEqual(Policy.reader(Policy.map({ limit: 5 }, ({ limit }) => limit))(), 5)
    })
  )

  it.effect("runs what is made of it once for each value, however often it is read", () =>
    Effect.gen(function* () {
      const reference = yield* SubscriptionRef.make<number | undefined>(undefined)
      let runs = 0
      const double = Policy.map(reference, (value) => {
        runs++
        return value === undefined ? value : value * 2
      })
      const read = Policy.reader(Policy.map(double, (value) => `${value}`))
      assert.deepStrictEqual([read(), read(), read()], ["undefined", "undefined", "undefined"])
      assert.strictEqual(runs, 1)
      yield* SubscriptionRef.set(reference, 2)
      assert.deepStrictEqual([read(), read(), runs], ["4", "4", 2])
    })
  )

  it.effect("keeps what was made of the value before where nothing can be made of the new one, with a line", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const spy = vi.spyOn(console, "log").mockImplementation((...parts) => void lines.push(parts.join(" ")))
      const reference = yield* SubscriptionRef.make({ limits: { qps: 1 } })
      const read = Policy.reader(Policy.map(reference, ({ limits }) => limits.qps))
      assert.strictEqual(read(), 1)
      yield* SubscriptionRef.set(reference, {} as never)
      assert.deepStrictEqual([read(), read()], [1, 1])
      yield* SubscriptionRef.set(reference, { limits: { qps: 2 } })
      assert.strictEqual(read(), 2)
      spy.mockRestore()
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "a policy keeps its value, nothing can be made of the new one: TypeError")
    })
  )

  it.effect("tells of its values: the one of now, and each that follows", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Stream.runCollect(Policy.changes(1)), [1])
      const reference = yield* SubscriptionRef.make(1)
      const policies = [reference, Policy.map(reference, (value) => value * 10)]
      const heard = yield* Effect.forEach(policies, (policy) =>
        Effect.forkChild(Stream.runCollect(Stream.take(Policy.changes(policy), 3)), { startImmediately: true })
      )
      yield* SubscriptionRef.set(reference, 2)
      yield* SubscriptionRef.set(reference, 3)
      assert.deepStrictEqual(yield* Effect.forEach(heard, Fiber.join), [
        [1, 2, 3],
        [10, 20, 30]
      ])
    })
  )
})

describe("the settings of a policy", () => {
  const settings = ({ cooling, errRate }: Breaker) => ({ errRate: errRate ?? 0.5, cooling: millisOf(cooling ?? 5000) })

  it("of a value in code are made once", () => {
    const read = Policy.settingsOf({ cooling: "1 second" }, Breaker, settings)
    assert.deepStrictEqual(read(), { errRate: 0.5, cooling: 1000 })
    assert.strictEqual(read(), read())
  })

  it("that are bad in code throw where the policy is made", () => {
    assert.throws(
      () => Policy.settingsOf({ errRate: 7 }, Breaker, settings),
      /^a policy has a bad value: errRate: expected a value between 0 and 1, got 7$/
    )
  })

  it("are called by the title of their schema", () => {
    assert.throws(
      () => Retry.failure({ maxRetries: 9 }),
      /^Retry.FailureConfig has a bad value: maxRetries: expected a value between 0 and 5, got 9$/
    )
    assert.throws(
      () => Policy.checked({ timeout: -1 }, Timeouts.Streams),
      /^Timeouts.Streams has a bad value: timeout: /
    )
  })

  it.effect("tell of a bad value by the default logger, where they are given no other", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const spy = vi.spyOn(console, "log").mockImplementation((...parts) => void lines.push(parts.join(" ")))
      const reference = yield* SubscriptionRef.make<Breaker>({})
      const read = Policy.settingsOf(reference, Breaker, settings)
      yield* SubscriptionRef.set(reference, { errRate: 2 })
      assert.deepStrictEqual([read(), read()], [settings({}), settings({})])
      spy.mockRestore()
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /WARN.* a policy keeps its value, the new one is bad: errRate: expected a value between/)
    })
  )

  it.effect("tell of one that is no number once, not on each use", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const reference = yield* SubscriptionRef.make(1)
      const read = Policy.settingsOf(
        reference,
        Schema.Finite,
        (value) => value,
        (line) => lines.push(line)
      )
      yield* SubscriptionRef.set(reference, Number.NaN)
      assert.deepStrictEqual([read(), read(), read()], [1, 1, 1])
      assert.lengthOf(lines, 1)
    })
  )

  it.effect("may be the values themselves, without the bad ones", () =>
    Effect.gen(function* () {
      const spy = vi.spyOn(console, "log").mockImplementation(() => {})
      const reference = yield* SubscriptionRef.make<Breaker>({ errRate: 0.1 })
      const checked = Policy.checked(reference, Breaker)
      const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(checked.changes, 3)), {
        startImmediately: true
      })
      for (const errRate of [-1, 0.2]) {
        yield* SubscriptionRef.set(reference, { errRate })
        yield* Effect.yieldNow
      }
      assert.deepStrictEqual(checked.value, { errRate: 0.2 })
      assert.deepStrictEqual(yield* Fiber.join(heard), [{ errRate: 0.1 }, { errRate: 0.1 }, { errRate: 0.2 }])
      assert.strictEqual(spy.mock.calls.length, 1)
      spy.mockRestore()
      assert.throws(() => Policy.checked({ errRate: -1 }, Breaker), /errRate: expected a value between 0 and 1/)
    })
  )

  it.effect("change with the reference; a bad value leaves those of before, and is logged once", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const reference = yield* SubscriptionRef.make<Breaker>({})
      const read = Policy.settingsOf(reference, Breaker, settings, (line) => lines.push(line))
      yield* SubscriptionRef.set(reference, { errRate: 0.1 })
      const good = read()
      assert.deepStrictEqual(good, { errRate: 0.1, cooling: 5000 })
      assert.strictEqual(read(), good)
      yield* SubscriptionRef.set(reference, { cooling: -1 })
      assert.strictEqual(read(), good)
      assert.strictEqual(read(), good)
      assert.deepStrictEqual(lines, [
        `a policy keeps its value, the new one is bad: cooling: expected a duration, milliseconds or text such as "5 seconds", got -1`
      ])
      yield* SubscriptionRef.set(reference, { errRate: 1 })
      assert.deepStrictEqual(read(), { errRate: 1, cooling: 5000 })
      assert.lengthOf(lines, 1)
    })
  )
})

describe("a duration of a policy", () => {
  const decode = Schema.decodeUnknownOption(Policy.DurationInput)

  it("is milliseconds or text, in code whatever effect takes", () => {
    for (const [input, millis] of [
      [0, 0],
      [250, 250],
      ["100 millis", 100],
      ["1.5 seconds", 1500],
      ["Infinity", Infinity],
      [Duration.minutes(1), 60_000]
    ] as const) {
      assert.strictEqual(millisOf(Option.getOrThrow(decode(input))), millis)
    }
  })

  it("is nothing else, and not below zero", () => {
    for (const input of [-1, "-1 seconds", "-Infinity", "soon", "5", "", null, undefined, [], {}, true, NaN]) {
      assert.isTrue(Option.isNone(decode(input)), String(input))
    }
  })

  it("is written as milliseconds", () => {
    const codec = Schema.toCodecJson(Policy.DurationInput)
    assert.strictEqual(Schema.encodeSync(codec)("2 seconds"), 2000)
    assert.strictEqual(Schema.decodeUnknownSync(codec)("2 seconds"), "2 seconds")
  })
})

describe("a policy from effect's Config", () => {
  const read = (provider: ConfigProvider.ConfigProvider) =>
    Policy.config(Breaker, "breaker").pipe(
      Effect.map((value) => value as unknown),
      Effect.catch((error) => Effect.succeed(error.message)),
      Effect.provideService(ConfigProvider.ConfigProvider, provider)
    )

  it.effect("has what the environment says", () =>
    Effect.gen(function* () {
      const env = { BREAKER_ERR_RATE: "0.25", BREAKER_COOLING: "2 seconds" }
      const provider = ConfigProvider.constantCase(ConfigProvider.fromEnv({ env }))
      assert.deepStrictEqual(yield* read(provider), { errRate: 0.25, cooling: "2 seconds" })
      const numbers = ConfigProvider.fromUnknown({ breaker: { cooling: "2000" } })
      assert.deepStrictEqual(yield* read(numbers), { cooling: 2000 })
    })
  )

  it.effect("has its defaults where nothing is said", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read(ConfigProvider.fromUnknown({})), {})
      assert.deepStrictEqual(yield* read(ConfigProvider.fromEnv({ env: { OTHER: "1" } })), {})
    })
  )

  it.effect("that is bad fails, and says where", () =>
    Effect.gen(function* () {
      const bad = yield* read(ConfigProvider.fromUnknown({ breaker: { errRate: "2" } }))
      assert.match(bad as string, /Expected a value between 0 and 1\s+at \["breaker"\]\["errRate"\]/)
    })
  )

  it.effect("of a schema without defaults is required", () =>
    Effect.gen(function* () {
      const required = Policy.config(Schema.Struct({ max: Schema.Int }), "limits")
      const exit = yield* Effect.exit(
        Effect.provideService(required, ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({}))
      )
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})

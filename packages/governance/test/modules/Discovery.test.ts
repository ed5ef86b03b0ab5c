import { assert, describe, it } from "@effect/vitest"
import { Discovery, LoadBalancer, Resolver } from "@millrace/governance"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { addressOf, broken, discover, logging, ok, pick, placingOf, refusal, scripted } from "../support/discovery.ts"

describe("the first use of a service", () => {
  it.effect("asks the source once for all who wait, and nobody waits afterwards", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.delay(ok("a:1", "b:1"), 100))
      const { endpoints } = yield* discover(script.source)
      const calls = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 10 }, () => addressOf(endpoints)),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      yield* TestClock.adjust(99)
      assert.isUndefined(calls.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(calls), Array.from({ length: 5 }, () => ["a:1", "b:1"]).flat())
      assert.deepStrictEqual(script.asked, [0])
      assert.isFalse(Effect.isEffect(endpoints.pick(placingOf("a", 100))))
    })
  )

  it.effect("picks at once when the source answers at once", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* discover(scripted(ok("a:1")).source)
      const choice = endpoints.pick(placingOf("a", 0))
      assert.strictEqual((choice as { address: string }).address, "a:1")
    })
  )

  it.effect("goes on for the others when one that waits is interrupted", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.delay(ok("a:1"), 100))
      const { endpoints } = yield* discover(script.source)
      const first = yield* Effect.forkChild(addressOf(endpoints), { startImmediately: true })
      const second = yield* Effect.forkChild(addressOf(endpoints), { startImmediately: true })
      yield* TestClock.adjust(50)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(50)
      assert.strictEqual(yield* Fiber.join(second), "a:1")
      assert.deepStrictEqual(script.asked, [0])
    })
  )

  it.effect("is bounded by the budget of the call", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* discover(scripted(Effect.never).source)
      const call = yield* Effect.forkChild(Effect.timeoutOption(addressOf(endpoints), 200), { startImmediately: true })
      yield* TestClock.adjust(200)
      assert.strictEqual((yield* Fiber.join(call))._tag, "None")
    })
  )

  it.effect("fails with Kitex's text when the source does", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* discover(scripted(Effect.fail(broken("a"))).source)
      assert.strictEqual(yield* refusal(endpoints), "DiscoveryFailed: service discovery error: script: out of order")
    })
  )

  it.effect("fails when there are no instances", () =>
    Effect.gen(function* () {
      const { endpoints } = yield* discover(scripted(ok()).source)
      assert.strictEqual(
        yield* refusal(endpoints),
        "DiscoveryFailed: service discovery error: no instance available: script has none of a"
      )
    })
  )

  it.effect("fails when the source takes too long, dies, throws or interrupts itself", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.never)
      const { endpoints } = yield* discover(script.source, { resolveTimeout: "300 millis" })
      const call = yield* Effect.forkChild(refusal(endpoints), { startImmediately: true })
      yield* TestClock.adjust(300)
      assert.include(yield* Fiber.join(call), "script: no answer about a within 300 ms")
      script.answer = Effect.die(new Error("what"))
      assert.include(yield* refusal(endpoints, "b"), "script: the resolver broke: Error: what")
      script.answer = Effect.interrupt
      assert.include(yield* refusal(endpoints, "c"), "script: the resolver broke")
      const throwing = yield* discover({
        name: "throws",
        resolve: () => {
          throw new Error("at once")
        }
      })
      assert.include(yield* refusal(throwing.endpoints), "throws: the resolver broke: Error: at once")
    })
  )
})

describe("a source that fails", () => {
  it.effect("is asked once a second at most, however many calls come, and each of them ends at once", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.fail(broken("a")))
      const { endpoints } = yield* discover(script.source)
      for (let i = 0; i < 400; i++) {
        yield* refusal(endpoints)
        yield* TestClock.adjust(25)
      }
      assert.isAtMost(script.asked.length, 11)
      assert.isAtLeast(script.asked.length, 9)
      script.asked.reduce((before, at) => {
        assert.isAtLeast(at - before, 1000)
        return at
      })
    })
  )

  it.effect("is not asked again about a name that no service can have", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.fail(broken("a", { desc: "no such name", retryable: false })))
      const { endpoints } = yield* discover(script.source)
      for (let i = 0; i < 20; i++) {
        assert.include(yield* refusal(endpoints), "no such name")
        yield* TestClock.adjust("2 seconds")
      }
      assert.deepStrictEqual(script.asked, [0])
      // Until nobody has used it for long.
      yield* TestClock.adjust("1 minute")
      yield* refusal(endpoints)
      assert.strictEqual(script.asked.length, 2)
    })
  )

  it.effect("leaves the last good list, with a line of log when that begins and one when it is over", () =>
    logging((lines) =>
      Effect.gen(function* () {
        const script = scripted(ok("a:1", "b:1"))
        const { endpoints } = yield* discover(script.source)
        yield* addressOf(endpoints)
        script.answer = Effect.fail(broken("a"))
        for (let i = 0; i < 10; i++) {
          yield* TestClock.adjust("5 seconds")
          assert.isDefined(yield* addressOf(endpoints))
        }
        assert.deepStrictEqual(lines, [
          "Warn: discovery: script: out of order: calls of a go on with 2 instances, as last known"
        ])
        script.answer = ok("c:1")
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* addressOf(endpoints), "c:1")
        assert.deepStrictEqual(lines.slice(1), ["Info: discovery: script answers again: a has 1 instance"])
        // The same for a name that was good once.
        script.answer = Effect.fail(broken("a", { retryable: false }))
        yield* TestClock.adjust("5 seconds")
        script.answer = ok("d:1")
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* addressOf(endpoints), "d:1")
      })
    )
  )

  it.effect("is heard again by the calls that come a second later", () =>
    Effect.gen(function* () {
      const script = scripted(Effect.fail(broken("a")))
      const { endpoints } = yield* discover(script.source)
      yield* refusal(endpoints)
      script.answer = ok("a:1")
      yield* TestClock.adjust(999)
      yield* refusal(endpoints)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
    })
  )

  it.effect("leaves the last good list when its answer breaks the balancer", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(
        script.source,
        {},
        {
          balancer: {
            name: "brittle",
            build: (nodes) => {
              if (nodes.length > 1) throw new Error("one at a time")
              return { pick: () => nodes[0] }
            }
          }
        }
      )
      yield* addressOf(endpoints)
      script.answer = ok("b:1", "c:1")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* addressOf(endpoints), "a:1")
      script.answer = ok("b:1")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* addressOf(endpoints), "b:1")
    })
  )
})

describe("a list that is empty all at once", () => {
  it.effect("does not replace a good one until it is confirmed", () =>
    logging((lines) =>
      Effect.gen(function* () {
        const script = scripted(ok("a:1"))
        const { endpoints, instances } = yield* discover(script.source, { confirmEmpty: 3 })
        yield* addressOf(endpoints)
        script.answer = ok()
        for (const at of [5, 10]) {
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(yield* addressOf(endpoints), "a:1", `${at}`)
        }
        yield* TestClock.adjust("5 seconds")
        assert.include(yield* refusal(endpoints), "no instance available")
        assert.deepStrictEqual(yield* instances("a"), [])
        assert.deepStrictEqual(lines, [
          "Warn: discovery: script says that a has no instances: calls go on with 1 instance until it says so again",
          "Warn: discovery: script has confirmed that a has no instances"
        ])
        // The next call that comes asks.
        script.answer = ok("b:1")
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* addressOf(endpoints), "b:1")
      })
    )
  )

  it.effect("has to be confirmed in a row", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source)
      for (let i = 0; i < 5; i++) {
        script.answer = ok("a:1")
        yield* TestClock.adjust("5 seconds")
        yield* addressOf(endpoints)
        script.answer = ok()
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* addressOf(endpoints), "a:1")
      }
    })
  )

  it.effect("counts at once with confirmEmpty 1, as in Kitex", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source, { confirmEmpty: 1 })
      yield* addressOf(endpoints)
      script.answer = ok()
      yield* TestClock.adjust("5 seconds")
      yield* refusal(endpoints)
    })
  )
})

describe("services", () => {
  it.effect("are told apart by info.callee, or by the option", () =>
    Effect.gen(function* () {
      const source = Resolver.fromInstances({ a: ["a:1"], b: ["b:1"] })
      const byCallee = yield* discover(source)
      assert.strictEqual(yield* addressOf(byCallee.endpoints, "b"), "b:1")
      assert.strictEqual(yield* addressOf(byCallee.endpoints, "a"), "a:1")
      const fixed = yield* discover(source, {}, { service: "a" })
      assert.strictEqual(yield* addressOf(fixed.endpoints, "b"), "a:1")
      const computed = yield* discover(source, {}, { service: ({ callee }) => (callee === "a" ? "b" : "a") })
      assert.strictEqual(yield* addressOf(computed.endpoints, "a"), "b:1")
    })
  )

  it.effect("are forgotten when nobody has used them for long and no call is left", () =>
    Effect.gen(function* () {
      const script = scripted(ok("a:1"))
      const { endpoints } = yield* discover(script.source)
      const call = yield* pick(endpoints)
      yield* TestClock.adjust("10 minutes")
      const busy = script.asked.length
      assert.isAtLeast(busy, 120)
      const now = 10 * 60_000
      call!.ended({ info: placingOf("a", 0).info, reason: "eof", error: undefined, created: true, millis: now, now })
      yield* TestClock.adjust("10 minutes")
      assert.isAtMost(script.asked.length, busy + 1)
      const unused = script.asked.length
      for (let i = 0; i < 3; i++) {
        yield* addressOf(endpoints)
        yield* TestClock.adjust("25 seconds")
      }
      assert.strictEqual(script.asked.length, unused + 16)
    })
  )

  it.effect("are shared by the clients of a layer", () =>
    Effect.gen(function* () {
      const one = yield* Discovery.shared
      const two = yield* Discovery.shared
      assert.sameMembers([yield* addressOf(one), yield* addressOf(two)], ["a:1", "b:1"])
    }).pipe(
      Effect.provide(Discovery.layer({ config: { jitter: 0 }, balancer: LoadBalancer.weightedRoundRobin })),
      Effect.provide(Resolver.layerStatic(["a:1", "b:1"])),
      (run) => Effect.map(run, () => undefined)
    )
  )
})

describe("the end of the scope", () => {
  it.effect("ends all questions and waits, and later calls fail", () =>
    logging((lines) =>
      Effect.gen(function* () {
        let interrupted = 0
        const script = scripted(
          Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => {
              interrupted++
            })
          )
        )
        const scope = yield* Scope.make()
        const { changes, endpoints, instances } = yield* Scope.provide(discover(script.source), scope)
        const call = yield* Effect.forkChild(refusal(endpoints), { startImmediately: true })
        const listed = yield* Effect.forkChild(Effect.exit(instances("b")), { startImmediately: true })
        const changing = yield* Effect.forkChild(Effect.exit(Stream.runCollect(changes("c"))), {
          startImmediately: true
        })
        yield* TestClock.adjust(10)
        yield* Scope.close(scope, Exit.void)
        assert.include(yield* Fiber.join(call), "the scope of this Discovery has closed")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(listed)))
        assert.deepStrictEqual(yield* Effect.flatten(Fiber.join(changing)), [])
        assert.strictEqual(interrupted, 3)
        const asked = script.asked.length
        assert.include(yield* refusal(endpoints), "the scope of this Discovery has closed")
        assert.include(yield* refusal(endpoints, "new"), "the scope of this Discovery has closed")
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(script.asked.length, asked)
        assert.deepStrictEqual(lines, [])
      })
    )
  )
})

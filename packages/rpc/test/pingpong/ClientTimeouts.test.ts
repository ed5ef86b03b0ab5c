import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { TransportError } from "@millrace/transport"
import { type ClientOptions, Deadline, Endpoints, RpcError } from "../../src/index.ts"
import { Timers } from "../../src/internal/timers.ts"
import { Recorder } from "../../src/testing/index.ts"
import { pass, settle, told } from "../support/client.ts"
import { FakeCalls } from "../support/fakeCalls.ts"

const dead = new TransportError.TransportError({
  reason: new TransportError.ConnectionLost({ address: "a:1", neverSent: true }),
  code: 14,
  desc: "default codec read failed: EOF peer close"
})

const empty = Uint8Array.of(0)

/** A call without an answer, and how it ended after some time. */
const exitOf = Effect.fnUntraced(function* <E>(call: Effect.Effect<unknown, E>, millis: number) {
  const fiber = yield* Effect.forkChild(call, { startImmediately: true })
  yield* pass(millis - 1)
  assert.isUndefined(fiber.pollUnsafe(), "too early")
  yield* pass(1)
  assert.isDefined(fiber.pollUnsafe(), "still running")
  return yield* Fiber.await(fiber)
})

const errorOf = (exit: Exit.Exit<unknown, unknown>): RpcError.RpcError => {
  if (Exit.isSuccess(exit)) return assert.fail("a success")
  const reason = exit.cause.reasons[0]!
  if (reason._tag !== "Fail") return assert.fail(told(exit))
  assert.instanceOf(reason.error, RpcError.RpcError)
  return reason.error as RpcError.RpcError
}

describe("rpcTimeout", () => {
  it.effect("ends the call with Kitex's text and abandons it", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: "1 second", destService: "dest" })
      const error = errorOf(yield* exitOf(client.Ping({}), 1000))
      assert.deepInclude(error.reason, { _tag: "RpcTimeout", millis: 1000 })
      assert.notProperty(error.reason, "neverSent")
      assert.strictEqual(error.code, 4)
      assert.strictEqual(
        error.desc,
        "rpc timeout: timeout=1s, to=dest, method=Ping, location=kitex.rpcTimeoutMW, remote=a:1"
      )
      assert.strictEqual(error.method, "EchoService.Ping")
      assert.strictEqual(error.address, "a:1")
      assert.strictEqual(fake.last.abandoned, 1)
    })
  )

  it.effect("of the call wins, and undefined is none", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: 1000 })
      assert.match(told(yield* exitOf(client.Ping({}, { rpcTimeout: 20 }), 20)), /^RpcTimeout.*timeout=20ms/)
      assert.strictEqual(fake.last.ints[12], "20")
      const endless = yield* Effect.forkChild(client.Ping({}, { rpcTimeout: undefined }), { startImmediately: true })
      yield* pass(100_000, 50_000)
      assert.notProperty(fake.last.ints, "12")
      fake.last.reply(empty)
      yield* Fiber.join(endless)
    })
  )

  it.effect("covers a dial, and an instance that takes time to choose", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      fake.warm = false
      fake.dial = Effect.never
      let interrupted = 0
      const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      const dialled = yield* exitOf((yield* fake.client({ rpcTimeout: 50 })).Ping({}), 50)
      assert.match(told(dialled), /^RpcTimeout.*, remote=a:1, before a connection was there$/)
      assert.deepInclude(errorOf(dialled).reason, { _tag: "RpcTimeout", millis: 50, neverSent: true })
      const choosing = yield* fake.client({ rpcTimeout: 50, endpoints: { pick: () => never } })
      assert.match(told(yield* exitOf(choosing.Ping({}), 50)), /^RpcTimeout.*location=kitex.rpcTimeoutMW, before a/)
      assert.strictEqual(interrupted, 1)
      assert.strictEqual(fake.calls.length, 0)
    })
  )

  it.effect("was never sent either while another connection is waited for in place of a dead one", () =>
    Effect.gen(function* () {
      for (const inSend of [false, true]) {
        const fake = new FakeCalls()
        fake.onSend = (call) => {
          fake.warm = false
          fake.dial = Effect.never
          if (inSend) call.fail(dead)
        }
        const client = yield* fake.client({ rpcTimeout: 50 })
        const call = yield* Effect.forkChild(Effect.exit(client.Ping({})), { startImmediately: true })
        if (!inSend) fake.last.fail(dead)
        yield* pass(50)
        assert.deepInclude(errorOf(yield* Fiber.join(call)).reason, { _tag: "RpcTimeout", neverSent: true })
      }
    })
  )

  it.effect("the server is told what was set, as by Kitex, whatever a dial has used up", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      fake.warm = false
      fake.dial = Effect.sleep(300)
      const client = yield* fake.client({ rpcTimeout: 1000 })
      const call = yield* Effect.forkChild(exitOf(client.Ping({}), 1000), { startImmediately: true })
      const exit = yield* Fiber.join(call)
      assert.strictEqual(fake.last.ints[12], "1000")
      assert.match(told(exit), /^RpcTimeout.*timeout=1s/)
      assert.strictEqual(fake.last.abandoned, 1)
    })
  )

  it.effect("of zero has passed: nothing is sent", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: 0 })
      assert.match(told(yield* Effect.exit(client.Ping({}))), /^RpcTimeout/)
      assert.deepStrictEqual([fake.targets.length, fake.leased], [0, 0])
    })
  )

  it.effect("is at least one millisecond on the wire", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: "300 micros" })
      yield* Effect.forkChild(client.Ping({}), { startImmediately: true })
      assert.strictEqual(fake.last.ints[12], "1")
    })
  )

  it.effect("ends a oneway call whose bytes nobody takes", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: 50 })
      assert.match(told(yield* exitOf(client.Log({ line: "x" }), 50)), /^RpcTimeout.*method=Log/)
      assert.strictEqual(fake.last.abandoned, 1)
    })
  )
})

describe("an inherited deadline", () => {
  it.effect("ends the call and goes on the wire, alone or when it is the earlier", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const none = yield* fake.client()
      const alone = errorOf(yield* exitOf(Deadline.within(none.Ping({}), 50), 50))
      assert.deepStrictEqual([alone.reason._tag, alone.desc], ["DeadlineExceeded", "context deadline exceeded"])
      assert.strictEqual(fake.last.ints[12], "50")
      const client = yield* fake.client({ rpcTimeout: 1000 })
      const earlier = errorOf(yield* exitOf(Deadline.within(client.Ping({}), 50), 50))
      assert.strictEqual(earlier.reason._tag, "DeadlineExceeded")
      assert.strictEqual(earlier.code, 4)
      assert.strictEqual(
        earlier.desc,
        "rpc timeout: timeout=1s, to=EchoService, method=Ping, location=kitex.rpcTimeoutMW, remote=a:1, context deadline earlier than timeout, actual=50ms"
      )
      assert.strictEqual(fake.last.ints[12], "50")
      const later = errorOf(yield* exitOf(Deadline.within(client.Ping({}), 2000), 1000))
      assert.strictEqual(later.reason._tag, "RpcTimeout")
      assert.strictEqual(fake.last.ints[12], "1000")
      const same = errorOf(yield* exitOf(Deadline.within(client.Ping({}), 1000), 1000))
      assert.strictEqual(same.reason._tag, "RpcTimeout")
    })
  )

  it.effect("that has passed: nothing is sent", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const exit = yield* Effect.exit(Deadline.within(client.Ping({}), 0))
      assert.match(told(exit), /^DeadlineExceeded/)
      assert.strictEqual(fake.leased, 0)
    })
  )
})

describe("interruption", () => {
  it.effect("abandons a call once; an answer that comes all the same is nobody's", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const fiber = yield* Effect.forkChild(client.Ping({}), { startImmediately: true })
      const late = fake.last
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(late.abandoned, 1)
      const next = yield* Effect.forkChild(client.Ping({}), { startImmediately: true })
      late.exception(6, "late")
      yield* settle
      assert.isUndefined(next.pollUnsafe())
      fake.last.reply(empty)
      yield* Fiber.join(next)
      assert.strictEqual(fake.last.abandoned, 0)
    })
  )

  it.effect("waits for the end of its dial", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      fake.warm = false
      const closed = yield* Deferred.make<void>()
      fake.dial = Effect.onInterrupt(Effect.never, () => Deferred.await(closed))
      const client = yield* fake.client()
      const fiber = yield* Effect.forkChild(client.Ping({}), { startImmediately: true })
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* settle
      assert.isUndefined(interruption.pollUnsafe())
      yield* Deferred.succeed(closed, undefined)
      yield* Fiber.join(interruption)
      assert.deepStrictEqual([fake.leased, fake.calls.length], [0, 0])
    })
  )

  it.effect("between any two steps: no lease is kept, every call is abandoned", () =>
    Effect.gen(function* () {
      let released = 0
      const slowly = Effect.andThen(Effect.yieldNow, Effect.yieldNow)
      const endpoints: Record<string, Endpoints.Endpoints> = {
        known: Endpoints.fromHostPorts(["a:1"]),
        slow: { pick: () => Effect.as(slowly, "a:1") }
      }
      for (const [pick, options] of Object.entries(endpoints)) {
        for (const warm of [true, false]) {
          for (const traced of [true, false]) {
            let arrived = 0
            for (let steps = 0; arrived < 8; steps++) {
              assert.isBelow(steps, 200)
              const fake = new FakeCalls()
              fake.warm = warm
              fake.dial = slowly
              const recorder = yield* Recorder.make
              const client = yield* fake
                .client({ endpoints: options, rpcTimeout: 1000 })
                .pipe(traced ? Effect.provide(recorder.layer) : (self) => self)
              const fiber = yield* Effect.forkChild(
                Effect.provideService(client.Ping({}), Scheduler.MaxOpsBeforeYield, 2 + (steps % 3))
              )
              for (let i = 0; i < steps; i++) yield* Effect.yieldNow
              if (fake.calls.length === 1) arrived++
              yield* Fiber.interrupt(fiber)
              yield* settle
              const where = `${pick}, ${warm ? "warm" : "cold"}, step ${steps}`
              const abandoned = fake.calls.filter((call) => call.abandoned === 1).length
              assert.strictEqual(fake.leased, fake.released + abandoned, where)
              released += fake.released
              assert.strictEqual(abandoned, fake.calls.length, where)
              assert.strictEqual(recorder.client.finishes.length, recorder.client.starts.length, where)
              if (recorder.client.finishes.length === 1) {
                assert.strictEqual(recorder.client.finishes[0]!.reason, "interrupted")
              }
            }
          }
        }
      }
      assert.isAbove(released, 0, "a connection that came for nobody")
    })
  )
})

it.effect("a call that has ended keeps no timer", () =>
  Effect.gen(function* () {
    const all = new Set<Timers>()
    const arm = Timers.prototype.arm
    Timers.prototype.arm = function (...args) {
      all.add(this)
      return arm.apply(this, args)
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => void (Timers.prototype.arm = arm)))
    const fake = new FakeCalls()
    const client = yield* fake.client({ rpcTimeout: "1 hour" })
    const call = (options?: ClientOptions.ClientCallOptions) =>
      Effect.forkChild(client.Ping({}, options), { startImmediately: true })
    yield* call()
    const [timers] = [...all]
    assert.strictEqual(timers!.size, 1)
    fake.last.reply(empty)
    assert.strictEqual(timers!.size, 0)
    yield* call()
    fake.last.exception(6, "boom")
    assert.strictEqual(timers!.size, 0)
    yield* Fiber.interrupt(yield* call())
    assert.strictEqual(timers!.size, 0)
    yield* call({ rpcTimeout: 20 })
    assert.strictEqual(timers!.size, 1)
    yield* TestClock.adjust(20)
    assert.strictEqual(timers!.size, 0)
  })
)

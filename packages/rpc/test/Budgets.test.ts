import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport } from "@millrace/transport"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Deadline } from "../src/index.ts"
import type { CallOptions, UnaryCallOptions } from "../src/StreamOptions.ts"
import { Recorder } from "../src/testing/index.ts"
import { clientOf, only, pass, recorded, settle, spied, type TestHandlers, told } from "./support/client.ts"
import { noCalls } from "./support/noCalls.ts"
import { logged, Request, Response, TestService } from "./support/echo.ts"
import { StreamClient, Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })

/** Answers each request with what its text says: after so many milliseconds. */
const slow: Partial<TestHandlers> = {
  Echo: (requests) =>
    Stream.mapEffect(requests, ({ message }) => Effect.as(Effect.sleep(Number(message)), response(`${message}`))),
  EchoServer: ({ message }) =>
    Stream.fromEffectRepeat(Effect.as(Effect.sleep(Number(message)), response(`${message}`))),
  EchoUnary: ({ message }) => Effect.as(Effect.sleep(Number(message)), response(`${message}`)),
  EchoClient: (requests) => Effect.as(Stream.runDrain(requests), response("all"))
}

const exitAfter = (millis: number, step = 5) =>
  Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* pass(millis, step)
    assert.isDefined(fiber.pollUnsafe(), "still running")
    return told(yield* Fiber.await(fiber))
  })

const overdue = (millis: number) => `DeadlineExceeded: ${wire.streams.deadlineExceeded(millis)}`
const overdueUnary = (millis: number) => `DeadlineExceeded: ${wire.unary.deadlineExceeded(millis)}`

describe("recvTimeout", () => {
  const timedOut = `RecvTimeout: ${wire.streams.recvTimeout(50)}`

  it.effect("as an option cancels the stream, and is the error of everything behind it", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(slow, { client: { recvTimeout: 50 } })
      const stream = yield* client.Echo.open()
      yield* stream.send(request("40"))
      const first = yield* Effect.forkChild(stream.recv)
      yield* pass(45)
      assert.strictEqual((yield* Fiber.join(first)).message, "40")
      yield* stream.send(request("60"))
      assert.strictEqual(yield* exitAfter(50)(stream.recv), timedOut)
      assert.strictEqual(told(yield* Effect.exit(stream.recv)), timedOut)
      assert.strictEqual(told(yield* Effect.exit(stream.send(request("1")))), timedOut)
      yield* settle
      assert.strictEqual(recorder.server.finishes.length, 1)
      assert.strictEqual(recorder.client.finishes[0]!.reason, "error")
      assert.strictEqual(told(recorder.client.finishes[0]!.exit), timedOut)
    })
  )

  it.effect("is reported though nobody receives any more", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(slow, { client: { recvTimeout: 50 } })
      const fiber = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(client.EchoServer.open(request("1000")), ({ recv }) => Effect.exit(recv)))
      )
      yield* pass(60)
      yield* Fiber.join(fiber)
      assert.strictEqual(told(recorder.client.finishes[0]!.exit), timedOut)
    })
  )

  it.effect("in the stream form, with a duration in Go's notation", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow)
      const drain = (options: CallOptions) => Stream.runDrain(client.EchoServer(request("9999999"), options))
      assert.strictEqual(yield* exitAfter(50)(drain({ recvTimeout: 50 })), timedOut)
      assert.include(yield* exitAfter(90_000, 30_000)(drain({ recvTimeout: "90 seconds" })), "{Timeout:1m30s Disable")
    })
  )

  it.effect("counts for the answer of a unary call, as firstMessageTimeout does", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(slow, { client: { recvTimeout: 50 } })
      const call = (options: UnaryCallOptions) => client.EchoUnary(request("100"), options)
      const timedOut = `RecvTimeout: ${wire.unary.recvTimeout(50)}`
      assert.strictEqual(yield* exitAfter(50)(call({})), timedOut)
      assert.match(yield* exitAfter(30)(call({ firstMessageTimeout: 30 })), /^FirstMessageTimeout: .* within 30ms/)
      assert.strictEqual(yield* exitAfter(30)(call({ timeout: 30 })), overdueUnary(30))
      assert.strictEqual(yield* exitAfter(50)(call({ timeout: 60 })), timedOut)
      assert.strictEqual(yield* exitAfter(100)(call({ recvTimeout: undefined })), "success")
      yield* settle
      assert.strictEqual(recorder.server.finishes.length, 5)
    })
  )

  it.effect("Effect.timeout around one recv loses no message and leaves the stream usable", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow)
      const stream = yield* client.Echo.open()
      yield* stream.send(request("50"))
      assert.include(yield* exitAfter(20)(Effect.timeout(stream.recv, 20)), "Timeout")
      const interrupted = yield* Effect.forkChild(stream.recv, { startImmediately: true })
      yield* Fiber.interrupt(interrupted)
      const raced = yield* Effect.forkChild(
        Effect.raceFirst(stream.recv, Effect.as(Effect.sleep(10), "other" as const)),
        { startImmediately: true }
      )
      yield* pass(10)
      assert.strictEqual(yield* Fiber.join(raced), "other")
      yield* pass(50)
      assert.strictEqual((yield* stream.recv).message, "50")
      yield* stream.send(request("0"))
      yield* pass(1)
      assert.strictEqual((yield* stream.recv).message, "0")
    })
  )
})

describe("firstMessageTimeout", () => {
  it.effect("counts for the first message, recvTimeout from then on", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow, { client: { firstMessageTimeout: 100, recvTimeout: 50 } })
      const stream = yield* client.Echo.open()
      yield* stream.send(request("80"))
      const first = yield* Effect.forkChild(stream.recv)
      yield* pass(90, 10)
      assert.strictEqual((yield* Fiber.join(first)).message, "80")
      yield* stream.send(request("80"))
      assert.include(yield* exitAfter(50)(stream.recv), "RecvTimeout")
      const other = yield* client.EchoServer.open(request("1000"))
      assert.strictEqual(
        yield* exitAfter(100)(other.recv),
        `FirstMessageTimeout: ${wire.streams.firstMessageTimeout(100)}`
      )
    })
  )
})

describe("sendTimeout", () => {
  const text = `SendTimeout: ${wire.streams.sendTimeout(50)}`

  it.effect("is for waiting for room, and cancels the stream", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ Echo: () => Stream.never }, { client: { sendTimeout: 50 } })
      const stream = yield* client.Echo.open()
      const flood = Effect.forever(stream.send(request("x".repeat(10_000))))
      assert.strictEqual(yield* exitAfter(150)(flood), text)
      assert.strictEqual(told(yield* Effect.exit(stream.send(request("y")))), text)
      assert.strictEqual(told(yield* Effect.exit(stream.recv)), text)
      // What was sent before may stand before the end.
      yield* pass(600, 100)
      assert.strictEqual(recorder.server.finishes.length, 1)
      assert.strictEqual(told(recorder.client.finishes[0]!.exit), text)
    })
  )

  it.effect("of a request stream is the error of the call", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoClient: () => Effect.never }, { client: { sendTimeout: 50 } })
      const flood = Stream.map(Stream.range(1, 1000), () => request("x".repeat(10_000)))
      assert.strictEqual(yield* exitAfter(150)(client.EchoClient(flood)), text)
    })
  )

  it.effect("Effect.timeout around one send leaves the stream usable", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const client = yield* clientOf({
        EchoClient: (requests) =>
          Deferred.await(gate).pipe(
            Effect.andThen(Stream.runCount(requests)),
            Effect.map((n) => response(`${n}`))
          )
      })
      const up = yield* client.EchoClient.open()
      let sent = 0
      const flood = Effect.forever(Effect.tap(up.send(request("x".repeat(10_000))), () => Effect.sync(() => sent++)))
      assert.include(yield* exitAfter(40)(Effect.timeout(flood, 40)), "Timeout")
      const before = sent
      assert.isAbove(before, 5)
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      yield* up.send(request("last"))
      assert.strictEqual((yield* up.closeAndRecv).message, `${before + 1}`)
    })
  )
})

describe("the deadline", () => {
  it.effect("ends a call of each mode with Kitex's text", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(slow)
      const options = { timeout: 50 }
      assert.strictEqual(yield* exitAfter(55)(client.EchoUnary(request("1000"), options)), overdueUnary(50))
      assert.strictEqual(yield* exitAfter(55)(Stream.runDrain(client.EchoServer(request("20"), options))), overdue(50))
      assert.strictEqual(yield* exitAfter(55)(client.EchoClient(Stream.never, options)), overdue(50))
      assert.strictEqual(yield* exitAfter(55)(Stream.runDrain(client.Echo(Stream.never, options))), overdue(50))
      yield* settle
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
        [overdueUnary(50), overdue(50), overdue(50), overdue(50)].map((exit) => ["error", exit])
      )
      const { streams, unary } = wire
      assert.deepStrictEqual(
        recorder.server.finishes.map(({ exit, reason }) => [reason, told(exit)]),
        [unary, streams, streams, streams].map((words) => ["error", words.overdue(50)])
      )
    })
  )

  it.effect("counts for a send too, and for header", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.never })
      const stream = yield* client.Echo.open({ timeout: 50 })
      const flood = Effect.forever(stream.send(request("x".repeat(10_000))))
      assert.strictEqual(yield* exitAfter(55)(flood), overdue(50))
      const other = yield* client.Echo.open({ timeout: 50 })
      assert.strictEqual(yield* exitAfter(55)(other.header), overdue(50))
    })
  )

  it.effect("is what is reported though its fiber was busy elsewhere until the scope closed", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ Echo: () => Stream.never })
      const busy = Effect.scoped(Effect.andThen(client.Echo.open({ timeout: 50 }), Effect.sleep(100)))
      assert.strictEqual(yield* exitAfter(110)(busy), "success")
      assert.strictEqual(recorder.client.finishes[0]!.reason, "error")
      assert.strictEqual(told(recorder.client.finishes[0]!.exit), overdue(50))
    })
  )

  it.effect("is kept by a call whose end has come and is not yet read", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoServer: () => Stream.make(response("a"), response("b")) })
      const down = yield* client.EchoServer.open(request("x"), { timeout: 50 })
      yield* pass(100)
      assert.strictEqual((yield* down.recv).message, "a")
      assert.strictEqual((yield* down.recv).message, "b")
      assert.isTrue(Cause.isDone(yield* Effect.flip(down.recv)))
    })
  )

  it.effect("the earlier of option and fiber counts, and an explicit undefined unsets the client's", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow, { client: { timeout: 50 } })
      const call = (options: UnaryCallOptions) => client.EchoUnary(request("70"), options)
      assert.strictEqual(yield* exitAfter(75)(call({})), overdueUnary(50))
      assert.strictEqual(yield* exitAfter(75)(call({ timeout: undefined })), "success")
      assert.strictEqual(yield* exitAfter(75)(call({ timeout: 100 })), "success")
      assert.strictEqual(yield* exitAfter(35)(Deadline.within(call({ timeout: 100 }), 30)), overdueUnary(30))
      assert.strictEqual(yield* exitAfter(35)(Deadline.within(call({ timeout: undefined }), 30)), overdueUnary(30))
      const nested = call({ timeout: 100 }).pipe(Deadline.within(90), Deadline.within(30))
      assert.strictEqual(yield* exitAfter(35)(nested), overdueUnary(30))
    })
  )

  it.effect("recvTimeout of a call beats the client's, and can be unset", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow, { client: { recvTimeout: 20 } })
      const call = (options: CallOptions) => Stream.runDrain(Stream.take(client.EchoServer(request("40"), options), 1))
      assert.include(yield* exitAfter(25)(call({})), "{Timeout:20ms")
      assert.include(yield* exitAfter(35)(call({ recvTimeout: 30 })), "{Timeout:30ms")
      assert.strictEqual(yield* exitAfter(45)(call({ recvTimeout: undefined })), "success")
    })
  )

  it.effect("at or below zero nothing is sent", () =>
    Effect.gen(function* () {
      const { recorder, client, requests } = yield* spiedClient(slow)
      for (const timeout of [0, -5]) {
        assert.strictEqual(told(yield* Effect.exit(client.EchoUnary(request("0"), { timeout }))), overdueUnary(0))
        const drained = yield* Effect.exit(Stream.runDrain(client.EchoServer(request("0"), { timeout })))
        assert.strictEqual(told(drained), overdue(0))
        assert.strictEqual(told(yield* Effect.exit(client.EchoClient(Stream.never, { timeout }))), overdue(0))
        const late = Deadline.within(client.EchoUnary(request("0")), timeout)
        assert.strictEqual(told(yield* Effect.exit(late)), overdueUnary(0))
      }
      assert.deepStrictEqual(requests, [])
      assert.deepStrictEqual(
        recorder.map(({ reason }) => reason),
        Array.from({ length: 8 }, () => "error")
      )
    })
  )

  it.effect("what is left of it goes on the wire, and to the calls of the handler", () =>
    Effect.gen(function* () {
      let inner: ((options: UnaryCallOptions) => Effect.Effect<Response, unknown>) | undefined
      const remaining: Array<number | undefined> = []
      const { client, requests } = yield* spiedClient({
        EchoUnary: ({ message }) =>
          message === "outer"
            ? Effect.andThen(Effect.sleep(20), Effect.orDie(inner!({})))
            : Effect.flatMap(Deadline.remaining, (left) => {
                remaining.push(left)
                return Effect.never
              })
      })
      inner = (options) => client.EchoUnary(request("inner"), options)
      assert.strictEqual(yield* exitAfter(100)(client.EchoUnary(request("outer"), { timeout: 100 })), overdueUnary(100))
      assert.deepStrictEqual(
        requests.filter((_, i) => i === 0 || i === requests.length - 1).map(({ timeoutMillis }) => timeoutMillis),
        [100, 80]
      )
      assert.deepStrictEqual(remaining, [80])
    })
  )
})

const spiedClient = Effect.fnUntraced(function* (handlers: Partial<TestHandlers>) {
  const context = yield* Layer.build(Layer.provide(Testing.layer([TestService]), TestService.toLayer(only(handlers))))
  const spy = yield* Effect.provide(spied, context)
  const recorder = yield* Recorder.make
  const client = yield* StreamClient.make(TestService).pipe(
    Effect.provideService(Transport.ClientTransport, spy.transport),
    Effect.provide(recorder.layer)
  )
  return { client, requests: spy.requests, recorder: recorder.client.finishes }
})

describe("connecting", () => {
  it.effect("takes no longer than its budget", () =>
    Effect.gen(function* () {
      const client = yield* StreamClient.make(TestService, { connectTimeout: 30 }).pipe(
        Effect.provideService(Transport.ClientTransport, {
          ...noCalls,
          tryOpen: () => undefined,
          open: ({ connectTimeoutMillis }) => Effect.die(`connect within ${connectTimeoutMillis}`)
        })
      )
      assert.strictEqual(told(yield* Effect.exit(client.EchoUnary(request("x")))), "defect: connect within 30")
      assert.strictEqual(
        told(yield* Effect.exit(client.EchoUnary(request("x"), { connectTimeout: "1 second" }))),
        "defect: connect within 1000"
      )
    })
  )

  it.effect("is bounded by the deadline, and interrupted with the caller", () =>
    Effect.gen(function* () {
      let waiting = 0
      const client = yield* StreamClient.make(TestService).pipe(
        Effect.provideService(Transport.ClientTransport, {
          ...noCalls,
          tryOpen: () => undefined,
          open: () =>
            Effect.suspend(() => {
              waiting++
              return Effect.onInterrupt(Effect.never, () => Effect.sync(() => waiting--))
            })
        })
      )
      assert.strictEqual(yield* exitAfter(50)(client.EchoUnary(request("x"), { timeout: 50 })), overdueUnary(50))
      assert.strictEqual(
        yield* exitAfter(50)(Stream.runDrain(client.EchoServer(request("x"), { timeout: 50 }))),
        overdue(50)
      )
      assert.strictEqual(waiting, 0)
      const fiber = yield* Effect.forkChild(client.EchoUnary(request("x")), { startImmediately: true })
      assert.strictEqual(waiting, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(waiting, 0)
    })
  )

  it.effect("no server: unavailable, and nothing was sent", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(MemoryTransport.layer)
      const client = yield* Effect.provide(StreamClient.make(TestService), context)
      const error = yield* Effect.flip(client.EchoUnary(request("x")))
      assert.strictEqual(told(Exit.fail(error)).split(":")[0], "Unavailable")
      assert.deepInclude((error as { reason: object }).reason, { neverSent: true })
    })
  )
})

it.effect("a transport that is closed fails calls, they do not wait for ever", () =>
  Effect.gen(function* () {
    const client = yield* Effect.provide(StreamClient.make(TestService), MemoryTransport.layer)
    assert.match(told(yield* Effect.exit(client.EchoUnary(request("x")))), /^Unavailable: .*the transport is closed/)
  })
)

describe("stallWarning", () => {
  it.effect("logs once who waits for what", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const client = yield* clientOf(
            { Echo: () => Stream.never },
            {
              transport: { client: { streamCredit: true } },
              client: { stallWarning: "30 seconds", recvTimeout: "5 minutes" },
              server: { stallWarning: Infinity }
            }
          )
          const stream = yield* client.Echo.open()
          yield* Effect.forkChild(Effect.exit(stream.recv), { startImmediately: true })
          yield* Effect.forkChild(Effect.forever(stream.send(request("x".repeat(10_000)))), { startImmediately: true })
          for (let i = 0; i < 10; i++) yield* settle
          yield* pass(120_000, 10_000)
        })
      )
      assert.deepStrictEqual(
        lines.map(({ level, text }) => [level, text.trim()]),
        [
          [
            "Warn",
            "stream TestService.Echo with memory stands still on the client: send has waited 30s for room, the peer does not read; recv has waited 30s for a message, and our own sending side is still open"
          ]
        ]
      )
    })
  )

  it.effect("while a longer recvTimeout still waits", () =>
    Effect.gen(function* () {
      const [error, lines] = yield* logged(
        Effect.gen(function* () {
          const client = yield* clientOf(
            { Echo: () => Stream.never },
            { client: { stallWarning: 1000, recvTimeout: 5000 }, server: { stallWarning: Infinity } }
          )
          const stream = yield* client.Echo.open()
          return yield* exitAfter(6000, 500)(stream.recv)
        })
      )
      assert.match(error, /^RecvTimeout/)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0]!.text, "on the client: recv has waited 1s for a message")
    })
  )

  it.effect("not for a stream that moves, and not where it is off", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const client = yield* clientOf(slow, { client: { stallWarning: 50 }, server: { stallWarning: Infinity } })
          const moving = yield* Effect.forkChild(Stream.runDrain(client.EchoServer(request("40"))))
          const off = yield* client.Echo.open({ stallWarning: Infinity })
          yield* Effect.forkChild(Effect.exit(off.recv))
          yield* pass(1000, 10)
          yield* Fiber.interrupt(moving)
        })
      )
      assert.deepStrictEqual(lines, [])
    })
  )
})

it.effect("a client's timers are gone with its scope", () =>
  Effect.gen(function* () {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const client = yield* clientOf(slow, { client: { timeout: "1 hour" } })
        yield* client.EchoUnary(request("0")).pipe(Effect.forkChild)
        yield* settle
      })
    )
    yield* TestClock.adjust("2 hours")
  })
)

import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Stream } from "effect"
import { Middleware } from "../src/index.ts"
import { clientOf, pass, recorded, type TestHandlers, told } from "./support/client.ts"
import { hanging, nothingLeft, watchTimers } from "./support/timeouts.ts"
import { Request, Response } from "./support/echo.ts"
import { wire } from "./support/over.ts"

watchTimers()

const request = new Request({ message: "x" })
const response = new Response({ message: "y" })

describe("recvTimeout that does not cancel", () => {
  const spared = `RecvTimeout: ${wire.streams.recvTimeout(50, true)}`
  const options = { recvTimeout: 50, recvTimeoutCancels: false }
  /** Answers each request after as many milliseconds as it says. */
  const slow: Partial<TestHandlers> = {
    Echo: (requests) =>
      Stream.mapEffect(requests, ({ message }) =>
        Effect.as(Effect.sleep(Number(message)), new Response({ message: message! }))
      ),
    EchoServer: ({ message }) =>
      Stream.make(...message!.split(" ")).pipe(
        Stream.mapEffect((millis) => Effect.as(Effect.sleep(Number(millis)), new Response({ message: millis })))
      ),
    EchoClient: () => Effect.delay(Effect.succeed(response), 80)
  }
  const exitAfter = Effect.fnUntraced(function* <A, E>(millis: number, effect: Effect.Effect<A, E>) {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* pass(millis, 5)
    assert.isDefined(fiber.pollUnsafe(), "still running")
    return yield* Fiber.await(fiber)
  })

  for (const place of ["client", "call"] as const) {
    it.effect(
      `fails that receive alone, as an option of the ${place}: the stream goes on, and the server hears nothing`,
      () =>
        Effect.gen(function* () {
          const { client, recorder } = yield* recorded(slow, place === "client" ? { client: options } : {})
          const stream = yield* client.Echo.open(place === "client" ? {} : options)
          yield* stream.send(new Request({ message: "120" }))
          assert.strictEqual(told(yield* exitAfter(50, stream.recv)), spared)
          // Each receive has all of the budget.
          assert.strictEqual(told(yield* exitAfter(50, stream.recv)), spared)
          assert.deepStrictEqual([recorder.client.finishes.length, recorder.server.finishes.length], [0, 0])
          const late = yield* exitAfter(25, stream.recv)
          assert.strictEqual(late._tag === "Success" ? late.value.message : told(late), "120")
          yield* stream.send(new Request({ message: "10" }))
          yield* pass(15, 5)
          assert.strictEqual((yield* stream.recv).message, "10")
          yield* stream.closeSend
          yield* pass(5, 1)
          assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
          assert.deepStrictEqual(
            recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
            [["eof", "success"]]
          )
          assert.deepStrictEqual(
            recorder.server.finishes.map(({ reason }) => reason),
            ["eof"]
          )
          const errors = recorder.client.events.flatMap((event) =>
            event.hook === "streamRecv" && event.error !== undefined ? [event.error.message] : []
          )
          assert.deepStrictEqual(
            errors,
            [spared, spared].map((text) => text.slice("RecvTimeout: ".length))
          )
          nothingLeft()
        })
    )
  }

  it.effect("loses no message that comes while it fails, and none behind it", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(slow, { client: options })
      const stream = yield* client.EchoServer.open(new Request({ message: "50 49 51 0 0 200 1" }))
      const got: Array<string> = []
      let failures = 0
      const reading = yield* Effect.forkChild(
        Effect.forever(
          Effect.matchEffect(stream.recv, {
            onSuccess: ({ message }) => Effect.sync(() => void got.push(message!)),
            onFailure: (error) => (Cause.isDone(error) ? Effect.fail("done") : Effect.sync(() => void failures++))
          })
        ).pipe(Effect.ignore),
        { startImmediately: true }
      )
      yield* pass(500, 1)
      yield* Fiber.join(reading)
      assert.deepStrictEqual(got, ["50", "49", "51", "0", "0", "200", "1"])
      assert.isAtLeast(failures, 4)
    })
  )

  const lists: Readonly<Record<string, ReadonlyArray<Middleware.RecvMiddleware>>> = {
    "one at a time": [Middleware.recv((next) => Effect.tap(next, () => Effect.sleep(30)))],
    batches: [Middleware.recvBatch((next) => Effect.tap(next, () => Effect.sleep(30)))],
    several: [
      Middleware.recvBatch((next) => Effect.tap(next, () => Effect.sleep(20))),
      Middleware.recvPlain(() => (message) => message),
      Middleware.recv((next) => Effect.tap(next, () => Effect.sleep(20)))
    ]
  }
  for (const [name, middleware] of Object.entries(lists)) {
    it.effect(`gives what middleware (${name}) had in hand to the next receive`, () =>
      Effect.gen(function* () {
        const client = yield* clientOf(slow, { client: { ...options, middleware } })
        const stream = yield* client.EchoServer.open(new Request({ message: "30 5 0 25 60 0 0 10 49" }))
        const got: Array<string> = []
        const failures: Array<string> = []
        while (got.length < 9) {
          const received = yield* Effect.forkChild(stream.recv, { startImmediately: true })
          yield* pass(60, 2)
          const exit = yield* Fiber.await(received)
          if (exit._tag === "Success") got.push(exit.value.message!)
          else failures.push(told(exit))
        }
        assert.deepStrictEqual(got, ["30", "5", "0", "25", "60", "0", "0", "10", "49"])
        assert.isAbove(failures.length, 0)
        assert.deepStrictEqual([...new Set(failures)], [spared])
      })
    )
  }

  it.effect("is not heard of by middleware, which might fail the stream for it", () =>
    Effect.gen(function* () {
      const hears = Middleware.recv((next) => Effect.catch(next, (error) => Effect.die(`heard of ${String(error)}`)))
      const client = yield* clientOf(slow, { client: { ...options, middleware: [hears] } })
      // Several, whose timers come at one moment in whatever order.
      const received = yield* Effect.forEach([1, 2, 3, 4], () =>
        Effect.flatMap(client.EchoServer.open(new Request({ message: "70" })), ({ recv }) =>
          Effect.forkChild(Effect.zip(Effect.flip(recv), recv), { startImmediately: true })
        )
      )
      yield* pass(80, 5)
      for (const fiber of received) {
        const [error, { message }] = yield* Fiber.join(fiber)
        assert.deepStrictEqual([told(Exit.fail(error)), message], [spared, "70"])
      }
    })
  )

  it.effect("of the one answer: whoever asks again gets it", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(slow, { client: options })
      const up = yield* client.EchoClient.open()
      yield* up.send(request)
      assert.strictEqual(told(yield* exitAfter(50, up.closeAndRecv)), spared)
      const answer = yield* exitAfter(40, up.closeAndRecv)
      assert.strictEqual(answer._tag === "Success" ? answer.value.message : told(answer), "y")
      assert.strictEqual(recorder.client.finishes[0]!.reason, "eof")
    })
  )

  it.effect("fails a Stream, whose scope then cancels", () =>
    Effect.gen(function* () {
      const { ends, handlers } = hanging()
      const { client, recorder } = yield* recorded(handlers, { client: options })
      const exits: Array<string> = []
      for (const call of [
        Stream.runDrain(client.EchoServer(request)),
        client.EchoClient(Stream.make(request)),
        Stream.runDrain(client.Echo(Stream.never))
      ] satisfies ReadonlyArray<Effect.Effect<unknown, unknown>>) {
        exits.push(told(yield* exitAfter(50, call as Effect.Effect<unknown, unknown>)))
      }
      yield* pass(5, 1)
      assert.deepStrictEqual(exits, [spared, spared, spared])
      assert.deepStrictEqual(ends, ["interrupted", "interrupted", "interrupted"])
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
        exits.map((exit) => ["error", exit])
      )
      const left = wire.streams.left(wire.streams.cancelled)
      assert.deepStrictEqual(
        recorder.server.finishes.map(({ exit }) => told(exit)),
        [left, left, left]
      )
      nothingLeft()
    })
  )

  it.effect("leaves the first message its own budget, which cancels, and the deadline its own", () =>
    Effect.gen(function* () {
      const { ends, handlers } = hanging()
      const client = yield* clientOf(handlers, { client: { ...options, firstMessageTimeout: 30 } })
      const first = yield* client.EchoServer.open(request)
      assert.match(told(yield* exitAfter(30, first.recv)), /^FirstMessageTimeout/)
      assert.match(told(yield* Effect.exit(first.recv)), /^FirstMessageTimeout/)
      const bounded = yield* client.EchoServer.open(request, { firstMessageTimeout: undefined, timeout: 70 })
      assert.strictEqual(told(yield* exitAfter(50, bounded.recv)), spared)
      assert.match(told(yield* exitAfter(20, bounded.recv)), /^DeadlineExceeded/)
      yield* pass(5, 1)
      assert.deepStrictEqual(ends, ["interrupted", "interrupted"])
      nothingLeft()
    })
  )

  it.effect("a unary call is cancelled all the same", () =>
    Effect.gen(function* () {
      const { ends, handlers } = hanging()
      const client = yield* clientOf(handlers, { client: options })
      assert.match(told(yield* exitAfter(50, client.EchoUnary(request))), /^RecvTimeout.*DisableCancelRemote:false}$/)
      yield* pass(5, 1)
      assert.deepStrictEqual(ends, ["interrupted"])
    })
  )
})

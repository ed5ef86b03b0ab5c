import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Deferred, Effect, type Exit, Fiber, type Scope, Stream } from "effect"
import { type ClientStream, Method, Middleware, Service } from "../../src/index.ts"
import { Recorder, Testing } from "../../src/testing/index.ts"
import { only, pass, settle } from "../support/client.ts"
import { Request, Response, TestService } from "../support/echo.ts"
import { clientOf, ended, overTTHeader, recorded, text, userCancelled } from "./support.ts"

const request = new Request({ message: "x" })
const never = { Echo: () => Stream.never }

describe("a stream that its client leaves", () => {
  it.effect("is cancelled at the server, which hears by whom", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(never, { client: { callerName: "A" } })
      const stream = yield* client.Echo.open()
      yield* settle
      yield* stream.cancel
      yield* settle
      assert.deepStrictEqual(ended(yield* Effect.exit(stream.recv)), [
        "Cancelled",
        text(12007, "client", userCancelled)
      ])
      assert.deepStrictEqual(ended(yield* Effect.exit(stream.send(request))), [
        "Cancelled",
        text(12007, "client", userCancelled)
      ])
      assert.deepStrictEqual(ended(recorder.server.finishes[0]!.exit), [
        "Cancelled",
        text(12007, "server", userCancelled, "A"),
        "A"
      ])
    })
  )

  it.effect("has no path where the client has no name", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ EchoServer: () => Stream.never })
      const fiber = yield* Effect.forkChild(Stream.runDrain(client.EchoServer(request)), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(fiber)
      yield* settle
      assert.deepStrictEqual(ended(recorder.server.finishes[0]!.exit), [
        "Cancelled",
        text(12007, "server", userCancelled)
      ])
    })
  )

  it.effect("is left without a word where only the receive fails", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(
        { Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })) },
        { client: { recvTimeout: 100, recvTimeoutCancels: false } }
      )
      const stream = yield* client.Echo.open()
      const first = yield* Effect.forkChild(Effect.exit(stream.recv), { startImmediately: true })
      yield* pass(100)
      const said = "stream Recv timeout, timeout config={Timeout:100ms DisableCancelRemote:true}"
      assert.deepStrictEqual(ended(yield* Fiber.join(first)), ["RecvTimeout", text(12014, "client", said)])
      yield* stream.send(request)
      assert.strictEqual((yield* stream.recv).message, "x")
    })
  )
})

describe("budgets of a client", () => {
  const rows = [
    [
      "recvTimeout",
      { recvTimeout: 100 },
      12014,
      "RecvTimeout",
      "stream Recv timeout, timeout config={Timeout:100ms DisableCancelRemote:false}"
    ],
    ["firstMessageTimeout", { firstMessageTimeout: 50 }, 12014, "FirstMessageTimeout", "no first message within 50ms"]
  ] as const
  for (const [name, budget, code, reason, said] of rows) {
    it.effect(`${name}: the server hears which, and by whom`, () =>
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded(never, { client: { callerName: "A", ...budget } })
        const stream = yield* client.Echo.open()
        const waiting = yield* Effect.forkChild(Effect.exit(stream.recv), { startImmediately: true })
        yield* pass(100)
        const error = [reason, text(code, "client", said)]
        assert.deepStrictEqual(ended(yield* Fiber.join(waiting)), error)
        assert.deepStrictEqual(ended(yield* Effect.exit(stream.send(request))), error)
        assert.deepStrictEqual(ended(recorder.server.finishes[0]!.exit), [
          "Cancelled",
          text(code, "server", said, "A"),
          "A"
        ])
      })
    )
  }

  it.effect("timeout: both ends have it, and say how long it was", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(never, { client: { callerName: "A", timeout: 1500 } })
      const stream = yield* client.Echo.open()
      const waiting = yield* Effect.forkChild(Effect.exit(stream.recv), { startImmediately: true })
      yield* pass(1500)
      const said = "stream timeout, timeout in ctx: 1.5s"
      assert.deepStrictEqual(ended(yield* Fiber.join(waiting)), ["DeadlineExceeded", text(12015, "client", said)])
      const [reason, desc] = ended(recorder.server.finishes[0]!.exit)
      assert.strictEqual(reason, "DeadlineExceeded")
      assert.include([text(12015, "server", said), text(12015, "server", said, "A")], desc)
    })
  )

  it.effect("a time that is over opens nothing", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(never, { client: { timeout: 0 } })
      assert.deepStrictEqual(ended(yield* Effect.exit(Effect.scoped(client.Echo.open()))), [
        "DeadlineExceeded",
        text(12015, "client", "stream timeout, no explicit timeout set in stream ctx")
      ])
      yield* settle
      assert.strictEqual(recorder.server.starts.length, 0)
    })
  )
})

// --- three in a row: A calls B, whose handler calls C ------------------------------------------------------------------------

class Middle extends Service.make("Middle", {
  methods: [
    Method.bidirectional("Run", { request: Request, response: Response }),
    Method.pingPong("Call", { arguments: { req: Thrift.field(1, Request) }, response: Response })
  ]
}) {}

type Down = ClientStream.Bidirectional<Request, Response>

interface Chain {
  readonly callerName?: string
  readonly transport?: "grpc" | "ttheader-streaming"
  readonly faults?: Testing.LayerOptions["faults"]
  /** What B's handler does with its stream to C. */
  readonly middle: (down: Down) => Effect.Effect<void, ClientStream.CallError, Scope.Scope>
}

const chain = ({ callerName, faults, middle, transport = "ttheader-streaming" }: Chain) =>
  Effect.gen(function* () {
    const atC = yield* Recorder.make
    const atB = yield* Recorder.make
    const c = yield* Effect.provide(
      Testing.client(
        TestService,
        only(never),
        overTTHeader(callerName === undefined ? {} : { client: { callerName } })
      ),
      atC.layer
    )
    const run = Effect.flatMap(c.Echo.open(), middle)
    const b = yield* Effect.provide(
      Testing.client(
        Middle,
        { Run: () => Stream.fromEffectDrain(run), Call: () => Effect.as(run, new Response({})) },
        { client: { transport, callerName: "A" }, ...(faults === undefined ? {} : { faults }) }
      ),
      atB.layer
    )
    return { b, atB, atC }
  })

/** A fiber of B that nobody interrupts waits for C. */
const watching = (error: Deferred.Deferred<Exit.Exit<unknown, unknown>>) => (down: Down) =>
  Effect.andThen(
    Effect.forkDetach(
      Effect.flatMap(Effect.exit(down.recv), (exit) => Deferred.succeed(error, exit)),
      { startImmediately: true }
    ),
    Effect.never
  )

describe("what ends a handler ends the streams that it has opened", () => {
  it.effect("a cancel goes on with its code, its text and its path", () =>
    Effect.gen(function* () {
      const atDown = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      const { atB, atC, b } = yield* chain({ callerName: "B", middle: watching(atDown) })
      const up = yield* b.Run.open()
      yield* settle
      yield* up.cancel
      yield* settle
      assert.deepStrictEqual(ended(atB.server.finishes[0]!.exit), [
        "Cancelled",
        text(12007, "server", userCancelled, "A"),
        "A"
      ])
      assert.deepStrictEqual(ended(yield* Deferred.await(atDown)), [
        "Cancelled",
        text(12007, "client", userCancelled, "A"),
        "A"
      ])
      assert.deepStrictEqual(ended(atC.server.finishes[0]!.exit), [
        "Cancelled",
        text(12007, "server", userCancelled, "A -> B"),
        "A",
        "B"
      ])
    })
  )

  it.effect("the handler returns", () =>
    Effect.gen(function* () {
      const { atC, b } = yield* chain({ middle: () => settle })
      const up = yield* b.Run.open()
      yield* Effect.exit(up.recv)
      yield* settle
      // A client without a name of its own has that of the service which it serves.
      assert.deepStrictEqual(ended(atC.server.finishes[0]!.exit), [
        "Cancelled",
        text(12012, "server", "canceled by business handler returning", "Middle"),
        "Middle"
      ])
    })
  )

  it.effect("not what the handler itself leaves before", () =>
    Effect.gen(function* () {
      const { atC, b } = yield* chain({
        callerName: "B",
        middle: (down) => Effect.andThen(settle, Effect.andThen(down.cancel, Effect.never))
      })
      yield* b.Run.open()
      yield* settle
      yield* settle
      assert.deepStrictEqual(ended(atC.server.finishes[0]!.exit), [
        "Cancelled",
        text(12007, "server", userCancelled, "B"),
        "B"
      ])
    })
  )

  it.effect("the connection of its client breaks", () =>
    Effect.gen(function* () {
      const faults = { toServer: { cutAt: 500 }, toClient: {} }
      const { atB, atC, b } = yield* chain({ callerName: "B", middle: () => Effect.never, faults })
      const up = yield* b.Run.open()
      yield* settle
      yield* up.send(new Request({ message: "x".repeat(1000) }))
      yield* settle
      const [reason, desc] = ended(atB.server.finishes[0]!.exit)
      assert.strictEqual(reason, "Unavailable")
      const said = /^\[ttstream error, code=12013\] (.+)$/.exec(desc as string)
      assert.deepStrictEqual(ended(atC.server.finishes[0]!.exit), [
        "Cancelled",
        text(12013, "server", said![1]!, "B"),
        "B"
      ])
      const [local, told] = ended(yield* Effect.exit(up.recv))
      assert.strictEqual(local, "Unavailable")
      assert.match(told as string, /^\[ttstream error, code=12006\] /)
    })
  )

  it.effect("a call over HTTP/2 has no code of its own for that", () =>
    Effect.gen(function* () {
      const atDown = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      const { atB, atC, b } = yield* chain({ callerName: "B", transport: "grpc", middle: watching(atDown) })
      const up = yield* b.Run.open()
      yield* settle
      yield* up.cancel
      yield* settle
      const [, desc] = ended(atB.server.finishes[0]!.exit)
      const whole = `rpc error: code = 1 desc = ${String(desc)}`
      assert.deepStrictEqual(ended(yield* Deferred.await(atDown)), ["Cancelled", text(12011, "client", whole)])
      assert.deepStrictEqual(ended(atC.server.finishes[0]!.exit), [
        "Cancelled",
        text(12011, "server", whole, "non-ttstream path -> B"),
        "non-ttstream path",
        "B"
      ])
    })
  )

  it.effect("nor has a PingPong call", () =>
    Effect.gen(function* () {
      const { atC, b } = yield* chain({ middle: () => Effect.never })
      const call = yield* Effect.forkChild(b.Call({ req: request }), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(call)
      yield* settle
      const [reason, desc, ...path] = ended(atC.server.finishes[0]!.exit)
      assert.deepStrictEqual([reason, ...path], ["Cancelled", "non-ttstream path", "Middle"])
      assert.match(desc as string, /^\[ttstream error, code=12011\] /)
    })
  )

  it.effect("the deadline of its call passes", () =>
    Effect.gen(function* () {
      const { atC, b } = yield* chain({ callerName: "B", middle: () => Effect.never })
      yield* b.Run.open({ timeout: 200 })
      yield* pass(200, 50)
      const [reason, desc] = ended(atC.server.finishes[0]!.exit)
      assert.strictEqual(reason, "DeadlineExceeded")
      assert.match(
        desc as string,
        /^\[ttstream error, code=12015\] \[server-side stream\] .*stream timeout, timeout in ctx: 200ms$/
      )
    })
  )
})

describe("middleware that makes a stream twice", () => {
  it.effect("cancels the one that is left behind", () =>
    Effect.gen(function* () {
      const twice = Middleware.client((next) => Effect.andThen(next, next))
      const { client, recorder } = yield* recorded(never, { client: { callerName: "A", middleware: [twice] } })
      const stream = yield* client.Echo.open()
      yield* settle
      yield* stream.cancel
      yield* settle
      const error = ["Cancelled", text(12007, "server", userCancelled, "A"), "A"]
      assert.deepStrictEqual(
        recorder.server.finishes.map(({ exit }) => ended(exit)),
        [error, error]
      )
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, References, Stream } from "effect"
import { MetaHandler, Middleware, RpcError } from "../src/index.ts"
import { requestOf, withRequest } from "../src/internal/callBody.ts"
import { Carried } from "../src/internal/telemetry/traceContext.ts"
import { clientOf, pass, settle, told } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"
import { observed, timed } from "./support/telemetry.ts"
import { wire, wordsOf } from "./support/over.ts"

const refusal = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "no" })
const request = new Request({ message: "m" })
const answer = () => Effect.succeed(new Response({ message: "answer" }))
const handlers = { EchoUnary: answer, EchoPingPong: answer, EchoServer: () => Stream.fromEffect(answer()) }

const calls = ["EchoUnary", "EchoPingPong", "EchoServer"] as const

const callOf = (client: Effect.Success<ReturnType<typeof clientOf>>, name: (typeof calls)[number]) =>
  name === "EchoUnary"
    ? client.EchoUnary(request)
    : name === "EchoPingPong"
      ? client.EchoPingPong({ req: request })
      : Stream.runDrain(client.EchoServer(request))

describe("middleware of a server stands inside of the one before it", () => {
  for (const name of calls) {
    it.effect(`it is not asked where that refuses, and what it throws is caught there: ${name}`, () =>
      Effect.gen(function* () {
        let asked = 0
        const inner = Middleware.server((next) => {
          asked++
          return next
        })
        const refusing = yield* clientOf(handlers, {
          server: { middleware: [Middleware.server(() => Effect.fail(refusal)), inner] }
        })
        assert.include(told(yield* Effect.exit(callOf(refusing, name))), wordsOf(name).ofMiddleware("no", 7))
        assert.strictEqual(asked, 0)

        const throwing = Middleware.server(() => {
          throw new Error("thrown")
        })
        const catching = Middleware.server((next) => Effect.catchDefect(next, () => Effect.fail(refusal)))
        const client = yield* clientOf(handlers, { server: { middleware: [catching, throwing] } })
        assert.include(told(yield* Effect.exit(callOf(client, name))), wordsOf(name).ofMiddleware("no", 7))
      })
    )
  }

  it.effect("it is asked each time that runs its next", () =>
    Effect.gen(function* () {
      let asked = 0
      const twice = Middleware.server((next) => Effect.andThen(next, next))
      const inner = Middleware.server((next) => {
        asked++
        return next
      })
      const client = yield* clientOf(handlers, { server: { middleware: [twice, inner] } })
      yield* client.EchoUnary(request)
      assert.strictEqual(asked, 2)
    })
  )

  it.effect("so do the hooks of streams", () =>
    Effect.gen(function* () {
      let asked = 0
      const metaHandlers = [
        MetaHandler.make({ onReadStream: () => Effect.fail(refusal) }),
        MetaHandler.make({
          onReadStream: (next) => {
            asked++
            return next
          }
        })
      ]
      const client = yield* clientOf(handlers, { server: { metaHandlers } })
      assert.include(told(yield* Effect.exit(callOf(client, "EchoServer"))), wire.streams.ofMiddleware("no", 7))
      assert.strictEqual(asked, 0)
    })
  )
})

it.effect("a handler that fails with undefined fails as one without middleware does", () =>
  Effect.gen(function* () {
    const failing = { EchoServer: () => Stream.fail(undefined as never) }
    const plain = yield* clientOf(failing)
    const wrapped = yield* clientOf(failing, { server: { middleware: [Middleware.server((next) => next)] } })
    const without = told(yield* Effect.exit(callOf(plain, "EchoServer")))
    assert.strictEqual(without, `Status: ${wire.streams.ofHandler("undefined")}`)
    assert.strictEqual(told(yield* Effect.exit(callOf(wrapped, "EchoServer"))), without)
  })
)

it.effect("a writeMeta of a server that throws is asked once", () =>
  Effect.gen(function* () {
    let asked = 0
    const metaHandlers = [
      MetaHandler.make({
        writeMeta: () => {
          asked++
          throw new Error("thrown")
        }
      })
    ]
    const client = yield* clientOf(handlers, { server: { metaHandlers } })
    assert.include(told(yield* Effect.exit(client.EchoPingPong({ req: request }))), "thrown")
    assert.strictEqual(asked, 1)
  })
)

it.effect("a client that is made while a request runs brings nothing of that request into its calls", () =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const body = { called: undefined as never, request: "own" }
    const look = Effect.withFiber((fiber) =>
      Effect.sync(() => {
        seen.push(
          fiber.getRef(References.CurrentLogAnnotations),
          fiber.getRef(References.CurrentLogSpans),
          fiber.getRef(References.TracerSpanAnnotations),
          fiber.getRef(References.TracerSpanLinks),
          fiber.getRef(Carried),
          requestOf(body)
        )
      })
    )
    const middleware = [
      Middleware.client((next) => Effect.andThen(look, next)),
      Middleware.send((next) => (message) => Effect.andThen(look, next(message)))
    ]
    const ofRequest = Effect.makeSpan("of the request")
    const link = { span: yield* ofRequest, attributes: {} }
    const client = yield* clientOf(handlers, { client: { middleware }, pingPong: { middleware } }).pipe(
      Effect.annotateLogs({ "log.id": "of the request" }),
      Effect.withLogSpan("of the request"),
      Effect.provideService(References.TracerSpanAnnotations, { tenant: "of the request" }),
      Effect.provideService(References.TracerSpanLinks, [link]),
      Effect.provideService(Carried, { traceId: "a".repeat(32), tracestate: undefined, baggage: "of the request" }),
      (making) => withRequest(making, body, "of the request")
    )
    for (const name of calls) yield* callOf(client, name)
    const nothing = [{}, [], {}, [], undefined, "own"]
    // Once around each call, and once around the request of the stream.
    assert.deepStrictEqual(seen, [...nothing, ...nothing, ...nothing, ...nothing])
  })
)

describe("a fiber that client middleware forks as a child", () => {
  for (const [rpcTimeout, lives] of [
    [undefined, true],
    ["1 second", false]
  ] as const) {
    const when = rpcTimeout === undefined ? "with the fiber that calls, without" : "with the call, under"
    it.effect(`ends ${when} an rpcTimeout`, () =>
      Effect.gen(function* () {
        let child: Fiber.Fiber<void> | undefined
        const middleware = [
          Middleware.client((next) =>
            Effect.andThen(
              Effect.map(Effect.forkChild(Effect.sleep(20)), (fiber) => void (child = fiber)),
              next
            )
          )
        ]
        const client = yield* clientOf(handlers, { pingPong: { middleware, rpcTimeout } })
        yield* client.EchoPingPong({ req: request })
        yield* settle
        assert.strictEqual(child!.pollUnsafe() === undefined, lives)
        yield* pass(30)
        assert.strictEqual(Exit.isSuccess(yield* Fiber.await(child!)), lives)
      })
    )
  }
})

it.effect(
  "a span has no more than 128 events, however many messages the stream has: the first and the last are there",
  () =>
    Effect.gen(function* () {
      const { client, told } = yield* observed(
        {
          EchoClient: (requests) =>
            Effect.map(Stream.runCount(requests), (count) => new Response({ message: `${count}` }))
        },
        { messageEvents: true, naming: "kitex" }
      )
      const requests = Stream.map(Stream.range(1, 1000), () => request)
      yield* timed(told, client.EchoClient(requests))
      for (const side of ["client", "server"] as const) {
        const { events } = told.span(side)
        assert.isAtMost(events.length, 128)
        const type = side === "client" ? "SENT" : "RECEIVED"
        const ids = events.flatMap(([, , attributes]) =>
          attributes?.["rpc.message.type"] === type ? [attributes["rpc.message.id"]] : []
        )
        assert.deepStrictEqual(ids, [...Array.from({ length: 61 }, (_, at) => at + 1), 1000])
      }
    })
)

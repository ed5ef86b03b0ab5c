import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { BizStatusError, ContextMap, MetaHandler, Middleware, RpcError, RpcTracer, type Server } from "../src/index.ts"
import { ask, exceptionOf, serveCalls } from "./support/calls.ts"
import { call, type handlersOf, logged, Response, serve, settled, statusOf, struct, wrapped } from "./support/echo.ts"
import { wire } from "./support/over.ts"

type Handlers = Parameters<typeof handlersOf>[0]
type Options = Server.Options<ReadonlyArray<Middleware.ForServer>>

const error = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
const unary = call("/echo.TestService/EchoUnary", [wrapped("m")])
const stream = call("/echo.TestService/Echo", [struct("m")])
/** Hooks of streams hear of unary calls where those are streams. */
const streams = wire.unary.isStream ? [unary, stream] : [stream]
const echoing: Handlers = {
  Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
  EchoUnary: ({ message }) => Effect.succeed(new Response({ message })),
  EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: req.message }))
}

/** A server, and what its tracer hears. */
const traced = (handlers: Handlers, options: Options) => {
  const heard: Array<string> = []
  const tracer = RpcTracer.layer({
    start: ({ method }) => Effect.sync(() => void heard.push(`start ${method}`)),
    streamStart: ({ method }) => void heard.push(`streamStart ${method}`),
    streamFinish: ({ method }) => void heard.push(`streamFinish ${method}`),
    finish: ({ exit, info, reason }) =>
      Effect.sync(() => void heard.push(`finish ${info.method} ${reason} ${exit._tag}`))
  })
  return { heard, live: serve(handlers, options).pipe(Layer.provide(tracer)) }
}

describe("onReadStream", () => {
  it.effect("its error is the status of the call, which tracers do not hear of", () =>
    Effect.gen(function* () {
      const refusals = [
        [Effect.fail(error(7, "request forbidden: denied")), [7, "request forbidden: denied"]],
        [Effect.fail(new Error("plain") as never), [13, "plain"]]
      ] as const
      for (const [refusal, status] of refusals) {
        let ran = 0
        const { heard, live } = traced(
          {},
          {
            metaHandlers: [MetaHandler.make({ onReadStream: () => refusal })],
            middleware: [Middleware.server((next) => (ran++, next))]
          }
        )
        for (const each of streams) {
          const result = yield* Effect.provide(Effect.tap(each, settled), live)
          assert.deepStrictEqual(statusOf(result), [...status])
        }
        assert.deepStrictEqual([heard, ran], [[], 0])
      }
    })
  )

  it.effect("an error behind next takes the place of the outcome, and tracers hear of it", () =>
    Effect.gen(function* () {
      const metaHandlers = [
        MetaHandler.make({
          onReadStream: (next) => Effect.andThen(Effect.exit(next), Effect.fail(error(6, "too late")))
        })
      ]
      for (const handlers of [echoing, { Echo: () => Stream.fail(error(5, "nf")) }]) {
        const { heard, live } = traced(handlers, { metaHandlers })
        const result = yield* Effect.provide(Effect.tap(stream, settled), live)
        assert.deepStrictEqual(statusOf(result), [6, "too late"])
        assert.deepStrictEqual(heard, [
          "start Echo",
          "streamStart Echo",
          "streamFinish Echo",
          "finish Echo error Failure"
        ])
      }
    })
  )

  it.effect("calls that are refused before they run do not reach it; tracers hear of the stream", () =>
    Effect.gen(function* () {
      const metaHandlers = [MetaHandler.make({ onReadStream: () => Effect.die("not reached") })]
      const { heard, live } = traced({}, { metaHandlers })
      const result = yield* Effect.provide(Effect.tap(call("/echo.TestService/Nope", []), settled), live)
      assert.deepStrictEqual(statusOf(result), [1, "unknown method Nope"])
      assert.deepStrictEqual(heard, [
        "start Nope",
        "streamStart Nope",
        "streamFinish Nope",
        "finish Nope error Failure"
      ])
    })
  )

  it.effect("the handler's error that passes through is still the handler's", () =>
    Effect.gen(function* () {
      const metaHandlers = [MetaHandler.make({ onReadStream: (next) => next })]
      const handlers: Handlers = {
        EchoUnary: () => Effect.fail(biz),
        Echo: () => Stream.fail(error(5, "nf"))
      }
      const live = serve(handlers, { metaHandlers })
      const business = yield* Effect.provide(unary, live)
      assert.deepStrictEqual([business.status?.biz?.code, business.status?.message], [7, "no"])
      assert.deepStrictEqual(statusOf(yield* Effect.provide(stream, live)), wire.streams.status.ofHandler("nf", 5))
    })
  )

  it.effect("a second run of next starts tracers once, and dies for a stream", () =>
    Effect.gen(function* () {
      const metaHandlers = [MetaHandler.make({ onReadStream: (next) => Effect.andThen(Effect.ignore(next), next) })]
      const { heard, live } = traced(echoing, { metaHandlers })
      const [result] = yield* logged(Effect.provide(Effect.tap(stream, settled), live))
      assert.include(String(statusOf(result)), "the handler of a stream runs once")
      assert.deepStrictEqual(heard, [
        "start Echo",
        "streamStart Echo",
        "streamFinish Echo",
        "finish Echo error Failure"
      ])
    })
  )

  it.effect("what it provides is there for middleware, of calls and of messages, and for the handler", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const live = serve(
        {
          Echo: (requests) =>
            Stream.mapEffect(requests, () =>
              Effect.map(ContextMap.Current, (map) => {
                seen.push(["handler", map?.get("from")])
                return new Response({})
              })
            )
        },
        {
          metaHandlers: [MetaHandler.make({ onReadStream: (next) => ContextMap.inject(next) })],
          middleware: [
            Middleware.server((next) =>
              Effect.flatMap(ContextMap.Current, (map) => {
                map!.set("from", "middleware")
                return Effect.ensuring(
                  next,
                  Effect.sync(() => seen.push(["behind", map!.get("messages")]))
                )
              })
            ),
            Middleware.recv((next, { context }) => {
              const map = Context.get(context, ContextMap.Current)
              return Effect.tap(next, () =>
                Effect.sync(() => map?.set("messages", Number(map.get("messages") ?? 0) + 1))
              )
            })
          ]
        }
      )
      yield* Effect.provide(call("/echo.TestService/Echo", [struct("m"), struct("n")]), live)
      assert.deepStrictEqual(seen, [
        ["handler", "middleware"],
        ["handler", "middleware"],
        ["behind", 2]
      ])
    })
  )

  it.effect("is not for PingPong calls, but for their methods where they come on a stream", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const metaHandlers = [
        MetaHandler.make({
          onReadStream: (next, { method }) => (seen.push(method), next),
          readMeta: () => seen.push("read")
        })
      ]
      yield* Effect.provide(ask("EchoPingPong", wrapped("m")), serveCalls(echoing, { metaHandlers }))
      assert.deepStrictEqual(seen.splice(0), ["read"])
      yield* Effect.provide(call("/echo.TestService/EchoPingPong", [wrapped("m")]), serve(echoing, { metaHandlers }))
      assert.deepStrictEqual(seen, wire.unary.isStream ? ["EchoPingPong"] : ["read"])
    })
  )
})

describe("readMeta and writeMeta", () => {
  const asked = (options: Options, strings: Record<string, string> = {}) =>
    Effect.provide(ask("EchoPingPong", wrapped("m"), { strings }), serveCalls(echoing, options))

  it.effect("what readMeta throws fails the call before middleware; its number and text are the answer's", () =>
    Effect.gen(function* () {
      let ran = 0
      const refusing = (thrown: unknown): Options => ({
        middleware: [Middleware.server((next) => (ran++, next))],
        metaHandlers: [
          MetaHandler.make({
            readMeta: (meta) => {
              if (meta.get("who") === undefined) throw thrown
            }
          })
        ]
      })
      assert.deepStrictEqual(exceptionOf(yield* asked(refusing(error(1000, "who?")))), [1000, "who?"])
      assert.deepStrictEqual(exceptionOf(yield* asked(refusing(new Error("who?")))), [6, "who?"])
      assert.strictEqual(ran, 0)
      assert.deepStrictEqual((yield* asked(refusing(new Error("who?")), { who: "me" })).how, "reply")
      const [lines] = yield* logged(
        Effect.provide(
          ask("Log", new Uint8Array([11, 0, 1, 0, 0, 0, 0, 0]), { oneway: true }),
          serveCalls(echoing, refusing(new Error("who?")))
        )
      )
      assert.strictEqual(lines.how, "finish")
    })
  )

  it.effect(
    "what writeMeta sets goes out with the answer, beside what the handler set; the last of one key counts",
    () =>
      Effect.gen(function* () {
        const metaHandlers = [
          MetaHandler.make({ writeMeta: (meta, { method }) => meta.set("method", method) }),
          MetaHandler.make({ writeMeta: (meta) => meta.set("own", "meta") })
        ]
        const handlers: Handlers = {
          EchoPingPong: (_, call) =>
            Effect.andThen(
              call.setHeader("own", "handler"),
              Effect.andThen(call.setHeader("other", "1"), Effect.fail(biz))
            )
        }
        const ended = yield* Effect.provide(
          ask("EchoPingPong", wrapped("m"), { strings: {} }),
          serveCalls(handlers, { metaHandlers })
        )
        assert.deepStrictEqual(ended.strings?.toSorted(), [
          ["biz-message", "no"],
          ["biz-status", "7"],
          ["method", "EchoPingPong"],
          ["other", "1"],
          ["own", "meta"]
        ])
      })
  )

  it.effect("what writeMeta throws fails the call: an exception without the keys of the hooks", () =>
    Effect.gen(function* () {
      const metaHandlers = [MetaHandler.make({ writeMeta: (meta) => meta.set("biz-status", "1") })]
      const ended = yield* asked({ metaHandlers })
      assert.deepStrictEqual(exceptionOf(ended), [
        6,
        '"biz-status" cannot be set on a PingPong call: the key belongs to the protocol, choose another'
      ])
      assert.deepStrictEqual(ended.strings, [])
    })
  )
})

describe("middleware of messages on a server", () => {
  it.effect("sees what middleware of the call provides", () =>
    Effect.gen(function* () {
      const User = Context.Reference<string>("test/User", { defaultValue: () => "nobody" })
      const seen: Array<string> = []
      const middleware = [
        Middleware.server((next) => Effect.provideService(next, User, "me")),
        Middleware.recvPlain(({ context }) => {
          seen.push(Context.get(context, User))
          return (message) => message
        })
      ]
      yield* Effect.provide(stream, serve(echoing, { middleware }))
      assert.deepStrictEqual(seen, ["me"])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, type Transport } from "@millrace/transport"
import { Cause, Context, Effect, Exit, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Method, type RpcError, Server, type ServerCall, Service } from "../src/index.ts"
import {
  call,
  client,
  handlersOf,
  logged,
  open,
  type RawResult,
  Request,
  Response,
  serve,
  settled,
  statusOf,
  struct,
  TestService,
  wrapped
} from "./support/echo.ts"

const echo = serve({
  Echo: (requests) => Stream.map(requests, (request) => new Response({ message: request.message })),
  EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => new Response({ message: `${n}` })),
  EchoServer: (request) =>
    Stream.make("a", "b", "c").pipe(Stream.map((m) => new Response({ message: `${request.message}${m}` }))),
  EchoUnary: (request) => Effect.succeed(new Response({ message: request.message })),
  EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: req.message })),
  Ping: () => Effect.void,
  Log: (_, call) => call.draining
})

describe("modes", () => {
  it.effect("all four, by our client", () =>
    Effect.gen(function* () {
      const echo = yield* client
      const unary = yield* echo.EchoUnary(new Request({ message: "u" }))
      assert.strictEqual(unary.message, "u")
      const up = yield* echo.EchoClient(Stream.make(new Request({}), new Request({})))
      assert.strictEqual(up.message, "2")
      const down = yield* Stream.runCollect(echo.EchoServer(new Request({ message: "s" })))
      assert.deepStrictEqual(
        down.map((r) => r.message),
        ["sa", "sb", "sc"]
      )
      const both = yield* Stream.runCollect(
        echo.Echo(Stream.make(new Request({ message: "x" }), new Request({ message: "y" })))
      )
      assert.deepStrictEqual(
        both.map((r) => r.message),
        ["x", "y"]
      )
    }).pipe(Effect.scoped, Effect.provide(echo))
  )
})

describe("routing", () => {
  it.effect("keeps two services with the same method names apart", () =>
    Effect.gen(function* () {
      const methods = [Method.unary("Who", { request: Request, response: Response })] as const
      class One extends Service.make("One", { package: "a", methods }) {}
      class Two extends Service.make("Two", { package: "a", methods }) {}
      // One of them must be named: there are wire forms that name none.
      const live = Server.layer([One, Two], { fallback: One }).pipe(
        Layer.provide(One.toLayer({ Who: () => Effect.succeed(new Response({ message: "one" })) })),
        Layer.provide(Two.toLayer({ Who: () => Effect.succeed(new Response({ message: "two" })) })),
        Layer.provideMerge(MemoryTransport.layer)
      )
      yield* Effect.gen(function* () {
        const one = yield* call("/a.One/Who", [wrapped()])
        const two = yield* call("/a.Two/Who", [wrapped()])
        assert.deepStrictEqual([one.messages, two.messages], [[wrapped("one", 0)], [wrapped("two", 0)]])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("refuses to start with two services of one name, or without a handler", () =>
    Effect.gen(function* () {
      const methods = [Method.unary("Who", { request: Request, response: Response })] as const
      class One extends Service.make("One", { package: "a", methods }) {}
      class Other extends Service.make("One", { package: "b", methods }) {}
      const handlers = { Who: () => Effect.succeed(new Response({})) }
      const defect = (layer: Layer.Layer<Server.Server, RpcError.RpcError, Transport.ServerTransport>) =>
        Effect.map(Effect.exit(Effect.scoped(Layer.build(Layer.provide(layer, MemoryTransport.layer)))), (exit) =>
          Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "it started"
        )
      const twice = Server.layer([One, Other]).pipe(Layer.provide([One.toLayer(handlers), Other.toLayer(handlers)]))
      assert.match(yield* defect(twice), /two services One/)
      const without = Server.layer([One]).pipe(Layer.provide(One.toLayer({} as typeof handlers)))
      assert.match(yield* defect(without), /Service One has no handler of Who/)
    })
  )

  it.effect("fails typed when nothing can listen", () =>
    Effect.gen(function* () {
      const two = Layer.fresh(
        Server.layer([]).pipe(Layer.provideMerge(Server.layer([]).pipe(Layer.provideMerge(MemoryTransport.layer))))
      )
      const error = yield* Effect.flip(Effect.scoped(Layer.build(two)))
      assert.strictEqual(error.reason._tag, "Unavailable")
    })
  )
})

describe("requests of one message", () => {})

describe("headers and trailers", () => {
  const header = (result: RawResult, key: string) => result.stream.header?.getAll(key) ?? []
  const trailer = (result: RawResult, key: string) => result.stream.trailer?.getAll(key) ?? []

  it.effect("go out as the handler said, several values and bytes too", () =>
    Effect.gen(function* () {
      const result = yield* call("/echo.TestService/EchoServer", [struct("x")])
      assert.deepStrictEqual(header(result, "h-one"), ["1"])
      assert.deepStrictEqual(header(result, "h-multi"), ["a", "b"])
      assert.deepStrictEqual(trailer(result, "t-one"), ["1"])
    }).pipe(
      Effect.provide(
        serve({
          EchoServer: (_, { setHeader, setTrailer }) =>
            Stream.unwrap(
              Effect.gen(function* () {
                yield* setHeader("h-one", "1")
                yield* setHeader("h-multi", "a")
                yield* setHeader("h-multi", "b")
                yield* setTrailer("t-one", "1")
                return Stream.make(new Response({}))
              })
            )
        })
      )
    )
  )

  it.effect("headers wait for the first message, for sendHeader, or for eagerHeaders", () => {
    const waiting = {
      Echo: (requests: Stream.Stream<Request, RpcError.RpcError>, call: ServerCall.ServerCall) =>
        Stream.unwrap(
          Effect.gen(function* () {
            yield* call.setHeader("early", "1")
            return Stream.map(requests, (request) => new Response({ message: request.message }))
          })
        )
    }
    const arrived = Effect.gen(function* () {
      const opened = yield* open("/echo.TestService/Echo")
      yield* settled
      const before = opened.stream.header?.get("early")
      opened.send(struct("x"))
      yield* settled
      const after = opened.stream.header?.get("early")
      opened.stream.closeSend()
      yield* opened.result
      return [before, after]
    })
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.provide(arrived, serve(waiting)), [undefined, "1"])
      assert.deepStrictEqual(yield* Effect.provide(arrived, serve(waiting, { eagerHeaders: true })), ["1", "1"])
      const early = {
        Echo: (requests: Stream.Stream<Request, RpcError.RpcError>, call: ServerCall.ServerCall) =>
          Stream.unwrap(Effect.as(call.sendHeader, waiting.Echo(requests, call)))
      }
      const refused = yield* logged(Effect.provide(call("/echo.TestService/Echo", []), serve(early)))
      assert.match(statusOf(refused[0])![1] as string, /setHeader\("early"\): the response headers went out already/)
    })
  })
})

describe("what a handler runs in", () => {
  it.effect("is the context that it was built in, and a slot that is free again when it has ended", () =>
    Effect.gen(function* () {
      class Greeter extends Context.Service<Greeter, (name: string) => string>()("test/Greeter") {}
      const running: Array<string> = []
      const live = Server.layer([TestService]).pipe(
        Layer.provide(
          TestService.toLayer({
            ...handlersOf({}),
            EchoUnary: (request) =>
              Effect.gen(function* () {
                running.push("start")
                yield* Effect.yieldNow
                running.push("end")
                return new Response({ message: (yield* Greeter)(request.message ?? "") })
              })
          })
        ),
        Layer.provide(Layer.succeed(Greeter, (name) => `hello ${name}`)),
        Layer.provideMerge(MemoryTransport.layerWith({ server: { limits: { maxConcurrentStreams: 1 } } }))
      )
      yield* Effect.gen(function* () {
        const unary = (name: string) => call("/echo.TestService/EchoUnary", [wrapped(name)])
        for (const name of ["a", "b", "c"]) {
          const result = yield* unary(name)
          assert.deepStrictEqual(result.messages, [wrapped(`hello ${name}`, 0)])
        }
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(running, ["start", "end", "start", "end", "start", "end"])
    })
  )
})

describe("duplex handlers", () => {
  it.effect("receive and send in an order of their own; receiving past the half close ends the call", () =>
    Effect.gen(function* () {
      const result = yield* call("/echo.TestService/Echo", [struct("a"), struct("b"), struct("c"), struct("d")])
      assert.deepStrictEqual(result.messages, [struct("ab"), struct("cd")])
      assert.deepStrictEqual(statusOf(result), [0, ""])
    }).pipe(
      Effect.provide(
        serve({
          Echo: {
            duplex: (stream) =>
              Effect.forever(
                Effect.gen(function* () {
                  const one = yield* stream.recv
                  const two = yield* stream.recv
                  yield* stream.send(new Response({ message: `${one.message}${two.message}` }))
                })
              )
          }
        })
      )
    )
  )

  it.effect("a recv that timed out lost nothing", () =>
    Effect.gen(function* () {
      const opened = yield* open("/echo.TestService/Echo")
      yield* settled
      yield* TestClock.adjust("1 second")
      opened.send(struct("late"))
      opened.stream.closeSend()
      const result = yield* opened.result
      assert.deepStrictEqual(result.messages, [struct("timeout"), struct("late")])
    }).pipe(
      Effect.provide(
        serve({
          Echo: {
            duplex: (stream) =>
              Effect.gen(function* () {
                const first = yield* Effect.timeoutOption(stream.recv, "1 second")
                yield* stream.send(new Response({ message: Option.isNone(first) ? "timeout" : "message" }))
                const second = yield* stream.recv
                yield* stream.send(new Response({ message: second.message }))
              })
          }
        })
      )
    )
  )
})

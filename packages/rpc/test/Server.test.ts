import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { call, client, Request, Response, serve, statusOf, struct, wrapped } from "./support/echo.ts"

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

  it.effect("unary, PingPong, void and oneway, byte by byte", () =>
    Effect.gen(function* () {
      const unary = yield* call("/echo.TestService/EchoUnary", [wrapped("hi")])
      assert.deepStrictEqual(unary.messages, [wrapped("hi", 0)])
      assert.deepStrictEqual(statusOf(unary), [0, ""])
      const pingPong = yield* call("/echo.TestService/EchoPingPong", [wrapped("hi")])
      assert.deepStrictEqual(pingPong.messages, [wrapped("hi", 0)])
      const ping = yield* call("/echo.TestService/Ping", [Uint8Array.of(0)])
      assert.deepStrictEqual(ping.messages, [Uint8Array.of(0)])
      // The handler of Log ends when the server does: the answer does not wait for it.
      const log = yield* call("/echo.TestService/Log", [struct("line")])
      assert.deepStrictEqual([log.messages, statusOf(log)], [[], [0, ""]])
    }).pipe(Effect.provide(echo))
  )
})

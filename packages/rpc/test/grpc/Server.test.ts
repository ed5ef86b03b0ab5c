/** What a server says on a stream of HTTP/2: statuses, names of headers, and unary and PingPong methods as streams. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { call, logged, open, Response, serve, statusOf, struct, wrapped } from "../support/echo.ts"

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

describe("a stream of HTTP/2", () => {
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

  it.effect("has Kitex's codes and texts", () =>
    Effect.gen(function* () {
      const status = (path: string, message = struct("m")) => Effect.map(call(path, [message]), statusOf)
      assert.deepStrictEqual(yield* status("/foo"), [13, `malformed method name, method="/foo"`])
      assert.deepStrictEqual(yield* status("/echo.Nope/Echo"), [20, "unknown service Nope"])
      assert.deepStrictEqual(yield* status("/echo.TestService/Nope"), [1, "unknown method Nope"])
      assert.deepStrictEqual(yield* status("/echo.TestService/__proto__"), [1, "unknown method __proto__"])
      // The package is never checked.
      for (const path of ["/TestService/EchoUnary", "/other.pkg.TestService/EchoUnary"]) {
        assert.deepStrictEqual(yield* status(path, wrapped("m")), [0, ""])
      }
    }).pipe(Effect.provide(echo))
  )

  it.effect("that do not come are EOF, with a suffix where the handler reads", () =>
    Effect.gen(function* () {
      const unary = yield* call("/echo.TestService/EchoUnary", [])
      assert.deepStrictEqual(statusOf(unary), [13, "EOF"])
      const down = yield* call("/echo.TestService/EchoServer", [])
      assert.deepStrictEqual(statusOf(down), [13, "EOF [biz error]"])
    }).pipe(Effect.provide(echo))
  )

  it.effect("that do not decode are code 7", () =>
    Effect.gen(function* () {
      const cut = Uint8Array.of(11, 0, 1, 0, 0, 0, 9, 65)
      const [unary] = statusOf(yield* call("/echo.TestService/EchoUnary", [cut]))!
      assert.strictEqual(unary, 7)
      const down = statusOf(yield* call("/echo.TestService/EchoServer", [cut]))!
      assert.strictEqual(down[0], 7)
      assert.match(String(down[1]), /message.* \[biz error\]$/)
    }).pipe(Effect.provide(echo))
  )

  it.effect("are served when they are there, half close or not; further ones are ignored", () =>
    Effect.gen(function* () {
      const opened = yield* open("/echo.TestService/EchoUnary")
      opened.send(wrapped("a"), wrapped("b"))
      const result = yield* opened.result
      assert.deepStrictEqual(result.messages, [wrapped("a", 0)])
    }).pipe(Effect.provide(echo))
  )

  it.effect("upper-case and reserved keys are a mistake of the program", () =>
    Effect.gen(function* () {
      const protocol = "the name belongs to the protocol, choose another"
      const keys = {
        HELLO: 'names are lower case, write "hello"',
        "grpc-status": protocol,
        ":path": protocol,
        "a b": "names are made of lower-case letters, digits and !#$%&'*+-.^_`|~"
      }
      for (const [key, why] of Object.entries(keys)) {
        const live = serve({ EchoUnary: (_, call) => Effect.as(call.setTrailer(key, "x"), new Response({})) })
        const [result] = yield* logged(Effect.provide(call("/echo.TestService/EchoUnary", [wrapped()]), live))
        assert.deepStrictEqual(statusOf(result), [
          13,
          `panic: [happened in biz handler, method=TestService.EchoUnary, please check the panic at the server side] invalid header field name "${key}": ${why}`
        ])
      }
    })
  )

  it.effect("of the request, metainfo and peer are there", () =>
    Effect.gen(function* () {
      const result = yield* call("/echo.TestService/EchoUnary", [wrapped()], {
        metadata: [
          ["hello", "1"],
          ["hello", "2"],
          ["rpc-transit-t-one", "t"],
          ["rpc-persist-p", "p"]
        ]
      })
      assert.deepStrictEqual(result.messages, [wrapped("1,2 t p memory /echo.TestService/EchoUnary unary", 0)])
    }).pipe(
      Effect.provide(
        serve({
          EchoUnary: (_, { info, metadata, metainfo, peer }) =>
            Effect.succeed(
              new Response({
                message: [
                  metadata.getAll("hello").join(),
                  metainfo.transient.get("T_ONE"),
                  metainfo.persistent.get("P"),
                  peer.address,
                  info.path,
                  info.mode
                ].join(" ")
              })
            )
        })
      )
    )
  )
})

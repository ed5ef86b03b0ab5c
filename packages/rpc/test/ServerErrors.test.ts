import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { Middleware, type RpcError } from "../src/index.ts"
import {
  Busy,
  call,
  client,
  logged,
  open,
  Request,
  Response,
  serve,
  settled,
  statusOf,
  wrapped
} from "./support/echo.ts"
import { wire, wordsOf } from "./support/over.ts"

describe("declared exceptions", () => {
  const live = serve({ EchoUnary: () => Effect.fail(new Busy({ retryAfter: 5 })) })
  const busy = Uint8Array.of(12, 0, 1, 8, 0, 1, 0, 0, 0, 5, 0, 0)

  it.effect("of a unary method are an answer with status 0", () =>
    Effect.gen(function* () {
      const result = yield* call("/echo.TestService/EchoUnary", [wrapped("m")])
      assert.deepStrictEqual([result.messages, statusOf(result)], [[busy], [0, ""]])
      const echo = yield* client
      const error = yield* Effect.flip(echo.EchoUnary(new Request({})))
      assert.isTrue(error instanceof Busy && error.retryAfter === 5)
    }).pipe(Effect.scoped, Effect.provide(live))
  )

  it.effect("are a success for the middleware around them", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const middleware = [
        Middleware.server((next) => Effect.onExit(next, (exit) => Effect.sync(() => seen.push(exit._tag))))
      ]
      const result = yield* Effect.provide(
        call("/echo.TestService/EchoUnary", [wrapped("m")]),
        serve({ EchoUnary: () => Effect.fail(new Busy({ retryAfter: 5 })) }, { middleware })
      )
      assert.deepStrictEqual([result.messages, seen], [[busy], ["Success"]])
    })
  )
})

describe("defects", () => {
  const panic = (method: string, text: string) => wordsOf(method).status.panic(`TestService.${method}`, text)

  it.effect("are logged with the method, answer the client, and the server goes on", () =>
    Effect.gen(function* () {
      const live = serve({
        EchoUnary: (request) => {
          if (request.message === "throw") throw new Error("thrown")
          return request.message === "die" ? Effect.die(new Error("died")) : Effect.succeed(new Response({}))
        },
        Echo: () => Stream.die(new Error("in the stream"))
      })
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const unary = (message: string) =>
            Effect.map(call("/echo.TestService/EchoUnary", [wrapped(message)]), statusOf)
          assert.deepStrictEqual(yield* unary("throw"), panic("EchoUnary", "thrown"))
          assert.deepStrictEqual(yield* unary("die"), panic("EchoUnary", "died"))
          assert.deepStrictEqual(statusOf(yield* call("/echo.TestService/Echo", [])), panic("Echo", "in the stream"))
          assert.deepStrictEqual(yield* unary("fine"), [0, ""])
        }).pipe(Effect.provide(live))
      )
      assert.deepStrictEqual(
        lines.map((line) => [line.level, line.annotations["rpc.service"], line.annotations["rpc.method"]]),
        [
          ["Error", "TestService", "EchoUnary"],
          ["Error", "TestService", "EchoUnary"],
          ["Error", "TestService", "Echo"]
        ]
      )
      assert.match(lines[1]!.text, /handler of TestService.EchoUnary died.*Error: died/s)
    })
  )

  it.effect("of a fiber that the handler joins are the handler's, logged once", () =>
    Effect.gen(function* () {
      const live = serve({ EchoUnary: () => Effect.flatMap(Effect.forkChild(Effect.die("in the fork")), Fiber.join) })
      const [result, lines] = yield* logged(
        Effect.provide(Effect.tap(call("/echo.TestService/EchoUnary", [wrapped("m")]), settled), live)
      )
      assert.deepStrictEqual(statusOf(result), panic("EchoUnary", "in the fork"))
      assert.strictEqual(lines.length, 1)
    })
  )

  it.effect("of a fiber that nobody waits for end the call, also when the handler would wait for ever", () =>
    Effect.gen(function* () {
      let ended = false
      const live = serve({
        EchoUnary: () =>
          Effect.andThen(Effect.forkChild(Effect.die("in the fork")), Effect.never).pipe(
            Effect.ensuring(Effect.sync(() => (ended = true)))
          ),
        Echo: () =>
          Stream.unwrap(
            Effect.as(Effect.forkScoped(Effect.andThen(Effect.yieldNow, Effect.die("scoped"))), Stream.never)
          )
      })
      const [results, lines] = yield* logged(
        Effect.provide(
          Effect.all([call("/echo.TestService/EchoUnary", [wrapped("m")]), call("/echo.TestService/Echo", [])]),
          live
        )
      )
      assert.deepStrictEqual(results.map(statusOf), [panic("EchoUnary", "in the fork"), panic("Echo", "scoped")])
      assert.isTrue(ended)
      assert.deepStrictEqual(
        lines.map((line) => line.annotations["rpc.method"]),
        ["EchoUnary", "Echo"]
      )
    })
  )

  it.effect("that a handler deals with stay its own affair", () =>
    Effect.gen(function* () {
      const live = serve({
        EchoUnary: () =>
          Effect.timeout(Effect.andThen(Effect.yieldNow, Effect.die("caught")), "1 second").pipe(
            Effect.catchCause(() => Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))),
            Effect.andThen(settled),
            Effect.as(new Response({ message: "recovered" }))
          )
      })
      const [result] = yield* logged(Effect.provide(call("/echo.TestService/EchoUnary", [wrapped("m")]), live))
      assert.deepStrictEqual([result.messages, statusOf(result)], [[wrapped("recovered", 0)], [0, ""]])
    })
  )

  it.effect("of middleware and admission answer too", () =>
    Effect.gen(function* () {
      const unary = call("/echo.TestService/EchoUnary", [wrapped("m")])
      const handlers = { EchoUnary: () => Effect.succeed(new Response({})) }
      const throws = () => {
        throw new Error("broken")
      }
      const [results] = yield* logged(
        Effect.all([
          Effect.provide(unary, serve(handlers, { middleware: [Middleware.server(throws)] })),
          Effect.provide(unary, serve(handlers, { admission: [{ admit: throws }] }))
        ])
      )
      assert.deepStrictEqual(results.map(statusOf), [panic("EchoUnary", "broken"), panic("EchoUnary", "broken")])
    })
  )
})

describe("what is left when the handler has returned", () => {
  it.effect("a leftover fiber gets Kitex's text from recv and send", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const note = (error: { readonly message?: string }) => Effect.sync(() => void seen.push(String(error.message)))
      const live = serve({
        Echo: {
          duplex: (stream) =>
            Effect.gen(function* () {
              yield* Effect.forkDetach(
                Effect.andThen(
                  Effect.catch(stream.recv, (error) => note(error as RpcError.RpcError)),
                  Effect.catch(stream.send(new Response({})), note)
                ),
                { startImmediately: true }
              )
            })
        }
      })
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        assert.deepStrictEqual(statusOf(yield* opened.result), [0, ""])
        yield* settled
      }).pipe(Effect.provide(live))
      const text = wire.streams.handlerReturned
      assert.deepStrictEqual(seen, [text, text])
    })
  )

  it.effect("fibers that the handler forked, in its fiber or its scope, end with it", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const hang = (name: string) =>
        Effect.ensuring(
          Effect.never,
          Effect.sync(() => void ended.push(name))
        )
      const live = serve({
        EchoUnary: () =>
          Effect.gen(function* () {
            yield* Effect.forkChild(hang("child"), { startImmediately: true })
            yield* Effect.forkScoped(hang("scoped"), { startImmediately: true })
            return new Response({})
          }) as Effect.Effect<Response>
      })
      const result = yield* Effect.provide(call("/echo.TestService/EchoUnary", [wrapped("m")]), live)
      assert.deepStrictEqual(
        [statusOf(result), ended],
        [
          [0, ""],
          ["child", "scoped"]
        ]
      )
    })
  )
})

import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { BizStatusError, Middleware, RpcError, StatusDetails } from "../src/index.ts"
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
  struct,
  wrapped
} from "./support/echo.ts"

interface Row {
  readonly name: string
  readonly mode: string
  readonly script: string
  readonly code: number
  readonly message: string
  readonly biz?: { readonly code: number; readonly extra: Readonly<Record<string, string>> }
  readonly detailsBin?: string
}
const recorded: { readonly rows: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("./data/kitex-statuses.json", import.meta.url), "utf8")
)

const status = (code: number, desc: string, details?: Uint8Array) =>
  new RpcError.RpcError({ reason: new RpcError.Status(details === undefined ? {} : { details }), code, desc })
const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage, extra })
const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

/** What the recorded Kitex handlers returned, in our words. */
const failures: Readonly<Record<string, (detailsBin: string | undefined) => Effect.Effect<never, any>>> = {
  "plain-error": () => Effect.fail(new Error("boom")),
  "unicode-error": () => Effect.fail(new Error("错误 100%\n\ufffd")),
  "trans-error": () => Effect.fail(status(1000, "retry")),
  biz: () => Effect.fail(biz(404, "not found")),
  "biz-extra": () => Effect.fail(biz(404, "not found", { k: "v" })),
  "biz-html": () => Effect.fail(biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" })),
  "biz-zero": () => Effect.fail(biz(0, "zero")),
  status: () => Effect.fail(status(7, "no entry")),
  "status-big": () => Effect.fail(status(12345, "custom")),
  "status-details": (details) => {
    const sent = StatusDetails.decode(bytes(details!))!
    return Effect.fail(status(9, "see details", StatusDetails.encode({ ...sent, message: "see details" })))
  },
  panic: () => Effect.die("kaboom")
}
const methods: Readonly<Record<string, string>> = {
  unary: "EchoUnary",
  bidi: "Echo",
  server: "EchoServer",
  client: "EchoClient"
}

describe("a handler's failure, as a Kitex server sends it", () => {
  for (const row of recorded.rows) {
    it.effect(row.name, () =>
      Effect.gen(function* () {
        const failure = failures[row.script]!(row.detailsBin)
        const live = serve({
          EchoUnary: () => failure,
          EchoClient: () => failure,
          EchoServer: () => Stream.fromEffect(failure),
          Echo: () => Stream.fromEffect(failure)
        })
        const message = row.mode === "unary" ? wrapped("m") : struct("m")
        const method = methods[row.mode]!
        const [result] = yield* logged(Effect.provide(call(`/echo.TestService/${method}`, [message]), live))
        assert.deepStrictEqual(result.messages, [])
        assert.isDefined(result.status)
        assert.strictEqual(result.status.code, row.code)
        assert.strictEqual(result.status.message, row.message.replace(/GoldenStream\.\w+/, `TestService.${method}`))
        assert.deepStrictEqual(result.status.biz, row.biz)
        if (row.detailsBin !== undefined) assert.deepStrictEqual(result.status.details, bytes(row.detailsBin))
      })
    )
  }
})

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
  const panic = (method: string, text: string) => [
    13,
    `panic: [happened in biz handler, method=TestService.${method}, please check the panic at the server side] ${text}`
  ]

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
      const text = "rpc error: code = 1 desc = transport: canceled by business handler returning"
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

import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Stream } from "effect"
import { BizStatusError, Middleware, RpcError, type Server } from "../src/index.ts"
import { ask, type Ended, exceptionOf, serveCalls } from "./support/calls.ts"
import {
  Busy,
  call,
  type handlersOf,
  logged,
  type RawResult,
  Response,
  serve,
  statusOf,
  struct,
  wrapped
} from "./support/echo.ts"
import { transport, type Words, wire, wordsOf } from "./support/over.ts"

type Options = Server.Options<ReadonlyArray<Middleware.ForServer>>
type Handlers = Parameters<typeof handlersOf>[0]

interface Row {
  readonly http2: ReadonlyArray<unknown>
  readonly pingPong: ReadonlyArray<unknown>
}
const recorded: {
  readonly middleware: Readonly<Record<"error" | "trans-error" | "biz" | "overlimit", Row>>
  readonly errorHandler: Readonly<Record<"error" | "trans-error" | "biz", Row>>
} = JSON.parse(readFileSync(new URL("./data/kitex-middleware-errors.json", import.meta.url), "utf8"))

const error = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
const biz = (statusCode: number, statusMessage: string) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage })
/** An error that no type lets through, as a cast or plain JavaScript does. */
const plain = (text: string) => new Error(text) as never

const unary = call("/echo.TestService/EchoUnary", [wrapped("m")])
const stream = call("/echo.TestService/Echo", [struct("m")])
const http2Of = ({ status }: RawResult) =>
  status === undefined
    ? ["no status"]
    : [status.code, status.message, ...(status.biz === undefined ? [] : [status.biz.code])]
const pingPongOf = (ended: Ended) => exceptionOf(ended) ?? ended.strings?.toSorted() ?? []

interface Answers {
  readonly unary: ReadonlyArray<unknown>
  readonly stream: ReadonlyArray<unknown>
  readonly pingPong: ReadonlyArray<unknown>
}

/** What a unary call, a stream and a PingPong call of a TTHeader are answered. */
const answers = (handlers: Handlers, options: Options): Effect.Effect<Answers> =>
  Effect.gen(function* () {
    const pingPong = yield* Effect.provide(
      ask("EchoPingPong", wrapped("m"), { strings: {} }),
      serveCalls(handlers, options)
    )
    return {
      unary: http2Of(yield* Effect.provide(unary, serve(handlers, options))),
      stream: http2Of(yield* Effect.provide(stream, serve(handlers, options))),
      pingPong: pingPongOf(pingPong)
    }
  })

/** What Kitex answers over HTTP/2 and to PingPong calls; a stream over TTHeader streaming has the given text. */
const answered = ({ http2, pingPong }: Row, stream: ReadonlyArray<unknown>): Answers => ({
  // A business error is a status to whoever reads an answer.
  unary: wire.unary.isStream || Array.isArray(pingPong[0]) ? http2 : pingPong,
  stream: transport === "grpc" ? http2 : stream,
  pingPong
})

const everyWay = (told: (words: Words) => ReadonlyArray<unknown>): Answers => ({
  unary: told(wire.unary),
  stream: told(wire.streams),
  pingPong: told(wire.calls)
})

const failing = (failure: RpcError.RpcError | BizStatusError.BizStatusError): Handlers => ({
  EchoUnary: () => Effect.fail(failure),
  Echo: () => Stream.fail(failure),
  EchoPingPong: () => Effect.fail(failure)
})

describe("errors of middleware", () => {
  it.effect("are answered as Kitex's, without the suffix of a handler, on every transport", () =>
    Effect.gen(function* () {
      const rejected = new RpcError.RpcError({
        reason: new RpcError.Rejected({ limit: "requests" }),
        code: 8,
        desc: "request over limit: too busy"
      })
      const failures = {
        error: plain("mw boom"),
        "trans-error": error(1000, "mw"),
        biz: biz(7, "mw biz"),
        overlimit: rejected
      }
      // Its numbers stay ours alone, and a business error is one.
      const overTTHeader = {
        error: [13, "mw boom"],
        "trans-error": [1000, "mw"],
        biz: [13, "mw biz", 7],
        overlimit: [8, "request over limit: too busy"]
      }
      for (const name of ["error", "trans-error", "biz", "overlimit"] as const) {
        const told = answered(recorded.middleware[name], overTTHeader[name])
        const middleware = [Middleware.server(() => Effect.fail(failures[name]))]
        assert.deepStrictEqual(yield* answers({}, { middleware }), told, name)
        // The same where the handler has run, well or not.
        const behind = [Middleware.server((next) => Effect.andThen(Effect.exit(next), Effect.fail(failures[name])))]
        const ran = yield* answers(failing(error(5, "mine")), { middleware: behind })
        assert.deepStrictEqual(ran, told, name)
      }
    })
  )

  it.effect("a defect of middleware is answered as that of a handler, and logged", () =>
    Effect.gen(function* () {
      // Kitex logs it alone: its client hangs until the deadline, a PingPong connection is closed.
      const panic = (method: string) => wordsOf(method).status.panic(`TestService.${method}`, "mw kaboom")
      const dying = Middleware.server(() => Effect.die(new Error("mw kaboom")))
      const throwing = Middleware.server(() => {
        throw new Error("mw kaboom")
      })
      const behind = Middleware.server((next) => Effect.andThen(next, Effect.die(new Error("mw kaboom"))))
      const handlers: Handlers = {
        EchoUnary: () => Effect.succeed(new Response({})),
        Echo: () => Stream.empty,
        EchoPingPong: () => Effect.succeed(new Response({}))
      }
      for (const middleware of [dying, throwing, behind]) {
        const [told, lines] = yield* logged(answers(handlers, { middleware: [middleware] }))
        assert.deepStrictEqual(told, {
          unary: panic("EchoUnary"),
          stream: panic("Echo"),
          pingPong: panic("EchoPingPong")
        })
        assert.strictEqual(lines.filter(({ text }) => text.includes("mw kaboom")).length, 3)
      }
    })
  )

  it.effect(
    "the handler's own errors keep their suffix through middleware, also through one that waits in another fiber",
    () =>
      Effect.gen(function* () {
        const middleware = [
          Middleware.server((next) => Effect.onExit(next, () => Effect.void)),
          Middleware.server((next) => Effect.timeoutOrElse(next, { duration: "1 second", orElse: () => Effect.void }))
        ]
        assert.deepStrictEqual(yield* answers(failing(error(5, "nf")), { middleware }), {
          ...everyWay(({ status }) => status.ofHandler("nf", 5))
        })
        assert.deepStrictEqual(yield* answers(failing(plain("boom")), { middleware }), {
          ...everyWay(({ status }) => status.ofHandler("boom"))
        })
        assert.deepStrictEqual(
          yield* answers(failing(biz(404, "not found")), { middleware }),
          answered(recorded.errorHandler.biz, [13, "not found", 404])
        )
      })
  )

  it.effect("a defect of a handler that runs in a fiber of its middleware is a panic, logged once", () =>
    Effect.gen(function* () {
      const middleware = [
        Middleware.server((next) => Effect.timeoutOrElse(next, { duration: "1 second", orElse: () => Effect.void }))
      ]
      const die = Effect.die(new Error("kaboom"))
      const handlers: Handlers = { EchoUnary: () => die, Echo: () => Stream.fromEffect(die), EchoPingPong: () => die }
      const [told, lines] = yield* logged(answers(handlers, { middleware }))
      for (const answer of [told.unary, told.stream, told.pingPong]) assert.match(String(answer), /panic: .*kaboom/)
      assert.strictEqual(lines.length, 3)
    })
  )

  it.effect("an error in place of a handler that was interrupted is the middleware's", () =>
    Effect.gen(function* () {
      const handlers: Handlers = {
        EchoUnary: () => Effect.never,
        Echo: () => Stream.never,
        EchoPingPong: () => Effect.never
      }
      const limited = Middleware.server((next) => Effect.raceFirst(next, Effect.fail(error(4, "too slow"))))
      assert.deepStrictEqual(yield* answers(handlers, { middleware: [limited] }), {
        unary: [4, "too slow"],
        stream: [4, "too slow"],
        pingPong: [4, "too slow"]
      })
    })
  )

  it.effect("a defect beside a failure of the handler is not hidden", () =>
    Effect.gen(function* () {
      const both = Effect.failCause(Cause.combine(Cause.fail(error(5, "nf")), Cause.die("kaboom")))
      const through = Middleware.server((next) => next)
      const options: ReadonlyArray<Options> = [
        {},
        { middleware: [through] },
        { middleware: [through], errorHandler: () => error(6, "handled") }
      ]
      for (const each of options) {
        const live = serve({ EchoUnary: () => both }, each)
        const [result] = yield* logged(Effect.provide(unary, live))
        assert.match(String(statusOf(result)), /panic: .*kaboom/)
      }
    })
  )
})

describe("errorHandler", () => {
  it.effect(
    "is answered as Kitex's: with the error of the handler as a business error, without a suffix behind it",
    () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const handling =
          (handle: (error: RpcError.RpcError) => RpcError.RpcError): Options["errorHandler"] =>
          (failure, info) => {
            seen.push([info.method, failure.code, failure.desc, failure.method])
            return handle(failure)
          }
        const boom = failing(plain("boom"))
        assert.deepStrictEqual(
          yield* answers(boom, { errorHandler: handling(({ desc }) => plain(`handled: ${desc}`)) }),
          answered(recorded.errorHandler.error, [13, "handled: biz error: boom"])
        )
        assert.deepStrictEqual(seen.splice(0), [
          ["EchoPingPong", 6, "biz error: boom", "TestService.EchoPingPong"],
          ["EchoUnary", wire.unary.isStream ? 13 : 6, "biz error: boom", "TestService.EchoUnary"],
          ["Echo", 13, "biz error: boom", "TestService.Echo"]
        ])
        // One that changes the text alone says the same with its own types.
        assert.deepStrictEqual(
          yield* answers(boom, { errorHandler: handling(({ code, desc }) => error(code, `handled: ${desc}`)) }),
          answered(recorded.errorHandler.error, [13, "handled: biz error: boom"])
        )
        assert.deepStrictEqual(
          yield* answers(boom, { errorHandler: handling(({ desc }) => error(900, desc)) }),
          answered(recorded.errorHandler["trans-error"], [900, "biz error: boom"])
        )
        seen.length = 0
        assert.deepStrictEqual(
          yield* answers(failing(biz(404, "not found")), { errorHandler: handling(() => error(900, "handled")) }),
          answered(recorded.errorHandler.biz, [13, "not found", 404])
        )
        assert.deepStrictEqual(seen, [])
      })
  )

  it.effect("keeps code and reason of an RpcError, and what is given back as it came is the handler's still", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const same: Options["errorHandler"] = (failure) => {
        seen.push([failure.code, failure.desc, failure.reason])
        return failure
      }
      const reason = new RpcError.Status({})
      const failure = new RpcError.RpcError({ reason, code: 5, desc: "nf" })
      assert.deepStrictEqual(yield* answers(failing(failure), { errorHandler: same }), {
        ...everyWay(({ status }) => status.ofHandler("nf", 5))
      })
      assert.deepStrictEqual(seen, [
        [5, "biz error: nf", reason],
        [5, "biz error: nf", reason],
        [5, "biz error: nf", reason]
      ])
    })
  )

  it.effect("does not see declared exceptions, and stands inside of middleware", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const errorHandler: Options["errorHandler"] = ({ desc }) => {
        seen.push(`handler ${desc}`)
        return error(6, "handled")
      }
      const outside = Middleware.server((next) =>
        Effect.tapError(next, (failure) => Effect.sync(() => seen.push(`middleware ${failure.message}`)))
      )
      const refusing = Middleware.server((next, info) =>
        info.mode === "unary" ? Effect.fail(error(7, "refused")) : next
      )
      const handlers: Handlers = {
        EchoUnary: () => Effect.fail(new Busy({ retryAfter: 1 })),
        Echo: () => Stream.fail(error(5, "nf"))
      }
      const declared = yield* Effect.provide(unary, serve(handlers, { errorHandler }))
      assert.deepStrictEqual([declared.status?.code, declared.messages.length, seen], [0, 1, []])
      const told = yield* answers(handlers, { errorHandler, middleware: [outside, refusing] })
      assert.deepStrictEqual(
        [told.unary, told.stream],
        [
          [7, "refused"],
          [6, "handled"]
        ]
      )
      assert.deepStrictEqual(seen.slice(-3), [
        "middleware rpc error: code = 7 desc = refused",
        "handler biz error: nf",
        "middleware rpc error: code = 6 desc = handled"
      ])
    })
  )

  it.effect("a defect of its own is a panic; those of handlers and interruptions pass it by", () =>
    Effect.gen(function* () {
      let called = 0
      const dying: Options["errorHandler"] = () => {
        called++
        throw new Error("handler of errors")
      }
      const [told] = yield* logged(answers(failing(error(5, "nf")), { errorHandler: dying }))
      for (const answer of [told.unary, told.stream, told.pingPong]) assert.match(String(answer), /panic: .*of errors/)
      assert.strictEqual(called, 3)
      const handlers: Handlers = {
        EchoUnary: () => Effect.die("kaboom"),
        Echo: () => Stream.fromEffect(Effect.interrupt),
        EchoPingPong: () => Effect.interrupt
      }
      const [passed] = yield* logged(answers(handlers, { errorHandler: dying }))
      assert.match(String(passed.unary), /panic: .*kaboom/)
      assert.deepStrictEqual([passed.stream, passed.pingPong], [wire.streams.status.cancelled, [6, "context canceled"]])
      assert.strictEqual(called, 3)
    })
  )
})

describe("info.bizError", () => {
  it.effect("is there for middleware once the handler has failed with one, and for whoever reads info later", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const infos: Array<{ readonly bizError: unknown }> = []
      const look = (
        rest: (next: Effect.Effect<void, RpcError.RpcError | BizStatusError.BizStatusError>) => typeof next
      ) =>
        Middleware.server((next, info) => {
          infos.push(info)
          seen.push(info.bizError)
          return rest(Effect.onExit(next, () => Effect.sync(() => seen.push(info.bizError))))
        })
      const failure = biz(404, "no")
      yield* answers(failing(failure), { middleware: [look((next) => next)] })
      assert.deepStrictEqual(seen.splice(0), [undefined, failure, undefined, failure, undefined, failure])
      assert.deepStrictEqual(
        infos.splice(0).map(({ bizError }) => bizError),
        [failure, failure, failure]
      )
      // A call that ends otherwise has none.
      const told = yield* answers(failing(failure), { middleware: [look((next) => Effect.ignore(next))] })
      assert.deepStrictEqual(
        [told.unary, told.stream],
        [
          [0, ""],
          [0, ""]
        ]
      )
      assert.deepStrictEqual(
        infos.map(({ bizError }) => bizError),
        [undefined, undefined, undefined]
      )
    })
  )
})

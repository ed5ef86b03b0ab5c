import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport, TransportError } from "@millrace/transport"
import { Deferred, Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission, type Middleware, RpcError, RpcTracer, Server } from "../src/index.ts"
import { ask, begin, exceptionOf, serveCalls } from "./support/calls.ts"
import {
  call,
  handlersOf,
  open,
  requestOf,
  Request,
  Response,
  serve,
  settled,
  statusOf,
  struct,
  TestService,
  wrapped
} from "./support/echo.ts"
import { wire } from "./support/over.ts"

const cancelled = new TransportError.TransportError({
  reason: new TransportError.Cancelled(),
  code: 1,
  desc: "context canceled"
})

type Options = Server.Options<ReadonlyArray<Middleware.ForServer>>

const response = ({ message }: { readonly message?: string | undefined }) => new Response({ message })

/** Handlers that say that they run, and a rule that writes down what it sees and refuses what asks for it. */
const watching = (requestInInfo: boolean | undefined) => {
  const log: Array<unknown> = []
  const refused = Admission.make(({ info }) => {
    log.push(["admit", info.method, info.request])
    const { message, req, line } = (info.request ?? {}) as { message?: string; req?: Request; line?: string }
    return (message ?? req?.message ?? line) === "no"
      ? new RpcError.RpcError({ reason: new RpcError.Rejected({ limit: "rule" }), code: 8, desc: "over limit" })
      : () => void log.push("release")
  })
  const first = Admission.make(() => () => void log.push("release first"))
  const handling = <A>(answer: A): Effect.Effect<A> => Effect.sync(() => (log.push("handler"), answer))
  const handlers = {
    Echo: (requests: Stream.Stream<Request, never>) => Stream.map(requests, response),
    EchoServer: (request: Request) => Stream.fromEffect(handling(response(request))),
    EchoUnary: (request: Request) => handling(response(request)),
    EchoPingPong: ({ req }: { readonly req: Request }) => handling(response(req)),
    Log: () => handling(undefined)
  }
  const tracer = RpcTracer.layer({
    start: ({ method }) => Effect.sync(() => void log.push(["start", method])),
    finish: ({ exit, reason }) => Effect.sync(() => void log.push(["finish", reason, exit._tag]))
  })
  const options: Options = { admission: [first, refused], ...(requestInInfo !== undefined && { requestInInfo }) }
  return {
    log,
    streams: Layer.provide(serve(handlers as never, options), tracer),
    calls: Layer.provide(serveCalls(handlers as never, options), tracer)
  }
}

const request = (message: string) => new Request({ message })
/** The arguments of `Log`: one string. */
const line = struct

describe("admission with requestInInfo", () => {
  const streams: ReadonlyArray<readonly [string, (text: string) => Uint8Array, (text: string) => unknown, Uint8Array]> =
    [
      ["EchoUnary", (text) => wrapped(text), request, wrapped("go", 0)],
      ["EchoServer", struct, request, struct("go")],
      ["EchoPingPong", (text) => wrapped(text), (text) => ({ req: request(text) }), wrapped("go", 0)]
    ]
  for (const [method, bytes, shown, answer] of streams) {
    it.effect(`${method} over a stream: admits and releases, or refuses by the request`, () =>
      Effect.gen(function* () {
        const { log, streams } = watching(true)
        const path = `/echo.TestService/${method}`
        const [good, bad] = yield* Effect.provide(
          Effect.all([call(path, [bytes("go")]), Effect.andThen(settled, call(path, [bytes("no")]))]),
          streams
        )
        assert.deepStrictEqual([statusOf(good), good.messages], [[0, ""], [answer]])
        assert.deepStrictEqual(
          [statusOf(bad), bad.messages],
          [(method === "EchoServer" ? wire.streams : wire.unary).status.rejected("over limit"), []]
        )
        // A call that is none of a stream starts when it is admitted, or refused.
        const first = method === "EchoServer" || wire.unary.isStream
        const start = (now: boolean) => (now ? [["start", method]] : [])
        assert.deepStrictEqual(log, [
          ...start(first),
          ["admit", method, shown("go")],
          ...start(!first),
          "handler",
          "release first",
          "release",
          ["finish", "eof", "Success"],
          ...start(first),
          ["admit", method, shown("no")],
          "release first",
          ...start(!first),
          ["finish", "error", "Failure"]
        ])
      })
    )
  }

  it.effect("PingPong and oneway calls: when the arguments are decoded", () =>
    Effect.gen(function* () {
      const { calls, log } = watching(true)
      yield* Effect.gen(function* () {
        assert.deepStrictEqual((yield* ask("EchoPingPong", wrapped("go"))).bytes, wrapped("go", 0))
        assert.deepStrictEqual(exceptionOf(yield* ask("EchoPingPong", wrapped("no"))), [6, "over limit"])
        assert.strictEqual((yield* ask("Log", line("go"), { oneway: true })).how, "finish")
        assert.strictEqual((yield* ask("Log", line("no"), { oneway: true })).how, "finish")
        yield* settled
      }).pipe(Effect.provide(calls))
      assert.deepStrictEqual(
        log.filter((entry) => !Array.isArray(entry) || entry[0] === "admit"),
        [
          ["admit", "EchoPingPong", { req: request("go") }],
          "handler",
          "release first",
          "release",
          ["admit", "EchoPingPong", { req: request("no") }],
          "release first",
          ["admit", "Log", { line: "go" }],
          "handler",
          "release first",
          "release",
          ["admit", "Log", { line: "no" }],
          "release first"
        ]
      )
    })
  )

  it.effect("is not asked for a request that does not come or does not decode", () =>
    Effect.gen(function* () {
      const { calls, log, streams } = watching(true)
      yield* Effect.gen(function* () {
        for (const method of ["EchoUnary", "EchoServer"]) {
          assert.notStrictEqual((yield* call(`/echo.TestService/${method}`, [Uint8Array.of(99)])).status?.code, 0)
        }
        yield* call("/echo.TestService/EchoServer", [])
        const opened = yield* open("/echo.TestService/EchoServer")
        opened.stream.abort("cancel", cancelled)
        yield* settled
      }).pipe(Effect.provide(streams))
      yield* Effect.provide(begin("EchoPingPong", Uint8Array.of(99)), calls)
      assert.deepStrictEqual(
        log.filter((entry) => Array.isArray(entry) && entry[0] === "admit"),
        []
      )
    })
  )

  it.effect("is asked of streams of many requests as it is without the option: before they run", () =>
    Effect.gen(function* () {
      for (const requestInInfo of [true, undefined]) {
        const { log, streams } = watching(requestInInfo)
        const method = requestInInfo ? "Echo" : "EchoServer"
        const path = `/echo.TestService/${method}`
        yield* Effect.gen(function* () {
          const opened = yield* open(path)
          yield* settled
          // No request has come yet.
          assert.deepInclude(log, ["admit", method, undefined])
          opened.stream.abort("cancel", cancelled)
        }).pipe(Effect.provide(streams))
      }
    })
  )
})

describe("a stream that was admitted, and never ran", () => {
  /** Admits everything, and writes down what it hears. */
  const hearing = () => {
    const ends: Array<readonly [reason: string, created: boolean]> = []
    let admitted = 0
    const rule = Admission.make(() => {
      admitted++
      return ({ created, reason }) => void ends.push([reason, created])
    })
    return { ends, rule, admitted: () => admitted }
  }

  it.effect("because its caller gave it up at once, has an end", () =>
    Effect.gen(function* () {
      const { admitted, ends, rule } = hearing()
      let ran = 0
      const handlers = { EchoServer: (request: Request) => Stream.sync(() => (ran++, response(request))) }
      yield* Effect.gen(function* () {
        const path = "/echo.TestService/EchoServer"
        assert.strictEqual((yield* call(path, [struct("x")])).status?.code, 0)
        assert.deepStrictEqual([admitted(), ends, ran], [1, [["eof", true]], 1])
        const { tryOpen } = yield* Transport.ClientTransport
        // Headers and reset in one write.
        tryOpen(requestOf(path))!.abort("cancel", cancelled)
        yield* settled
        assert.deepStrictEqual([admitted(), ran], [2, 1])
        assert.deepStrictEqual(ends[1], ["interrupted", false])
      }).pipe(Effect.provide(serve(handlers, { admission: [rule] })))
    })
  )

  it.effect("because the server stopped while it waited for its turn, has an end", () =>
    Effect.gen(function* () {
      const { admitted, ends, rule } = hearing()
      const running = yield* Deferred.make<void>()
      const handlers = {
        EchoClient: () => Effect.as(Effect.uninterruptible(Deferred.await(running)), new Response({}))
      }
      const transport = MemoryTransport.layerWith({ server: { limits: { maxConcurrentStreams: 1 } } })
      yield* Effect.gen(function* () {
        const path = "/echo.TestService/EchoClient"
        const first = yield* open(path)
        first.send(struct("x"))
        first.stream.closeSend()
        yield* settled
        first.stream.abort("cancel", cancelled)
        yield* settled
        // The handler of the first does not end.
        const second = yield* open(path)
        yield* settled
        assert.deepStrictEqual([admitted(), ends], [2, []])
        const { drain } = yield* Server.Server
        yield* Effect.forkChild(drain, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        yield* settled
        yield* Deferred.succeed(running, undefined)
        const { end } = yield* second.result
        assert.deepInclude(end, { _tag: "Failed" })
        yield* settled
        // Its place is free before those who admitted it hear so.
        assert.deepStrictEqual(ends, [
          ["error", false],
          ["error", true]
        ])
      }).pipe(
        Effect.provide(
          Server.layer([TestService], { admission: [rule], graceTime: "1 second" }).pipe(
            Layer.provide(TestService.toLayer(handlersOf(handlers))),
            Layer.provideMerge(transport),
            Layer.orDie
          )
        )
      )
    })
  )
})

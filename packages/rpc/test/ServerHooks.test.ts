import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, TransportError } from "@millrace/transport"
import { Cause, Context, Effect, Exit, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission, BizStatusError, Middleware, RpcError, RpcTracer, Server } from "../src/index.ts"
import {
  call,
  handlersOf,
  logged,
  open,
  Response,
  serve,
  settled,
  statusOf,
  struct,
  TestService,
  wrapped
} from "./support/echo.ts"
import { type Words, wire } from "./support/over.ts"

const error = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
const unary = call("/echo.TestService/EchoUnary", [wrapped("m")])
const server = call("/echo.TestService/EchoServer", [struct("m")])
const cancelled = new TransportError.TransportError({
  reason: new TransportError.Cancelled(),
  code: 1,
  desc: "context canceled"
})

describe("admission", () => {
  it.effect("refuses before a message is decoded or a handler runs, without a suffix", () =>
    Effect.gen(function* () {
      let handled = 0
      const seen: Array<unknown> = []
      const refuse = Admission.make(({ info, metadata }) => {
        seen.push([info.service, info.method, info.mode, info.side, metadata.get("who")])
        return error(8, "request over limit: request too frequent")
      })
      const live = serve(
        { EchoUnary: () => Effect.sync(() => new Response({ message: `${handled++}` })) },
        { admission: [refuse] }
      )
      // A message that does not decode: it is not looked at.
      const result = yield* call("/echo.TestService/EchoUnary", [Uint8Array.of(99)], {
        metadata: [["who", "me"]]
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(statusOf(result), wire.unary.status.rejected("request over limit: request too frequent"))
      assert.deepStrictEqual([handled, seen], [0, [["TestService", "EchoUnary", "unary", "server", "me"]]])
    })
  )

  it.effect("all rules must admit; what was admitted is given back when the handler has ended, once", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const rule = (name: string, open: () => boolean) =>
        Admission.make(() => {
          if (!open()) return error(8, name)
          log.push(`+${name}`)
          return () => void log.push(`-${name}`)
        })
      let open2 = true
      const live = serve(
        {
          EchoUnary: () =>
            Effect.onExit(
              Effect.sync(() => new Response({})),
              () => Effect.sync(() => log.push("handler"))
            )
        },
        { admission: [rule("a", () => true), rule("b", () => open2)] }
      )
      yield* Effect.gen(function* () {
        yield* unary
        assert.deepStrictEqual(log.splice(0), ["+a", "+b", "handler", "-a", "-b"])
        open2 = false
        assert.deepStrictEqual(statusOf(yield* unary), wire.unary.status.rejected("b"))
        assert.deepStrictEqual(log, ["+a", "-a"])
      }).pipe(Effect.provide(live))
    })
  )
})

describe("middleware", () => {
  it.effect("the first of the list is outermost, and its requirements come from the layer", () =>
    Effect.gen(function* () {
      class Log extends Context.Service<Log, Array<string>>()("test/Log") {}
      const around = (name: string) =>
        Middleware.server((next, info) =>
          Effect.flatMap(Log, (log) => {
            log.push(`${name} ${info.method}`)
            return Effect.ensuring(
              next,
              Effect.sync(() => log.push(`${name} done`))
            )
          })
        )
      const log: Array<string> = []
      const handlers = handlersOf({
        EchoUnary: () => Effect.sync(() => (log.push("handler"), new Response({}))),
        Echo: (requests) => Stream.map(requests, () => (log.push("message"), new Response({})))
      })
      const live = Server.layer([TestService], { middleware: [around("a"), around("b")] }).pipe(
        Layer.provide(TestService.toLayer(handlers)),
        Layer.provide(Layer.succeed(Log, log)),
        Layer.provideMerge(MemoryTransport.layer)
      )
      yield* Effect.gen(function* () {
        yield* unary
        assert.deepStrictEqual(log.splice(0), ["a EchoUnary", "b EchoUnary", "handler", "b done", "a done"])
        yield* call("/echo.TestService/Echo", [struct("x")])
        assert.deepStrictEqual(log, ["a Echo", "b Echo", "message", "b done", "a done"])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("errors of middleware have no suffix, errors of the handler that pass through it have", () =>
    Effect.gen(function* () {
      const handlers = {
        EchoUnary: () => Effect.fail(error(5, "mine")),
        EchoServer: () => Stream.empty,
        Echo: () => Stream.fail(error(5, "mine"))
      }
      const through = Middleware.server((next) => next)
      const instead = Middleware.server((next) => Effect.mapError(next, () => error(6, "another")))
      const early = Middleware.server(() => Effect.fail(error(7, "request forbidden: denied")))
      const expected = [
        [through, (words: Words) => words.status.ofHandler("mine", 5)],
        [instead, (words: Words) => words.status.ofMiddleware("another", 6)],
        [early, (words: Words) => words.status.ofMiddleware("request forbidden: denied", 7)]
      ] as const
      for (const [middleware, status] of expected) {
        const live = serve(handlers, { middleware: [middleware] })
        assert.deepStrictEqual(statusOf(yield* Effect.provide(unary, live)), status(wire.unary))
        const stream = yield* Effect.provide(call("/echo.TestService/Echo", []), live)
        assert.deepStrictEqual(statusOf(stream), status(wire.streams))
      }
      const after = Middleware.server((next) => Effect.andThen(next, Effect.fail(error(6, "too late"))))
      const down = yield* Effect.provide(
        call("/echo.TestService/EchoServer", [struct("m")]),
        serve(handlers, { middleware: [after] })
      )
      assert.deepStrictEqual(statusOf(down), [6, "too late"])
    })
  )

  it.effect("may give a service to the handler, and does not see a request that does not decode", () =>
    Effect.gen(function* () {
      const User = Context.Reference<string>("test/User", { defaultValue: () => "nobody" })
      let seen = 0
      const auth = Middleware.server((next) => {
        seen++
        return Effect.provideService(next, User, "me")
      })
      const live = serve(
        { EchoUnary: () => Effect.map(User, (message) => new Response({ message })) },
        { middleware: [auth] }
      )
      const result = yield* Effect.provide(unary, live)
      assert.deepStrictEqual([result.messages, seen], [[wrapped("me", 0)], 1])
      const broken = yield* Effect.provide(call("/echo.TestService/EchoUnary", [Uint8Array.of(99)]), live)
      assert.deepStrictEqual([broken.status?.code, seen], [7, 1])
    })
  )
})

describe("RPCStart and RPCFinish", () => {
  interface Seen {
    readonly starts: Array<string>
    readonly finishes: Array<RpcTracer.RpcFinish>
    readonly messages: Array<string>
  }

  /** Runs a client against a traced server and gives what the tracer saw of it. */
  const traced = (
    handlers: Parameters<typeof handlersOf>[0],
    options: Server.Options<any>,
    client: Effect.Effect<unknown, never, any>
  ): Effect.Effect<Seen> =>
    Effect.gen(function* () {
      const seen: Seen = { starts: [], finishes: [], messages: [] }
      const tracer: RpcTracer.RpcTracer = {
        start: (info) => Effect.sync(() => void seen.starts.push(info.method)),
        finish: (event) => Effect.sync(() => void seen.finishes.push(event)),
        streamSend: ({ bytes, count }) => void seen.messages.push(`sent ${count} (${bytes})`),
        streamRecv: ({ bytes, count }) => void seen.messages.push(`received ${count} (${bytes})`)
      }
      const live = Server.layer([TestService], options as {}).pipe(
        Layer.provide(TestService.toLayer(handlersOf(handlers))),
        Layer.provideMerge(MemoryTransport.layer),
        Layer.provide(RpcTracer.layer(tracer))
      )
      yield* logged(Effect.provide(Effect.andThen(client, settled), live as Layer.Layer<any>))
      return seen
    }) as Effect.Effect<Seen>

  const one = (seen: Seen) => {
    assert.deepStrictEqual([seen.starts.length, seen.finishes.length], [1, 1])
    const { bizError, exit, reason, recvBytes, recvCount, sendBytes, sendCount } = seen.finishes[0]!
    return {
      reason,
      exit: Exit.isSuccess(exit)
        ? "ok"
        : Cause.hasInterruptsOnly(exit.cause)
          ? "interrupted"
          : String(Cause.squash(exit.cause)),
      biz: bizError?.statusCode,
      received: [recvCount, recvBytes],
      sent: [sendCount, sendBytes]
    }
  }
  const failed = (text: string) => `@millrace/rpc/RpcError: rpc error: ${text}`
  const none = { biz: undefined, received: [0, 0], sent: [0, 0] }

  it.effect("an end of each kind, once", () =>
    Effect.gen(function* () {
      const stream = yield* traced(
        { Echo: (requests) => Stream.map(requests, (r) => new Response({ message: r.message })) },
        {},
        call("/echo.TestService/Echo", [struct("abc"), struct("d")])
      )
      assert.deepStrictEqual(one(stream), { ...none, reason: "eof", exit: "ok", received: [2, 20], sent: [2, 20] })
      assert.deepStrictEqual(stream.messages, ["received 2 (20)", "sent 2 (20)"])

      const answered = yield* traced({ EchoUnary: () => Effect.succeed(new Response({ message: "abc" })) }, {}, unary)
      assert.deepStrictEqual(one(answered), { ...none, reason: "eof", exit: "ok", received: [1, 13], sent: [1, 15] })
      assert.deepStrictEqual(answered.messages, [])

      const refused = yield* traced({ EchoUnary: () => Effect.fail(error(5, "nf")) }, {}, unary)
      assert.deepStrictEqual(one(refused), {
        ...none,
        reason: "error",
        exit: failed("code = 5 desc = nf"),
        received: [1, 13]
      })

      const biz = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no" })
      const business = yield* traced({ EchoServer: () => Stream.fail(biz) }, {}, server)
      assert.deepStrictEqual(one(business), { ...none, reason: "error", exit: "ok", biz: 404, received: [1, 9] })

      const died = yield* traced({ EchoUnary: () => Effect.die("kaboom") }, {}, unary)
      assert.deepStrictEqual(one(died), { ...none, reason: "error", exit: "kaboom", received: [1, 13] })

      const itself = yield* traced({ EchoUnary: () => Effect.interrupt }, {}, unary)
      assert.deepStrictEqual(one(itself), { ...none, reason: "interrupted", exit: "interrupted", received: [1, 13] })
    })
  )

  it.effect("refusals before the handler", () =>
    Effect.gen(function* () {
      const unknown = yield* traced({}, {}, call("/echo.TestService/Nope", []))
      assert.deepStrictEqual(one(unknown), {
        ...none,
        reason: "error",
        exit: failed("code = 1 desc = unknown method Nope")
      })
      const nowhere = yield* traced({}, {}, call("/echo.Nope/Nope", []))
      assert.deepStrictEqual(one(nowhere), {
        ...none,
        reason: "error",
        exit: failed("code = 20 desc = unknown service Nope")
      })
      const admission = [Admission.make(() => error(8, "over"))]
      const over = yield* traced({}, { admission }, unary)
      assert.deepStrictEqual(one(over), { ...none, reason: "error", exit: failed("code = 8 desc = over") })
    })
  )

  it.effect("reset, deadline, connection loss, grace time", () =>
    Effect.gen(function* () {
      const handlers = { Echo: () => Stream.never }
      const reset = yield* traced(
        handlers,
        {},
        Effect.gen(function* () {
          const opened = yield* open("/echo.TestService/Echo")
          yield* settled
          opened.stream.abort("cancel", cancelled)
        })
      )
      assert.include(
        `Cancelled: ${one(reset).exit.replace("@millrace/rpc/RpcError: ", "")}`,
        wire.streams.left(wire.streams.cancelled)
      )
      assert.strictEqual(one(reset).reason, "error")

      const late = yield* traced(
        handlers,
        {},
        Effect.gen(function* () {
          const opened = yield* open("/echo.TestService/Echo", { timeoutMillis: 20 })
          yield* settled
          yield* TestClock.adjust(20)
          yield* opened.result
        })
      )
      assert.strictEqual(one(late).exit, `@millrace/rpc/RpcError: ${wire.streams.deadlineExceeded(20, "server")}`)
      assert.strictEqual(late.finishes[0]!.durationMillis, 20)

      const stopped = yield* traced(
        handlers,
        { graceTime: 0 },
        Effect.gen(function* () {
          const opened = yield* open("/echo.TestService/Echo")
          yield* settled
          const server = yield* Server.Server
          const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
          yield* opened.result
          yield* settled
          yield* TestClock.adjust(100)
          void draining
        })
      )
      assert.strictEqual(one(stopped).exit, failed("code = 14 desc = graceful shutdown"))
    })
  )

  it.effect("a lost connection", () =>
    Effect.gen(function* () {
      const finishes: Array<RpcTracer.RpcFinish> = []
      let ended = 0
      const live = Server.layer([TestService]).pipe(
        Layer.provide(
          TestService.toLayer(
            handlersOf({
              Echo: () =>
                Stream.ensuring(
                  Stream.never,
                  Effect.sync(() => void ended++)
                )
            })
          )
        ),
        Layer.provideMerge(MemoryTransport.layerWith({ toServer: { cutAt: 400 } })),
        Layer.provide(RpcTracer.layer({ finish: (event) => Effect.sync(() => void finishes.push(event)) }))
      )
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        yield* settled
        assert.strictEqual(ended, 0)
        opened.send(...Array.from({ length: 40 }, () => struct("0123456789")))
        yield* opened.result
        yield* settled
        assert.deepStrictEqual([ended, finishes.length, finishes[0]?.reason], [1, 1, "error"])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("a tracer that fails or dies touches nothing, and finish runs in reverse order", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const tracer = (name: string): RpcTracer.RpcTracer => ({
        start: () => Effect.sync(() => void order.push(`start ${name}`)),
        finish: () => Effect.sync(() => void order.push(`finish ${name}`))
      })
      const broken: RpcTracer.RpcTracer = {
        start: () => Effect.die("broken"),
        finish: () => {
          throw new Error("broken")
        }
      }
      const live = Server.layer([TestService]).pipe(
        Layer.provide(TestService.toLayer(handlersOf({ EchoUnary: () => Effect.succeed(new Response({})) }))),
        Layer.provideMerge(MemoryTransport.layer),
        Layer.provide(RpcTracer.layer(tracer("a"), broken, tracer("b")))
      )
      const result = yield* Effect.provide(unary, live)
      assert.deepStrictEqual(statusOf(result), [0, ""])
      assert.deepStrictEqual(order, ["start a", "start b", "finish b", "finish a"])
    })
  )
})

import { Thrift } from "@millrace/codec"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  Admission,
  BizStatusError,
  Deadline,
  type Handlers,
  Method,
  Middleware,
  RpcError,
  RpcTracer,
  Server,
  ServerCall,
  Service
} from "../../src/index.ts"
import { CurrentCall } from "../../src/internal/currentCall.ts"
import { Timers } from "../../src/internal/timers.ts"
import { Accepting, type AskOptions, Asked, ask, begin, type Ended, exceptionOf, transport } from "../support/calls.ts"
import { Busy, logged, Request, Response, settled, struct, wrapped } from "../support/echo.ts"

class Calls extends Service.make("Calls", {
  package: "echo",
  methods: [
    Method.pingPong("Echo", {
      arguments: { req: Thrift.field(1, Request) },
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.pingPong("Ping", { arguments: {} }),
    Method.pingPong("Count", { arguments: { n: Thrift.field(1, Thrift.I32) }, response: Thrift.I32 }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } }),
    Method.bidirectional("Bidi", { request: Request, response: Response })
  ]
}) {}
type CallHandlers = Handlers.Handlers<(typeof Calls)["methods"], Scope.Scope>

const serve = (
  handlers: Partial<CallHandlers>,
  options: Server.Options<ReadonlyArray<Middleware.ServerMiddleware>> = {}
) => {
  const missing = () => Effect.die(new Error("this test has no such handler"))
  const all = {
    ...Object.fromEntries(Calls.methods.map((method) => [method.name, missing])),
    ...handlers
  } as unknown as CallHandlers
  return Server.layer([Calls], options).pipe(
    Layer.provide(Calls.toLayer(all)),
    Layer.provideMerge(transport),
    Layer.orDie
  )
}

const echo = (options?: AskOptions) => ask("Echo", wrapped("m"), options)
const tth: AskOptions = { strings: {} }
const none = Uint8Array.of(0)
const line = struct("line")

/** What a peer gets of an answer. */
const told = ({ bytes, close, exception, how, strings }: Ended) =>
  how === "reply" ? [[...bytes!], ...strings!] : how === "exception" ? [exception, close, ...strings!] : how

const rpcError = (code: number, desc: string, reason: RpcError.RpcError["reason"] = new RpcError.Status({})) =>
  new RpcError.RpcError({ code, desc, reason })
const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage, extra })
const panic = (method: string, text: string) =>
  `panic: [happened in biz handler, method=Calls.${method}, please check the panic at the server side] ${text}`

describe("an answer", () => {
  it.effect("is the result, an empty one for void and for nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(told(yield* echo()), [[...wrapped("m", 0)]])
      assert.deepStrictEqual(told(yield* ask("Ping", none)), [[0]])
      assert.deepStrictEqual(told(yield* ask("Count", Uint8Array.of(8, 0, 1, 0, 0, 0, 41, 0))), [
        [8, 0, 0, 0, 0, 0, 42, 0]
      ])
      // The message type says that no answer is wanted; the method decides.
      assert.deepStrictEqual(told(yield* ask("Ping", none, { oneway: true })), [[0]])
    }).pipe(
      Effect.provide(
        serve({
          Echo: ({ req }) => Effect.succeed(new Response({ message: req.message })),
          Ping: () => Effect.void,
          Count: ({ n }) => Effect.succeed(n + 1)
        })
      )
    )
  )

  it.effect("without a value is an empty result", () =>
    Effect.gen(function* () {
      const nothing = (() => Effect.succeed(undefined)) as unknown as CallHandlers["Echo"]
      assert.deepStrictEqual(told(yield* Effect.provide(echo(), serve({ Echo: nothing }))), [[0]])
    })
  )

  it.effect("may be a declared exception", () =>
    Effect.gen(function* () {
      const live = serve({ Echo: () => Effect.fail(new Busy({ retryAfter: 5 })) })
      assert.deepStrictEqual(told(yield* Effect.provide(echo(), live)), [[12, 0, 1, 8, 0, 1, 0, 0, 0, 5, 0, 0]])
    })
  )

  it.effect("may be a business error, which only a TTHeader carries", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [BizStatusError.BizStatusError, ReadonlyArray<readonly [string, string]>]> = [
        [
          biz(404, "not found"),
          [
            ["biz-status", "404"],
            ["biz-message", "not found"]
          ]
        ],
        [
          biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }),
          [
            ["biz-status", "-7"],
            ["biz-message", "错误 <a&b> 100%"],
            ["biz-extra", '{"k":"\\u003ca\\u0026b\\u003e 中\\u2028"}']
          ]
        ],
        [
          biz(0, "zero"),
          [
            ["biz-status", "0"],
            ["biz-message", "zero"]
          ]
        ]
      ]
      for (const [error, strings] of cases) {
        const live = serve({ Echo: () => Effect.fail(error) })
        assert.deepStrictEqual(told(yield* Effect.provide(echo(tth), live)), [[0], ...strings])
        assert.deepStrictEqual([...(yield* Effect.provide(echo(), live)).bytes!], [0])
      }
    })
  )

  it.effect("of a failed handler is an exception with Kitex's type and text; the connection stays", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Effect.Effect<never, any>, number, string]> = [
        [Effect.fail(new Error("boom")), 6, "biz error: boom"],
        [Effect.fail(rpcError(1000, "retry")), 1000, "retry [biz error]"],
        [Effect.fail(rpcError(7, "bad", new RpcError.CodecError({ kind: "x", path: "" }))), 7, "bad [biz error]"],
        [Effect.fail(rpcError(14, "gone", new RpcError.Unavailable({ neverSent: true }))), 6, "biz error: gone"],
        [Effect.fail(rpcError(4, "rpc timeout: x", new RpcError.DeadlineExceeded())), 6, "biz error: rpc timeout: x"],
        [Effect.fail(rpcError(2 ** 40, "no i32")), 2 ** 40, "no i32 [biz error]"],
        [Effect.interrupt, 6, "context canceled"]
      ]
      for (const [failure, type, message] of cases) {
        const end = yield* Effect.provide(echo(), serve({ Echo: () => failure }))
        assert.deepStrictEqual(told(end), [{ type, message }, false])
      }
    })
  )

  it.effect("of a handler that died is Kitex's text for a panic, and the defect is logged once", () =>
    Effect.gen(function* () {
      const dying: ReadonlyArray<CallHandlers["Echo"]> = [
        () => Effect.die("kaboom"),
        () => {
          throw new Error("kaboom")
        },
        () =>
          Effect.as(
            Effect.addFinalizer(() => Effect.die("kaboom")),
            new Response({})
          ),
        () => Effect.andThen(Effect.forkChild(Effect.die("kaboom")), Effect.never)
      ]
      for (const Echo of dying) {
        const [end, lines] = yield* logged(Effect.provide(Effect.tap(echo(), settled), serve({ Echo })))
        assert.deepStrictEqual(told(end), [{ type: 6, message: panic("Echo", "kaboom") }, false])
        assert.deepStrictEqual(
          lines.map(({ annotations, level }) => [level, annotations]),
          [["Error", { "rpc.service": "Calls", "rpc.method": "Echo" }]]
        )
      }
    })
  )

  it.effect("that cannot be encoded is an exception that names the member", () =>
    Effect.gen(function* () {
      const live = serve({ Count: () => Effect.succeed(2 ** 40) })
      const end = yield* Effect.provide(ask("Count", none), live)
      assert.strictEqual(end.exception?.type, 6)
      assert.match(end.exception!.message, /success/)
      assert.strictEqual(end.close, false)
    })
  )
})

describe("a call that does not reach its handler", () => {
  const unused = serve({})

  it.effect("because it does not decode: type 7 with the codec's text, and the connection ends", () =>
    Effect.gen(function* () {
      const cut = Uint8Array.of(12, 0, 1, 11, 0, 1, 0, 0, 0, 9, 65)
      const end = yield* ask("Echo", cut)
      assert.deepStrictEqual([end.exception?.type, end.close], [7, true])
      assert.match(end.exception!.message, /req\.message/)
      // Nothing for a oneway method, but the connection ends all the same.
      assert.strictEqual(told(yield* ask("Log", Uint8Array.of(11, 0, 1, 255, 255, 255, 255))), "abort")
    }).pipe(Effect.provide(unused))
  )

  it.effect("because a decoder dies: Kitex's text for that, and a line in the log", () =>
    Effect.gen(function* () {
      const dying = Effect.gen(function* () {
        const call = new Asked("Echo", none, {})
        call.take = () => {
          throw new Error("out of order")
        }
        ;(yield* Accepting).acceptor!.onCall(call)
        return yield* call.ended
      })
      const [end, lines] = yield* logged(Effect.provide(dying, serve({})))
      assert.deepStrictEqual(told(end), [{ type: 7, message: "panic: [happened in Read] out of order" }, true])
      assert.strictEqual(lines.length, 1)
    })
  )

  it.effect("because its method streams: the connection stays", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(told(yield* ask("Bidi", none)), [
        {
          type: 6,
          message: "biz error: Calls.Bidi is a thrift streaming method, please call with Kitex StreamClient"
        },
        false
      ])
    }).pipe(Effect.provide(unused))
  )
})

describe("admission", () => {
  const over = rpcError(8, "request over limit: request too frequent", new RpcError.Rejected({ limit: "qps" }))

  it.effect("refuses before the arguments are decoded, with type 6", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const rule = Admission.make(({ info, metadata }) => {
        seen.push([info.service, info.method, info.mode, info.path, info.address, metadata.get("who")])
        return over
      })
      const live = serve({}, { admission: [rule] })
      const end = yield* Effect.provide(
        ask("Echo", Uint8Array.of(99), { strings: { who: "me", rip: "1.2.3.4:5" } }),
        live
      )
      assert.deepStrictEqual(told(end), [{ type: 6, message: over.desc }, false])
      assert.deepStrictEqual(seen, [["Calls", "Echo", "pingPong", "/echo.Calls/Echo", "1.2.3.4:5", "me"]])
      assert.strictEqual(told(yield* Effect.provide(ask("Log", line), live)), "finish")
    })
  )

  it.effect("gets back what it gave out once, when the handler has ended or nothing was decoded", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const rule = Admission.make(() => (log.push("+"), () => void log.push("-")))
      const Echo = () =>
        Effect.as(
          Effect.addFinalizer(() => Effect.sync(() => log.push("finalizer"))),
          new Response({})
        )
      yield* Effect.gen(function* () {
        yield* echo()
        assert.deepStrictEqual(log.splice(0), ["+", "finalizer", "-"])
        yield* ask("Echo", Uint8Array.of(99))
        assert.deepStrictEqual(log, ["+", "-"])
      }).pipe(Effect.provide(serve({ Echo }, { admission: [rule] })))
    })
  )

  it.effect("that dies is logged, and answered as a panic", () =>
    Effect.gen(function* () {
      const rule = Admission.make(() => {
        throw new Error("broken rule")
      })
      const [end, lines] = yield* logged(Effect.provide(echo(), serve({}, { admission: [rule] })))
      assert.deepStrictEqual(told(end), [{ type: 6, message: panic("Echo", "broken rule") }, false])
      assert.strictEqual(lines.length, 1)
    })
  )
})

describe("middleware", () => {
  it.effect("stands around the handler, the first of the list outermost, and sees declared exceptions as answers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const around = (name: string) =>
        Middleware.server((next, info) =>
          Effect.onExit(
            Effect.andThen(
              Effect.sync(() => log.push(`${name} ${info.method}`)),
              next
            ),
            (exit) => Effect.sync(() => log.push(`${name} ${exit._tag}`))
          )
        )
      const middleware = [around("a"), around("b")]
      const live = serve({ Echo: () => Effect.fail(new Busy({})), Ping: () => Effect.void }, { middleware })
      assert.deepStrictEqual(told(yield* Effect.provide(echo(), live)), [[12, 0, 1, 0, 0]])
      assert.deepStrictEqual(log.splice(0), ["a Echo", "b Echo", "b Success", "a Success"])
      assert.deepStrictEqual(told(yield* Effect.provide(ask("Ping", none), live)), [[0]])
      log.length = 0
      yield* Effect.provide(ask("Echo", Uint8Array.of(99)), live)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("fails without prefix and suffix; what passes through it from the handler has them", () =>
    Effect.gen(function* () {
      const through = Middleware.server((next) => next)
      const by = (error: RpcError.RpcError | BizStatusError.BizStatusError) =>
        Middleware.server(() => Effect.fail(error))
      const cases = [
        [through, rpcError(5, "mine"), 5, "mine [biz error]"],
        [through, new Error("boom"), 6, "biz error: boom"],
        [
          Middleware.server((next) => Effect.mapError(next, () => rpcError(9, "another"))),
          rpcError(5, "mine"),
          9,
          "another"
        ],
        [by(rpcError(7, "denied")), undefined, 7, "denied"],
        [by(rpcError(8, "over", new RpcError.Rejected({ limit: "x" }))), undefined, 6, "over"],
        [by(rpcError(13, "torn", new RpcError.CodecError({ kind: "x", path: "" }))), undefined, 7, "torn"],
        // Kitex does not deliver it as a business error from there.
        [by(biz(7, "no")), undefined, 6, "biz error: code=7, msg=no"]
      ] as const
      for (const [middleware, failure, type, message] of cases) {
        const Echo = () => (failure === undefined ? Effect.succeed(new Response({})) : Effect.fail(failure as never))
        const end = yield* Effect.provide(echo(tth), serve({ Echo }, { middleware: [middleware] }))
        assert.deepStrictEqual(told(end), [{ type, message }, false])
      }
      const business = serve({ Echo: () => Effect.fail(biz(404, "no")) }, { middleware: [through] })
      assert.deepStrictEqual((yield* Effect.provide(echo(tth), business)).strings, [
        ["biz-status", "404"],
        ["biz-message", "no"]
      ])
      const dies = serve({}, { middleware: [Middleware.server(() => Effect.die("outside"))] })
      const [died] = yield* logged(Effect.provide(echo(), dies))
      assert.deepStrictEqual(told(died), [{ type: 6, message: panic("Echo", "outside") }, false])
    })
  )
})

describe("a oneway call", () => {
  it.effect("is never answered, and its handler outlives the connection", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const log: Array<string> = []
      const live = serve({
        Log: ({ line }) =>
          Effect.andThen(
            Deferred.await(gate),
            Effect.sync(() => log.push(line))
          )
      })
      yield* Effect.gen(function* () {
        const asked = yield* begin("Log", line)
        asked.leave()
        yield* settled
        // Its place among the calls of the connection is taken as long as it runs.
        assert.deepStrictEqual([log, asked.ends], [[], []])
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(told(yield* asked.ended), "finish")
        assert.deepStrictEqual(log, ["line"])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("is not answered either when its handler fails, dies, or is stopped", () =>
    Effect.gen(function* () {
      for (const Log of [() => Effect.fail("no") as never, () => Effect.die("no"), () => Effect.interrupt]) {
        const [end] = yield* logged(Effect.provide(ask("Log", line, { oneway: true }), serve({ Log })))
        assert.strictEqual(told(end), "finish")
      }
      const early = Middleware.server(() => Effect.fail(rpcError(7, "denied")))
      const end = yield* Effect.provide(ask("Log", line), serve({}, { middleware: [early] }))
      assert.strictEqual(told(end), "finish")
    })
  )
})

/** A handler that hangs, and who interrupted it. */
const hanging = () => {
  const interruptedBy: Array<ServerCall.InterruptedBy | undefined> = []
  const hang = Effect.onExit(Effect.never, (exit) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit)) interruptedBy.push(ServerCall.interruptedBy(exit.cause))
    })
  )
  return { interruptedBy, hang: () => hang }
}

describe("a client that goes away", () => {
  it.effect("interrupts the handler, and nothing is answered or logged", () =>
    Effect.gen(function* () {
      const { hang, interruptedBy } = hanging()
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const asked = yield* begin("Echo", wrapped("m"))
          asked.leave()
          assert.strictEqual(told(yield* asked.ended), "finish")
          assert.deepStrictEqual(interruptedBy, ["clientAbort"])
        }).pipe(Effect.provide(serve({ Echo: hang })))
      )
      assert.deepStrictEqual(lines, [])
    })
  )

  it.effect("keeps its place until a handler that may not be interrupted has ended", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = serve({ Ping: () => Effect.uninterruptible(Deferred.await(gate)) })
      yield* Effect.gen(function* () {
        const asked = yield* begin("Ping", none)
        asked.leave()
        yield* settled
        assert.deepStrictEqual(asked.ends, [])
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(told(yield* asked.ended), "finish")
      }).pipe(Effect.provide(live))
    })
  )
})

describe("a timeout", () => {
  const timedOut = (text: string) => [
    { type: 6, message: `rpc timeout: timeout=${text}, to=Calls, method=Echo` },
    false
  ]

  // A Kitex client has to see its own timeout: the exception is for those who have none.
  it.effect("interrupts the handler, and is an exception for who still waits 100 ms later", () =>
    Effect.gen(function* () {
      const { hang, interruptedBy } = hanging()
      yield* Effect.gen(function* () {
        const asked = yield* begin("Echo", wrapped("m"), { timeoutMillis: 1500 })
        yield* TestClock.adjust(1499)
        assert.deepStrictEqual([asked.ends, interruptedBy], [[], []])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual([asked.ends, interruptedBy], [[], ["deadline"]])
        yield* TestClock.adjust(99)
        assert.deepStrictEqual(asked.ends, [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(told(yield* asked.ended), timedOut("1.5s"))
        assert.deepStrictEqual(interruptedBy, ["deadline"])
      }).pipe(Effect.provide(serve({ Echo: hang })))
    })
  )

  it.effect("counts from the arrival of the request; a call that waited too long is refused", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1000)
      const remaining: Array<number | undefined> = []
      const Echo = () =>
        Effect.map(Deadline.remaining, (left) => {
          remaining.push(left)
          return new Response({})
        })
      yield* Effect.gen(function* () {
        yield* echo({ timeoutMillis: 700, arrivedAt: 900 })
        yield* echo()
        // Kitex says 0 where the timeout is switched off.
        yield* echo({ timeoutMillis: 0, arrivedAt: 900 })
        assert.deepStrictEqual(told(yield* echo({ timeoutMillis: 100, arrivedAt: 900 })), timedOut("100ms"))
        assert.deepStrictEqual(remaining, [600, undefined, undefined])
      }).pipe(Effect.provide(serve({ Echo })))
    })
  )

  it.effect("beats the answer of a handler that may not be interrupted", () =>
    Effect.gen(function* () {
      const Echo = () => Effect.uninterruptible(Effect.as(Effect.sleep(100), new Response({})))
      yield* Effect.gen(function* () {
        const asked = yield* begin("Echo", wrapped("m"), { timeoutMillis: 50 })
        yield* TestClock.adjust(60)
        assert.deepStrictEqual(asked.ends, [])
        yield* TestClock.adjust(90)
        assert.deepStrictEqual(told(yield* asked.ended), timedOut("50ms"))
      }).pipe(Effect.provide(serve({ Echo })))
    })
  )

  it.effect("is told nobody when the client has gone by then, and the call ends all the same", () =>
    Effect.gen(function* () {
      const { hang, interruptedBy } = hanging()
      yield* Effect.gen(function* () {
        const asked = yield* begin("Echo", wrapped("m"), { timeoutMillis: 50 })
        yield* TestClock.adjust(60)
        asked.leave()
        yield* TestClock.adjust(90)
        assert.strictEqual(told(yield* asked.ended), "finish")
        assert.deepStrictEqual(asked.ends.length, 1)
        assert.deepStrictEqual(interruptedBy, ["deadline"])
      }).pipe(Effect.provide(serve({ Echo: hang })))
    })
  )

  it.effect("of a call that was answered is forgotten", () =>
    Effect.gen(function* () {
      const armed = new Set<Timers>()
      const { arm } = Timers.prototype
      Timers.prototype.arm = function (...args) {
        armed.add(this)
        return arm.apply(this, args)
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => (Timers.prototype.arm = arm)))
      yield* echo({ timeoutMillis: 3_600_000 })
      assert.deepStrictEqual(
        [...armed].map(({ size }) => size),
        [0]
      )
    }).pipe(Effect.provide(serve({ Echo: () => Effect.succeed(new Response({})) })))
  )
})

describe("a graceful stop", () => {
  const stopping = Effect.gen(function* () {
    const server = yield* Server.Server
    return yield* Effect.forkChild(server.drain, { startImmediately: true })
  })

  it.effect("lets calls end, tells handlers, and takes calls that were on their way", () =>
    Effect.gen(function* () {
      const asked = yield* begin("Echo", wrapped("m"))
      yield* settled
      const stop = yield* stopping
      assert.deepStrictEqual(told(yield* asked.ended), [[...wrapped("bye", 0)]])
      yield* Fiber.join(stop)
      assert.strictEqual((yield* echo()).how, "reply")
    }).pipe(Effect.provide(serve({ Echo: (_, { draining }) => Effect.as(draining, new Response({ message: "bye" })) })))
  )

  it.effect("interrupts what runs after the grace time, and answers it", () =>
    Effect.gen(function* () {
      const { hang, interruptedBy } = hanging()
      const live = serve({ Echo: hang, Log: hang, Ping: hang }, { graceTime: "3 seconds" })
      yield* Effect.gen(function* () {
        const asked = yield* begin("Echo", wrapped("m"))
        const line_ = yield* begin("Log", line)
        const gone = yield* begin("Ping", none)
        yield* settled
        const stop = yield* stopping
        yield* TestClock.adjust(2999)
        assert.deepStrictEqual([asked.ends, interruptedBy], [[], []])
        gone.leave()
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(told(yield* asked.ended), [{ type: 14, message: "graceful shutdown" }, true])
        assert.strictEqual(told(yield* line_.ended), "finish")
        yield* Fiber.join(stop)
        assert.deepStrictEqual(interruptedBy, ["clientAbort", "shutdown", "shutdown"])
        assert.deepStrictEqual([asked.ends.length, line_.ends.length, gone.ends.length], [1, 1, 1])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("tells a call whose time is over of its timeout", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = serve({ Ping: () => Effect.uninterruptible(Deferred.await(gate)) }, { graceTime: 10 })
      yield* Effect.gen(function* () {
        const asked = yield* begin("Ping", none, { timeoutMillis: 5 })
        const stop = yield* stopping
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(exceptionOf(yield* asked.ended), [6, "rpc timeout: timeout=5ms, to=Calls, method=Ping"])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(stop)
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("answers at once where a handler may not be interrupted, and waits for it", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = serve({ Ping: () => Effect.uninterruptible(Deferred.await(gate)) }, { graceTime: 10 })
      yield* Effect.gen(function* () {
        const asked = yield* begin("Ping", none)
        const stop = yield* stopping
        yield* TestClock.adjust(10)
        assert.deepStrictEqual(exceptionOf(yield* asked.ended), [14, "graceful shutdown"])
        assert.isUndefined(stop.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(stop)
        assert.strictEqual(asked.ends.length, 1)
      }).pipe(Effect.provide(live))
    })
  )
})

describe("what a handler sees and says", () => {
  it.effect("info, peer, keys of the TTHeader, metainfo; none of them without a TTHeader", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const live = serve({
        Ping: (_, { info, metadata, metainfo, peer }) =>
          Effect.sync(() => {
            const { address, callee, caller, logId, method, mode, path, service, side } = info
            const told = { address, callee, caller, logId, method, mode, path, service, side }
            seen.push([told, peer, metadata.get("hello"), [...metadata.keys()].length, metainfo])
          })
      })
      const info = {
        side: "server",
        service: "Calls",
        method: "Ping",
        mode: "pingPong",
        path: "/echo.Calls/Ping",
        address: "memory",
        caller: "",
        callee: "Calls",
        logId: undefined
      }
      const peer = { address: "memory" }
      yield* Effect.gen(function* () {
        yield* ask("Ping", none)
        yield* ask("Ping", none, {
          service: "Calls",
          strings: { Hello: "1", rip: "1.2.3.4:5", RPC_PERSIST_p: "2", RPC_TRANSIT_t: "3" }
        })
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(seen, [
        [info, peer, undefined, 0, { persistent: new Map(), transient: new Map() }],
        // What a proxy says is for logs; the peer is who is there.
        [
          { ...info, address: "1.2.3.4:5" },
          peer,
          "1",
          4,
          { persistent: new Map([["p", "2"]]), transient: new Map([["t", "3"]]) }
        ]
      ])
    })
  )

  it.effect("the address of info is what a proxy says only where that looks like one", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const live = serve({ Ping: (_, { info }) => Effect.sync(() => void seen.push(info.address)) })
      const addresses = [
        "1.2.3.4:5",
        "a-b_c.example:65535",
        "[fe80::1%eth0]:80",
        "[::ffff:1.2.3.4]:80",
        "unix:/run/a.sock"
      ]
      const longest = `unix:${"a".repeat(251)}`
      const others = [
        "",
        "1.2.3.4",
        "a:",
        ":80",
        "::1:80x",
        "a b:80",
        "a:80\n",
        "a\u001b[31m:80",
        "unix:",
        "unix:/a\nb",
        `${longest}a`,
        `${"a".repeat(100_000)}:x`
      ]
      const all = [...addresses, longest, ...others]
      yield* Effect.provide(
        Effect.forEach(all, (rip) => ask("Ping", none, { strings: { rip } })),
        live
      )
      assert.deepStrictEqual(seen, [...addresses, longest, ...others.map(() => "memory")])
    })
  )

  it.effect("headers and trailers go into the one TTHeader, before Kitex's keys, with exceptions too", () =>
    Effect.gen(function* () {
      const set = ({ sendHeader, setHeader, setTrailer }: ServerCall.ServerCall) =>
        Effect.all([setHeader("Key", "1"), setHeader("Key", "2"), sendHeader, setTrailer("late", "3")])
      const strings = [
        ["Key", "2"],
        ["late", "3"]
      ] as const
      const live = serve({
        Ping: (_, call) => Effect.asVoid(set(call)),
        Count: (_, call) => Effect.andThen(set(call), Effect.fail(rpcError(9, "no"))),
        Echo: (_, call) => Effect.andThen(set(call), Effect.fail(biz(4, "b")))
      })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual((yield* ask("Ping", none, tth)).strings, strings)
        assert.deepStrictEqual((yield* ask("Count", none, tth)).strings, strings)
        assert.deepStrictEqual((yield* echo(tth)).strings, [...strings, ["biz-status", "4"], ["biz-message", "b"]])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("keys of the protocol, bytes, and what is too long for a TTHeader are mistakes of the program", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, string | Uint8Array, RegExp]> = [
        ["crrst", "1", /"crrst" cannot be set/],
        ["biz-status", "1", /belongs to the protocol/],
        ["PV_x", "1", /belongs to the protocol/],
        ["", "1", /"" cannot be set/],
        ["k-bin", Uint8Array.of(1), /"k-bin" cannot hold bytes/],
        ["k", "x".repeat(65_536), /at most 65535 bytes/],
        ["k", "中".repeat(21_846), /at most 65535 bytes/]
      ]
      for (const [key, value, text] of cases) {
        const live = serve({ Ping: (_, { setHeader }) => setHeader(key, value) })
        const [end] = yield* logged(Effect.provide(ask("Ping", none, tth), live))
        assert.match(end.exception!.message, text)
      }
      const fits = serve({ Ping: (_, { setHeader }) => setHeader("k", "中".repeat(21_845)) })
      assert.strictEqual((yield* Effect.provide(ask("Ping", none, tth), fits)).how, "reply")
    })
  )

  it.effect("what does not fit into the TTHeader all the same is an exception without it", () =>
    Effect.gen(function* () {
      const live = serve({
        Ping: (_, { setHeader }) => setHeader("k", "v"),
        Echo: (_, { setHeader }) => Effect.andThen(setHeader("k", "v"), Effect.fail(rpcError(9, "no")))
      })
      yield* Effect.gen(function* () {
        for (const [method, message] of [
          ["Ping", "more than maxTTHeaderSize"],
          ["Echo", "no [biz error]"]
        ] as const) {
          const asked = new Asked(method, method === "Ping" ? none : wrapped("m"), tth)
          asked.refuses = "maxTTHeaderSize"
          ;(yield* Accepting).acceptor!.onCall(asked)
          assert.deepStrictEqual(told(yield* asked.ended), [{ type: 6, message }, false])
        }
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("a scope of its own, and the method that its calls come from", () =>
    Effect.gen(function* () {
      const log: Array<string | undefined> = []
      const live = serve({
        Ping: () =>
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("closed")))
            log.push((yield* CurrentCall)?.info.method)
            const inner = yield* Effect.forkChild(CurrentCall)
            log.push((yield* Fiber.join(inner))?.info.method)
          })
      })
      yield* Effect.provide(ask("Ping", none), live)
      assert.deepStrictEqual(log, ["Ping", "Ping", "closed"])
    })
  )
})

describe("RPCStart and RPCFinish", () => {
  it.effect("come once for each call, however it ends", () =>
    Effect.gen(function* () {
      const starts: Array<string> = []
      const finishes: Array<RpcTracer.RpcFinish> = []
      const tracer: RpcTracer.RpcTracer = {
        start: (info) => Effect.sync(() => void starts.push(info.method)),
        finish: (event) => Effect.sync(() => void finishes.push(event)),
        streamRecv: () => assert.fail("no events of single messages")
      }
      const scripts: Readonly<Record<string, Effect.Effect<any, any>>> = {
        ok: Effect.succeed(new Response({ message: "abc" })),
        busy: Effect.fail(new Busy({})),
        biz: Effect.fail(biz(404, "no")),
        fail: Effect.fail(rpcError(5, "nf")),
        odd: Effect.fail(new Error("odd")),
        die: Effect.die("kaboom"),
        interrupt: Effect.interrupt,
        hang: Effect.never
      }
      const live = serve({ Echo: ({ req }) => scripts[req.message!]!, Log: () => Effect.void }).pipe(
        Layer.provide(RpcTracer.layer(tracer))
      )
      const script = (name: string) => Effect.asVoid(ask("Echo", wrapped(name)))
      const rows: ReadonlyArray<readonly [string, Effect.Effect<void, never, any>, ReadonlyArray<unknown>]> = [
        ["ok", script("ok"), ["eof", "ok", undefined, 1, 14, 1, 15]],
        ["busy", script("busy"), ["eof", "ok", undefined, 1, 16, 1, 5]],
        ["biz", script("biz"), ["error", "ok", 404, 1, 15, 1, 1]],
        ["fail", script("fail"), ["error", "code = 5 desc = nf", undefined, 1, 16, 0, 0]],
        ["odd", script("odd"), ["error", "code = 6 desc = biz error: odd", undefined, 1, 15, 0, 0]],
        ["die", script("die"), ["error", "kaboom", undefined, 1, 15, 0, 0]],
        ["interrupt", script("interrupt"), ["interrupted", "interrupted", undefined, 1, 21, 0, 0]],
        ["oneway", Effect.asVoid(ask("Log", line)), ["eof", "ok", undefined, 1, 12, 0, 0]],
        [
          "aborted",
          Effect.asVoid(Effect.tap(begin("Echo", wrapped("hang")), (asked) => (asked.leave(), asked.ended))),
          ["error", "code = 14 desc = default codec read failed: EOF peer close", undefined, 1, 16, 0, 0]
        ],
        [
          "late",
          Effect.gen(function* () {
            const asked = yield* begin("Echo", wrapped("hang"), { timeoutMillis: 20 })
            yield* TestClock.adjust(120)
            yield* asked.ended
          }),
          ["error", "code = 4 desc = rpc timeout: timeout=20ms, to=Calls, method=Echo", undefined, 1, 16, 0, 0]
        ],
        [
          // Both ends run out of time at one moment, and the client is faster.
          "left when it was late",
          Effect.gen(function* () {
            const call = yield* Deferred.make<Asked>()
            yield* Effect.forkChild(
              Effect.andThen(
                Effect.sleep(20),
                Effect.map(Deferred.await(call), (asked) => asked.leave())
              ),
              { startImmediately: true }
            )
            const asked = yield* begin("Echo", wrapped("hang"), {
              timeoutMillis: 20,
              arrivedAt: yield* Clock.currentTimeMillis
            })
            yield* Deferred.succeed(call, asked)
            yield* TestClock.adjust(20)
            assert.strictEqual(told(yield* asked.ended), "finish")
          }),
          ["error", "code = 4 desc = rpc timeout: timeout=20ms, to=Calls, method=Echo", undefined, 1, 16, 0, 0]
        ],
        [
          "unknown",
          Effect.asVoid(ask("Nope", none)),
          ["error", "code = 20 desc = unknown service , method Nope", undefined, 0, 0, 0, 0]
        ],
        [
          "undecodable",
          Effect.asVoid(ask("Echo", Uint8Array.of(9))),
          ["error", /^code = 7 desc = Calls.Echo/, undefined, 0, 0, 0, 0]
        ]
      ]
      const run = Effect.gen(function* () {
        for (const [name, calls, expected] of rows) {
          yield* calls
          yield* settled
          assert.deepStrictEqual([starts.splice(0).length, finishes.length], [1, 1], name)
          const { bizError, exit, reason, recvBytes, recvCount, sendBytes, sendCount } = finishes.pop()!
          const ended = Exit.isSuccess(exit)
            ? "ok"
            : Cause.hasInterruptsOnly(exit.cause)
              ? "interrupted"
              : String(Cause.squash(exit.cause)).replace("@millrace/rpc/RpcError: rpc error: ", "")
          const pattern = expected[1]
          const found = [reason, ended, bizError?.statusCode, recvCount, recvBytes, sendCount, sendBytes]
          if (pattern instanceof RegExp) {
            assert.match(ended, pattern)
            found[1] = pattern as never
          }
          assert.deepStrictEqual(found, [...expected], name)
        }
      })
      yield* logged(Effect.provide(run, live))
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, TransportError } from "@millrace/transport"
import { Context, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Method, Middleware, RpcError, RpcTracer, Server, ServerCall, Service } from "../src/index.ts"
import * as handlerChain from "../src/internal/handlerChain.ts"
import * as plans from "../src/internal/plan.ts"
import { ask, begin, exceptionOf, serveCalls } from "./support/calls.ts"
import {
  Busy,
  call,
  handlersOf,
  logged,
  open,
  Request,
  Response,
  saying,
  serve,
  settled,
  statusOf,
  struct,
  TestService,
  wrapped
} from "./support/echo.ts"
import { Testing } from "./support/over.ts"

const error = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
const unary = call("/echo.TestService/EchoUnary", [wrapped("m")])
const stream = call("/echo.TestService/Echo", [struct("m")])
const pingPong = ask("EchoPingPong", wrapped("m"))
const echoing = {
  Echo: (requests: Stream.Stream<Request, RpcError.RpcError>) =>
    Stream.map(requests, ({ message }) => new Response({ message })),
  EchoUnary: ({ message }: Request) => Effect.succeed(new Response({ message })),
  EchoPingPong: ({ req }: { readonly req: Request }) => Effect.succeed(new Response({ message: req.message }))
}

describe("what a middleware does with next", () => {
  it.effect("changes the outcome: an error into an answer, an answer into an error", () =>
    Effect.gen(function* () {
      const failing = {
        EchoUnary: () => Effect.fail(error(5, "nf")),
        Echo: () => Stream.fail(error(5, "nf")),
        EchoPingPong: () => Effect.fail(error(5, "nf"))
      }
      const forgiving = [Middleware.server((next) => Effect.catch(next, () => Effect.void))]
      for (const each of [unary, stream]) {
        const result = yield* Effect.provide(each, serve(failing, { middleware: forgiving }))
        assert.deepStrictEqual(statusOf(result), [0, ""])
      }
      // There is no result to answer with: an empty struct, as in Kitex.
      const empty = yield* Effect.provide(pingPong, serveCalls(failing, { middleware: forgiving }))
      assert.deepStrictEqual([empty.how, empty.bytes], ["reply", Uint8Array.of(0)])

      const refusing = [Middleware.server((next) => Effect.andThen(next, Effect.fail(error(6, "too late"))))]
      const result = yield* Effect.provide(unary, serve(echoing, { middleware: refusing }))
      assert.deepStrictEqual([statusOf(result), result.messages], [[6, "too late"], []])
      const streamed = yield* Effect.provide(stream, serve(echoing, { middleware: refusing }))
      assert.deepStrictEqual([statusOf(streamed), streamed.messages], [[6, "too late"], [struct("m")]])
      const asked = yield* Effect.provide(pingPong, serveCalls(echoing, { middleware: refusing }))
      assert.deepStrictEqual(exceptionOf(asked), [6, "too late"])
    })
  )

  it.effect("never runs it: an empty answer, and no handler", () =>
    Effect.gen(function* () {
      const middleware = [Middleware.server(() => Effect.void)]
      const handlers = { EchoClient: () => Effect.die("not reached"), EchoServer: () => Stream.die("not reached") }
      const result = yield* Effect.provide(unary, serve({}, { middleware }))
      assert.deepStrictEqual([statusOf(result), result.messages], [[0, ""], [Uint8Array.of(0)]])
      for (const method of ["Echo", "EchoClient", "EchoServer"]) {
        const streamed = yield* Effect.provide(
          call(`/echo.TestService/${method}`, [struct("m")]),
          serve(handlers, { middleware })
        )
        assert.deepStrictEqual([statusOf(streamed), streamed.messages], [[0, ""], []], method)
      }
      const asked = yield* Effect.provide(pingPong, serveCalls({}, { middleware }))
      assert.deepStrictEqual([asked.how, asked.bytes], ["reply", Uint8Array.of(0)])
    })
  )

  it.effect("runs it again: the handler of single messages does, and the last result counts", () =>
    Effect.gen(function* () {
      const middleware = [Middleware.server((next) => Effect.retry(next, { times: 2 }))]
      const tries = (from: () => Effect.Effect<Response, RpcError.RpcError | Busy>) => {
        let left = 2
        return () => Effect.suspend(() => (left-- > 0 ? Effect.fail(error(14, "again")) : from()))
      }
      const ok = () => Effect.succeed(new Response({ message: "third" }))
      const result = yield* Effect.provide(unary, serve({ EchoUnary: tries(ok) }, { middleware }))
      assert.deepStrictEqual(result.messages, [wrapped("third", 0)])
      const asked = yield* Effect.provide(pingPong, serveCalls({ EchoPingPong: tries(ok) as never }, { middleware }))
      assert.deepStrictEqual(asked.bytes, wrapped("third", 0))
      const mine = yield* Effect.provide(
        unary,
        serve({ EchoUnary: tries(() => Effect.fail(error(5, "nf"))) }, { middleware })
      )
      assert.deepStrictEqual(statusOf(mine), [5, "nf [biz error]"])
      // A result of the first run does not stay when the second has none.
      let runs = 0
      const once = { EchoUnary: () => (runs++ === 0 ? ok() : Effect.fail(error(5, "nf"))) }
      const twice = [Middleware.server((next) => Effect.andThen(next, Effect.ignore(next)))]
      const emptied = yield* Effect.provide(unary, serve(once, { middleware: twice }))
      assert.deepStrictEqual([statusOf(emptied), emptied.messages, runs], [[0, ""], [Uint8Array.of(0)], 2])
    })
  )

  it.effect("runs it again: the handler of a stream does not, the call ends with a panic that says so", () =>
    Effect.gen(function* () {
      let runs = 0
      const Echo = () => Stream.suspend(() => (runs++, Stream.fail(error(14, "again"))))
      const middleware = [Middleware.server((next) => Effect.retry(next, { times: 2 }))]
      const [result, lines] = yield* logged(Effect.provide(stream, serve({ Echo }, { middleware })))
      const text = "TestService.Echo: a middleware ran next a second time; the handler of a stream runs once"
      assert.strictEqual(runs, 1)
      assert.include(String(statusOf(result)), text)
      assert.include(lines[0]!.text, text)
    })
  )

  it.effect("limits its time, and the handler is interrupted", () =>
    Effect.gen(function* () {
      const interrupted: Array<string> = []
      const never = (name: string) =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted.push(name)))
      const handlers = {
        EchoUnary: () => never("unary"),
        Echo: () => Stream.fromEffect(never("stream")),
        EchoPingPong: () => never("pingPong")
      }
      const middleware = [
        Middleware.server((next) =>
          Effect.timeoutOrElse(next, { duration: "1 second", orElse: () => Effect.fail(error(4, "too slow")) })
        )
      ]
      const late = <A, R>(self: Effect.Effect<A, never, R>) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(self, { startImmediately: true })
          yield* settled
          yield* TestClock.adjust("1 second")
          return yield* Fiber.join(fiber)
        })
      const live = serve(handlers, { middleware })
      assert.deepStrictEqual(statusOf(yield* Effect.provide(late(unary), live)), [4, "too slow"])
      assert.deepStrictEqual(statusOf(yield* Effect.provide(late(stream), live)), [4, "too slow"])
      const asked = yield* Effect.provide(late(pingPong), serveCalls(handlers, { middleware }))
      assert.deepStrictEqual(exceptionOf(asked), [4, "too slow"])
      assert.deepStrictEqual(interrupted, ["unary", "stream", "pingPong"])
    })
  )

  it.effect("an interruption of the call reaches its finalizers, which know by whom", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const middleware = [
        Middleware.server((next, info) =>
          Effect.onExit(next, (exit) =>
            Effect.sync(() => {
              seen.push([info.method, exit._tag === "Failure" ? ServerCall.interruptedBy(exit.cause) : "ended"])
            })
          )
        )
      ]
      const handlers = { Echo: () => Stream.never, EchoClient: () => Effect.never, EchoPingPong: () => Effect.never }
      const leaving = new TransportError.TransportError({
        reason: new TransportError.Cancelled(),
        code: 1,
        desc: "context canceled"
      })
      yield* Effect.provide(
        Effect.gen(function* () {
          const opened = yield* open("/echo.TestService/Echo")
          yield* settled
          opened.stream.abort("cancel", leaving)
          const late = yield* open("/echo.TestService/EchoClient", { timeoutMillis: 20 })
          late.send(struct("m"))
          yield* settled
          yield* TestClock.adjust(20)
          yield* late.result
        }),
        serve(handlers, { middleware })
      )
      yield* Effect.provide(
        Effect.gen(function* () {
          const asked = yield* begin("EchoPingPong", wrapped("m"))
          yield* settled
          asked.leave()
          yield* settled
        }),
        serveCalls(handlers, { middleware })
      )
      assert.deepStrictEqual(seen, [
        ["Echo", "clientAbort"],
        ["EchoClient", "deadline"],
        ["EchoPingPong", "clientAbort"]
      ])
    })
  )

  it.effect("fails a oneway call, which only the log hears of", () =>
    Effect.gen(function* () {
      const middleware = [Middleware.server(() => Effect.fail(error(7, "refused")))]
      const line = Uint8Array.of(11, 0, 1, 0, 0, 0, 1, 97, 0)
      const [ended, lines] = yield* logged(
        Effect.provide(ask("Log", line, { oneway: true }), serveCalls({}, { middleware }))
      )
      assert.deepStrictEqual(
        [ended.how, lines.map(({ text }) => text.trim())],
        ["finish", ["oneway call of TestService.Log failed: refused"]]
      )
    })
  )

  it.effect("sets headers and trailers, also behind the handler", () =>
    Effect.gen(function* () {
      const middleware = [
        Middleware.server((next, _info, call) =>
          call.setHeader("before", "1").pipe(Effect.andThen(next), Effect.ensuring(call.setTrailer("behind", "2")))
        )
      ]
      for (const each of [unary, stream]) {
        const { status, stream } = yield* Effect.provide(each, serve(echoing, { middleware }))
        assert.deepStrictEqual([stream.header?.get("before"), status?.code], ["1", 0])
        assert.strictEqual(stream.trailer?.get("behind"), "2")
      }
      const asked = yield* Effect.provide(
        ask("EchoPingPong", wrapped("m"), { strings: {} }),
        serveCalls(echoing, { middleware })
      )
      assert.deepStrictEqual(asked.strings, [
        ["before", "1"],
        ["behind", "2"]
      ])
    })
  )

  it.effect("provides a service to handlers, to their streams and to fibers that they fork", () =>
    Effect.gen(function* () {
      const User = Context.Reference<string>("test/User", { defaultValue: () => "nobody" })
      const middleware = [Middleware.server((next, { method }) => Effect.provideService(next, User, method))]
      const asked = Effect.map(User, (message) => new Response({ message }))
      const live = serve(
        {
          Echo: (requests) => Stream.mapEffect(requests, () => asked),
          EchoClient: (requests) => Effect.andThen(Stream.runDrain(requests), asked),
          EchoServer: () => Stream.fromEffect(Effect.flatMap(Effect.forkChild(asked), Fiber.join)),
          EchoUnary: () => Effect.flatMap(Effect.forkScoped(asked), Fiber.join) as Effect.Effect<Response>
        },
        { middleware }
      )
      for (const method of ["Echo", "EchoClient", "EchoServer"]) {
        const { messages } = yield* Effect.provide(call(`/echo.TestService/${method}`, [struct("m")]), live)
        assert.deepStrictEqual(messages, [struct(method)])
      }
      assert.deepStrictEqual((yield* Effect.provide(unary, live)).messages, [wrapped("EchoUnary", 0)])
    })
  )
})

describe("Middleware.serverFor", () => {
  it.effect("changes request and response of its method, on either transport", () =>
    Effect.gen(function* () {
      const changed = (text: string | undefined) => ({ message: `${text}!` })
      const middleware = [
        Middleware.serverFor(TestService, "EchoUnary", (next, request) =>
          Effect.map(next(new Request(changed(request.message))), ({ message }) => new Response(changed(message)))
        ),
        Middleware.serverFor(TestService, "EchoPingPong", (next, { req }) =>
          Effect.map(next({ req: new Request(changed(req.message)) }), ({ message }) => new Response(changed(message)))
        )
      ]
      const result = yield* Effect.provide(unary, serve(echoing, { middleware }))
      assert.deepStrictEqual(result.messages, [wrapped("m!!", 0)])
      const asked = yield* Effect.provide(pingPong, serveCalls(echoing, { middleware }))
      assert.deepStrictEqual(asked.bytes, wrapped("m!!", 0))
      const overStream = yield* Effect.provide(
        call("/echo.TestService/EchoPingPong", [wrapped("m")]),
        serve(echoing, { middleware })
      )
      assert.deepStrictEqual(overStream.messages, [wrapped("m!!", 0)])
      const other = yield* Effect.provide(stream, serve(echoing, { middleware }))
      assert.deepStrictEqual(other.messages, [struct("m")])
    })
  )

  it.effect("sees declared exceptions as failures, and may fail with one or answer in their place", () =>
    Effect.gen(function* () {
      const busy = { EchoUnary: () => Effect.fail(new Busy({ retryAfter: 1 })) }
      const answering = Middleware.serverFor(TestService, "EchoUnary", (next, request) =>
        Effect.catchTag(next(request), "Busy", ({ retryAfter }) =>
          Effect.succeed(new Response({ message: `in ${retryAfter}` }))
        )
      )
      const result = yield* Effect.provide(unary, serve(busy, { middleware: [answering] }))
      assert.deepStrictEqual(result.messages, [wrapped("in 1", 0)])
      const refusing = Middleware.serverFor(TestService, "EchoUnary", () => Effect.fail(new Busy({ retryAfter: 2 })))
      const refused = yield* Effect.provide(unary, serve(echoing, { middleware: [refusing] }))
      assert.deepStrictEqual(refused.messages, [Uint8Array.of(12, 0, 1, 8, 0, 1, 0, 0, 0, 2, 0, 0)])
      assert.deepStrictEqual(statusOf(refused), [0, ""])
      const without = Middleware.serverFor(TestService, "EchoUnary", () =>
        Effect.succeed(new Response({ message: "cached" }))
      )
      const cached = yield* Effect.provide(unary, serve({}, { middleware: [without] }))
      assert.deepStrictEqual(cached.messages, [wrapped("cached", 0)])
    })
  )
})

describe("Middleware.builder", () => {
  it.effect("runs once for a server, sees its options, and what belongs to clients is left away", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const built = Middleware.builder(({ options, services, side }) => {
        seen.push([side, services.map(({ name_ }) => name_), options["graceTime"]])
        return [
          Middleware.client(() => Effect.die("a client's")),
          Middleware.server((next, info) =>
            Effect.andThen(
              Effect.sync(() => seen.push(info.method)),
              next
            )
          )
        ]
      })
      yield* Effect.provide(Effect.andThen(unary, unary), serve(echoing, { middleware: [built], graceTime: 7 }))
      assert.deepStrictEqual(seen, [["server", ["TestService"], 7], "EchoUnary", "EchoUnary"])
    })
  )
})

describe("middleware as Layers", () => {
  class CurrentUser extends Context.Service<CurrentUser, string>()("test/CurrentUser") {}
  class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}
  class Auth extends Middleware.Service<Auth, CurrentUser>()("test/Auth") {}
  class Tenants extends Middleware.Service<Tenants, Tenant>()("test/Tenants") {}

  const userOf = (next: Effect.Effect<void, any, CurrentUser>, metadata: { get(key: string): unknown }) => {
    const user = metadata.get("user") as string | undefined
    return user === undefined ? Effect.fail(error(16, "who are you?")) : Effect.provideService(next, CurrentUser, user)
  }
  const AuthLive = Layer.succeed(Auth, (next, { metadata }) => userOf(next, metadata))
  // Needs what Auth provides: it stands inside.
  const TenantsLive = Layer.succeed(
    Tenants,
    (next) =>
      Effect.flatMap(CurrentUser, (user) => Effect.provideService(next, Tenant, `tenant of ${user}`)) as Effect.Effect<
        void,
        RpcError.RpcError
      >
  )
  const who = Effect.map(CurrentUser, (message) => new Response({ message }))

  it.effect("provide to handlers of every kind; a refusal is the middleware's", () =>
    Effect.gen(function* () {
      const Secured = TestService.use(Auth)
      const live = Server.layer([Secured]).pipe(
        Layer.provide(
          Secured.toLayer({
            ...handlersOf({}),
            EchoUnary: () => who,
            EchoServer: () => Stream.fromEffect(who),
            EchoPingPong: () => who
          })
        ),
        Layer.provide(AuthLive),
        Layer.provideMerge(MemoryTransport.layer)
      )
      yield* Effect.provide(
        Effect.gen(function* () {
          const metadata = [["user", "me"]] as const
          const one = yield* call("/echo.TestService/EchoUnary", [wrapped("m")], { metadata })
          assert.deepStrictEqual(one.messages, [wrapped("me", 0)])
          const down = yield* call("/echo.TestService/EchoServer", [struct("m")], { metadata })
          assert.deepStrictEqual(down.messages, [struct("me")])
          assert.deepStrictEqual(statusOf(yield* unary), [16, "who are you?"])
        }),
        live
      )
    })
  )

  it.effect(
    "the first that a service uses is outermost, those of a service that it extends stand outside of its own",
    () =>
      Effect.gen(function* () {
        const both = TestService.use(Auth).use(Tenants)
        class Child extends Service.make("Child", {
          extends: TestService.use(Auth),
          methods: [Method.unary("More", { request: Request, response: Response })]
        }) {}
        const child = Child.use(Tenants)
        const tenant = Effect.map(Tenant, (message) => new Response({ message }))
        const live = Server.layer([both, child], { fallback: both }).pipe(
          Layer.provide(both.toLayer({ ...handlersOf({}), EchoUnary: () => tenant })),
          Layer.provide(child.toLayer({ ...handlersOf({}), EchoUnary: () => tenant, More: () => tenant })),
          Layer.provide([AuthLive, TenantsLive]),
          Layer.provideMerge(MemoryTransport.layer)
        )
        yield* Effect.provide(
          Effect.gen(function* () {
            for (const path of ["/echo.TestService/EchoUnary", "/Child/EchoUnary", "/Child/More"]) {
              const metadata = [["user", "me"]] as const
              const { messages } = yield* call(path, [wrapped("m")], { metadata })
              assert.deepStrictEqual(messages, [wrapped("tenant of me", 0)], path)
              assert.deepStrictEqual(statusOf(yield* call(path, [wrapped("m")])), [16, "who are you?"], path)
            }
          }),
          live
        )
      })
  )

  it.effect(
    "a service that uses one leaves the other services of the server, and the service that it came from, alone",
    () =>
      Effect.gen(function* () {
        class Open extends Service.make("Open", { methods: [Method.pingPong("Hello", { arguments: {} })] }) {}
        const Secured = TestService.use(Auth)
        assert.deepStrictEqual([TestService.uses, Secured.uses], [[], [Auth]])
        let calls = 0
        const live = Server.layer([Secured, Open]).pipe(
          Layer.provide(Secured.toLayer({ ...handlersOf({}), EchoUnary: () => who })),
          Layer.provide(Open.toLayer({ Hello: () => Effect.void })),
          Layer.provide(Layer.succeed(Auth, (next, { metadata }) => (calls++, userOf(next, metadata)))),
          Layer.provideMerge(MemoryTransport.layer)
        )
        yield* Effect.provide(
          Effect.gen(function* () {
            assert.deepStrictEqual(statusOf(yield* call("/Open/Hello", [Uint8Array.of(0)])), [0, ""])
            assert.strictEqual(calls, 0)
            assert.deepStrictEqual(statusOf(yield* unary), [16, "who are you?"])
            assert.strictEqual(calls, 1)
          }),
          live
        )
      })
  )

  it.effect("work with Testing.client", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(TestService.use(Auth), {
        ...handlersOf({}),
        EchoUnary: () => who,
        EchoPingPong: () => who
      })
      const refused = yield* Effect.flip(client.EchoUnary(new Request({})))
      assert.strictEqual((refused as RpcError.RpcError).code, 16)
      const answered = yield* client.EchoUnary(new Request({}), { metadata: { user: "me" } })
      assert.strictEqual(answered.message, "me")
    }).pipe(Effect.provide(AuthLive))
  )

  it.effect(
    "a server refuses to start with handlers that were made behind a middleware which its service does not use",
    () =>
      Effect.gen(function* () {
        const start = (service: typeof TestService, handlers: Layer.Layer<Server.HandlersFor<typeof TestService>>) =>
          Effect.exit(
            Effect.scoped(
              Layer.build(
                Server.layer([service]).pipe(
                  Layer.provide(handlers),
                  Layer.provide(AuthLive),
                  Layer.provide(MemoryTransport.layer)
                )
              )
            )
          )
        const secured = TestService.use(Auth)
        const refused = yield* start(TestService, secured.toLayer(handlersOf({})))
        assert.include(
          String(refused),
          "The handlers of TestService were made for a service that uses test/Auth, the server has TestService without it"
        )
        // The other way nothing is lost.
        const fine = yield* start(secured as unknown as typeof TestService, TestService.toLayer(handlersOf({})))
        assert.strictEqual(fine._tag, "Success")
      })
  )
})

describe("requestInInfo", () => {
  it.effect("shows the request to middleware, of every mode that has one", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const options: Server.Options<ReadonlyArray<Middleware.ForServer>> = {
        middleware: [
          Middleware.server((next, info) =>
            Effect.andThen(
              Effect.sync(() => seen.push([info.method, info.request])),
              next
            )
          )
        ],
        requestInInfo: true
      }
      const handlers = {
        ...echoing,
        EchoServer: ({ message }: Request) => Stream.make(new Response({ message }))
      }
      const m = new Request({ message: "m" })
      yield* Effect.provide(unary, serve(handlers, options))
      yield* Effect.provide(pingPong, serveCalls(handlers, options))
      yield* Effect.provide(stream, serve(handlers, options))
      const down = yield* Effect.provide(call("/echo.TestService/EchoServer", [struct("m")]), serve(handlers, options))
      assert.deepStrictEqual(down.messages, [struct("m")])
      assert.deepStrictEqual(seen, [
        ["EchoUnary", m],
        ["EchoPingPong", { req: m }],
        ["Echo", undefined],
        ["EchoServer", m]
      ])
      // What does not decode is refused before middleware.
      seen.length = 0
      const broken = yield* Effect.provide(
        call("/echo.TestService/EchoServer", [Uint8Array.of(99)]),
        serve(handlers, options)
      )
      const none = yield* Effect.provide(call("/echo.TestService/EchoServer", []), serve(handlers, options))
      assert.deepStrictEqual([broken.status?.code, statusOf(none), seen], [7, [13, "EOF"], []])
    })
  )

  it.effect("nothing without it", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const live = serve({
        EchoUnary: (_, { info }) => Effect.sync(() => (seen.push("request" in info), new Response({})))
      })
      yield* Effect.provide(unary, live)
      assert.deepStrictEqual(seen, [false])
    })
  )
})

describe("info", () => {
  it.effect("says who calls, whom, and the log id", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const middleware = [
        Middleware.server((next, { callee, caller, logId, metadata }) => {
          seen.push([caller, callee, logId, metadata.get("x")])
          return next
        })
      ]
      yield* Effect.provide(
        Effect.andThen(
          unary,
          call("/echo.TestService/Echo", [], saying({ caller: "front", logId: "20261126-1", metadata: [["x", "1"]] }))
        ),
        serve(echoing, { middleware })
      )
      yield* Effect.provide(
        Effect.andThen(
          ask("EchoPingPong", wrapped("m"), {
            strings: { x: "2" },
            ints: [
              [3, "other"],
              [2, "20261126-2"]
            ]
          }),
          pingPong
        ),
        serveCalls(echoing, { middleware })
      )
      assert.deepStrictEqual(seen, [
        ["", "TestService", undefined, undefined],
        ["front", "TestService", "20261126-1", "1"],
        ["other", "TestService", "20261126-2", "2"],
        ["", "TestService", undefined, undefined]
      ])
    })
  )
})

describe("what costs nothing", () => {
  const chain: handlerChain.HandlerChain = {
    middleware: [],
    errorHandler: undefined,
    watched: false,
    requestInInfo: false
  }
  const callOf = () => ({ info: {}, inHandler: false, handled: false }) as never

  it("where nothing stands around a handler, what it gives is what runs", () => {
    const given = Effect.succeed(new Response({}))
    const method = (name: string) =>
      plans.make(
        TestService,
        TestService.methods.find((m) => m.name === name)!
      )
    const single = handlerChain.aroundSingle(() => given, method("EchoUnary"), chain)
    assert.strictEqual(single(callOf(), new Request({})), given)
    const body = () => Effect.void
    const around = handlerChain.aroundStream(body, method("Echo"), chain)
    assert.strictEqual(around(callOf()), Effect.void)
    for (const something of [
      { middleware: [Middleware.server((next) => next)] },
      { errorHandler: (failure: RpcError.RpcError) => failure },
      { watched: true }
    ]) {
      const other = handlerChain.aroundSingle(() => given, method("EchoUnary"), { ...chain, ...something })
      assert.notStrictEqual(other(callOf(), new Request({})), given)
    }
  })
})

describe("tracers", () => {
  it.effect("hear of a handler's begin and end, however it ends, inside of all middleware", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const tracer = RpcTracer.layer({
        handlerStart: ({ method }) => void heard.push(`start ${method}`),
        handlerFinish: ({ method }) => void heard.push(`finish ${method}`)
      })
      const throwing = (): never => {
        throw new Error("thrown")
      }
      const handlers = [
        echoing,
        { EchoUnary: throwing, Echo: throwing, EchoPingPong: throwing },
        {
          EchoUnary: () => Effect.interrupt,
          Echo: () => Stream.fromEffect(Effect.interrupt),
          EchoPingPong: () => Effect.interrupt
        }
      ]
      for (const each of handlers) {
        const [, lines] = yield* logged(
          Effect.gen(function* () {
            yield* Effect.provide(Effect.andThen(unary, stream), serve(each, {}).pipe(Layer.provide(tracer)))
            yield* Effect.provide(pingPong, serveCalls(each, {}).pipe(Layer.provide(tracer)))
          })
        )
        assert.deepStrictEqual(
          heard.splice(0),
          ["EchoUnary", "Echo", "EchoPingPong"].flatMap((method) => [`start ${method}`, `finish ${method}`])
        )
        assert.strictEqual(lines.length, each === handlers[1] ? 3 : 0)
      }
      const refusing = [Middleware.server(() => Effect.void)]
      yield* Effect.provide(unary, serve({}, { middleware: refusing }).pipe(Layer.provide(tracer)))
      assert.deepStrictEqual(heard, [])
    })
  )

  it.effect("what a start gives is in force for middleware, handlers and what they fork", () =>
    Effect.gen(function* () {
      const Span = Context.Reference<string>("test/Span", { defaultValue: () => "none" })
      const seen: Array<string> = []
      const middleware = [Middleware.server((next) => Effect.flatMap(Span, (span) => (seen.push(span), next)))]
      const tracer = RpcTracer.layer({ start: (info) => Effect.succeed(Context.make(Span, info.method)) })
      const told = Effect.map(
        Effect.flatMap(Effect.forkChild(Effect.service(Span)), Fiber.join),
        (message) => new Response({ message })
      )
      const live = serve({ EchoUnary: () => told, Echo: () => Stream.fromEffect(told) }, { middleware }).pipe(
        Layer.provide(tracer)
      )
      assert.deepStrictEqual((yield* Effect.provide(unary, live)).messages, [wrapped("EchoUnary", 0)])
      assert.deepStrictEqual((yield* Effect.provide(stream, live)).messages, [struct("Echo")])
      const calls = serveCalls({ EchoPingPong: () => told }, { middleware }).pipe(Layer.provide(tracer))
      assert.deepStrictEqual((yield* Effect.provide(pingPong, calls)).bytes, wrapped("EchoPingPong", 0))
      assert.deepStrictEqual(seen, ["EchoUnary", "Echo", "EchoPingPong"])
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Stream } from "effect"
import {
  BizStatusError,
  ContextMap,
  MetaHandler,
  Middleware,
  RpcError,
  type Server,
  type StreamOptions
} from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { only, pass, settle, told, type TestHandlers } from "./support/client.ts"
import { logged, Request, Response, TestService } from "./support/echo.ts"
import { Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })
const textOf = (message: unknown) => (message as { readonly message?: string }).message ?? ""
const texts = (messages: ReadonlyArray<{ readonly message?: string }>) => messages.map(textOf)

/** A client and a server with middleware on either end. */
const pair = (
  handlers: Partial<TestHandlers>,
  client: StreamOptions.StreamClientOptions,
  server: Server.Options<ReadonlyArray<Middleware.ForServer>> = {}
) => Testing.client(TestService, only(handlers), { client, server })

const recorded = (...parameters: Parameters<typeof pair>) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make
    const client = yield* Effect.provide(pair(...parameters), recorder.layer)
    return { client, recorder }
  })

/** Sees every message, and may put another in its place. */
const recvSeeing = (seen: Array<string>, change: (text: string) => string = (text) => text) =>
  Middleware.recv((next) =>
    Effect.map(next, (message) => {
      seen.push(textOf(message))
      Object.assign(message as object, { message: change(textOf(message)) })
      return message
    })
  )

const sendSeeing = (seen: Array<string>, change: (text: string) => string = (text) => text) =>
  Middleware.send((next) => (message) => {
    seen.push(textOf(message))
    return next(Object.assign(Object.create(Object.getPrototypeOf(message)), { message: change(textOf(message)) }))
  })

const echo: TestHandlers["Echo"] = (requests) => Stream.map(requests, ({ message }) => new Response({ message }))

const refusal = (text: string) =>
  new RpcError.RpcError({ reason: new RpcError.Rejected({ limit: text }), code: 7, desc: text, method: "test" })

describe("on a client", () => {
  it.effect("see and change the messages of a bidirectional stream", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const received: Array<string> = []
      const client = yield* pair(
        { Echo: echo },
        { middleware: [sendSeeing(sent), recvSeeing(received, () => "response-modified-in-mw")] }
      )
      const stream = yield* client.Echo.open()
      yield* stream.send(request("request"))
      assert.strictEqual((yield* stream.recv).message, "response-modified-in-mw")
      assert.deepStrictEqual([sent, received], [["request"], ["request"]])
    })
  )

  it.effect("see every send and the one response of client streaming", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const received: Array<string> = []
      let receives = 0
      const client = yield* pair(
        { EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => response(`${n}`)) },
        {
          middleware: [
            sendSeeing(sent),
            recvSeeing(received, (text) => `${text}!`),
            Middleware.recv((next) => Effect.suspend(() => (receives++, next)))
          ]
        }
      )
      const stream = yield* client.EchoClient.open()
      yield* stream.send(request("a"))
      yield* stream.send(request("b"))
      assert.strictEqual((yield* stream.closeAndRecv).message, "2!")
      assert.deepStrictEqual([sent, received], [["a", "b"], ["2"]])
      // The end behind the response is read past it.
      assert.strictEqual(receives, 1)
    })
  )

  it.effect("see the hidden send and every response of server streaming", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const received: Array<string> = []
      const client = yield* pair(
        { EchoServer: ({ message }) => Stream.make(response(`${message}-0`), response(`${message}-1`)) },
        { middleware: [sendSeeing(sent, (text) => `${text}2`), recvSeeing(received, (text) => `${text}!`)] }
      )
      const got = yield* Stream.runCollect(client.EchoServer(request("request")))
      assert.deepStrictEqual(texts(got), ["request2-0!", "request2-1!"])
      assert.deepStrictEqual([sent, received], [["request"], ["request2-0", "request2-1"]])
    })
  )

  it.effect("a refused hidden send fails the call and is what RPCFinish reports", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(
        { EchoServer: () => Stream.never },
        { middleware: [Middleware.send(() => () => Effect.fail(refusal("no")))] }
      )
      const exit = yield* Effect.exit(Stream.runDrain(client.EchoServer(request("x"))))
      assert.match(told(exit), /no/)
      const [finish] = yield* recorder.finished("client", 1)
      assert.deepInclude(finish, { reason: "error", sendCount: 0 })
      assert.match(told(finish!.exit), /no/)
    })
  )

  it.effect("do not run for unary calls", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const middleware = [sendSeeing(seen), recvSeeing(seen), Middleware.recvPlain(() => (m) => (seen.push("p"), m))]
      const client = yield* pair(
        { EchoUnary: ({ message }) => Effect.succeed(new Response({ message })) },
        { middleware },
        { middleware }
      )
      assert.strictEqual((yield* client.EchoUnary(request("u"))).message, "u")
      assert.deepStrictEqual(seen, [])
    })
  )
})

describe("on a server", () => {
  it.effect("of a bidirectional stream", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const client = yield* pair(
        { Echo: echo },
        {},
        { middleware: [recvSeeing(seen, () => "bidirectional"), sendSeeing(seen, () => "response")] }
      )
      const got = yield* Stream.runCollect(client.Echo(Stream.make(request("request"))))
      assert.deepStrictEqual(texts(got), ["response"])
      assert.deepStrictEqual(seen, ["request", "bidirectional"])
    })
  )

  it.effect("of server streaming", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const client = yield* pair(
        { EchoServer: ({ message }) => Stream.make(response(`${message}-0`), response(`${message}-1`)) },
        {},
        {
          middleware: [recvSeeing(seen, () => "server"), sendSeeing(seen, (text) => text.replace("server", "response"))]
        }
      )
      const got = yield* Stream.runCollect(client.EchoServer(request("request")))
      assert.deepStrictEqual(texts(got), ["response-0", "response-1"])
      assert.deepStrictEqual(seen, ["request", "server-0", "server-1"])
    })
  )

  it.effect("of client streaming", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const client = yield* pair(
        { EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => response(`${n}`)) },
        {},
        { middleware: [recvSeeing(seen), sendSeeing(seen, (text) => `${text}_send_middleware`)] }
      )
      const got = yield* client.EchoClient(Stream.make(request("request-0"), request("request-1")))
      assert.strictEqual(got.message, "2_send_middleware")
      assert.deepStrictEqual(seen, ["request-0", "request-1", "2"])
    })
  )

  it.effect("a context map that onReadStream injects is shared by recv and send middleware", () =>
    Effect.gen(function* () {
      const key = ContextMap.key<string>("key")
      const found: Array<string | undefined> = []
      const store = Middleware.recv((next, { context }) =>
        Effect.tap(next, (message) =>
          Effect.sync(() => key.set(Context.get(context, ContextMap.Current), textOf(message)))
        )
      )
      const load = Middleware.send((next, { context }) => (message) => {
        found.push(key.get(Context.get(context, ContextMap.Current)))
        return next(message)
      })
      const client = yield* pair(
        { Echo: echo },
        {},
        {
          middleware: [store, load],
          metaHandlers: [MetaHandler.make({ onReadStream: (next) => ContextMap.inject(next) })]
        }
      )
      const got = yield* Stream.runCollect(client.Echo(Stream.make(request("a"))))
      assert.deepStrictEqual([texts(got), found], [["a"], ["a"]])
      // A map of its own for each call.
      yield* Stream.runDrain(client.Echo(Stream.make(request("b"))))
      assert.deepStrictEqual(found, ["a", "b"])
    })
  )

  it.effect(
    "a context map that client middleware injects is seen by message middleware and the middleware itself",
    () =>
      Effect.gen(function* () {
        const seen = ContextMap.key<number>("seen")
        let counted: number | undefined
        const client = yield* pair(
          { EchoServer: () => Stream.make(response("a"), response("b")) },
          {
            middleware: [
              Middleware.client((next) =>
                ContextMap.inject(
                  Effect.gen(function* () {
                    const map = yield* ContextMap.Current
                    yield* Effect.addFinalizer(() => Effect.sync(() => (counted = seen.get(map))))
                    return yield* next
                  })
                )
              ),
              Middleware.recvPlain(({ context }) => (message) => {
                const map = Context.get(context, ContextMap.Current)
                seen.set(map, (seen.get(map) ?? 0) + 1)
                return message
              })
            ]
          }
        )
        yield* Stream.runDrain(client.EchoServer(request("x")))
        assert.strictEqual(counted, 2)
      })
  )
})

describe("what they run in", () => {
  class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}

  it.effect("what they require is required of the client, and what client middleware provides wins", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const whose = Middleware.recv((next) =>
        Effect.tap(next, () => Effect.map(Tenant, (tenant) => void seen.push(tenant)))
      )
      const provided = Middleware.client((next, info) =>
        info.method === "Echo" ? Effect.provideService(next, Tenant, "of the call") : next
      )
      const client = yield* Testing.client(
        TestService,
        only({ Echo: echo, EchoServer: () => Stream.make(response("")) }),
        {
          client: { middleware: [provided, whose] as ReadonlyArray<Middleware.ForClient> }
        }
      ).pipe(Effect.provideService(Tenant, "of the client"))
      yield* Stream.runDrain(client.Echo(Stream.make(request("a"))))
      yield* Stream.runDrain(client.EchoServer(request("a")))
      assert.deepStrictEqual(seen, ["of the call", "of the client"])
    })
  )

  it.effect("behind the stream's own context that of the fiber which uses it, each time anew", () =>
    Effect.gen(function* () {
      const Local = Context.Reference<string>("test/Local", { defaultValue: () => "none" })
      const seen: Array<string> = []
      const note = Effect.map(Local, (local) => void seen.push(local))
      const middleware = [
        Middleware.recv((next) => Effect.tap(next, () => note)),
        Middleware.send((next) => (message) => Effect.andThen(note, next(message)))
      ]
      const client = yield* pair({ Echo: echo }, { middleware })
      const stream = yield* client.Echo.open()
      for (const local of ["1", "2"]) {
        yield* Effect.provideService(stream.send(request("a")), Local, local)
        yield* Effect.provideService(stream.recv, Local, local)
      }
      yield* stream.send(request("a"))
      assert.deepStrictEqual(seen, ["1", "1", "2", "2", "none"])
    })
  )

  it.effect("they are made once per stream, at its first message, and no sooner", () =>
    Effect.gen(function* () {
      const made: Array<string> = []
      const note = <A>(name: string, a: A): A => (made.push(name), a)
      const client = yield* pair(
        { Echo: echo },
        {
          middleware: [
            Middleware.recv((next) => note("recv", next)),
            Middleware.send((next) => note("send", next)),
            Middleware.recvPlain(() => note("recvPlain", (message) => message)),
            Middleware.sendPlain(() => note("sendPlain", (message) => message))
          ]
        }
      )
      const stream = yield* client.Echo.open()
      assert.deepStrictEqual(made, [])
      for (const text of ["a", "b"]) {
        yield* stream.send(request(text))
        assert.strictEqual((yield* stream.recv).message, text)
      }
      assert.deepStrictEqual(made.toSorted(), ["recv", "recvPlain", "send", "sendPlain"])
    })
  )

  it.effect("typed ones run for their method and their side alone", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const noted = (name: string) => (text: string | undefined) => void seen.push(`${name} ${text}`)
      const middleware = [
        Middleware.recvFor(TestService, "Echo", "client", (next) =>
          Effect.tap(next, ({ message }) => Effect.sync(() => noted("recvFor client")(message)))
        ),
        Middleware.recvFor(TestService, "EchoServer", (next, { info }) =>
          Effect.tap(next, ({ message }) => Effect.sync(() => noted(`recvFor ${info.side}`)(message)))
        ),
        Middleware.sendFor(TestService, "EchoServer", "server", (next) => (message) => {
          noted("sendFor server")(message.message)
          return next(message)
        }),
        Middleware.recvPlainFor(TestService, "Echo", "server", () => (message) => {
          noted("recvPlainFor server")(message.message)
          return message
        }),
        Middleware.sendPlainFor(TestService, "Echo", "client", () => (message) => {
          noted("sendPlainFor client")(message.message)
          return message
        })
      ]
      const client = yield* pair(
        { Echo: echo, EchoServer: () => Stream.make(response("r")) },
        { middleware },
        { middleware }
      )
      yield* Stream.runDrain(client.Echo(Stream.make(request("e"))))
      assert.deepStrictEqual(seen, ["sendPlainFor client e", "recvPlainFor server e", "recvFor client e"])
      seen.length = 0
      yield* Stream.runDrain(client.EchoServer(request("s")))
      assert.deepStrictEqual(seen, ["recvFor server s", "sendFor server r", "recvFor client r"])
    })
  )
})

describe("order", () => {
  const around = (name: string, seen: Array<string>) => [
    Middleware.recv((next) => Effect.tap(next, () => Effect.sync(() => seen.push(`${name} recv`)))),
    Middleware.send((next) => (message) => {
      seen.push(`${name} send`)
      return next(message)
    })
  ]
  const plain = (name: string, seen: Array<string>) => [
    Middleware.recvPlain(() => (message) => (seen.push(`${name} recv`), message)),
    Middleware.sendPlain(() => (message) => (seen.push(`${name} send`), message))
  ]
  const batch = (name: string, seen: Array<string>) => [
    Middleware.recvBatch((next) => Effect.tap(next, () => Effect.sync(() => seen.push(`${name} recv`)))),
    Middleware.sendBatch((next) => (messages) => {
      seen.push(`${name} send`)
      return next(messages)
    })
  ]

  it.effect("first is outermost, whatever the forms: it sends first and receives last", () =>
    Effect.gen(function* () {
      const forms = [around, plain, batch]
      for (const one of forms) {
        for (const two of forms) {
          for (const three of forms) {
            const seen: Array<string> = []
            const client = yield* pair(
              { Echo: echo },
              { middleware: [...one("1", seen), ...two("2", seen), ...three("3", seen)] }
            )
            const stream = yield* client.Echo.open()
            yield* stream.send(request("a"))
            yield* stream.recv
            assert.deepStrictEqual(seen, ["1 send", "2 send", "3 send", "3 recv", "2 recv", "1 recv"])
          }
        }
      }
    })
  )
})

describe("time", () => {
  const slow = Middleware.recv((next) => Effect.tap(next, () => Effect.sleep(100)))
  const slowSend = Middleware.send((next) => (message) => Effect.andThen(Effect.sleep(100), next(message)))

  it.effect("Effect.timeout around a send that middleware slows down", () =>
    Effect.gen(function* () {
      const client = yield* pair({ Echo: echo }, { middleware: [slowSend] })
      const stream = yield* client.Echo.open()
      const sent = yield* Effect.forkChild(Effect.timeout(stream.send(request("a")), 50))
      yield* pass(50)
      assert.match(told(yield* Fiber.await(sent)), /TimeoutError/)
      // Only that send is over.
      const second = yield* Effect.forkChild(stream.send(request("b")))
      yield* pass(100)
      yield* Fiber.join(second)
      assert.strictEqual((yield* stream.recv).message, "b")
    })
  )

  it.effect("Effect.timeout around a recv that middleware slows down loses no message", () =>
    Effect.gen(function* () {
      const client = yield* pair({ Echo: echo }, { middleware: [slow] })
      const stream = yield* client.Echo.open()
      yield* stream.send(request("a"))
      yield* stream.send(request("b"))
      for (const _ of [1, 2]) {
        const received = yield* Effect.forkChild(Effect.timeout(stream.recv, 50))
        yield* pass(50)
        assert.match(told(yield* Fiber.await(received)), /TimeoutError/)
      }
      for (const text of ["a", "b"]) {
        const received = yield* Effect.forkChild(stream.recv)
        yield* pass(100)
        assert.strictEqual((yield* Fiber.join(received)).message, text)
      }
    })
  )

  it.effect("recvTimeout is for all of a recv: of the client, and of a call", () =>
    Effect.gen(function* () {
      for (const options of [{ call: { recvTimeout: 50 } }, { client: { recvTimeout: 50 } }]) {
        const { client, recorder } = yield* recorded({ Echo: echo }, { middleware: [slow], ...options.client })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const stream = yield* client.Echo.open(options.call)
            yield* stream.send(request("a"))
            const received = yield* Effect.forkChild(stream.recv)
            yield* pass(50)
            const exit = yield* Fiber.await(received)
            const timedOut = `RecvTimeout: ${wire.streams.recvTimeout(50)}`
            assert.strictEqual(told(exit), timedOut)
            // The stream is over.
            assert.strictEqual(told(yield* Effect.exit(stream.recv)), timedOut)
            assert.strictEqual(told(yield* Effect.exit(stream.send(request("b")))), timedOut)
          })
        )
        const [finish] = yield* recorder.finished("client", 1)
        assert.strictEqual(told(finish!.exit), `RecvTimeout: ${wire.streams.recvTimeout(50)}`)
        assert.match(told((yield* recorder.finished("server", 1))[0]!.exit), /Cancelled/)
      }
    })
  )

  it.effect("a defect that the handler catches is nothing for the log, also with a budget", () =>
    Effect.gen(function* () {
      const dies = Middleware.recv((next) => Effect.andThen(next, Effect.die(new Error("middleware"))))
      const [got, lines] = yield* logged(
        Effect.gen(function* () {
          const client = yield* pair(
            {
              Echo: {
                duplex: ({ recv, send }) =>
                  Effect.flatMap(Effect.exit(recv), (exit) => send(response(Exit.isFailure(exit) ? "caught" : "none")))
              }
            },
            {},
            { middleware: [dies], recvTimeout: 50 }
          )
          const got = yield* Stream.runCollect(client.Echo(Stream.make(request("a"))))
          yield* settle
          return texts(got)
        })
      )
      assert.deepStrictEqual([got, lines], [["caught"], []])
    })
  )

  it.effect("firstMessageTimeout and sendTimeout too", () =>
    Effect.gen(function* () {
      const client = yield* pair(
        { Echo: echo },
        { middleware: [slow, slowSend], firstMessageTimeout: 150, recvTimeout: 50, sendTimeout: 120 }
      )
      const stream = yield* client.Echo.open()
      for (const text of ["a", "b"]) {
        const sent = yield* Effect.forkChild(stream.send(request(text)))
        yield* pass(100)
        yield* Fiber.join(sent)
      }
      const first = yield* Effect.forkChild(stream.recv)
      yield* pass(100)
      assert.strictEqual((yield* Fiber.join(first)).message, "a")
      const second = yield* Effect.forkChild(stream.recv)
      yield* pass(50)
      assert.strictEqual(told(yield* Fiber.await(second)), `RecvTimeout: ${wire.streams.recvTimeout(50)}`)

      const other = yield* pair({ Echo: echo }, { middleware: [slowSend], sendTimeout: 50 })
      const blocked = yield* other.Echo.open()
      const sent = yield* Effect.forkChild(blocked.send(request("a")))
      yield* pass(50)
      assert.match(told(yield* Fiber.await(sent)), /SendTimeout/)
      assert.match(told(yield* Effect.exit(blocked.recv)), /SendTimeout/)
    })
  )

  it.effect("a second recv, or send, beside one that is in middleware is a defect and harms neither", () =>
    Effect.gen(function* () {
      const client = yield* pair({ Echo: echo }, { middleware: [slow, slowSend] })
      const stream = yield* client.Echo.open()
      const sending = yield* Effect.forkChild(stream.send(request("a")))
      yield* settle
      assert.match(
        told(yield* Effect.exit(stream.send(request("b")))),
        /defect: .*another send of the same stream waits/
      )
      yield* pass(100)
      yield* Fiber.join(sending)
      const receiving = yield* Effect.forkChild(stream.recv)
      yield* settle
      assert.match(told(yield* Effect.exit(stream.recv)), /defect: .*another recv of the same stream waits/)
      yield* pass(100)
      assert.strictEqual((yield* Fiber.join(receiving)).message, "a")
    })
  )
})

describe("refusing", () => {
  it.effect("a message on a client ends the stream with the error", () =>
    Effect.gen(function* () {
      const refuse = (message: unknown) => (textOf(message) === "b" ? refusal("no b") : undefined)
      const forms = [
        Middleware.recv((next) =>
          Effect.flatMap(next, (message) => {
            const error = refuse(message)
            return error === undefined ? Effect.succeed(message) : Effect.fail(error)
          })
        ),
        Middleware.recvPlain(() => (message) => refuse(message) ?? message)
      ]
      for (const middleware of forms) {
        const { client, recorder } = yield* recorded(
          { EchoServer: () => Stream.concat(Stream.make(response("a"), response("b"), response("c")), Stream.never) },
          { middleware: [middleware] }
        )
        const got: Array<string> = []
        const exit = yield* Effect.exit(
          Stream.runForEach(client.EchoServer(request("x")), (message) => Effect.sync(() => got.push(textOf(message))))
        )
        assert.match(told(exit), /no b/)
        assert.deepStrictEqual(got, ["a"])
        const [finish] = yield* recorder.finished("client", 1)
        assert.strictEqual(finish!.reason, "error")
        assert.match(told(finish!.exit), /no b/)
        assert.match(told((yield* recorder.finished("server", 1))[0]!.exit), /Cancelled/)
      }
    })
  )

  it.effect("behind a refused message a client gets the same error again, and no message", () =>
    Effect.gen(function* () {
      const refuse = Middleware.recvPlain(() => (message) => (textOf(message) === "b" ? refusal("no b") : message))
      const nothing = Middleware.recvBatch((next) => next)
      const single = Middleware.recv((next) => next)
      for (const middleware of [[refuse], [refuse, nothing], [nothing, refuse], [refuse, single], [single, refuse]]) {
        const client = yield* pair(
          { EchoServer: () => Stream.fromIterable(["a", "b", "c"].map(response)) },
          { middleware }
        )
        // The pulls of the Stream form take all that is here, the handle one.
        for (const recv of [
          Effect.map(Stream.toPull(client.EchoServer(request("x"))), (pull) => Effect.map(pull, texts)),
          Effect.map(client.EchoServer.open(request("x")), (stream) => Effect.map(stream.recv, (one) => texts([one])))
        ]) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const next = yield* recv
              yield* settle
              assert.deepStrictEqual(yield* next, ["a"])
              for (let i = 0; i < 2; i++) assert.match(told(yield* Effect.exit(next)), /no b/)
            })
          )
        }
      }
    })
  )

  it.effect("a message on a server fails that recv, and the handler decides", () =>
    Effect.gen(function* () {
      const refuse = (message: unknown) =>
        textOf(message) === "b"
          ? new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no b" })
          : undefined
      const forms = [
        Middleware.recv((next) =>
          Effect.flatMap(next, (message) => {
            const error = refuse(message)
            return error === undefined ? Effect.succeed(message) : Effect.fail(error)
          })
        ),
        Middleware.recvPlain(() => (message) => refuse(message) ?? message)
      ]
      for (const middleware of forms) {
        const got: Array<string> = []
        const client = yield* pair(
          {
            Echo: {
              duplex: (stream) =>
                Effect.gen(function* () {
                  for (let i = 0; i < 3; i++) {
                    const exit = yield* Effect.exit(stream.recv)
                    got.push(Exit.isSuccess(exit) ? textOf(exit.value) : told(exit))
                  }
                  yield* stream.send(response("fine"))
                })
            }
          },
          {},
          { middleware: [middleware] }
        )
        const all = yield* Stream.runCollect(client.Echo(Stream.make(request("a"), request("b"), request("c"))))
        assert.deepStrictEqual(texts(all), ["fine"])
        assert.deepStrictEqual([got[0], got[2]], ["a", "c"])
        assert.match(got[1]!, /no b/)
      }
      // As a stream it ends the handler's.
      for (const middleware of forms) {
        const client = yield* pair({ Echo: echo }, {}, { middleware: [middleware] })
        const got: Array<string> = []
        const exit = yield* Effect.exit(
          Stream.runForEach(client.Echo(Stream.make(request("a"), request("b"), request("c"))), (message) =>
            Effect.sync(() => got.push(textOf(message)))
          )
        )
        assert.match(told(exit), /no b/)
        assert.deepStrictEqual(got, ["a"])
      }
    })
  )

  it.effect("a send fails that send alone; what lies before it in the batch is sent", () =>
    Effect.gen(function* () {
      const refuse = (message: unknown) => (textOf(message) === "b" ? refusal("no b") : undefined)
      const plain = Middleware.sendPlain(() => (message) => refuse(message) ?? message)
      const nothing = Middleware.sendBatch((next) => next)
      const single = Middleware.send((next) => (message) => {
        const error = refuse(message)
        return error === undefined ? next(message) : Effect.fail(error)
      })
      for (const middleware of [[plain], [single], [plain, nothing], [nothing, plain], [nothing, single]]) {
        const { client, recorder } = yield* recorded({ Echo: echo }, { middleware })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const stream = yield* client.Echo.open()
            yield* stream.send(request("a"))
            assert.match(told(yield* Effect.exit(stream.send(request("b")))), /no b/)
            yield* stream.send(request("c"))
            yield* stream.closeSend
            assert.strictEqual((yield* stream.recv).message, "a")
            assert.strictEqual((yield* stream.recv).message, "c")
            assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
          })
        )
        assert.strictEqual((yield* recorder.finished("client", 1))[0]!.reason, "eof")
        const server = yield* pair(
          { EchoServer: () => Stream.fromIterable(["a", "b", "c"].map(response)) },
          {},
          { middleware }
        )
        const got: Array<string> = []
        const exit = yield* Effect.exit(
          Stream.runForEach(server.EchoServer(request("x")), (message) => Effect.sync(() => got.push(textOf(message))))
        )
        assert.deepStrictEqual(got, ["a"])
        assert.match(told(exit), /no b/)
      }
    })
  )

  it.effect("a panic of middleware on a server is one of the handler", () =>
    Effect.gen(function* () {
      for (const middleware of [
        Middleware.recv(() => Effect.die(new Error("ouch"))),
        Middleware.recvPlain(() => () => {
          throw new Error("ouch")
        }),
        Middleware.sendPlain(() => () => {
          throw new Error("ouch")
        })
      ]) {
        const client = yield* pair({ Echo: echo }, {}, { middleware: [middleware] })
        const exit = yield* Effect.exit(Stream.runDrain(client.Echo(Stream.make(request("a")))))
        assert.strictEqual(told(exit), `Status: ${wire.streams.panic("TestService.Echo", "ouch")}`)
      }
    })
  )
})

describe("the end", () => {
  const ends = (seen: Array<string>) =>
    Middleware.recv((next, { info }) =>
      Effect.tapError(next, (error) =>
        Effect.sync(() =>
          seen.push(
            Cause.isDone(error) ? `done ${info.bizError?.statusCode ?? "well"}` : `${error._tag} ${error.message}`
          )
        )
      )
    )

  it.effect("a business error is an end with info.bizError for middleware, and an error for the caller", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { client, recorder } = yield* recorded(
        {
          EchoServer: ({ message }) =>
            message === "biz"
              ? Stream.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no such" }))
              : message === "error"
                ? Stream.fail(refusal("internal"))
                : Stream.empty
        },
        { middleware: [ends(seen)] }
      )
      const run = (message: string) => Effect.exit(Stream.runDrain(client.EchoServer(request(message))))
      assert.strictEqual(told(yield* run("well")), "success")
      assert.match(told(yield* run("biz")), /BizStatusError.*404/)
      assert.match(told(yield* run("error")), /internal/)
      assert.deepStrictEqual(seen.slice(0, 2), ["done well", "done 404"])
      assert.match(seen[2]!, /RpcError .*internal/)
      const [well, biz, error] = yield* recorder.finished("client", 3)
      assert.deepInclude(well, { reason: "eof", bizError: undefined })
      assert.deepInclude(biz, { reason: "error", exit: Exit.void })
      assert.strictEqual(biz!.bizError?.statusCode, 404)
      assert.match(told(error!.exit), /internal/)
      // Events: the business error is one, the end is none.
      const failures = recorder.client.events.flatMap((e) => (e.hook === "streamRecv" ? [e.error?._tag] : []))
      assert.deepStrictEqual(failures, ["BizStatusError", "RpcError"])
    })
  )

  it.effect("middleware may fail in its place, and end a stream before its time", () =>
    Effect.gen(function* () {
      const failing = Middleware.recv((next) =>
        Effect.catch(next, (error) => (Cause.isDone(error) ? Effect.fail(refusal("too short")) : Effect.fail(error)))
      )
      const first = yield* recorded({ EchoServer: () => Stream.empty }, { middleware: [failing] })
      assert.match(told(yield* Effect.exit(Stream.runDrain(first.client.EchoServer(request("x"))))), /too short/)
      const [finish] = yield* first.recorder.finished("client", 1)
      assert.match(told(finish!.exit), /too short/)

      let left = 2
      const second = yield* recorded(
        { EchoServer: () => Stream.forever(Stream.make(response("a"))) },
        { middleware: [Middleware.recv((next) => Effect.suspend(() => (left-- > 0 ? next : Cause.done())))] }
      )
      const got = yield* Stream.runCollect(second.client.EchoServer(request("x")))
      assert.deepStrictEqual(texts(got), ["a", "a"])
      assert.strictEqual((yield* second.recorder.finished("client", 1))[0]!.reason, "earlyEnd")
    })
  )

  it.effect("a message in place of the end is delivered, and the end comes behind it", () =>
    Effect.gen(function* () {
      const last = Middleware.recvFor(TestService, "EchoServer", "client", (next) => {
        let given = false
        return Effect.catch(next, (error) => {
          if (given || !Cause.isDone(error)) return Effect.fail(error)
          given = true
          return Effect.succeed(response("last"))
        })
      })
      const { client, recorder } = yield* recorded(
        { EchoServer: () => Stream.make(response("a")) },
        { middleware: [last] }
      )
      const got = yield* Stream.runCollect(client.EchoServer(request("x")))
      assert.deepStrictEqual(texts(got), ["a", "last"])
      assert.strictEqual((yield* recorder.finished("client", 1))[0]!.reason, "eof")
    })
  )

  it.effect("an error that middleware swallows is an end for the caller, and still what RPCFinish reports", () =>
    Effect.gen(function* () {
      const swallowing = Middleware.recv((next) => Effect.catch(next, () => Cause.done()))
      const { client, recorder } = yield* recorded(
        { EchoServer: () => Stream.fail(refusal("internal")) },
        { middleware: [swallowing] }
      )
      assert.deepStrictEqual(yield* Stream.runCollect(client.EchoServer(request("x"))), [])
      assert.match(told((yield* recorder.finished("client", 1))[0]!.exit), /internal/)
    })
  )
})

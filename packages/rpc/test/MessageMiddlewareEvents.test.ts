import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { BizStatusError, Middleware, RpcError, type Server, type StreamOptions } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { only, pass, settle, told, type TestHandlers } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })
/** The bytes of a message on the wire. */
const sizeOf = (text: string) => text.length + 8

const recorded = (
  handlers: Partial<TestHandlers>,
  client: StreamOptions.StreamClientOptions = {},
  server: Server.Options<ReadonlyArray<Middleware.ForServer>> = {},
  transport: Testing.Options["transport"] = {}
) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make
    const calls = yield* Effect.provide(
      Testing.client(TestService, only(handlers), { client, server, transport }),
      recorder.layer
    )
    return { client: calls, recorder }
  })

/** How many messages each event of a hook was about, or that it was an error. */
const eventsOf = (side: Recorder.Side, hook: "streamSend" | "streamRecv") =>
  side.events.flatMap((event) => (event.hook === hook ? [event.error === undefined ? event.count : "error"] : []))

const failed = new RpcError.RpcError({ reason: new RpcError.Status(), code: 9, desc: "failed", method: "test" })
const biz = new BizStatusError.BizStatusError({ statusCode: 100, statusMessage: "biz" })

const echo: TestHandlers["Echo"] = (requests) => Stream.map(requests, ({ message }) => new Response({ message }))
const through = [
  [],
  [Middleware.recvPlain(() => (message) => message), Middleware.sendPlain(() => (message) => message)],
  [Middleware.recv((next) => next), Middleware.send((next) => (message) => next(message))]
]

/** Both sides, with nothing around messages, with functions, and with effects. */
const each = (
  test: (
    middleware: ReadonlyArray<Middleware.RecvMiddleware | Middleware.SendMiddleware>
  ) => Effect.Effect<void, unknown>
) => Effect.forEach(through, test, { discard: true })

describe("events of messages", () => {
  it.effect("one for each operation, with sizes that add up to those of the call; the end is none", () =>
    each((middleware) =>
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded({ Echo: echo }, { middleware }, { middleware })
        yield* Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          for (const text of ["a", "bb", "ccc"]) {
            yield* stream.send(request(text))
            assert.strictEqual((yield* stream.recv).message, text)
          }
          yield* stream.closeSend
          yield* Effect.flip(stream.recv)
        }).pipe(Effect.scoped)
        for (const name of ["client", "server"] as const) {
          const side = recorder[name]
          const [finish] = yield* recorder.finished(name, 1)
          assert.deepStrictEqual(eventsOf(side, "streamSend"), [1, 1, 1])
          assert.deepStrictEqual(eventsOf(side, "streamRecv"), [1, 1, 1])
          const sizes = ["a", "bb", "ccc"].map(sizeOf)
          const told = side.events.flatMap((e) => (e.hook === "streamRecv" ? [[e.lastSize, e.bytes]] : []))
          assert.deepStrictEqual(
            told,
            sizes.map((size) => [size, size])
          )
          const total = sizes.reduce((a, b) => a + b)
          assert.deepInclude(finish, { sendCount: 3, sendBytes: total, recvCount: 3, recvBytes: total })
          assert.deepInclude(side, { sendCount: 3, sendBytes: total, recvCount: 3, recvBytes: total })
        }
      }).pipe(Effect.scoped)
    )
  )

  it.effect("of the hidden send and receives of server and client streaming", () =>
    each((middleware) =>
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded(
          {
            EchoServer: () => Stream.fromIterable(["a", "b", "c"].map(response)).pipe(Stream.rechunk(1)),
            EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => response(`${n}`))
          },
          { middleware },
          { middleware }
        )
        yield* Stream.runDrain(client.EchoServer(request("x")))
        yield* recorder.finished("server", 1)
        const counts = () => [
          recorder.client.sendCount,
          recorder.client.recvCount,
          recorder.server.sendCount,
          recorder.server.recvCount
        ]
        assert.deepStrictEqual(counts(), [1, 3, 3, 1])
        yield* client.EchoClient(Stream.make(request("a"), request("b"), request("c")))
        yield* recorder.finished("server", 2)
        assert.deepStrictEqual(counts(), [4, 4, 4, 4])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("a batch is told at once, with the size of its last message", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        EchoServer: () => Stream.fromIterable(["a", "bb", "ccc"].map(response))
      })
      yield* Stream.runDrain(client.EchoServer(request("x")))
      yield* recorder.finished("server", 1)
      const sends = recorder.server.events.flatMap((e) => (e.hook === "streamSend" ? [e] : []))
      const bytes = sizeOf("a") + sizeOf("bb") + sizeOf("ccc")
      assert.strictEqual(sends.length, 1)
      assert.deepInclude(sends[0], { count: 3, bytes, lastSize: sizeOf("ccc"), error: undefined })
    })
  )

  it.effect("a failing send or receive is one with the error, business errors too", () =>
    each((middleware) =>
      Effect.gen(function* () {
        for (const error of [failed, biz]) {
          const handlers: Partial<TestHandlers> = {
            EchoServer: () => Stream.fail(error),
            EchoClient: () => Effect.fail(error),
            Echo: () => Stream.fail(error)
          }
          const run = <E>(
            call: (client: Effect.Success<ReturnType<typeof recorded>>["client"]) => Effect.Effect<unknown, E>
          ) =>
            Effect.gen(function* () {
              const { client, recorder } = yield* recorded(handlers, { middleware }, { middleware })
              const exit = yield* Effect.exit(call(client))
              assert.match(told(exit), error === biz ? /BizStatusError/ : /failed/)
              const [finish] = yield* recorder.finished("client", 1)
              assert.strictEqual(finish!.reason, "error")
              yield* recorder.finished("server", 1)
              const sides = [recorder.client, recorder.server]
              // The error comes before RPCFinish.
              const last = recorder.client.events.map(({ hook }) => hook)
              assert.isBelow(last.lastIndexOf("streamRecv"), last.indexOf("finish"))
              return sides.map((side) => [eventsOf(side, "streamSend"), eventsOf(side, "streamRecv")])
            }).pipe(Effect.scoped)
          assert.deepStrictEqual(yield* run((client) => Stream.runDrain(client.EchoServer(request("x")))), [
            [[1], ["error"]],
            [[], [1]]
          ])
          assert.deepStrictEqual(
            yield* run((client) => Effect.scoped(Effect.flatMap(client.EchoClient.open(), (s) => s.closeAndRecv))),
            [
              [[], ["error"]],
              [[], []]
            ]
          )
          assert.deepStrictEqual(
            yield* run((client) => Effect.scoped(Effect.flatMap(client.Echo.open(), (s) => s.recv))),
            [
              [[], ["error"]],
              [[], []]
            ]
          )
        }
      }).pipe(Effect.scoped)
    )
  )

  it.effect("sending after the half close is a failing send", () =>
    each((middleware) =>
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded({ Echo: echo }, { middleware })
        const stream = yield* client.Echo.open()
        yield* stream.closeSend
        assert.strictEqual(told(yield* Effect.exit(stream.send(request("a")))), `Status: ${wire.streams.streamDone}`)
        assert.deepStrictEqual(eventsOf(recorder.client, "streamSend"), ["error"])
        assert.strictEqual(recorder.client.sendBytes, 0)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("come after the whole chain, and with what became of the operation in it", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded(
        { Echo: echo },
        {
          middleware: [
            Middleware.recv((next) => Effect.tap(next, () => Effect.sync(() => log.push("recv")))),
            Middleware.send((next) => (message) => {
              if ((message as Request).message === "no") return Effect.fail(failed)
              return Effect.andThen(
                next(message),
                Effect.sync(() => log.push("send"))
              )
            })
          ]
        }
      )
      const before = () => [
        ...log,
        ...eventsOf(recorder.client, "streamSend"),
        ...eventsOf(recorder.client, "streamRecv")
      ]
      const stream = yield* client.Echo.open()
      yield* stream.send(request("a"))
      assert.deepStrictEqual(before(), ["send", 1])
      yield* stream.recv
      assert.deepStrictEqual(before(), ["send", "recv", 1, 1])
      yield* Effect.exit(stream.send(request("no")))
      assert.deepStrictEqual(eventsOf(recorder.client, "streamSend"), [1, "error"])
    })
  )

  it.effect("a refused message counts, as it has come over the wire", () =>
    Effect.gen(function* () {
      for (const refusing of [
        Middleware.recvPlain(() => () => failed),
        Middleware.recv((next) => Effect.andThen(next, Effect.fail(failed)))
      ]) {
        const { client, recorder } = yield* recorded(
          { EchoServer: () => Stream.make(response("abc")) },
          { middleware: [refusing] }
        )
        assert.match(told(yield* Effect.exit(Stream.runDrain(client.EchoServer(request("x"))))), /failed/)
        const [finish] = yield* recorder.finished("client", 1)
        assert.deepInclude(finish, { recvCount: 1, recvBytes: sizeOf("abc") })
        assert.strictEqual(recorder.client.recvBytes, sizeOf("abc"))
        assert.deepStrictEqual(eventsOf(recorder.client, "streamRecv"), [1, "error"])
      }
    })
  )

  it.effect("a send that waited for room says how long, and how much was buffered", () =>
    each((middleware) =>
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded(
          {
            EchoClient: (requests) =>
              Effect.andThen(Effect.sleep(1000), Effect.as(Stream.runDrain(requests), response("")))
          },
          { middleware },
          {},
          { client: { streamCredit: true } }
        )
        const sending = yield* Effect.forkChild(
          client.EchoClient(Stream.fromIterable(Array.from({ length: 200 }, () => request("x".repeat(10_000)))))
        )
        yield* pass(1000, 100)
        yield* settle
        yield* Fiber.join(sending)
        const waits = recorder.client.events.flatMap((e) => (e.hook === "sendBlocked" ? [e.millis] : []))
        assert.strictEqual(Math.max(...waits), 1000)
        // Told behind an effect it is what is left of all that the effect has sent.
        if (middleware !== through[2]) {
          assert.isTrue(recorder.client.events.some((e) => e.hook === "streamSend" && e.buffered > 0))
        }
        const [finish] = yield* recorder.finished("client", 1)
        assert.deepInclude(finish, { sendCount: 200, sendBytes: 200 * sizeOf("x".repeat(10_000)) })
        assert.deepInclude(recorder.client, { sendCount: 200, sendBytes: 200 * sizeOf("x".repeat(10_000)) })
      }).pipe(Effect.scoped)
    )
  )

  const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

  it.effect.prop(
    "whatever is refused or dropped on the way, the events of both ends add up to what RPCFinish says, and to each other",
    [
      Schema.Array(int(0, 30)).check(Schema.isMaxLength(20)),
      Schema.Array(Schema.Literals(["plain", "single", "batch", "refusePlain", "refuseSingle", "drop"])).check(
        Schema.isMaxLength(4)
      ),
      Schema.Array(Schema.Literals(["plain", "single", "batch", "refusePlain", "refuseSingle", "drop"])).check(
        Schema.isMaxLength(4)
      )
    ],
    ([sizes, onClient, onServer]) =>
      Effect.gen(function* () {
        const odd = (message: unknown) => ((message as Response).message?.length ?? 0) % 7 === 3
        const listOf = (names: ReadonlyArray<string>) =>
          names.flatMap((name): ReadonlyArray<Middleware.RecvMiddleware | Middleware.SendMiddleware> => {
            switch (name) {
              case "plain":
                return through[1]!
              case "single":
                return through[2]!
              case "batch":
                return [Middleware.recvBatch((next) => next), Middleware.sendBatch((next) => next)]
              case "refusePlain":
                return [Middleware.recvPlain(() => (message) => (odd(message) ? failed : message))]
              case "refuseSingle":
                return [Middleware.send((next) => (message) => (odd(message) ? Effect.fail(failed) : next(message)))]
              default:
                return [
                  Middleware.recv((next) => {
                    const one: typeof next = Effect.flatMap(next, (message) =>
                      odd(message) ? one : Effect.succeed(message)
                    )
                    return one
                  })
                ]
            }
          })
        const { client, recorder } = yield* recorded(
          { Echo: echo },
          { middleware: listOf(onClient) },
          { middleware: listOf(onServer) }
        )
        yield* Effect.exit(
          Stream.runDrain(client.Echo(Stream.fromIterable(sizes.map((size) => request("x".repeat(size))))))
        )
        yield* settle
        for (const name of ["client", "server"] as const) {
          // A stream that is reset at once never comes to a server.
          if (recorder[name].starts.length === 0 && name === "server") continue
          const [finish] = yield* recorder.finished(name, 1)
          const { recvBytes, recvCount, sendBytes, sendCount } = recorder[name]
          assert.deepInclude(finish, { recvBytes, recvCount, sendBytes, sendCount })
          assert.strictEqual(recorder[name].starts.length, 1)
          assert.strictEqual(recorder[name].finishes.length, 1)
        }
        assert.isAtMost(recorder.server.recvBytes, recorder.client.sendBytes)
        assert.isAtMost(recorder.client.recvBytes, recorder.server.sendBytes)
      }),
    { arbitrary: { runs: 100 } }
  )
})

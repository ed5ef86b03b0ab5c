import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Layer, Scope, Stream } from "effect"
import {
  BizStatusError,
  type ClientStream,
  ContextMap,
  LogId,
  MetaHandler,
  Middleware,
  RpcError,
  type RpcInfo,
  RpcTracer,
  type StreamOptions
} from "../src/index.ts"
import { makeCaller } from "../src/internal/makeCaller.ts"
import { PlainCaller } from "../src/internal/plainCaller.ts"
import { ClientInfo } from "../src/internal/clientInfo.ts"
import { WrappedCaller } from "../src/internal/wrappedCaller.ts"
import { Recorder } from "../src/testing/index.ts"
import { clientOf, spied, type TestHandlers, told } from "./support/client.ts"
import { Busy, Request, Response, TestService } from "./support/echo.ts"
import { Transport } from "@millrace/transport"
import { StreamClient, Testing } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })
const texts = (messages: ReadonlyArray<{ readonly message?: string }>) => messages.map(({ message }) => message)

const handlers: Partial<TestHandlers> = {
  Echo: (requests) => Stream.map(requests, ({ message }) => response(`${message}`)),
  EchoClient: (requests) =>
    Effect.map(Stream.runCollect(requests), (all) => response(all.map(({ message }) => message).join())),
  EchoServer: ({ message }) => Stream.make(response(`${message}1`), response(`${message}2`)),
  EchoUnary: ({ message }) =>
    message === "busy"
      ? Effect.fail(new Busy({ retryAfter: 7 }))
      : message === "biz"
        ? Effect.fail(new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" }))
        : Effect.succeed(response(`${message}`))
}

type Client = StreamClient.StreamClient<typeof TestService>

/** Every way to make a call with one message each way, all of them with the same outcome. */
const ways: ReadonlyArray<readonly [name: string, call: (client: Client) => Effect.Effect<unknown, unknown>]> = [
  ["unary", (client) => client.EchoUnary(request("x"))],
  ["bidirectional", (client) => Stream.runCollect(client.Echo(Stream.make(request("x"))))],
  ["client", (client) => client.EchoClient(Stream.make(request("x")))],
  ["server", (client) => Stream.runCollect(client.EchoServer(request("x")))],
  [
    "bidirectional handle",
    (client) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* stream.send(request("x"))
          yield* stream.closeSend
          yield* stream.recv
          yield* Effect.exit(stream.recv)
        })
      )
  ],
  [
    "client handle",
    (client) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.EchoClient.open()
          yield* stream.send(request("x"))
          yield* stream.closeAndRecv
        })
      )
  ],
  [
    "server handle",
    (client) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.EchoServer.open(request("x"))
          yield* Effect.exit(stream.recv)
          yield* Effect.exit(stream.recv)
          yield* Effect.exit(stream.recv)
        })
      )
  ]
]

const streams = ways.filter(([name]) => name !== "unary")

/** A client whose steps are written down. */
const noted = (options: StreamOptions.StreamClientOptions = {}, given: Partial<TestHandlers> = handlers) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const say = (line: string) => Effect.sync(() => void log.push(line))
    const around = (name: string) =>
      Middleware.client((next) =>
        Effect.andThen(
          say(`${name} >`),
          Effect.onExit(next, () => say(`< ${name}`))
        )
      )
    const hook = (name: string) =>
      MetaHandler.make({
        onConnectStream: (next) =>
          Effect.andThen(
            say(`${name} >`),
            Effect.onExit(next, () => say(`< ${name}`))
          )
      })
    const message =
      (name: string) =>
      () =>
      <A>(it: A) => {
        if (log.at(-1) !== name) log.push(name)
        return it
      }
    const tracer = RpcTracer.layer({
      start: ({ side }) => (side === "client" ? say("start") : Effect.void),
      streamStart: ({ side }) => void (side === "client" && log.push("stream start")),
      streamRecvHeader: () => void log.push("header"),
      streamSend: ({ info }) => void (info.side === "client" && log.push("stream send")),
      streamRecv: ({ info }) => void (info.side === "client" && log.push("stream recv")),
      streamFinish: ({ side }) => void (side === "client" && log.push("stream finish")),
      finish: ({ info, reason }) => (info.side === "client" ? say(`finish ${reason}`) : Effect.void)
    })
    const client = yield* Effect.provide(
      clientOf(given, {
        client: {
          endpoints: {
            pick: ({ info }) => {
              log.push(`pick${info.address}`)
              return "memory"
            }
          },
          middleware: [
            Middleware.recvPlain(message("recv 1")),
            around("first"),
            Middleware.sendPlain(message("send 1")),
            around("second"),
            Middleware.sendPlain(message("send 2")),
            Middleware.recvPlain(message("recv 2"))
          ],
          instanceMiddleware: [around("instance 1"), around("instance 2")],
          metaHandlers: [hook("connect 1"), MetaHandler.make({}), hook("connect 2")],
          ...options
        }
      }),
      tracer
    )
    return { client, log }
  })

const inward = [
  "start",
  "first >",
  "second >",
  "pick",
  "instance 1 >",
  "instance 2 >",
  "connect 1 >",
  "connect 2 >",
  "stream start"
]
const connected = ["< connect 2", "< connect 1"]
const outward = ["< instance 2", "< instance 1", "< second", "< first"]
const answered = ["header", "stream finish"]
const sent = ["send 1", "send 2", "stream send"]
const received = ["recv 2", "recv 1", "stream recv"]

describe("order", () => {
  for (const [name, call] of ways) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { client, log } = yield* noted()
        yield* call(client)
        assert.deepStrictEqual(
          log.filter((line, at) => log.indexOf(line) === at),
          name === "unary"
            ? [...inward, ...connected, ...answered, ...outward, "finish eof"]
            : [...inward, ...connected, ...outward, ...sent, ...answered, ...received, "finish eof"]
        )
      })
    )
  }

  it.effect("the error handler is behind instance middleware and in front of the hooks", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const watch = (name: string) =>
        Middleware.client((next) =>
          Effect.tapError(next, (error) => Effect.sync(() => void seen.push(`${name}: ${error.message}`)))
        )
      const client = yield* clientOf(handlers, {
        client: {
          middleware: [watch("middleware")],
          instanceMiddleware: [watch("instance")],
          metaHandlers: [MetaHandler.make({ onConnectStream: () => Effect.fail(failure(14, "no")) })],
          errorHandler: (error, info) => {
            seen.push(`handler: ${error.desc} of ${info.method} at ${info.address}`)
            return new BizStatusError.BizStatusError({ statusCode: 9, statusMessage: "handled" })
          }
        }
      })
      for (const [, call] of ways) {
        seen.length = 0
        const error = yield* Effect.flip(call(client))
        assert.instanceOf(error, BizStatusError.BizStatusError)
        assert.match(seen[0]!, /^handler: remote or network error: no of \w+ at memory$/)
        assert.deepStrictEqual(seen.slice(1), [
          "instance: biz error: code=9, msg=handled",
          "middleware: biz error: code=9, msg=handled"
        ])
      }
    })
  )
})

const failure = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status(), code, desc })

describe("next", () => {
  const retried = Middleware.client((next) => Effect.catch(next, () => next))

  it.effect("runs again: another choice, another attempt, one start and one finish", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const addresses: Array<string> = []
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            endpoints: { pick: () => (addresses.length % 2 === 0 ? "no:1" : "memory") },
            middleware: [retried],
            instanceMiddleware: [
              Middleware.client((next, info) =>
                Effect.suspend(() => {
                  addresses.push(info.address)
                  return info.address === "memory" ? next : Effect.fail(failure(14, "refused"))
                })
              )
            ]
          }
        }),
        recorder.layer
      )
      for (const [, call] of ways) {
        addresses.length = 0
        yield* call(client)
        assert.deepStrictEqual(addresses, ["no:1", "memory"])
      }
      assert.strictEqual(recorder.client.starts.length, ways.length)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ info, reason, sendCount }) => [info.address, reason, sendCount]),
        ways.map(() => ["memory", "eof", 1])
      )
    })
  )

  it.effect("may run twice: the handle that comes out is the call, the other stream ends with it", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      for (const which of [0, 1]) {
        const running = { count: 0 }
        const client = yield* Effect.provide(
          clientOf(
            {
              Echo: (requests) =>
                Stream.unwrap(
                  Effect.sync(() => {
                    running.count++
                    return Stream.ensuring(
                      Stream.map(requests, ({ message }) => response(`${message}`)),
                      Effect.sync(() => void running.count--)
                    )
                  })
                )
            },
            {
              client: {
                middleware: [Middleware.client((next) => Effect.map(Effect.all([next, next]), (both) => both[which]!))]
              }
            }
          ),
          recorder.layer
        )
        const scope = yield* Scope.make()
        const stream = yield* Scope.provide(client.Echo.open(), scope)
        yield* stream.send(request("a"))
        assert.strictEqual((yield* stream.recv).message, "a")
        yield* stream.closeSend
        assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
        const finishes = yield* recorder.finished("client", which + 1)
        assert.deepStrictEqual(
          finishes.map(({ reason, recvCount }) => [reason, recvCount]),
          Array.from(finishes, () => ["eof", 1])
        )
        // The scope of the call is still open.
        yield* recorder.finished("server", 2 * (which + 1))
        assert.strictEqual(running.count, 0)
      }
    })
  )

  it.effect("an attempt that was given up does not end the call", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            middleware: [
              Middleware.stream((next) => Effect.flatMap(next, (first) => Effect.andThen(first.cancel, next)))
            ]
          }
        }),
        recorder.layer
      )
      for (const [, call] of streams) yield* call(client)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason, recvCount, sendCount }) => [reason, sendCount, recvCount > 0]),
        streams.map(() => ["eof", 1, true])
      )
    })
  )

  it.effect("a stream that ended before it came out is reported then, as it ended", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: { middleware: [Middleware.stream((next) => Effect.tap(next, (handle) => handle.cancel))] }
        }),
        recorder.layer
      )
      const error = yield* Effect.flip(Stream.runDrain(client.Echo(Stream.make(request("x")))))
      assert.strictEqual((error as RpcError.RpcError).reason._tag, "Cancelled")
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["explicit"]
      )
    })
  )

  it.effect("need not run: a unary call is answered without the network", () =>
    Effect.gen(function* () {
      const { requests, transport } = yield* spied
      const client = yield* makeClient({
        middleware: [
          Middleware.clientFor(TestService, "EchoUnary", (next, asked) => {
            if (asked.message === "cached") return Effect.succeed(response("from here"))
            if (asked.message === "refused") return Effect.fail(new Busy({ retryAfter: 1 }))
            return next(request(`${asked.message}!`))
          })
        ]
      }).pipe(Effect.provideService(Transport.ClientTransport, transport))
      assert.strictEqual((yield* client.EchoUnary(request("cached"))).message, "from here")
      const refused = yield* Effect.flip(client.EchoUnary(request("refused")))
      assert.strictEqual((refused as Busy).retryAfter, 1)
      assert.strictEqual(requests.length, 0)
      assert.strictEqual((yield* client.EchoUnary(request("asked"))).message, "asked!")
      assert.isAbove(requests.length, 0)
    }).pipe(Effect.provide(served))
  )

  it.effect("gives declared exceptions as answers, and business errors as failures that the info knows", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            middleware: [
              Middleware.client((next, info) =>
                Effect.onExit(next, (exit) =>
                  Effect.sync(() => void seen.push(`${exit._tag} ${info.bizError?.statusCode}`))
                )
              )
            ]
          }
        }),
        recorder.layer
      )
      assert.strictEqual(((yield* Effect.flip(client.EchoUnary(request("busy")))) as Busy).retryAfter, 7)
      const biz = yield* Effect.flip(client.EchoUnary(request("biz")))
      assert.strictEqual((biz as BizStatusError.BizStatusError).statusCode, 7)
      assert.deepStrictEqual(seen, ["Success undefined", "Failure 7"])
      const recovered = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            middleware: [
              Middleware.clientFor(TestService, "EchoUnary", (next, asked) =>
                Effect.catchTag(next(asked), "BizStatusError", () => Effect.succeed(response("recovered")))
              )
            ]
          }
        }),
        recorder.layer
      )
      assert.strictEqual((yield* recovered.EchoUnary(request("biz"))).message, "recovered")
      assert.isUndefined(recorder.client.finishes[2]!.info.bizError)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ bizError, reason }) => [reason, bizError?.statusCode]),
        [
          ["eof", undefined],
          ["error", 7],
          ["eof", undefined]
        ]
      )
    })
  )
})

const served = Testing.layer([TestService]).pipe(
  Layer.provide(
    TestService.toLayer({
      ...(handlers as TestHandlers),
      EchoPingPong: () => Effect.never,
      Ping: () => Effect.never,
      Log: () => Effect.never
    })
  )
)

const makeClient = (options: StreamOptions.StreamClientOptions) => StreamClient.make(TestService, options)

describe("handles", () => {
  it.effect("may be decorated: streams and handles go through the decoration", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const seen: Array<string> = []
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            middleware: [
              Middleware.stream((next, info) =>
                Effect.map(next, (handle): ClientStream.Any => ({
                  ...handle,
                  ...(handle.send !== undefined && {
                    send: (message: Request) => handle.send!(request(`<${message.message}>`))
                  }),
                  ...(handle.recv !== undefined && {
                    recv: Effect.map(handle.recv, ({ message }) => response(`(${message})`))
                  }),
                  ...(handle.closeAndRecv !== undefined && {
                    closeAndRecv: Effect.tap(handle.closeAndRecv, () => Effect.sync(() => void seen.push(info.method)))
                  })
                }))
              )
            ]
          }
        }),
        recorder.layer
      )
      const both = yield* Stream.runCollect(client.Echo(Stream.make(request("a"), request("b"))))
      assert.deepStrictEqual(texts(both), ["(<a>)", "(<b>)"])
      assert.strictEqual((yield* client.EchoClient(Stream.make(request("a"), request("b")))).message, "<a>,<b>")
      assert.deepStrictEqual(seen, ["EchoClient"])
      const down = yield* Stream.runCollect(client.EchoServer(request("s")))
      assert.deepStrictEqual(texts(down), ["(s1)", "(s2)"])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* stream.send(request("h"))
          assert.strictEqual((yield* stream.recv).message, "(<h>)")
        })
      )
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["eof", "eof", "eof", "earlyEnd"]
      )
    })
  )

  it.effect("that nobody touches keep batches whole, others give one message at a time", () =>
    Effect.gen(function* () {
      for (const decorated of [false, true]) {
        let pulls = 0
        const client = yield* clientOf(
          { EchoServer: () => Stream.map(Stream.range(1, 2000), (n) => response(`${n}`)) },
          {
            client: {
              middleware: [
                Middleware.stream((next) => (decorated ? Effect.map(next, (handle) => ({ ...handle })) : next)),
                Middleware.recvBatch((next) => Effect.tap(next, () => Effect.sync(() => void pulls++)))
              ]
            }
          }
        )
        assert.strictEqual(yield* Stream.runCount(client.EchoServer(request("x"))), 2000)
        if (decorated) assert.strictEqual(pulls, 2000)
        else assert.isBelow(pulls, 200)
      }
    })
  )

  it.effect("a decorated handle without finish leaves RPCFinish to the stream beneath", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: {
            middleware: [
              Middleware.stream((next) =>
                Effect.map(next, ({ finish: _finish, ...handle }) => handle as unknown as ClientStream.Any)
              )
            ]
          }
        }),
        recorder.layer
      )
      for (const [, call] of streams) yield* call(client)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        streams.map(() => "eof")
      )
    })
  )

  it.effect("may be replaced by one of one's own, and nothing is sent", () =>
    Effect.gen(function* () {
      const { requests, transport } = yield* spied
      const recorder = yield* Recorder.make
      let left = 2
      const own = {
        cancel: Effect.void,
        recv: Effect.suspend(() => (left-- > 0 ? Effect.succeed(response("own")) : Cause.done())),
        send: () => Effect.void,
        closeSend: Effect.void,
        closeAndRecv: Effect.succeed(response("own"))
      } as unknown as ClientStream.Any
      const client = yield* Effect.provide(
        makeClient({ middleware: [Middleware.stream(() => Effect.succeed(own))] }).pipe(
          Effect.provideService(Transport.ClientTransport, transport)
        ),
        recorder.layer
      )
      assert.deepStrictEqual(texts(yield* Stream.runCollect(client.EchoServer(request("x")))), ["own", "own"])
      left = 1
      assert.deepStrictEqual(texts(yield* Stream.runCollect(client.Echo(Stream.make(request("x"))))), ["own"])
      assert.strictEqual((yield* client.EchoClient(Stream.make(request("x")))).message, "own")
      assert.strictEqual(yield* Effect.scoped(Effect.map(client.Echo.open(), (handle) => handle === own)), true)
      assert.strictEqual(requests.length, 0)
      assert.strictEqual(recorder.client.finishes.length, 4)
    }).pipe(Effect.provide(served))
  )

  it.effect("none at all is a defect that says so, and the end of the call", () =>
    Effect.gen(function* () {
      for (const given of [undefined, null, 7]) {
        const recorder = yield* Recorder.make
        const middleware = [Middleware.stream((next) => Effect.as(next, given as never))]
        const client = yield* Effect.provide(clientOf(handlers, { client: { middleware } }), recorder.layer)
        const text = `defect: Error: middleware replaced a stream by ${given}: it has to give the handle of next, or another handle`
        yield* Effect.scoped(
          Effect.gen(function* () {
            assert.strictEqual(told(yield* Effect.exit(client.Echo.open())), text)
            // Its scope lives on.
            const [finish] = yield* recorder.finished("client", 1)
            assert.strictEqual(told(finish!.exit), text)
          })
        )
        assert.strictEqual(told(yield* Effect.exit(Stream.runDrain(client.EchoServer(request("x"))))), text)
      }
    })
  )

  it.effect("one that cannot do what is asked of it is a defect that names the operation", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, {
        client: {
          middleware: [
            Middleware.stream((next) =>
              Effect.map(next, ({ cancel, finish, header, trailer }) => ({ cancel, finish, header, trailer }))
            )
          ]
        }
      })
      for (const [call, operation] of [
        [Stream.runDrain(client.EchoServer(request("x"))), "recv"],
        [Stream.runDrain(client.Echo(Stream.make(request("x")))), "recv"],
        [client.EchoClient(Stream.make(request("x"))), "closeAndRecv"]
      ] as const) {
        assert.strictEqual(
          told(yield* Effect.exit(call)),
          `defect: Error: middleware replaced a stream by a handle without ${operation}`
        )
      }
    })
  )

  it.effect("the failure of the requests is that of the call, through a decoration too", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(handlers, {
          client: { middleware: [Middleware.stream((next) => Effect.map(next, (handle) => ({ ...handle })))] }
        }),
        recorder.layer
      )
      const failing = Stream.concat(Stream.make(request("a")), Stream.fail("mine" as const))
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(client.Echo(failing))), "mine")
      assert.strictEqual(yield* Effect.flip(client.EchoClient(failing)), "mine")
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["explicit", "explicit"]
      )
    })
  )

  it.effect("an answer that comes early is an answer, through a decoration too", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(
        { EchoClient: (requests) => Effect.as(Stream.runHead(requests), response("enough")) },
        { client: { middleware: [Middleware.stream((next) => Effect.map(next, (handle) => ({ ...handle })))] } }
      )
      const endless = Stream.fromEffectRepeat(Effect.as(Effect.yieldNow, request("x")))
      assert.strictEqual((yield* client.EchoClient(endless)).message, "enough")
    })
  )
})

class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}

describe("context", () => {
  it.effect("middleware has what the client was made with, behind what the caller has", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const named = Middleware.client((next) =>
        Effect.flatMap(Effect.service(Tenant), (name) => {
          seen.push(name)
          return next
        })
      )
      const client = yield* makeTenantClient(named).pipe(Effect.provideService(Tenant, "maker"))
      for (const [, call] of ways) yield* call(client)
      assert.deepStrictEqual(
        seen,
        ways.map(() => "maker")
      )
      seen.length = 0
      for (const [, call] of ways) yield* Effect.provideService(call(client), Tenant, "caller")
      assert.deepStrictEqual(
        seen,
        ways.map(() => "caller")
      )
    }).pipe(Effect.provide(served))
  )

  it.effect("what middleware and hooks provide reaches messages; a map brings something back", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const count = ContextMap.key<number>("count")
      const counts: Array<number | undefined> = []
      const client = yield* clientOf(handlers, {
        client: {
          middleware: [
            Middleware.stream((next) =>
              ContextMap.inject(
                Effect.gen(function* () {
                  const map = yield* ContextMap.Current
                  yield* Effect.addFinalizer(() => Effect.sync(() => void counts.push(count.get(map))))
                  return yield* Effect.provideService(next, Tenant, "outer")
                })
              )
            ),
            Middleware.recvPlain(({ context, info }) => (message) => {
              const map = Context.get(context, ContextMap.Current)
              count.set(map, (count.get(map) ?? 0) + 1)
              seen.push(`${info.method} ${Context.getOrUndefined(context, Tenant)}`)
              return message
            })
          ],
          metaHandlers: [MetaHandler.make({ onConnectStream: (next) => Effect.provideService(next, Tenant, "inner") })]
        }
      })
      yield* Stream.runDrain(client.EchoServer(request("x")))
      yield* client.EchoClient(Stream.make(request("x")))
      assert.deepStrictEqual(seen, ["EchoServer inner", "EchoServer inner", "EchoClient inner"])
      assert.deepStrictEqual(counts, [2, 1])
    })
  )

  it.effect("what a tracer starts is in force for middleware and for the headers", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const logIds: Array<string | undefined> = []
      const client = yield* Effect.provide(
        clientOf(
          { ...handlers, EchoUnary: () => Effect.map(LogId.current, (id) => response(`${id}`)) },
          {
            client: {
              middleware: [
                Middleware.recvPlain(({ info }) => (message) => {
                  logIds.push(info.logId)
                  return message
                }),
                Middleware.client(
                  (next, info) =>
                    Effect.flatMap(Effect.service(Tenant), (name) => {
                      seen.push(name)
                      return LogId.within(
                        Effect.ensuring(
                          next,
                          Effect.sync(() => void logIds.push(info.logId))
                        ),
                        `id-${name}`
                      )
                    }) as typeof next
                )
              ]
            }
          }
        ),
        RpcTracer.layer({ start: () => Effect.succeed(Context.make(Tenant, "traced") as Context.Context<never>) })
      )
      assert.strictEqual((yield* client.EchoUnary(request("x"))).message, "id-traced")
      yield* Stream.runDrain(client.EchoServer(request("x")))
      assert.deepStrictEqual(seen, ["traced", "traced"])
      assert.deepStrictEqual(logIds, Array(4).fill("id-traced"))
    })
  )
})

const makeTenantClient = (middleware: Middleware.ClientMiddleware<Tenant>) =>
  StreamClient.make(TestService, { middleware: [middleware] })

describe("info", () => {
  it.effect("is one object a call, and knows the request where it is asked to", () =>
    Effect.gen(function* () {
      for (const requestInInfo of [false, true]) {
        const infos: Array<RpcInfo.RpcInfo> = []
        const picked: Array<RpcInfo.RpcInfo> = []
        const client = yield* clientOf(handlers, {
          client: {
            callerName: "me",
            destService: "them",
            requestInInfo,
            endpoints: {
              pick: ({ info }) => {
                picked.push(info)
                return "memory"
              }
            },
            middleware: [
              Middleware.client((next, info) => {
                infos.push(info)
                return next
              })
            ]
          }
        })
        yield* client.EchoUnary(request("u"))
        yield* Stream.runDrain(client.EchoServer(request("s")))
        yield* client.EchoClient(Stream.make(request("c")))
        assert.isTrue(infos.every((info, at) => info === picked[at]))
        assert.deepStrictEqual(
          infos.map(({ address, callee, caller, mode, side }) => [side, mode, address, caller, callee]),
          ["unary", "server", "client"].map((mode) => ["client", mode, "memory", "me", "them"])
        )
        assert.deepStrictEqual(
          infos.map((info) => ("request" in info ? (info.request as Request).message : undefined)),
          requestInInfo ? ["u", "s", undefined] : [undefined, undefined, undefined]
        )
      }
    })
  )

  it.effect("is shared by calls that nobody looks at", () =>
    Effect.gen(function* () {
      const picked: Array<RpcInfo.RpcInfo> = []
      const client = yield* clientOf(handlers, {
        client: {
          endpoints: {
            pick: ({ info }) => {
              picked.push(info)
              return "memory"
            }
          }
        }
      })
      yield* client.EchoUnary(request("u"))
      yield* client.EchoUnary(request("u"))
      assert.strictEqual(picked[0], picked[1])
      assert.isFalse(picked[0] instanceof ClientInfo)
      yield* LogId.within(client.EchoUnary(request("u")), "l-1")
      assert.strictEqual(picked[2]!.logId, "l-1")
    })
  )

  it.effect("nothing configured: the plain caller; anything around calls: the wrapped one", () =>
    Effect.gen(function* () {
      const of = (options: StreamOptions.StreamClientOptions) => makeCaller(TestService, options)
      const pass = Middleware.client((next) => next)
      for (const plain of [
        {},
        { middleware: [] },
        { middleware: [Middleware.recvPlain(() => (message) => message)] },
        { metaHandlers: [MetaHandler.make({ readMeta: () => {} })] },
        { requestInInfo: true }
      ]) {
        const caller = yield* of(plain)
        assert.strictEqual(caller.constructor, PlainCaller)
        assert.strictEqual(caller.unary, PlainCaller.prototype.unary)
        assert.strictEqual(caller.open, PlainCaller.prototype.open)
      }
      for (const wrapped of [
        { middleware: [pass] },
        { middleware: [Middleware.builder(() => [pass])] },
        { instanceMiddleware: [pass] },
        { errorHandler: (error: RpcError.RpcError) => error },
        { metaHandlers: [MetaHandler.make({ onConnectStream: (next) => next })] }
      ]) {
        assert.instanceOf(yield* of(wrapped), WrappedCaller)
      }
    }).pipe(Effect.provide(served))
  )
})

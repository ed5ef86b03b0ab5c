/** Our clients against a real Kitex server: middleware, metadata and errors around the calls. What the words do is in kitex/peer. */
import { assert, describe, layer } from "@effect/vitest"
import {
  Client,
  type ClientStream,
  ContextMap,
  LogId,
  Metadata,
  MetaHandler,
  Metainfo,
  Middleware,
  RpcError,
  StatusDetails,
  StreamClient
} from "@millrace/rpc"
import type { StreamClientOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import { Cause, Context, Effect, Layer, Option, Stream } from "effect"
import * as Pull from "effect/Pull"
import { InteropService, Request, Response } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { Kitex, kitexServer } from "./peers.ts"

const say = (message: string, count?: number, key?: string) => new Request({ message, count, key })

const streams = (options: StreamClientOptions = {}) =>
  Effect.flatMap(Kitex, (address) => StreamClient.make(InteropService, { hostPorts: [address], ...options }))

type Interop = StreamClient.StreamClient<typeof InteropService>

/** The first answer to one word in each mode, of streams by the handle or as a `Stream`. */
const byHandle = {
  bidi: (client: Interop, word: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* client.Bidi.open()
        yield* stream.send(say(word))
        return yield* Pull.catchDone(stream.recv, () => Effect.die("no message"))
      })
    ),
  client: (client: Interop, word: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* client.Client.open()
        yield* stream.send(say(word))
        return yield* stream.closeAndRecv
      })
    ),
  server: (client: Interop, word: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* client.Server.open(say(word, 1))
        return yield* Pull.catchDone(stream.recv, () => Effect.die("no message"))
      })
    )
}
const byStream = {
  bidi: (client: Interop, word: string) =>
    client.Bidi(Stream.make(say(word))).pipe(Stream.runHead, Effect.map(Option.getOrThrow)),
  client: (client: Interop, word: string) => client.Client(Stream.make(say(word))),
  server: (client: Interop, word: string) =>
    client.Server(say(word, 1)).pipe(Stream.runHead, Effect.map(Option.getOrThrow))
}
const unary = (client: Interop, word: string) => Effect.catchTag(client.Unary(say(word)), "Refused", Effect.die)

const modes = ["bidi", "client", "server"] as const

/** Requests of the word `request` ask for `changed`, answers become `mw:`. */
const asks = <A>(message: A): A =>
  message instanceof Request && message.message === "request"
    ? (new Request({ ...message, message: "changed" }) as A & Request)
    : message
const answers = <A>(message: A): A =>
  message instanceof Response
    ? (new Response({ ...message, message: `mw:${message.message}` }) as A & Response)
    : message

const rewriting = {
  plain: [Middleware.sendPlain(() => asks), Middleware.recvPlain(() => answers)],
  single: [
    Middleware.send((next) => (message) => next(asks(message))),
    Middleware.recv((next) => Effect.map(next, answers))
  ],
  batch: [
    Middleware.sendBatch((next) => (messages) => next(messages.map(asks))),
    Middleware.recvBatch((next) => Effect.map(next, ([first, ...rest]) => [answers(first), ...rest.map(answers)]))
  ]
} as const

/** An error for comparison. */
const short = (error: unknown): ReadonlyArray<unknown> =>
  error instanceof RpcError.RpcError ? [error.reason._tag, error.code, error.desc] : [error]

describe.skipIf(!goAvailable())("our clients, around calls of a Kitex server", () => {
  const services = Layer.mergeAll(Kitex.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const form of ["plain", "single", "batch"] as const) {
      it.effect(`middleware that rewrites messages, ${form} (T14 to T16)`, () =>
        Effect.gen(function* () {
          const client = yield* streams({ middleware: rewriting[form] })
          const want = { bidi: "mw:changed", client: "mw:total", server: "mw:changed" }
          for (const mode of modes) {
            assert.strictEqual((yield* byHandle[mode](client, "request")).message, want[mode], `${mode} by its handle`)
            assert.strictEqual((yield* byStream[mode](client, "request")).message, want[mode], `${mode} as a Stream`)
          }
          // nothing of it for a unary call
          assert.strictEqual((yield* unary(client, "request")).message, "request")
        }).pipe(Effect.scoped)
      )
    }

    it.effect("middleware answers a unary and a PingPong call without a server (T12, T13)", () =>
      Effect.gen(function* () {
        const quiet = [
          Middleware.clientFor(InteropService, "Unary", (_, request) =>
            Effect.succeed(new Response({ message: `no server: ${request.message}` }))
          ),
          Middleware.clientFor(CallsService, "Call", (_, { req }) =>
            Effect.succeed(new Response({ message: `no server: ${req.message}` }))
          )
        ]
        const nobody = { hostPorts: ["127.0.0.1:1"], middleware: quiet }
        const client = yield* StreamClient.make(InteropService, nobody)
        const calls = yield* Client.make(CallsService, nobody)
        assert.strictEqual((yield* client.Unary(say("hi"))).message, "no server: hi")
        assert.strictEqual((yield* calls.Call({ req: say("hi") })).message, "no server: hi")
      }).pipe(Effect.scoped)
    )

    for (const transport of ["buffered", "framed", "ttheader", "ttheader-framed"] as const) {
      it.effect(`${transport}: middleware that rewrites a PingPong call, and sees what it comes to`, () =>
        Effect.gen(function* () {
          const seen: Array<string> = []
          const middleware = [
            Middleware.client((next, info) =>
              Effect.onExit(next, (exit) =>
                Effect.sync(() => seen.push(`${info.mode} ${info.method} ${exit._tag} ${info.bizError?.statusCode}`))
              )
            ),
            Middleware.clientFor(CallsService, "Call", (next, { req }) => Effect.map(next({ req: asks(req) }), answers))
          ]
          const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex], transport, middleware })
          assert.strictEqual((yield* calls.Call({ req: say("request") })).message, "mw:changed")
          yield* calls.Tell({ text: "told", key: `around-${transport}` })
          // a declared exception is an answer, an error is none
          assert.strictEqual((yield* Effect.flip(calls.Attempt({ req: say("refused") })))._tag, "Refused")
          assert.strictEqual((yield* Effect.flip(calls.Attempt({ req: say("plain-error") })))._tag, "RpcError")
          assert.deepStrictEqual(seen, [
            "pingPong Call Success undefined",
            "oneway Tell Success undefined",
            "pingPong Attempt Success undefined",
            "pingPong Attempt Failure undefined"
          ])
          if (!transport.startsWith("tt")) return
          assert.strictEqual((yield* Effect.flip(calls.Attempt({ req: say("biz") })))._tag, "BizStatusError")
          assert.include(seen.at(-1), "404")
        }).pipe(Effect.scoped)
      )
    }

    it.effect("a slow middleware and a timeout around one operation (T22, T23)", () =>
      Effect.gen(function* () {
        const waiting = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.delay(self, 100)
        const slowSend = yield* streams({
          middleware: [Middleware.send((next) => (message) => waiting(next(message)))]
        })
        const up = yield* slowSend.Bidi.open()
        assert.strictEqual((yield* Effect.flip(Effect.timeout(up.send(say("hi")), 50)))._tag, "TimeoutError")
        const slowRecv = yield* streams({
          middleware: [Middleware.recv((next) => Effect.tap(next, Effect.sleep(100)))]
        })
        const down = yield* slowRecv.Bidi.open()
        yield* down.send(say("hi"))
        const late = yield* Effect.flip(Effect.timeout(down.recv, 50))
        assert.strictEqual((late as { readonly _tag: string })._tag, "TimeoutError")
        // the message that it took was not lost
        assert.strictEqual((yield* down.recv).message, "hi")
      }).pipe(Effect.scoped)
    )

    it.effect("a recv timeout counts the middleware of messages in (T26, T27)", () =>
      Effect.gen(function* () {
        const middleware = [Middleware.recv((next) => Effect.tap(next, Effect.sleep(100)))]
        const text = "stream Recv timeout, timeout config={Timeout:50ms DisableCancelRemote:false}"
        const byOption = yield* (yield* streams({ middleware, recvTimeout: 50 })).Bidi.open()
        yield* byOption.send(say("hi"))
        assert.deepStrictEqual(short(yield* Effect.flip(byOption.recv)), ["RecvTimeout", 17, text])
        const byCall = yield* (yield* streams({ middleware })).Bidi.open({ recvTimeout: 50 })
        yield* byCall.send(say("hi"))
        assert.deepStrictEqual(short(yield* Effect.flip(byCall.recv)), ["RecvTimeout", 17, text])
      }).pipe(Effect.scoped)
    )

    it.effect("a business error ends a stream for the middleware of messages, which find it in the info", () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const middleware = [
          Middleware.recv((next, { info }) =>
            Pull.catchDone(next, () => {
              seen.push(info.bizError?.statusCode)
              return Cause.done()
            })
          )
        ]
        const client = yield* streams({ middleware })
        for (const mode of modes) {
          assert.strictEqual((yield* Effect.flip(byHandle[mode](client, "biz")))._tag, "BizStatusError")
        }
        assert.deepStrictEqual(seen, [404, 404, 404])
      }).pipe(Effect.scoped)
    )

    it.effect("metainfo of the fiber (T28)", () =>
      Effect.gen(function* () {
        const client = yield* streams()
        const withValues = <A, E, R>(call: Effect.Effect<A, E, R>) =>
          call.pipe(
            Metainfo.withValue("Foo_Bar", "1"),
            Metainfo.withValue("hello-world", "2"),
            Metainfo.withValue("bad key", "3"),
            Metainfo.withValue("empty", ""),
            Metainfo.withPersistentValue("p", "4")
          )
        const want = "persistent P=4; transient FOO_BAR=1; transient HELLO_WORLD=2"
        assert.strictEqual((yield* withValues(unary(client, "metainfo"))).message, want)
        assert.strictEqual((yield* withValues(byHandle.bidi(client, "metainfo"))).message, want)
        assert.strictEqual((yield* withValues(byStream.bidi(client, "metainfo"))).message, want)
        assert.strictEqual((yield* withValues(byHandle.server(client, "metainfo"))).message, want)
        assert.strictEqual((yield* unary(client, "metainfo")).message, "")
      }).pipe(Effect.scoped)
    )

    for (const transport of ["buffered", "framed", "ttheader", "ttheader-framed"] as const) {
      it.effect(`${transport}: metainfo of a PingPong call, also backward`, () =>
        Effect.gen(function* () {
          const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex], transport })
          const { message } = yield* calls
            .Call({ req: say("metainfo") })
            .pipe(
              Metainfo.withValue("t", "1"),
              Metainfo.withValue("gdpr-token", "tok"),
              Metainfo.withValue("empty", ""),
              Metainfo.withPersistentValue("p", "错误")
            )
          const [response, backward] = yield* Metainfo.withBackwardValues(calls.Call({ req: say("backward") }))
          assert.strictEqual(response.message, "backward")
          if (transport.startsWith("tt")) {
            assert.strictEqual(message, "persistent p=错误; transient gdpr-token=tok; transient t=1")
            assert.strictEqual(backward.get("from-server"), "v2")
          } else {
            assert.strictEqual(message, "")
            assert.strictEqual(backward.size, 0)
          }
        }).pipe(Effect.scoped)
      )
    }

    it.effect("metadata of the fiber: names, repeated values, bytes (T28)", () =>
      Effect.gen(function* () {
        const two = ["1", "2"]
        const client = yield* streams()
        const ask = (key: string) =>
          client.Unary(say("metadata", 1, key)).pipe(
            Metadata.append({
              hello: two,
              WORLD: two,
              foo_bar: two,
              BAR_FOO: two,
              "key-bin": Uint8Array.of(0, 0x61, 0x7f)
            }),
            Metadata.append({ HELLO: two })
          )
        for (const [key, want] of [
          ["hello", "1,2,1,2"],
          ["world", "1,2"],
          ["foo_bar", "1,2"],
          ["bar_foo", "1,2"],
          ["key-bin", "\0a\x7f"],
          ["none", ""]
        ] as const) {
          assert.strictEqual((yield* ask(key)).message, want, key)
        }
      }).pipe(Effect.scoped)
    )

    it.effect("what no header can hold: metainfo is left out, metadata refused; a TTHeader holds it", () =>
      Effect.gen(function* () {
        const client = yield* streams()
        const lines = <A, E, R>(call: Effect.Effect<A, E, R>) =>
          call.pipe(Metainfo.withValue("L", "a\r\nx: y"), Metainfo.withValue("OK", "1"))
        assert.strictEqual((yield* lines(unary(client, "metainfo"))).message, "transient OK=1")
        for (const metadata of [{ "x-a": "a\r\nx: y" }, { "x a": "1" }, { "x-a\n": "1" }]) {
          const error = yield* Effect.flip(Metadata.append(byHandle.bidi(client, "hi"), metadata))
          assert.strictEqual(short(error)[0], "InvalidMetadata")
        }
        const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex] })
        const { message } = yield* lines(calls.Call({ req: say("metainfo") }))
        assert.strictEqual(message, "transient L=a\r\nx: y; transient OK=1")
      }).pipe(Effect.scoped)
    )

    it.effect("very much metainfo is refused, or arrives as a whole, except a value that no TTHeader can hold", () =>
      Effect.gen(function* () {
        const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`K${i}`, "v"]))
        const careful = yield* Client.make(CallsService, { hostPorts: [yield* Kitex] })
        for (const ask of [unary(yield* streams(), "metainfo"), careful.Call({ req: say("metainfo") })]) {
          const refused = yield* Effect.flip(Metainfo.withValues(ask, many))
          assert.deepInclude((refused as RpcError.RpcError).reason, { _tag: "Rejected", limit: "maxSentHeaderFields" })
        }
        // Kitex has no such limit, so who knows that it is Kitex may lift it.
        const lifted = yield* Layer.build(
          NodeTransport.layerClientWith({ maxSentHeaderFields: 20_000, maxSentTTHeaderSize: 256 * 1024 })
        )
        yield* Effect.provide(carried, lifted)
      }).pipe(Effect.scoped)
    )

    const carried = Effect.gen(function* () {
      const client = yield* streams()
      const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex] })
      for (const [keys, size] of [
        [10_000, 1],
        [1, 65_535],
        [1, 1_000_000]
      ] as const) {
        const values = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`K${i}`, "v".repeat(size)]))
        const want = Object.entries(values).map(([key, value]) => `transient ${key}=${value}`)
        const texts = [unary(client, "metainfo"), byHandle.bidi(client, "metainfo")]
        for (const ask of texts) {
          const { message } = yield* Metainfo.withValues(ask, values)
          assert.isTrue(message === want.toSorted().join("; "))
        }
        const call = Metainfo.withValues(calls.Call({ req: say("metainfo") }), values)
        if (size > 65_535) assert.match(String(short(yield* Effect.flip(call))[2]), /string exceeded 65535B max size/)
        else assert.isTrue((yield* call).message === want.toSorted().join("; "))
        assert.strictEqual((yield* calls.Call({ req: say("hi") })).message, "hi")
      }
    })

    it.effect("a log id made by a middleware, in everything behind it (T33)", () =>
      Effect.gen(function* () {
        const seen: Array<string | undefined> = []
        const client = yield* streams({
          middleware: [
            Middleware.client((next) => LogId.within(next, "log-33")),
            Middleware.sendPlain(({ info }) => (message) => {
              seen.push(info.logId)
              return message
            }),
            Middleware.recvPlain(({ info }) => (message) => {
              seen.push(info.logId)
              return message
            })
          ]
        })
        assert.strictEqual((yield* byHandle.bidi(client, "log-id")).message, "log-33")
        assert.deepStrictEqual(seen, ["log-33", "log-33"])
        assert.strictEqual((yield* unary(client, "log-id")).message, "log-33")
      }).pipe(Effect.scoped)
    )

    it.effect("a map between the middleware of messages, injected by one around the call (T39)", () =>
      Effect.gen(function* () {
        const asked = ContextMap.key<string>("asked")
        const client = yield* streams({
          middleware: [
            Middleware.client((next) => ContextMap.inject(next)),
            Middleware.sendPlainFor(InteropService, "Bidi", "client", ({ context }) => (message) => {
              asked.set(Context.get(context, ContextMap.Current), message.message!)
              return message
            }),
            Middleware.recvPlainFor(
              InteropService,
              "Bidi",
              "client",
              ({ context }) =>
                (message) =>
                  new Response({ ...message, message: `map:${asked.get(Context.get(context, ContextMap.Current))}` })
            )
          ]
        })
        assert.strictEqual((yield* byHandle.bidi(client, "stored")).message, "map:stored")
      }).pipe(Effect.scoped)
    )

    it.effect(
      "a handler of headers adds metadata behind the choice of an instance; its error is that of the creation",
      () =>
        Effect.gen(function* () {
          const address = yield* Kitex
          const seen: Array<string> = []
          const adding = MetaHandler.make({
            onConnectStream: (next, info) => {
              seen.push(info.address)
              return Metadata.append(next, { "x-added": "here" })
            }
          })
          const client = yield* streams({ metaHandlers: [adding] })
          assert.strictEqual((yield* client.Unary(say("metadata", 1, "x-added"))).message, "here")
          assert.deepStrictEqual(seen, [address])
          const refused = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 13, desc: "no header" })
          const failing = yield* streams({
            metaHandlers: [MetaHandler.make({ onConnectStream: () => Effect.fail(refused) })]
          })
          const error = yield* Effect.flip(byHandle.bidi(failing, "hi"))
          assert.strictEqual(short(error)[2], "remote or network error: no header")
        }).pipe(Effect.scoped)
    )

    it.effect("the string keys of a TTHeader, both ways", () =>
      Effect.gen(function* () {
        const got: Array<string | undefined> = []
        const keys = MetaHandler.make({
          writeMeta: (meta) => meta.set("RPC_TRANSIT_written", "by hand"),
          readMeta: (meta) => void got.push(meta.get("from-server"))
        })
        const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex], metaHandlers: [keys] })
        assert.strictEqual((yield* calls.Call({ req: say("metainfo") })).message, "transient written=by hand")
        yield* calls.Call({ req: say("backward") })
        assert.deepStrictEqual(got, [undefined, "v2"])
      }).pipe(Effect.scoped)
    )

    it.effect("the name of the caller: of a stream where the option says it, of a TTHeader too", () =>
      Effect.gen(function* () {
        const named = yield* streams({ callerName: "interop-ts-client" })
        assert.strictEqual((yield* unary(named, "caller")).message, "interop-ts-client/")
        assert.strictEqual((yield* byHandle.bidi(named, "caller")).message, "interop-ts-client/")
        assert.strictEqual((yield* unary(yield* streams(), "caller")).message, "/")
      }).pipe(Effect.scoped)
    )

    it.effect("details of a status and of a business error", () =>
      Effect.gen(function* () {
        const client = yield* streams()
        const detail = (bytes: Uint8Array | undefined) => {
          const status = StatusDetails.decode(bytes!)
          assert.deepStrictEqual(
            status?.details.map(({ typeUrl, value }) => [typeUrl, Buffer.from(value).toString("latin1")]),
            [["type.googleapis.com/google.protobuf.StringValue", "\n\x08a detail"]]
          )
        }
        for (const [name, ask] of Object.entries({ ...byHandle, unary })) {
          const status = (yield* Effect.flip(ask(client, "status-details"))) as RpcError.RpcError
          assert.deepStrictEqual(short(status), ["Status", 5, "status with details [biz error]"], name)
          detail((status.reason as RpcError.Status).details)
          const error = yield* Effect.flip(ask(client, "biz-details"))
          assert.deepInclude(error, { _tag: "BizStatusError", statusCode: 101, rpcCode: 5 })
          detail("details" in error ? error.details : undefined)
          const own = yield* Effect.flip(ask(client, "biz-grpc"))
          assert.deepInclude(own, { _tag: "BizStatusError", statusCode: 100, statusMessage: "grpc biz" })
        }
      }).pipe(Effect.scoped)
    )

    it.effect("an error handler turns the errors of answers and of connections into others", () =>
      Effect.gen(function* () {
        const errorHandler = (error: RpcError.RpcError) =>
          new RpcError.RpcError({ reason: error.reason, code: error.code, desc: `handled: ${error.desc}` })
        const client = yield* streams({ errorHandler })
        assert.deepInclude(short(yield* Effect.flip(unary(client, "plain-error"))), "handled: boom [biz error]")
        const calls = yield* Client.make(CallsService, { hostPorts: [yield* Kitex], errorHandler })
        const error = yield* Effect.flip(calls.Call({ req: say("plain-error") }))
        assert.deepInclude(short(error), "handled: biz error: boom")
        const nobody = yield* StreamClient.make(InteropService, { hostPorts: ["127.0.0.1:1"], errorHandler })
        assert.match(String(short(yield* Effect.flip(byHandle.bidi(nobody, "hi")))[2]), /^handled: /)
      }).pipe(Effect.scoped)
    )

    it.effect("middleware of instances runs behind the choice, and inside of that of the call", () =>
      Effect.gen(function* () {
        const addresses = [yield* kitexServer(), yield* kitexServer()]
        const order: Array<string> = []
        const told = (name: string) =>
          Middleware.client((next, info) =>
            Effect.andThen(
              Effect.sync(() => order.push(`${name} ${info.address}`)),
              next
            )
          )
        const client = yield* StreamClient.make(InteropService, {
          hostPorts: addresses,
          middleware: [told("outer"), told("inner")],
          instanceMiddleware: [told("instance")]
        })
        for (const _ of addresses) yield* unary(client, "hi")
        const chosen = order.filter((line) => line.startsWith("instance")).map((line) => line.split(" ")[1])
        assert.deepStrictEqual(chosen.toSorted(), addresses.toSorted())
        assert.deepStrictEqual(
          order.map((line) => line.split(" ")[0]),
          ["outer", "inner", "instance", "outer", "inner", "instance"]
        )
        assert.deepStrictEqual(order[0], "outer ")
      }).pipe(Effect.scoped)
    )

    it.effect("a middleware may run a call again", () =>
      Effect.gen(function* () {
        let attempts = 0
        // the first time it asks for an error
        const again = Middleware.clientFor(CallsService, "Call", (next, { req }) =>
          Effect.catchTag(next({ req: say(attempts++ === 0 ? "plain-error" : req.message!) }), "RpcError", () =>
            next({ req: say(`again ${++attempts}`) })
          )
        )
        const chosen: Array<string> = []
        const calls = yield* Client.make(CallsService, {
          hostPorts: [yield* Kitex],
          middleware: [again],
          instanceMiddleware: [
            Middleware.client((next, info) =>
              Effect.andThen(
                Effect.sync(() => chosen.push(info.address)),
                next
              )
            )
          ]
        })
        assert.strictEqual((yield* calls.Call({ req: say("hi") })).message, "again 2")
        assert.deepStrictEqual(chosen, [yield* Kitex, yield* Kitex])
      }).pipe(Effect.scoped)
    )

    it.effect("headers and trailers reach the caller through middleware", () =>
      Effect.gen(function* () {
        const client = yield* streams({ middleware: rewriting.single })
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("header-trailer"))
        yield* stream.recv
        yield* stream.closeSend
        yield* Pull.catchDone(stream.recv, () => Effect.void)
        const header = yield* stream.header
        const trailer = yield* stream.trailer
        assert.deepStrictEqual([header.get("h-one"), header.getAll("h-multi")], ["1", ["a", "b"]])
        assert.deepStrictEqual([trailer.get("t-one"), trailer.getAll("t-bin")], ["1", [Uint8Array.of(1, 2, 3, 4)]])
      }).pipe(Effect.scoped)
    )

    it.effect("a decorated stream is what the caller gets, by its handle and as a Stream", () =>
      Effect.gen(function* () {
        let sends = 0
        const decorated = Middleware.stream((next) =>
          Effect.map(next, (handle): ClientStream.Any => ({
            ...handle,
            ...(handle.send && {
              send: (message) => {
                sends++
                return handle.send!(message)
              }
            })
          }))
        )
        const client = yield* streams({ middleware: [decorated] })
        for (const by of [byHandle, byStream]) {
          assert.strictEqual((yield* by.bidi(client, "hi")).message, "hi")
          assert.strictEqual((yield* by.client(client, "hi")).message, "total")
          assert.strictEqual((yield* by.server(client, "hi")).message, "hi")
        }
        assert.strictEqual(sends, 4)
      }).pipe(Effect.scoped)
    )
  })
})

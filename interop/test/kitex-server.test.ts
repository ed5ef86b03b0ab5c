/** Our StreamClient against a real Kitex server. What the words do is in kitex/peer. */
import { assert, describe, layer } from "@effect/vitest"
import { Deadline, RpcError, StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { CallOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer, Option, Stream } from "effect"
import * as Pull from "effect/Pull"
import {
  InteropService,
  NowhereService,
  Refused,
  Request,
  type Response,
  SecondService,
  UnservedService
} from "../src/api.ts"
import { goAvailable } from "./go.ts"
import { firstKitexServer, Kitex, kitexServer } from "./peers.ts"
import { everything } from "./values.ts"

class Client extends Context.Service<Client, StreamClient.StreamClient<typeof InteropService>>()("interop/Client") {
  static readonly layer = Layer.effect(
    Client,
    Effect.flatMap(Kitex, (address) => StreamClient.make(InteropService, { hostPorts: [address] }))
  )
}

const clientOf = (address: string) => StreamClient.make(InteropService, { hostPorts: [address] })

const say = (message: string, count?: number) => new Request({ message, count })
const texts = (responses: ReadonlyArray<Response>) => responses.map(({ message }) => message)
const numbered = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}-${i}`)
const pattern = (size: number) => Uint8Array.from({ length: size }, (_, i) => i * 31)
const isEnd = <A, E, R>(recv: Effect.Effect<A, E, R>) =>
  recv.pipe(
    Effect.as(false),
    Pull.catchDone(() => Effect.succeed(true))
  )

const modes = ["bidi", "client", "server", "unary"] as const
type Mode = (typeof modes)[number]

/** Sends one word in a mode and gives the first answer. */
const first = Effect.fnUntraced(function* (mode: Mode, word: string, options?: CallOptions) {
  const client = yield* Client
  switch (mode) {
    case "bidi":
      return yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Bidi.open(options)
          yield* stream.send(say(word))
          return yield* Pull.catchDone(stream.recv, () => Effect.die("no message"))
        })
      )
    case "client":
      return yield* client.Client(Stream.make(say(word)), options)
    case "server":
      return yield* client.Server(say(word, 1), options).pipe(Stream.runHead, Effect.map(Option.getOrThrow))
    case "unary":
      return yield* client.Unary(say(word), options).pipe(Effect.catchTag("Refused", (refused) => Effect.die(refused)))
  }
})

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, A, R> => Effect.flip(effect)

const assertRpcError = (error: CallError, reason: string, code: number, desc: string) => {
  assert.instanceOf(error, RpcError.RpcError)
  const { code: gotCode, desc: gotDesc, reason: gotReason } = error as RpcError.RpcError
  assert.deepStrictEqual([gotReason._tag, gotCode, gotDesc], [reason, code, desc])
}

const methods = { bidi: "Bidi", client: "Client", server: "Server", unary: "Unary" }

const statuses = (mode: Mode): ReadonlyArray<readonly [word: string, code: number, desc: string]> => [
  ["plain-error", 13, "boom [biz error]"],
  ["unicode-error", 13, "错误 100%\n [biz error]"],
  ["trans-error", 1000, "retry [biz error]"],
  ["status", 7, "no entry [biz error]"],
  ["status-big", 12345, "custom [biz error]"],
  [
    "panic",
    13,
    `panic: [happened in biz handler, method=InteropService.${methods[mode]}, please check the panic at the server side] kaboom`
  ]
]

const bizStatuses: ReadonlyArray<readonly [word: string, code: number, text: string, extra: Record<string, string>]> = [
  ["biz", 404, "not found", {}],
  ["biz-extra", 404, "not found", { k: "v" }],
  ["biz-html", -7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }],
  ["biz-zero", 0, "zero", {}]
]

describe.skipIf(!goAvailable())("our client, Kitex server", () => {
  const services = Client.layer.pipe(Layer.provideMerge(Kitex.layer), Layer.provideMerge(NodeTransport.layerClient))

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const compressor of [undefined, "gzip"] as const) {
      const name = compressor === undefined ? "" : `${compressor} `
      for (const [n, size] of [
        [0, 0],
        [1, 0],
        [3, 0],
        [1000, 0],
        [3, 4 << 20]
      ] as const) {
        const blob = size === 0 ? undefined : pattern(size)
        const requests = (prefix: string) =>
          Stream.fromIterable(numbered(prefix, n).map((message) => new Request({ message, blob })))
        const sameBlob = (response: Response | undefined) => {
          if (blob === undefined) return
          assert.isTrue(Buffer.from(response!.blob!).equals(blob))
        }
        const title = `${n} messages${size === 0 ? "" : ` of ${size} bytes`}`

        it.effect(`${name}bidi: ${title}`, () =>
          Effect.gen(function* () {
            const client = yield* Client
            const got = yield* Stream.runCollect(client.Bidi(requests("bidi"), { compressor }))
            assert.deepStrictEqual(texts(got), numbered("bidi", n))
            for (const response of got) sameBlob(response)
          })
        )

        it.effect(`${name}client: ${title}`, () =>
          Effect.gen(function* () {
            const client = yield* Client
            const got = yield* client.Client(requests("client"), { compressor })
            assert.deepStrictEqual([got.message, got.count], ["total", n])
            if (n > 0) sameBlob(got)
          })
        )

        it.effect(`${name}server: ${title}`, () =>
          Effect.gen(function* () {
            const client = yield* Client
            const request = new Request({ message: "server", count: n, blob })
            const got = yield* Stream.runCollect(client.Server(request, { compressor }))
            assert.deepStrictEqual(
              got.map(({ count }) => count),
              Array.from({ length: n }, (_, i) => i)
            )
            for (const response of got) sameBlob(response)
          })
        )

        it.effect(`${name}unary: ${title}`, () =>
          Effect.gen(function* () {
            const client = yield* Client
            for (const message of numbered("unary", Math.min(n, 100))) {
              const got = yield* client.Unary(new Request({ message, blob }), { compressor })
              assert.strictEqual(got.message, message)
              sameBlob(got)
            }
          })
        )
      }
    }

    it.effect("empty messages", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const got = yield* Stream.runCollect(client.Bidi(Stream.make(new Request({}), new Request({}))))
        assert.deepStrictEqual(
          got.map((response) => Object.keys(response)),
          [[], []]
        )
        assert.deepStrictEqual({ ...(yield* client.Unary(new Request({}))) }, {})
        assert.strictEqual((yield* client.Client(Stream.make(new Request({})))).count, 1)
      })
    )

    it.effect("every type, both ways", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const [streamed] = yield* Stream.runCollect(client.Types(Stream.make(everything)))
        assert.deepStrictEqual(streamed, everything)
        assert.deepStrictEqual(yield* client.UnaryTypes(everything), everything)
      })
    )

    it.effect("200 streams at the same time on one connection", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const streams = yield* Effect.forEach(numbered("s", 200), () => client.Bidi.open())
        yield* Effect.forEach(streams, (stream) => stream.send(say("peer")))
        const peers = yield* Effect.forEach(streams, (stream) => stream.recv)
        assert.strictEqual(new Set(texts(peers)).size, 1)
        yield* Effect.forEach(streams, (stream, i) => stream.send(say(`${i}`)))
        const echoes = yield* Effect.forEach(streams, (stream) => stream.recv)
        assert.deepStrictEqual(
          texts(echoes),
          streams.map((_, i) => `${i}`)
        )
        yield* Effect.forEach(streams, (stream) => stream.closeSend)
        for (const stream of streams) assert.isTrue(yield* isEnd(stream.recv))
      }).pipe(Effect.scoped)
    )

    it.effect("half close: answers come after it, sends fail", () =>
      Effect.gen(function* () {
        const stream = yield* (yield* Client).Bidi.open()
        for (let i = 0; i < 3; i++) yield* stream.send(say("hold"))
        yield* stream.closeSend
        assertRpcError(yield* failure(stream.send(say("late"))), "Status", 13, "the stream is done")
        for (let i = 0; i < 3; i++) assert.strictEqual((yield* stream.recv).message, "hold")
        assert.isTrue(yield* isEnd(stream.recv))
        assert.isTrue(yield* isEnd(stream.recv))
      }).pipe(Effect.scoped)
    )

    it.effect("the handler returns early", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("return-early"))
        assert.isTrue(yield* isEnd(stream.recv))
        assertRpcError(yield* failure(stream.send(say("late"))), "Status", 13, "the stream is done")

        const up = yield* client.Client.open()
        yield* up.send(say("return-early"))
        const response = yield* up.closeAndRecv
        assert.deepStrictEqual([response.message, response.count], ["early", 1])
      }).pipe(Effect.scoped)
    )

    it.effect("client streaming without a response, and with one before an error", () =>
      Effect.gen(function* () {
        const nothing = yield* failure(first("client", "return-nothing"))
        assert.strictEqual((nothing as RpcError.RpcError).reason._tag, "ProtocolViolation")
        assertRpcError(yield* failure(first("client", "message-then-error")), "Status", 13, "boom [biz error]")
      })
    )

    for (const word of ["two-then-error", "two-then-biz"]) {
      it.effect(word, () =>
        Effect.gen(function* () {
          const client = yield* Client
          const got: Array<string | undefined> = []
          const ended = yield* client.Server(say(word)).pipe(
            Stream.runForEach(({ message }) => Effect.sync(() => got.push(message))),
            failure
          )
          assert.deepStrictEqual(got, ["a", "b"])
          assert.strictEqual(ended._tag, word === "two-then-biz" ? "BizStatusError" : "RpcError")
        })
      )
    }

    for (const mode of modes) {
      for (const [word, code, desc] of statuses(mode)) {
        it.effect(`${mode}: ${word}`, () =>
          Effect.gen(function* () {
            assertRpcError(yield* failure(first(mode, word)), "Status", code, desc)
          })
        )
      }
      for (const [word, code, text, extra] of bizStatuses) {
        it.effect(`${mode}: ${word}`, () =>
          Effect.gen(function* () {
            const error = yield* failure(first(mode, word))
            assert.strictEqual(error._tag, "BizStatusError")
            assert.deepInclude(error, { statusCode: code, statusMessage: text })
            assert.deepStrictEqual("extra" in error ? { ...error.extra } : undefined, extra)
          })
        )
      }

      it.effect(`${mode}: a deadline`, () =>
        Effect.gen(function* () {
          const error = yield* failure(first(mode, "wait", { timeout: 100 }))
          // either side may be first: the server's word has the suffix of its handler
          assert.strictEqual((error as RpcError.RpcError).reason._tag, "DeadlineExceeded")
          assert.match((error as RpcError.RpcError).desc, /^context deadline exceeded( \[biz error\])?$/)
        })
      )

      it.effect(`${mode}: a server that refuses in a middleware`, () =>
        Effect.gen(function* () {
          const address = yield* kitexServer("--middleware", "overlimit")
          const error = yield* failure(first(mode, "hi", { hostPort: address }))
          assertRpcError(error, "Rejected", 8, "request over limit: request too frequent")
        })
      )

      it.effect(`${mode}: a server whose middlewares rewrite`, () =>
        Effect.gen(function* () {
          const address = yield* kitexServer("--middleware", "rewrite")
          const { message } = yield* first(mode, "request", { hostPort: address })
          const want = { bidi: "mw:Bidi", client: "mw:total", server: "mw:Server", unary: "mw:request" }
          assert.strictEqual(message, want[mode])
        })
      )
    }

    it.effect("a declared exception", () =>
      Effect.gen(function* () {
        const error = yield* failure((yield* Client).Unary(say("refused")))
        assert.instanceOf(error, Refused)
        assert.deepInclude(error, { code: 42, why: "bad" })
      })
    )

    it.effect("the server sees the deadline, the caller's own as well", () =>
      Effect.gen(function* () {
        const client = yield* Client
        assert.strictEqual((yield* client.Unary(say("deadline"))).message, "none")
        const byOption = yield* client.Unary(say("deadline"), { timeout: 5000 })
        assert.isTrue(byOption.count! > 3000 && byOption.count! <= 5000, `${byOption.count}`)
        const inherited = yield* Deadline.within(client.Unary(say("deadline")), 5000)
        assert.isTrue(inherited.count! > 3000 && inherited.count! <= 5000, `${inherited.count}`)
      })
    )

    it.effect("a recv timeout cancels the stream", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const key = "ours-recv-timeout"
        const stream = yield* client.Bidi.open({ recvTimeout: 50 })
        yield* stream.send(new Request({ message: "wait", key }))
        const text = "stream Recv timeout, timeout config={Timeout:50ms DisableCancelRemote:false}"
        assertRpcError((yield* failure(stream.recv)) as CallError, "RecvTimeout", 17, text)
        assertRpcError((yield* failure(stream.recv)) as CallError, "RecvTimeout", 17, text)
        assert.isDefined((yield* client.Unary(new Request({ message: "seen", key }))).message)
      }).pipe(Effect.scoped)
    )

    it.effect("a handler that gives up waiting", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const key = "ours-server-recv-timeout"
        const stream = yield* client.Bidi.open()
        yield* stream.send(new Request({ message: "recv-timeout", key }))
        assert.isTrue(yield* isEnd(stream.recv))
        const { message } = yield* client.Unary(new Request({ message: "seen", key }))
        assert.include(message, "timeout in business code")
      }).pipe(Effect.scoped)
    )

    for (const [name, stop] of [
      [
        "Stream.take",
        (key: string, client: Client["Service"]) =>
          client.Server(new Request({ message: "forever", key })).pipe(Stream.take(3), Stream.runDrain)
      ],
      [
        "interruption",
        (key: string, client: Client["Service"]) =>
          client.Server(new Request({ message: "forever", key })).pipe(Stream.runDrain, Effect.timeoutOption(100))
      ],
      [
        "the end of the scope",
        (key: string, client: Client["Service"]) =>
          Effect.scoped(
            Effect.gen(function* () {
              const stream = yield* client.Bidi.open()
              yield* stream.send(new Request({ message: "one", key }))
              yield* stream.recv
            })
          )
      ],
      [
        "cancel",
        (key: string, client: Client["Service"]) =>
          Effect.scoped(
            Effect.gen(function* () {
              const stream = yield* client.Client.open()
              yield* stream.send(new Request({ message: "wait", key }))
              yield* Effect.sleep(50)
              yield* stream.cancel
            })
          )
      ]
    ] as const) {
      it.effect(`${name} cancels the stream on the wire`, () =>
        Effect.gen(function* () {
          const client = yield* Client
          const key = `ours-${name}`
          yield* stop(key, client)
          const { message } = yield* client.Unary(new Request({ message: "seen", key }))
          assert.match(message ?? "", /CANCEL|context canceled/)
        })
      )
    }

    it.effect("header and trailer", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("header-trailer"))
        yield* stream.recv
        yield* stream.closeSend
        assert.isTrue(yield* isEnd(stream.recv))
        const header = yield* stream.header
        const trailer = yield* stream.trailer
        assert.deepStrictEqual([header.getAll("h-one"), header.getAll("h-multi")], [["1"], ["a", "b"]])
        assert.deepStrictEqual(header.getAll("h-bin"), [Uint8Array.of(0, 0x7f)])
        assert.deepStrictEqual([trailer.getAll("t-one"), trailer.getAll("t-multi")], [["1"], ["a", "b"]])
        assert.deepStrictEqual(trailer.getAll("t-bin"), [Uint8Array.of(1, 2, 3, 4)])

        const empty = yield* client.Server.open(say("header-trailer"))
        assert.isTrue(yield* isEnd(empty.recv))
        assert.strictEqual((yield* empty.header).get("h-one"), "1")
        assert.strictEqual((yield* empty.trailer).get("t-one"), "1")
      }).pipe(Effect.scoped)
    )

    it.effect("the header comes before the first message", () =>
      Effect.gen(function* () {
        const stream = yield* (yield* Client).Bidi.open()
        yield* stream.send(say("send-header"))
        const winner = yield* Effect.raceFirst(Effect.as(stream.header, "header"), Effect.as(stream.recv, "message"))
        assert.strictEqual(winner, "header")
        assert.strictEqual((yield* stream.header).get("early"), "1")
      }).pipe(Effect.scoped)
    )

    it.effect("names of headers and trailers (T28)", () =>
      Effect.gen(function* () {
        const stream = yield* (yield* Client).Bidi.open()
        yield* stream.send(say("header-names"))
        yield* stream.recv
        yield* stream.closeSend
        assert.isTrue(yield* isEnd(stream.recv))
        const header = yield* stream.header
        const trailer = yield* stream.trailer
        assert.deepStrictEqual(
          ["hello", "foo_bar", "bar-foo", "x1", "x_1", "1_x"].map((key) => header.getAll(key)),
          [["3", "4"], ["5", "6"], ["7", "8"], ["9"], ["10"], ["11"]]
        )
        assert.deepStrictEqual(
          ["xxx", "yyy_zzz", "zzz-yyy", "x1", "x_1", "1_x"].map((key) => trailer.getAll(key)),
          [["1", "2"], ["3"], ["4"], ["5"], ["6"], ["7"]]
        )
      }).pipe(Effect.scoped)
    )

    it.effect("a header with an upper-case name is an error (T29)", () =>
      Effect.gen(function* () {
        const stream = yield* (yield* Client).Bidi.open()
        yield* stream.send(say("upper-header"))
        const error = yield* failure(stream.header)
        assertRpcError(error, "ProtocolViolation", 13, `invalid header field name "HELLO"`)
      }).pipe(Effect.scoped)
    )

    it.effect("a trailer with an upper-case name is an error, without trailers (T30)", () =>
      Effect.gen(function* () {
        const stream = yield* (yield* Client).Bidi.open()
        yield* stream.send(say("upper-trailer"))
        assert.strictEqual((yield* stream.recv).message, "upper-trailer")
        yield* stream.closeSend
        const error = (yield* failure(stream.recv)) as CallError
        assertRpcError(error, "ProtocolViolation", 13, `invalid header field name "HELLO"`)
        assert.strictEqual(yield* failure(stream.trailer), error)
      }).pipe(Effect.scoped)
    )

    it.effect("request metadata and metainfo", () =>
      Effect.gen(function* () {
        const client = yield* Client
        const metadata = { hello: "1", FOO_BAR: "2", "rpc-transit-count": "3", "rpc-persist-p": "4" }
        for (const [key, want] of [
          ["hello", "1"],
          ["foo_bar", "2"],
          ["none", ""]
        ] as const) {
          const { message } = yield* client.Unary(new Request({ message: "metadata", key }), { metadata })
          assert.strictEqual(message, want)
        }
        const { message } = yield* client.Unary(say("metainfo"), { metadata })
        assert.strictEqual(message, "persistent P=4; transient COUNT=3")
      })
    )

    it.effect("two services with the same method names", () =>
      Effect.gen(function* () {
        const client = yield* StreamClient.make(SecondService, { hostPorts: [yield* Kitex] })
        assert.strictEqual((yield* client.Unary(say("hi"))).message, "second: hi")
        assert.deepStrictEqual(texts(yield* Stream.runCollect(client.Bidi(Stream.make(say("hi"))))), ["second: hi"])
        assert.deepStrictEqual(texts(yield* Stream.runCollect(client.Server(say("hi", 1)))), ["second: hi"])
        assert.strictEqual((yield* client.Client(Stream.make(say("hi")))).message, "second: 1")
        assert.strictEqual((yield* (yield* Client).Unary(say("hi"))).message, "hi")
      }).pipe(Effect.scoped)
    )

    it.effect("unknown methods and services", () =>
      Effect.gen(function* () {
        const unserved = yield* StreamClient.make(UnservedService, { hostPorts: [yield* Kitex] })
        const nowhere = yield* StreamClient.make(NowhereService, { hostPorts: [yield* Kitex] })
        const none = Stream.empty
        const hi = say("hi")
        assertRpcError(yield* failure(unserved.MissingUnary(hi)), "Status", 1, "unknown method MissingUnary")
        assertRpcError(
          yield* failure(Stream.runDrain(unserved.MissingBidi(none))),
          "Status",
          1,
          "unknown method MissingBidi"
        )
        assertRpcError(yield* failure(unserved.MissingClient(none)), "Status", 1, "unknown method MissingClient")
        assertRpcError(
          yield* failure(Stream.runDrain(unserved.MissingServer(hi))),
          "Status",
          1,
          "unknown method MissingServer"
        )
        assertRpcError(yield* failure(nowhere.Unary(hi)), "Status", 20, "unknown service NowhereService")
      }).pipe(Effect.scoped)
    )

    it.effect("a graceful stop: a stream may end, new calls fail", () =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* kitexServer())
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("one"))
        yield* stream.recv
        yield* client.Unary(say("drain"))
        yield* Effect.sleep(100)
        yield* stream.send(say("two"))
        assert.strictEqual((yield* stream.recv).message, "two")
        yield* stream.closeSend
        assert.isTrue(yield* isEnd(stream.recv))
        const late = yield* failure(client.Unary(say("late")))
        assert.strictEqual((late as RpcError.RpcError).reason._tag, "Unavailable")
      }).pipe(Effect.scoped)
    )

    it.effect("a stream that outlives the grace time", () =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* kitexServer())
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("one"))
        yield* stream.recv
        yield* client.Unary(say("drain"))
        const error = (yield* failure(stream.recv)) as RpcError.RpcError
        assert.deepStrictEqual([error.reason._tag, error.code, error.desc], ["Unavailable", 14, "graceful shutdown"])
      }).pipe(Effect.scoped)
    )

    it.effect("a server that is gone", () =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* kitexServer())
        const stream = yield* client.Bidi.open()
        yield* stream.send(say("exit"))
        const error = (yield* failure(stream.recv)) as RpcError.RpcError
        assert.deepStrictEqual([error.reason._tag, error.code], ["Unavailable", 14])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "Kitex 0.9.1: every mode and an error",
      () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* firstKitexServer)
          const requests = Stream.fromIterable(numbered("old", 3).map((message) => say(message)))
          assert.deepStrictEqual(texts(yield* Stream.runCollect(client.Bidi(requests))), numbered("old", 3))
          assert.strictEqual((yield* client.Client(requests)).count, 3)
          assert.strictEqual((yield* Stream.runCollect(client.Server(say("old", 3)))).length, 3)
          assert.strictEqual((yield* client.Unary(say("old"))).message, "old")
          const error = yield* failure(Stream.runDrain(client.Bidi(Stream.make(say("plain-error")))))
          assertRpcError(error, "Status", 13, "boom [biz error]")
        }).pipe(Effect.scoped),
      300_000
    )
  })
})

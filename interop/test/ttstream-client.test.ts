/** Our client over TTHeader streaming against a real Kitex server, which was generated with `-streamx`. What the words do is in kitex/peer. */
import { assert, describe, layer } from "@effect/vitest"
import { CircuitBreaker, Discovery, Instance, LoadBalancer, Resolver } from "@millrace/governance"
import { type BizStatusError, LogId, Metainfo, RpcError, RpcTracer, StreamClient } from "@millrace/rpc"
import type { CallOptions, StreamClientOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import type { ClientOptions } from "@millrace/transport/TransportOptions"
import { Context, Duration, Effect, Exit, Layer, Logger, Scope, Stream } from "effect"
import * as Pull from "effect/Pull"
import { createServer } from "node:http2"
import type { AddressInfo } from "node:net"
import { InteropService, NowhereService, Refused, Request, type Response, UnservedService } from "../src/api.ts"
import { goAvailable } from "./go.ts"
import { endingKitexServer, firstKitexServer, kitexServer } from "./peers.ts"
import { relayTo } from "./relay.ts"
import { countingServer } from "./scripts.ts"
import { everything } from "./values.ts"

/** The address of a Kitex server for the whole file. */
class Kitex extends Context.Service<Kitex, string>()("interop/KitexStreamX") {
  static readonly layer = Layer.effect(Kitex, kitexServer("--services", "streamx"))
}

const clientOf = (address: string, options: StreamClientOptions = {}) =>
  StreamClient.make(InteropService, { hostPorts: [address], transport: "ttheader-streaming", ...options })
const client = (options?: StreamClientOptions) => Effect.flatMap(Kitex, (address) => clientOf(address, options))

const over = (options: ClientOptions) => Effect.provide(Layer.fresh(NodeTransport.layerClientWith(options)))

const say = (message: string, count?: number, key?: string) => new Request({ message, count, key })
const texts = (responses: ReadonlyArray<Response>) => responses.map(({ message }) => message)
const numbered = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}-${i}`)

/** An error as a test names it: reason, code, text. */
const told = (error: unknown): ReadonlyArray<unknown> =>
  error instanceof RpcError.RpcError ? [error.reason._tag, error.code, error.desc] : [error]

const isEnd = <A, E, R>(recv: Effect.Effect<A, E, R>) =>
  recv.pipe(
    Effect.as(false),
    Pull.catchDone(() => Effect.succeed(true))
  )

/** What a Kitex handler sees of the Header frame. */
const headerFrame = (options: StreamClientOptions, call: CallOptions = {}) =>
  Effect.gen(function* () {
    const [answer] = yield* Stream.runCollect((yield* client(options)).Bidi(Stream.make(say("hook")), call))
    return JSON.parse(answer!.message!) as Record<string, string>
  })

const connections: ReadonlyArray<readonly [name: string, options: ClientOptions]> = [
  ["multiplexed", {}],
  ["pooled", { streamConnections: "pooled" }],
  ["short", { streamConnections: "short" }],
  ["asking for credit and beats", { streamCredit: true, keepalive: { time: 50, timeout: 1000 } }]
]

describe.skipIf(!goAvailable())("TTHeader streaming: our client, Kitex server", () => {
  const services = Layer.mergeAll(Kitex.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const [name, options] of connections) {
      it.effect(`U-14 U-58: every mode, 0 to 10,000 messages, and 4 MiB: ${name}`, () =>
        Effect.gen(function* () {
          const interop = yield* client()
          for (const n of [0, 1, 3, name === "multiplexed" ? 10_000 : 1000]) {
            const requests = Stream.fromIterable(numbered("m", n).map((message) => say(message)))
            assert.deepStrictEqual(texts(yield* Stream.runCollect(interop.Bidi(requests))), numbered("m", n))
            assert.strictEqual((yield* interop.Client(requests)).count, n)
            const sent = yield* Stream.runCollect(interop.Server(say("server", n)))
            assert.deepStrictEqual(
              sent.map(({ count }) => count),
              Array.from({ length: n }, (_, i) => i)
            )
          }
          const blob = Uint8Array.from({ length: 4 << 20 }, (_, i) => i * 31)
          const [large] = yield* Stream.runCollect(interop.Bidi(Stream.make(new Request({ blob }))))
          assert.isTrue(Buffer.from(large!.blob!).equals(blob))
          // time for a beat that nobody answers
          yield* Effect.sleep(120)
          assert.strictEqual((yield* interop.Client(Stream.make(say("hi")))).count, 1)
        }).pipe(Effect.scoped, over(options))
      )
    }

    it.effect("200 streams at the same time on one connection", () =>
      Effect.gen(function* () {
        const interop = yield* client()
        const streams = yield* Effect.forEach(numbered("s", 200), () => interop.Bidi.open())
        yield* Effect.forEach(streams, (stream) => stream.send(say("peer")))
        const peers = yield* Effect.forEach(streams, (stream) => stream.recv)
        assert.strictEqual(new Set(texts(peers)).size, 1)
        yield* Effect.forEach(streams, (stream, i) => stream.send(say(`${i}`)))
        const echoes = yield* Effect.forEach(streams.toReversed(), (stream) => stream.recv)
        assert.deepStrictEqual(texts(echoes), streams.map((_, i) => `${i}`).toReversed())
        yield* Effect.forEach(streams, (stream) => stream.closeSend)
        for (const stream of streams) assert.isTrue(yield* isEnd(stream.recv))
      }).pipe(Effect.scoped, over({ connectionsPerAddress: 1 }))
    )

    it.effect("U-11 U-21: every type, as a stream and as a unary call", () =>
      Effect.gen(function* () {
        const interop = yield* client()
        const [streamed] = yield* Stream.runCollect(interop.Types(Stream.make(everything)))
        assert.deepStrictEqual(streamed, everything)
        assert.deepStrictEqual(yield* interop.UnaryTypes(everything), everything)
      }).pipe(Effect.scoped)
    )

    it.effect("N-01: what a Header frame holds: nothing but Kitex's own keys, and those that options ask for", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* headerFrame({}), { "9": "Bidi", "27": "2", isn: "InteropService" })
        const { "12": timeout, ...named } = yield* LogId.within(
          headerFrame({ callerName: "us", timeout: 5000 }),
          "log-1"
        )
        assert.deepInclude(named, { "2": "log-1", "3": "us", "6": "InteropService" })
        assert.isTrue(Number(timeout) > 3000 && Number(timeout) <= 5000, timeout)
        // of several values Kitex sees the last
        const metadata = { "Mixed-Case": "1", many: ["a", "b"], "raw-bin": Uint8Array.of(0, 127) }
        assert.deepInclude(yield* headerFrame({}, { metadata }), { "Mixed-Case": "1", many: "b", "raw-bin": "AH8" })
      }).pipe(Effect.scoped)
    )

    it.effect("N-02 N-03 N-04: unary calls are PingPong calls, with a timeout and middleware of their own", () =>
      Effect.gen(function* () {
        const finished: Array<string> = []
        const tracer = RpcTracer.layer({
          finish: ({ info }) => Effect.sync(() => void finished.push(`${info.mode} ${info.protocol}`))
        })
        const interop = yield* client({ unary: { rpcTimeout: 200 } }).pipe(Effect.provide(tracer))
        assert.strictEqual((yield* interop.Unary(say("hi"))).message, "hi")
        const late = yield* Effect.flip(interop.Unary(say("sleep", 500)))
        assert.strictEqual(told(late)[0], "RpcTimeout")
        yield* Stream.runDrain(interop.Bidi(Stream.make(say("hi"))))
        assert.deepStrictEqual(finished, [
          "unary ttheader-framed",
          "unary ttheader-framed",
          "bidirectional ttheader-streaming"
        ])
        const refused = yield* Effect.flip(interop.Unary(say("refused")))
        assert.instanceOf(refused, Refused)
        const failed = yield* Effect.flip(interop.Unary(say("plain-error")))
        assert.deepStrictEqual(told(failed).slice(1), [6, "biz error: boom"])
        const biz = yield* Effect.flip(interop.Unary(say("biz-extra")))
        assert.deepInclude(biz as BizStatusError.BizStatusError, { statusCode: 404, statusMessage: "not found" })
      }).pipe(Effect.scoped)
    )

    it.effect("metainfo over two hops: Kitex lets what is transient go on", () =>
      Effect.gen(function* () {
        const { address } = yield* countingServer
        const interop = yield* client()
        const [answer] = yield* Stream.runCollect(interop.Bidi(Stream.make(say("down-metainfo")))).pipe(
          Metainfo.withValue("t", "1"),
          Metainfo.withPersistentValue("p", "2"),
          Metainfo.withPersistentValue("NEXT", address)
        )
        const text = answer!.message!.replaceAll(/persistent NEXT=[^;]*; /g, "")
        assert.strictEqual(text, "persistent p=2; transient t=1 | persistent p=2; transient t=1")
      }).pipe(Effect.scoped)
    )

    it.effect("the reason of an error is that of HTTP/2 for the same event", () =>
      Effect.gen(function* () {
        const first = (word: string, options: StreamClientOptions) =>
          Effect.flatMap(client(options), (interop) =>
            Effect.flip(Stream.runDrain(interop.Bidi(Stream.concat(Stream.make(say(word)), Stream.never))))
          )
        const reasons = Effect.fnUntraced(function* (transport: "grpc" | "ttheader-streaming") {
          const list: Array<unknown> = []
          list.push(told(yield* first("plain-error", { transport }))[0])
          list.push(told(yield* first("panic", { transport }))[0])
          list.push(told(yield* first("wait", { transport, timeout: 100 }))[0])
          list.push(told(yield* first("wait", { transport, recvTimeout: 100 }))[0])
          list.push(told(yield* first("wait", { transport, firstMessageTimeout: 100 }))[0])
          list.push((yield* first("biz", { transport }))._tag)
          return list
        })
        assert.deepStrictEqual(yield* reasons("ttheader-streaming"), yield* reasons("grpc"))
      }).pipe(Effect.scoped)
    )

    it.effect("U-22 U-35: a receive that is interrupted loses no message, and leaves the stream as it is", () =>
      Effect.gen(function* () {
        const interop = yield* client()
        const stream = yield* interop.Bidi.open()
        yield* stream.send(say("hi"))
        const none = yield* Effect.timeoutOption(Effect.delay(stream.recv, 50), 20)
        assert.strictEqual(none._tag, "None")
        assert.strictEqual((yield* stream.recv).message, "hi")
      }).pipe(Effect.scoped)
    )

    it.effect("A-18: Kitex never answers an unknown method or service: the recv timeout ends it", () =>
      Effect.gen(function* () {
        const options = { hostPorts: [yield* Kitex], transport: "ttheader-streaming", recvTimeout: 200 } as const
        const unserved = yield* StreamClient.make(UnservedService, options)
        const nowhere = yield* StreamClient.make(NowhereService, { ...options, timeout: 200, recvTimeout: undefined })
        const missing = yield* Effect.flip(Stream.runDrain(unserved.MissingBidi(Stream.never)))
        assert.deepStrictEqual(told(missing).slice(0, 2), ["RecvTimeout", 12014])
        // its service alone is unknown, and one service has such a method
        assert.deepStrictEqual(texts(yield* Stream.runCollect(nowhere.Bidi(Stream.make(say("hi"))))), ["hi"])
      }).pipe(Effect.scoped)
    )

    it.effect("A-19: a value that no frame has room for fails its stream alone", () =>
      Effect.gen(function* () {
        const interop = yield* client()
        const neighbour = yield* interop.Bidi.open()
        yield* neighbour.send(say("peer"))
        const before = (yield* neighbour.recv).message
        const metadata = { large: "x".repeat(70_000) }
        const refused = yield* Effect.flip(Stream.runDrain(interop.Bidi(Stream.make(say("hi")), { metadata })))
        assert.strictEqual(told(refused)[0], "InvalidMetadata")
        yield* neighbour.send(say("peer"))
        assert.strictEqual((yield* neighbour.recv).message, before)
      }).pipe(Effect.scoped, over({ connectionsPerAddress: 1 }))
    )

    it.effect("A-20 U-01: two dials that fail, one behind the other, both say so", () =>
      Effect.gen(function* () {
        const nobody = yield* clientOf("127.0.0.1:1")
        for (let i = 0; i < 2; i++) {
          const error = yield* Effect.flip(Stream.runDrain(nobody.Bidi(Stream.make(say("hi")))))
          assert.strictEqual(told(error)[0], "Unavailable")
          assert.include(String(error), "cannot connect to 127.0.0.1:1")
        }
      }).pipe(Effect.scoped)
    )

    it.effect("A-17: streams share connections as the option says", () =>
      Effect.gen(function* () {
        const dials = Effect.fnUntraced(function* (streamConnections: "multiplexed" | "pooled" | "short") {
          const relay = yield* relayTo(yield* Kitex)
          yield* Effect.gen(function* () {
            const interop = yield* clientOf(relay.address)
            const one = yield* interop.Bidi.open()
            const two = yield* interop.Bidi.open()
            for (const stream of [one, two]) {
              yield* stream.send(say("hi"))
              yield* stream.recv
              yield* stream.closeSend
              assert.isTrue(yield* isEnd(stream.recv))
            }
            yield* Stream.runDrain(interop.Bidi(Stream.make(say("hi"))))
          }).pipe(Effect.scoped, over({ streamConnections, connectionsPerAddress: 1 }))
          return relay.dials()
        }, Effect.scoped)
        assert.deepStrictEqual([yield* dials("multiplexed"), yield* dials("pooled"), yield* dials("short")], [1, 2, 3])
      })
    )

    it.effect(
      "a reader that stalls, of a producer without an end: bounded, reset, and told; its neighbour goes on",
      () =>
        Effect.gen(function* () {
          const key = `stalled-${process.pid}`
          const interop = yield* client()
          const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().external
          const before = held()
          const stalled = yield* Metainfo.withPersistentValue(interop.Server.open(say("flood", 1024)), "KEY", key)
          yield* stalled.recv
          let most = 0
          const words = numbered("n", 1000)
          const [took, echoes] = yield* Effect.timed(
            interop.Bidi(Stream.fromIterable(words.map((message) => say(message)))).pipe(
              Stream.tap(() => Effect.sync(() => (most = Math.max(most, held() - before)))),
              Stream.runCollect
            )
          )
          assert.deepStrictEqual(texts(echoes), words)
          assert.isBelow(Duration.toMillis(took), 2000)
          assert.isBelow(most, 8 << 20)
          const error = yield* Effect.flip(Effect.forever(stalled.recv))
          assert.deepStrictEqual(
            (error as RpcError.RpcError).reason,
            new RpcError.Rejected({ limit: "streamBufferLimit" })
          )
        }).pipe(Effect.scoped, over({ connectionsPerAddress: 1 }))
    )

    it.effect("a server that stops: the stream goes on, and ends with the process", () =>
      Effect.gen(function* () {
        const server = yield* endingKitexServer("--services", "streamx", "--grace", "300ms")
        const interop = yield* clientOf(server.address)
        const stream = yield* interop.Bidi.open()
        yield* stream.send(say("one"))
        yield* stream.recv
        yield* Effect.forkScoped(server.end)
        yield* Effect.sleep(150)
        yield* stream.send(say("two"))
        assert.strictEqual((yield* stream.recv).message, "two")
        assert.deepStrictEqual(told(yield* Effect.flip(stream.recv)).slice(0, 2), ["Unavailable", 12006])
        assert.strictEqual(told(yield* Effect.flip(stream.send(say("three"))))[0], "Unavailable")
      }).pipe(Effect.scoped)
    )

    it.effect("a breaker opens when the server is gone, and closes when it is back", () =>
      Effect.gen(function* () {
        const life = yield* Scope.make()
        const address = yield* Scope.provide(kitexServer("--services", "streamx"), life)
        const breaker = yield* CircuitBreaker.make({ minSample: 5, coolingTimeout: "200 millis", detectTimeout: 20 })
        const interop = yield* clientOf(address, { callerName: "us", admission: [breaker.admission] })
        const stream = Stream.runDrain(interop.Bidi(Stream.make(say("hi"))))
        yield* stream
        yield* Scope.close(life, Exit.void)
        for (let i = 0; i < 4; i++) assert.strictEqual(told(yield* Effect.flip(stream))[0], "Unavailable")
        assert.strictEqual(told(yield* Effect.flip(stream))[0], "CircuitOpen")
        yield* kitexServer("--services", "streamx", "--port", address.split(":")[1]!)
        yield* Effect.sleep(250)
        yield* stream
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
    )

    it.effect("streams are balanced over two servers by weight", () =>
      Effect.gen(function* () {
        const servers = [yield* Kitex, yield* kitexServer("--services", "streamx")]
        const interop = yield* StreamClient.make(InteropService, {
          destService: "interop",
          transport: "ttheader-streaming",
          endpoints: Discovery.endpoints({ balancer: LoadBalancer.weightedRoundRobin })
        }).pipe(
          Effect.provide(
            Resolver.layerStatic({
              interop: [Instance.make(servers[0]!, { weight: 10 }), Instance.make(servers[1]!, { weight: 30 })]
            })
          )
        )
        const counts = [0, 0]
        for (let i = 0; i < 40; i++) {
          const [answer] = yield* Stream.runCollect(interop.Bidi(Stream.make(say("where"))))
          counts[servers.indexOf(answer!.message!)]!++
        }
        assert.deepStrictEqual(counts, [10, 30])
      }).pipe(Effect.scoped)
    )

    it.effect("auto: a server that knows TTHeader streaming is spoken to in it", () =>
      Effect.gen(function* () {
        const interop = yield* client({ transport: "auto" })
        for (let i = 0; i < 2; i++) {
          const [answer] = yield* Stream.runCollect(interop.Bidi(Stream.make(say("hook"))))
          assert.deepInclude(JSON.parse(answer!.message!), { "27": "2" })
        }
      }).pipe(Effect.scoped, over({}))
    )

    it.effect("auto: a server of gRPC alone, which speaks first, is spoken to over HTTP/2", () =>
      Effect.gen(function* () {
        const paths: Array<string> = []
        const server = createServer()
        server.on("stream", (stream, headers) => {
          paths.push(String(headers[":path"]))
          stream.respond(
            { ":status": 200, "content-type": "application/grpc", "grpc-status": "0" },
            { endStream: true }
          )
        })
        server.on("sessionError", () => {})
        yield* Effect.acquireRelease(
          Effect.callback<void>((resume) => {
            server.listen(0, "127.0.0.1", () => resume(Effect.void))
          }),
          () => Effect.sync(() => server.close())
        )
        const interop = yield* clientOf(`127.0.0.1:${(server.address() as AddressInfo).port}`, { transport: "auto" })
        for (let i = 0; i < 2; i++) assert.deepStrictEqual(yield* Stream.runCollect(interop.Server(say("hi"))), [])
        assert.deepStrictEqual(paths, ["/interop.InteropService/Server", "/interop.InteropService/Server"])
      }).pipe(Effect.scoped, over({}), Effect.provide(Logger.layer([])))
    )

    it.effect(
      "auto: a Kitex of before, which streams over HTTP/2 alone, is spoken to over HTTP/2",
      () =>
        Effect.gen(function* () {
          const interop = yield* clientOf(yield* firstKitexServer, { transport: "auto" })
          for (const word of ["one", "two"]) {
            assert.deepStrictEqual(texts(yield* Stream.runCollect(interop.Bidi(Stream.make(say(word))))), [word])
          }
        }).pipe(Effect.scoped, over({}), Effect.provide(Logger.layer([]))),
      300_000
    )
  })
})

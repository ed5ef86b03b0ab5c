import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as net from "node:net"
import { TestClock } from "effect/testing"
import { MemoryTransport } from "../../src/index.ts"
import { NodeTransport } from "../../src/node/index.ts"
import { ClientTransport, type OpenRequest, ServerTransport } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { certificate } from "../support/certificate.ts"
import { until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import {
  decodeBytes,
  echo,
  encodeBytes,
  encodeText,
  ended,
  openStream,
  read,
  readTexts,
  serve,
  writeAll
} from "../support/raw.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

/** A TCP server that counts its connections and hands them to `onSocket`. */
const tcpServer = (onSocket: (socket: net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ server: net.Server; sockets: Array<net.Socket>; address: string }>((resume) => {
      const sockets: Array<net.Socket> = []
      const server = net.createServer((socket) => {
        sockets.push(socket)
        socket.on("error", () => {})
        socket.resume()
        onSocket(socket)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as net.AddressInfo
        resume(Effect.succeed({ server, sockets, address: `127.0.0.1:${port}` }))
      })
    }),
    ({ server, sockets }) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )

const request = (address: string): OpenRequest => ({ address, path: "/a.B/C", authority: "b" })
const open = (address: string, more: Partial<OpenRequest> = {}) =>
  Effect.flatMap(ClientTransport, (client) => client.open({ ...request(address), ...more }))
const client = (options: NodeTransport.ClientOptions = {}) => Effect.provide(NodeTransport.layerClientWith(options))
const emptySettings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)

describe("dialling", () => {
  it.live("happens once for all who wait, and goes on when the first of them leaves", () =>
    Effect.gen(function* () {
      const held: Array<net.Socket> = []
      const { address, sockets } = yield* tcpServer((socket) => held.push(socket))
      const first = yield* Effect.forkChild(open(address), { startImmediately: true })
      const others = yield* Effect.forkChild(Effect.all([open(address), open(address)], { concurrency: 2 }), {
        startImmediately: true
      })
      while (held.length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(first)
      held[0]!.write(emptySettings)
      const streams = yield* Fiber.join(others)
      assert.strictEqual(streams.length, 2)
      assert.strictEqual(sockets.length, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("fails with what to do about it", () =>
    Effect.gen(function* () {
      const { address, server } = yield* tcpServer(() => {})
      yield* Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
      const refused = yield* Effect.flip(open(address))
      assert.strictEqual(refused.reason._tag, "ConnectFailed")
      assert.strictEqual(
        refused.desc,
        `cannot connect to ${address}: connection refused (ECONNREFUSED); does a server listen there?`
      )
      const unix = yield* Effect.flip(open("unix:/nowhere/at.all"))
      assert.include(unix.desc, "ENOENT")
      assert.include((yield* Effect.flip(open("nonsense"))).desc, "HOST:PORT")
      assert.include((yield* Effect.flip(open("memory"))).desc, "neither hostPorts nor endpoints")
    }).pipe(client(), Effect.scoped)
  )

  it.live("gives up on a server without SETTINGS, and on one that closes at once", () =>
    Effect.gen(function* () {
      const silent = yield* tcpServer(() => {})
      const timeout = yield* Effect.flip(open(silent.address))
      assert.deepInclude(timeout.reason, { _tag: "ConnectTimeout", step: "settings", millis: 50 })
      const hurried = yield* Effect.flip(open(silent.address, { connectTimeoutMillis: 20 }))
      assert.deepInclude(hurried.reason, { _tag: "ConnectTimeout", step: "settings", millis: 20 })
      const closing = yield* tcpServer((socket) => socket.destroy())
      const closed = yield* Effect.flip(open(closing.address))
      assert.strictEqual(closed.reason._tag, "ConnectFailed")
      assert.match(closed.desc, /; does it speak HTTP\/2, and TLS only where this client does\?$/)
      while (silent.sockets.some((socket) => !socket.destroyed)) yield* Effect.sleep(1)
    }).pipe(client({ settingsTimeout: "50 millis" }), Effect.scoped)
  )

  describe("where client and server do not agree on TLS", () => {
    const told = Effect.gen(function* () {
      const { address } = yield* serve(echo)
      const { desc } = yield* Effect.flip(open(address))
      return desc.replace(`cannot connect to ${address}: `, "")
    }).pipe(Effect.scoped)

    it.live("says that the server has none", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* told, "the server does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)")
      }).pipe(Effect.provide(layers({}, { tls: {} })))
    )

    it.live("says that the client may have to", () =>
      Effect.gen(function* () {
        assert.match(yield* told, /; does it speak HTTP\/2, and TLS only where this client does\?$/)
      }).pipe(Effect.provide(layers({ tls: certificate }, {})))
    )

    it.live("says that the certificate is not trusted", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* told,
          "the server's certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); is its authority among the client's tls.ca?"
        )
      }).pipe(Effect.provide(layers({ tls: certificate }, { tls: {} })))
    )
  })

  it.live("over TLS has its own limit", () =>
    Effect.gen(function* () {
      const silent = yield* tcpServer(() => {})
      const timeout = yield* Effect.flip(open(silent.address))
      assert.deepInclude(timeout.reason, { _tag: "ConnectTimeout", step: "tls" })
    }).pipe(client({ tls: {}, tlsTimeout: "50 millis" }), Effect.scoped)
  )

  it.effect("in virtual time ends with the limit of the call", () =>
    Effect.gen(function* () {
      yield* serve(echo)
      const fiber = yield* Effect.forkChild(Effect.flip(open("memory")), { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude((yield* Fiber.join(fiber)).reason, { _tag: "ConnectTimeout", step: "settings", millis: 2000 })
    }).pipe(
      Effect.scoped,
      Effect.provide(
        MemoryTransport.layerWith({ client: { settingsTimeout: "2 seconds" }, toClient: { delay: "1 minute" } })
      )
    )
  )
})

describe("connections", () => {
  it.live("are one for all streams of an address, and more when streams run out", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(echo)
      const peers = () => new Set(streams.map((stream) => stream.peer.address)).size
      const opened = yield* Effect.forEach(Array.from({ length: 10 }), () => openStream(address))
      for (const stream of opened) yield* writeAll(stream, ["x"], encodeText)
      for (const stream of opened) assert.deepStrictEqual(yield* readTexts(stream, 1), ["x"])
      assert.strictEqual(streams.length, 10)
      assert.strictEqual(peers(), 3)
      for (const stream of opened) stream.abort("cancel", cancelled)
    }).pipe(Effect.scoped, Effect.provide(layers({ limits: { maxConcurrentStreams: 4 } }, {})))
  )

  it.live("are as many as were asked for", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(echo)
      for (let i = 0; i < 9; i++) {
        const stream = yield* openStream(address)
        yield* writeAll(stream, ["x"], encodeText, true)
        yield* ended(stream)
      }
      const counts = new Map<string, number>()
      for (const { peer } of streams) counts.set(peer.address, (counts.get(peer.address) ?? 0) + 1)
      assert.deepStrictEqual([...counts.values()], [3, 3, 3])
    }).pipe(Effect.scoped, Effect.provide(layers({}, { connectionsPerAddress: 3 })))
  )

  it.live("are never more than the limit, when the server allows few streams", () =>
    Effect.gen(function* () {
      const { address } = yield* serve(echo)
      const opened = [yield* openStream(address), yield* openStream(address)]
      const refused = yield* Effect.flip(open(address))
      assert.strictEqual(refused.code, 8)
      assert.strictEqual(refused.reason._tag, "LimitExceeded")
      assert.match(refused.desc, /every stream of 2 connections to .* is in use \(maxConnectionsPerAddress\)/)
      yield* writeAll(opened[0]!, ["x"], encodeText, true)
      yield* ended(opened[0]!)
      opened.push(yield* openStream(address))
      for (const stream of opened) stream.abort("cancel", cancelled)
    }).pipe(
      Effect.scoped,
      Effect.provide(layers({ limits: { maxConcurrentStreams: 1 } }, { maxConnectionsPerAddress: 2 }))
    )
  )

  describe("with many streams that nobody reads", () => {
    const neighbour = Effect.gen(function* () {
      const { address } = yield* serve((stream) =>
        stream.method === "Echo"
          ? echo(stream)
          : Effect.sync(() => void stream.write([new Uint8Array(200_000)], 0, encodeBytes))
      )
      const unread = yield* Effect.forEach(Array.from({ length: 200 }), () =>
        openStream(address, { path: "/a.B/Flood" })
      )
      yield* Effect.sleep(500)
      const stream = yield* openStream(address)
      yield* writeAll(stream, ["x"], encodeText)
      const answer = readTexts(stream, 1)
      const end = Effect.sync(() => {
        for (const each of [...unread, stream]) each.abort("cancel", cancelled)
      })
      return { answer, end, reset: () => unread.forEach((each) => each.abort("cancel", cancelled)) }
    })

    it.live("go on", () =>
      Effect.gen(function* () {
        const { answer, end } = yield* neighbour
        assert.deepStrictEqual(yield* answer, ["x"])
        yield* end
      }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
    )

    it.live("wait above connectionBufferLimit, until some of them are reset", () =>
      Effect.gen(function* () {
        const { answer, end, reset } = yield* neighbour
        const waiting = yield* Effect.forkChild(answer, { startImmediately: true })
        yield* Effect.sleep(50)
        assert.strictEqual(waiting.pollUnsafe(), undefined)
        reset()
        assert.deepStrictEqual(yield* Fiber.join(waiting), ["x"])
        yield* end
      }).pipe(Effect.scoped, Effect.provide(layers({}, { connectionBufferLimit: 1_000_000 })))
    )
  })

  it.live("a header list that the server does not take is refused before it is sent", () =>
    Effect.gen(function* () {
      const { address } = yield* serve(echo)
      const big = yield* Effect.flip(open(address, { metadata: [["k", "v".repeat(70_000)]] }))
      assert.strictEqual(big.desc, "header list size to send violates the maximum size (65536 bytes) set by server")
      assert.deepInclude(big.reason, { _tag: "LimitExceeded", limit: "MAX_HEADER_LIST_SIZE", max: 65_536 })
      const bad = yield* Effect.flip(open(address, { metadata: [["HELLO", "1"]] }))
      assert.strictEqual(bad.desc, 'invalid header field name "HELLO": names are lower case, write "hello"')
      assert.strictEqual(bad.reason._tag, "InvalidMetadata")
      const client = yield* ClientTransport
      assert.strictEqual(client.tryOpen({ ...request(address), metadata: [["HELLO", "1"]] }), undefined)
      assert.isDefined(client.tryOpen(request(address)))
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("metadata that comes again goes out with each path and authority, and is refused each time", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(echo)
      const metadata = Object.freeze([["k", "v"]] as const)
      const paths = ["/a.A/M", "/b.B/M", "/a.A/M"]
      for (const path of paths) yield* open(address, { metadata, path, authority: path.slice(1, 2) })
      yield* open(address, { metadata, path: "/a.A/M", authority: "a", timeoutMillis: 5000 })
      yield* open(address, { path: "/a.A/M", authority: "a" })
      yield* until(() => streams.length === 5)
      assert.deepStrictEqual(
        streams.map((stream) => [stream.path, stream.metadata.get(":authority"), stream.metadata.get("k")]),
        [
          ["/a.A/M", "a", "v"],
          ["/b.B/M", "b", "v"],
          ["/a.A/M", "a", "v"],
          ["/a.A/M", "a", "v"],
          ["/a.A/M", "a", undefined]
        ]
      )
      assert.deepStrictEqual(
        streams.map(({ timeoutMillis }) => timeoutMillis),
        [undefined, undefined, undefined, 5000, undefined]
      )
      const bad = Object.freeze([["HELLO", "1"]] as const)
      for (const _ of [1, 2]) {
        const error = yield* Effect.flip(open(address, { metadata: bad }))
        assert.strictEqual(error.reason._tag, "InvalidMetadata")
      }
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("a header list above the limit names the limit", () =>
    Effect.gen(function* () {
      const { address } = yield* serve((stream) => {
        stream.pendingHeaders = Array.from({ length: 20 }, (_, i) => [`x-${i}`, ""] as const)
        return echo(stream)
      })
      const stream = yield* openStream(address)
      yield* writeAll(stream, ["x"], encodeText)
      const end = yield* ended(stream)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(end)), {
        _tag: "Failed",
        error: {
          _tag: "TransportError",
          reason: { _tag: "LimitExceeded", limit: "maxHeaderFields", max: 10 },
          code: 13,
          desc: "peer header list size exceeded limit"
        }
      })
    }).pipe(Effect.scoped, Effect.provide(layers({}, { limits: { maxHeaderFields: 10 } })))
  )

  it.live("a message above the limit is refused on its prefix, and the handler may answer", () =>
    Effect.gen(function* () {
      const { address } = yield* serve(echo)
      const stream = yield* openStream(address)
      yield* writeAll(stream, [new Uint8Array(10), new Uint8Array(2000)], encodeBytes)
      assert.strictEqual((yield* read(stream, Infinity, decodeBytes)).length, 1)
      const end = stream.end
      assert.deepStrictEqual(JSON.parse(JSON.stringify(end)), {
        _tag: "Status",
        status: { code: 8, message: "received message larger than maxReceiveMessageSize (1000 bytes)" }
      })
    }).pipe(Effect.scoped, Effect.provide(layers({ maxReceiveMessageSize: 1000 }, {})))
  )

  it.live("an inflated message above the limit is refused too", () =>
    Effect.gen(function* () {
      const { address } = yield* serve((stream) =>
        Effect.map(read(stream, 1, decodeBytes), () => {}).pipe(
          Effect.catchDefect((error) =>
            Effect.sync(() => {
              const { code, desc } = error as TransportError
              stream.finish({ code, message: desc }, [])
              stream.release()
            })
          )
        )
      )
      const stream = yield* openStream(address, { compressor: "gzip" })
      yield* writeAll(stream, [new Uint8Array(1_000_000)], encodeBytes)
      const end = yield* ended(stream)
      assert.strictEqual(end._tag === "Status" ? end.status.code : end._tag, 8)
    }).pipe(Effect.scoped, Effect.provide(layers({ maxReceiveMessageSize: 10_000 }, {})))
  )
})

describe("draining", () => {
  it.live("lets streams end, refuses new ones, and the next server is found", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const first = yield* serve(echo).pipe(Scope.provide(scope))
      const stream = yield* openStream(first.address)
      yield* writeAll(stream, ["a"], encodeText)
      assert.deepStrictEqual(yield* readTexts(stream, 1), ["a"])
      const drained = yield* Effect.forkChild(first.listening.drain, { startImmediately: true })
      // The listener ends a little later.
      yield* Effect.sleep(500)
      assert.strictEqual(drained.pollUnsafe(), undefined)
      assert.strictEqual((yield* Effect.flip(openStream(first.address))).reason._tag, "ConnectFailed")
      yield* writeAll(stream, ["b"], encodeText, true)
      assert.deepStrictEqual(yield* readTexts(stream), ["b"])
      assert.deepStrictEqual(stream.end, { _tag: "Status", status: { code: 0, message: "" } })
      yield* Fiber.join(drained)
      yield* Scope.close(scope, Exit.void)
      const second = yield* serve(echo)
      const again = yield* openStream(second.address)
      yield* writeAll(again, ["c"], encodeText, true)
      assert.deepStrictEqual(yield* readTexts(again), ["c"])
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("an idle server stops at once", () =>
    Effect.gen(function* () {
      const { address, listening } = yield* serve(echo)
      const stream = yield* openStream(address)
      yield* writeAll(stream, ["a"], encodeText, true)
      yield* readTexts(stream)
      const took = yield* Effect.timed(listening.drain)
      assert.isBelow(Duration.toMillis(took[0]), 500)
      yield* listening.drain
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("a server that is gone is dialled again", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }), scope)
      const first = yield* serve(echo).pipe(Scope.provide(scope), Effect.provide(context))
      const port = first.listening.address.port
      const stream = yield* openStream(first.address)
      yield* Scope.close(scope, Exit.void)
      const end = yield* ended(stream)
      assert.strictEqual(end._tag === "Failed" ? end.error.reason._tag : end._tag, "ConnectionLost")
      const again = yield* Layer.build(NodeTransport.layerServer({ port, host: "127.0.0.1" }))
      yield* serve(echo).pipe(Effect.provide(again))
      const next = yield* openStream(first.address)
      yield* writeAll(next, ["x"], encodeText, true)
      assert.deepStrictEqual(yield* readTexts(next), ["x"])
    }).pipe(client(), Effect.scoped)
  )

  it.live("an address in use is a typed error", () =>
    Effect.gen(function* () {
      const { listening } = yield* serve(echo)
      const port = listening.address.port
      const error = yield* Effect.flip(
        Effect.flatMap(ServerTransport, (server) => server.listen({ onStream: () => {}, onCall: () => {} })).pipe(
          Effect.provide(NodeTransport.layerServer({ port, host: "127.0.0.1" }))
        )
      )
      assert.strictEqual(error.reason._tag, "ConnectFailed")
      assert.strictEqual(
        error.desc,
        `cannot listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE); stop the other program, or take port 0 for a free one`
      )
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("closing the scopes leaves no socket open", () =>
    Effect.gen(function* () {
      const handles = () => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe/.test(name)).length
      const before = handles()
      yield* Effect.gen(function* () {
        const { address } = yield* serve(echo)
        for (let i = 0; i < 3; i++) yield* writeAll(yield* openStream(address), ["x"], encodeText)
        assert.isAbove(handles(), before)
      }).pipe(Effect.scoped, Effect.provide(layers({}, { connectionsPerAddress: 2 })))
      yield* Effect.sleep(20)
      assert.isAtMost(handles(), before)
    })
  )
})

describe("faults in memory, in virtual time", () => {
  const withFaults = (options: MemoryTransport.Options) => Effect.provide(MemoryTransport.layerWith(options))

  it.effect("a delay passes with the clock", () =>
    Effect.gen(function* () {
      yield* serve(echo)
      const fiber = yield* Effect.forkChild(
        Effect.gen(function* () {
          const stream = yield* openStream("memory")
          yield* writeAll(stream, ["x"], encodeText, true)
          return yield* readTexts(stream)
        }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["x"])
    }).pipe(
      Effect.scoped,
      withFaults({
        toServer: { delay: "400 millis" },
        toClient: { delay: "700 millis" },
        client: { settingsTimeout: 60_000 }
      })
    )
  )

  it.effect("an idle connection is over after 30 minutes, and the next call dials again", () =>
    Effect.gen(function* () {
      yield* serve(echo)
      const call = Effect.gen(function* () {
        const stream = yield* openStream("memory")
        yield* writeAll(stream, [new Uint8Array(1500)], encodeBytes, true)
        return (yield* ended(stream))._tag
      })
      assert.strictEqual(yield* call, "Status")
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* call, "Status")
      // This one goes where the one before it went.
      assert.strictEqual(yield* call, "Failed")
    }).pipe(Effect.scoped, withFaults({ toServer: { cutAt: 2500 } }))
  )

  it.effect("a cut ends both sides with the texts of a lost connection", () =>
    Effect.gen(function* () {
      const { streams } = yield* serve(echo)
      const stream = yield* openStream("memory")
      yield* writeAll(stream, [new Uint8Array(5000)], encodeBytes)
      const end = yield* ended(stream)
      assert.strictEqual(
        end._tag === "Failed" ? end.error.desc : end,
        'connection error: desc = "error reading from server, remoteAddress=memory, error=the connection was cut"'
      )
      assert.strictEqual((yield* ended(streams[0]!))._tag, "Failed")
      const next = yield* openStream("memory")
      assert.strictEqual(next.end, undefined)
      next.abort("cancel", cancelled)
    }).pipe(Effect.scoped, withFaults({ toServer: { cutAt: 2000 } }))
  )

  it.effect("a stall is noticed by keepalive", () =>
    Effect.gen(function* () {
      yield* serve(() => Effect.void)
      const stream = yield* openStream("memory")
      yield* writeAll(stream, ["x"], encodeText)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(stream.end, undefined)
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("5 seconds")
      const end = yield* ended(stream)
      assert.include(end._tag === "Failed" ? end.error.desc : "", "keepalive ping failed")
    }).pipe(
      Effect.scoped,
      withFaults({ toClient: { stallAt: 60 }, client: { keepalive: { time: "15 seconds", timeout: "5 seconds" } } })
    )
  )
})

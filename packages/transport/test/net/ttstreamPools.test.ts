/**
 * How streams over TTHeader share connections: how many are dialled, which are used again, when they close.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as net from "node:net"
import type { NodeTransport } from "../../src/node/index.ts"
import type { RawClientStream, RawServerStream } from "../../src/RawStream.ts"
import { ClientTransport, type OpenRequest, type ServerTransport } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import { encodeBytes, encodeText, ended, openStream, readTexts, requestTo, serve, writeAll } from "../support/raw.ts"
import { streamData } from "../support/thrift.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

const open = (address: string, request: Partial<OpenRequest> = {}) =>
  openStream(address, { transport: "ttheader-streaming", ...request })

const tryOpen = (address: string) =>
  Effect.map(ClientTransport, (client) => client.tryOpen(requestTo(address, { transport: "ttheader-streaming" })))

/** Answers every message, ends when its client does. */
const answering = (stream: RawServerStream): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (;;) {
      const texts = yield* readTexts(stream, 1)
      if (texts.length === 0) break
      yield* writeAll(stream, texts, encodeText)
    }
    stream.finish({ code: 0, message: "" }, [])
    stream.release()
  })

interface Counted {
  readonly address: string
  readonly streams: Array<RawServerStream>
  /** Connections that were accepted, and those of them that are closed. */
  readonly made: () => number
  readonly gone: () => number
}

const counting = <E>(
  client: NodeTransport.ClientOptions,
  body: (server: Counted) => Effect.Effect<void, E, ClientTransport | ServerTransport | Scope.Scope>,
  server: NodeTransport.ServerOptions = {}
) =>
  Effect.suspend(() => {
    let made = 0
    let gone = 0
    const acceptConnection = () => {
      made++
      return () => void gone++
    }
    return Effect.gen(function* () {
      const { address, streams } = yield* serve(answering)
      yield* body({ address, streams, made: () => made, gone: () => gone })
    }).pipe(Effect.scoped, Effect.provide(layers({ acceptConnection, ...server }, client)))
  })

const asks = (stream: RawClientStream, text: string) =>
  Effect.gen(function* () {
    yield* writeAll(stream, [text], encodeText)
    assert.deepStrictEqual(yield* readTexts(stream, 1), [text])
  })

/** Opens, sends, receives, ends. */
const call = (address: string, text: string) =>
  Effect.gen(function* () {
    const stream = yield* open(address)
    yield* asks(stream, text)
    stream.closeSend()
    assert.strictEqual((yield* ended(stream))._tag, "Status")
    return stream
  })

const many = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

describe("multiplexed connections of streams", () => {
  it.live("are as many as the option says, dialled once for all who wait, used in turn", () =>
    counting(
      { connectionsPerAddress: 3 },
      Effect.fnUntraced(function* ({ address, gone, made, streams }) {
        assert.isUndefined(yield* tryOpen(address))
        const together = yield* Effect.forEach(many(10), () => open(address), { concurrency: "unbounded" })
        for (const stream of together) yield* asks(stream, "x")
        assert.strictEqual(made(), 1)
        const opened = [...together, ...(yield* Effect.forEach(many(20), () => open(address)))]
        for (const stream of opened) yield* asks(stream, "x")
        assert.strictEqual(made(), 3)
        const perConnection = Map.groupBy(streams, (stream) => stream.peer.address)
        assert.strictEqual(perConnection.size, 3)
        const more = yield* Effect.forEach(many(30), () => tryOpen(address))
        for (const stream of more) yield* asks(stream!, "x")
        for (const each of Map.groupBy(streams.slice(30), (stream) => stream.peer.address).values()) {
          assert.lengthOf(each, 10)
        }
        assert.deepStrictEqual([made(), gone()], [3, 0])
        for (const stream of [...opened, ...more]) stream!.abort("cancel", cancelled)
      })
    )
  )

  it.live("are dialled again once one is lost, and after a dial that failed", () =>
    counting(
      {},
      Effect.fnUntraced(function* ({ address, gone, made, streams }) {
        const first = yield* open(address)
        yield* asks(first, "x")
        const nobody = yield* Effect.flip(open("127.0.0.1:1"))
        const again = yield* Effect.flip(open("127.0.0.1:1"))
        assert.deepStrictEqual([nobody.reason._tag, again.reason._tag], ["ConnectFailed", "ConnectFailed"])
        const client = yield* ClientTransport
        client.retire!(address)
        // What runs on it goes on.
        yield* asks(first, "y")
        yield* call(address, "z")
        assert.deepStrictEqual([made(), gone()], [2, 0])
        first.closeSend()
        yield* ended(first)
        yield* until(() => gone() === 1)
        assert.strictEqual(streams[1]!.peer.address === streams[0]!.peer.address, false)
      })
    )
  )

  it.live("take more streams than one may have, on more connections, up to a limit", () =>
    counting(
      { maxConnectionsPerAddress: 2 },
      Effect.fnUntraced(function* ({ address, made }) {
        const opened = yield* Effect.forEach(many(512), () => open(address))
        for (const stream of [opened[0]!, opened[511]!]) yield* asks(stream, "x")
        assert.strictEqual(made(), 2)
        const error = yield* Effect.flip(open(address))
        assert.deepStrictEqual(error.reason._tag === "LimitExceeded" && [error.reason.limit, error.reason.max], [
          "maxConnectionsPerAddress",
          2
        ])
        for (const stream of opened) {
          stream.closeSend()
          yield* ended(stream)
        }
        yield* call(address, "y")
        assert.strictEqual(made(), 2)
      })
    )
  )

  it.live("close when the server closes them, and the next stream dials", () =>
    counting(
      {},
      Effect.fnUntraced(function* ({ address, gone, made }) {
        for (const text of many(3)) {
          yield* call(address, text)
          yield* Effect.sleep(120)
        }
        assert.deepStrictEqual([made(), gone() >= 2], [3, true])
      }),
      { idleTimeout: 20 }
    )
  )
})

describe("pooled connections of streams", () => {
  it.live("carry one stream at a time, and the next stream when that has ended", () =>
    counting(
      { streamConnections: "pooled" },
      Effect.fnUntraced(function* ({ address, gone, made, streams }) {
        yield* call(address, "a")
        yield* call(address, "b")
        assert.deepStrictEqual([made(), streams.length], [1, 2])
        assert.strictEqual(streams[0]!.peer.address, streams[1]!.peer.address)
        const [one, two] = [yield* open(address), yield* open(address)]
        yield* asks(one, "x")
        yield* asks(two, "y")
        assert.strictEqual(made(), 2)
        one.closeSend()
        yield* ended(one)
        two.closeSend()
        yield* ended(two)
        // The one that was used last.
        const last = (yield* tryOpen(address))!
        yield* asks(last, "z")
        assert.strictEqual(streams.at(-1)!.peer.address, streams[3]!.peer.address)
        last.abort("cancel", cancelled)
        assert.deepStrictEqual([made(), gone()], [2, 0])
      })
    )
  )

  it.live("are given back by a stream that was cancelled, and by one that failed", () =>
    counting(
      { streamConnections: "pooled" },
      Effect.fnUntraced(function* ({ address, made, streams }) {
        const first = yield* open(address)
        yield* asks(first, "x")
        first.abort("cancel", cancelled)
        const second = (yield* tryOpen(address))!
        yield* asks(second, "y")
        streams[1]!.abort("internal", cancelled)
        assert.strictEqual((yield* ended(second))._tag, "Failed")
        yield* asks((yield* tryOpen(address))!, "z")
        assert.strictEqual(made(), 1)
      })
    )
  )

  it.live("are not used again when the server has stopped inside a frame, or takes nothing", () =>
    Effect.gen(function* () {
      const sockets: Array<net.Socket> = []
      const server = net.createServer((socket) => {
        sockets.push(socket)
        socket.on("error", () => {})
        // The first says half of something, the second reads nothing.
        if (sockets.length === 1)
          socket.once("data", () => socket.write(streamData(1, new Uint8Array(100)).slice(0, 50)))
        else socket.pause()
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () =>
          Effect.sync(() => {
            for (const socket of sockets) socket.destroy()
            server.close()
          })
      )
      const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
      const half = yield* open(address)
      yield* Effect.sleep(50)
      half.abort("cancel", cancelled)
      assert.isUndefined(yield* tryOpen(address))
      const full = yield* open(address)
      const large = new Uint8Array(8 * 1024 * 1024)
      full.write([large], 0, encodeBytes)
      yield* Effect.sleep(50)
      full.abort("cancel", cancelled)
      assert.isUndefined(yield* tryOpen(address))
      yield* open(address)
      assert.lengthOf(sockets, 3)
    }).pipe(Effect.scoped, Effect.provide(layers({}, { streamConnections: "pooled" })))
  )

  it.live("wait no longer than they should, and are not more than they should be", () =>
    counting(
      { streamConnections: "pooled", pool: { maxIdlePerAddress: 2, maxPerAddress: 3 } },
      Effect.fnUntraced(function* ({ address, gone, made }) {
        const three = yield* Effect.forEach(many(3), () => open(address), { concurrency: "unbounded" })
        const error = yield* Effect.flip(open(address))
        assert.strictEqual(error.reason._tag === "LimitExceeded" && error.reason.limit, "pool.maxPerAddress")
        for (const stream of three) {
          yield* asks(stream, "x")
          stream.closeSend()
          yield* ended(stream)
        }
        yield* until(() => gone() === 1)
        assert.strictEqual(made(), 3)
      })
    )
  )
})

describe("short connections of streams", () => {
  it.live("carry one stream each, and close behind it", () =>
    counting(
      { streamConnections: "short" },
      Effect.fnUntraced(function* ({ address, gone, made, streams }) {
        for (const text of many(3)) yield* call(address, text)
        const broken = yield* open(address)
        yield* asks(broken, "x")
        broken.abort("cancel", cancelled)
        yield* until(() => gone() === 4)
        assert.deepStrictEqual([made(), new Set(streams.map((stream) => stream.peer.address)).size], [4, 4])
        assert.isUndefined(yield* tryOpen(address))
      })
    )
  )

  it.live("close behind the last frames of their stream", () =>
    counting(
      { streamConnections: "short" },
      Effect.fnUntraced(function* ({ address, gone, streams }) {
        const stream = yield* open(address)
        yield* asks(stream, "x")
        const served = streams[0]!
        // The server ends first: the client says the end of its own side, then goes.
        served.finish({ code: 0, message: "" }, [])
        assert.strictEqual((yield* ended(stream))._tag, "Status")
        yield* until(() => gone() === 1)
        const aborted = yield* open(address)
        yield* asks(aborted, "y")
        aborted.abort("cancel", cancelled)
        const seen = yield* ended(streams[1]!)
        // The Rst, and not the loss of the connection behind it.
        assert.strictEqual(seen._tag === "Failed" && seen.error.reason._tag, "StreamReset")
      })
    )
  )
})

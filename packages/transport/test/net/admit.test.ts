import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HpackDecoder } from "../../src/internal/http2/hpackDecoder.ts"
import { Http2Server } from "../../src/internal/net/http2Server.ts"
import { MemoryTransport } from "../../src/index.ts"
import type { RawAdmitted, RawRequest, RawServerStream, RawStatus } from "../../src/RawStream.ts"
import { type Acceptor, ServerTransport } from "../../src/Transport.ts"
import type { ConnectionOptions } from "../../src/TransportOptions.ts"
import { concat, data, describe as show, parse, RawPeer, rst, settings, text } from "../http2/raw.ts"
import { layers } from "../support/layers.ts"
import { echo, encodeText, ended, openStream, readTexts, writeAll } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

const refused: RawStatus = Object.freeze({ code: 8, message: "request over limit: 错", retryAfterMillis: 50 })

/** Refuses what is called `Closed`, admits the others, and remembers what it saw. */
const door = () => {
  const seen = {
    asked: [] as Array<RawRequest & { readonly peer: string; readonly caller: string | undefined }>,
    gone: 0,
    admitted: [] as Array<RawAdmitted>
  }
  const admit: Acceptor["admit"] = (request, metadata, peer) => {
    seen.asked.push({ ...request, peer: peer.address, caller: metadata.get("source-service") })
    if (request.method === "Closed") return refused
    if (request.method === "Whatever") return undefined
    const admitted = { gone: () => void seen.gone++ }
    seen.admitted.push(admitted)
    return admitted
  }
  return { seen, admit }
}

describe("a stream that is refused by its headers", () => {
  for (const [name, layer] of [
    ["memory", MemoryTransport.layer],
    [
      "memory, every byte on its own",
      MemoryTransport.layerWith({ toClient: { split: [1] }, toServer: { split: [1] } })
    ],
    ["TCP", layers({}, {})]
  ] as const) {
    it.live(`ends with the status, its acceptor hears of no stream, and others go on: ${name}`, () =>
      Effect.gen(function* () {
        const { admit, seen } = door()
        const fork = Effect.runForkWith(yield* Effect.context())
        const streams: Array<RawServerStream> = []
        const listening = yield* Effect.flatMap(ServerTransport, (server) =>
          server.listen({
            admit,
            onStream: (stream) => {
              streams.push(stream)
              fork(echo(stream))
            },
            onCall: (call) => call.abort()
          })
        )
        const address = `127.0.0.1:${listening.address.port}`
        const path = "/echo.TestService/Closed"
        const metadata = [["source-service", "shop"]] as const
        for (let i = 0; i < 3; i++) {
          // One that sends to its end, and one that still sends.
          for (const endStream of [true, false]) {
            const stream = yield* openStream(address, { path, metadata })
            yield* writeAll(stream, ["x"], encodeText, endStream)
            assert.deepStrictEqual(yield* ended(stream), { _tag: "Status", status: refused })
            assert.deepStrictEqual([...stream.header!.keys()], [])
          }
        }
        assert.strictEqual(streams.length, 0)
        assert.strictEqual(seen.asked.length, 6)
        const { peer, ...asked } = seen.asked[0]!
        assert.isNotEmpty(peer)
        assert.deepInclude(asked, { service: "TestService", method: "Closed", package: "echo", path, caller: "shop" })
        assert.deepInclude(asked, { thrift: true, timeoutMillis: undefined })
        for (const method of ["Open", "Whatever"]) {
          const stream = yield* openStream(address, { path: `/echo.TestService/${method}` })
          yield* writeAll(stream, ["x"], encodeText, true)
          assert.deepStrictEqual(yield* readTexts(stream), ["x"])
        }
        assert.strictEqual(streams[0]!.admitted, seen.admitted[0])
        assert.isUndefined(streams[1]!.admitted)
        assert.strictEqual(seen.gone, 0)
        yield* listening.drain
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }
})

const preface = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

const requestOf = (method: string) => [
  ":method",
  "POST",
  ":scheme",
  "http",
  ":path",
  `/a.B/${method}`,
  "content-type",
  "application/grpc+thrift"
]

const serving = (options: ConnectionOptions = {}, entries: Parameters<typeof settings> = []) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const { admit, seen } = door()
  const streams: Array<RawServerStream> = []
  const driver = new Http2Server(socket, ticks.options(options), 1000, (stream) => streams.push(stream), admit)
  driver.start()
  socket.events.onData(concat([preface, settings(...entries)]))
  ticks.run()
  socket.sent()
  const sent = () => show(parse(socket.sent()))
  return { ticks, socket, driver, seen, streams, peer: new RawPeer(), sent }
}

describe("on the wire", () => {
  it("a refusal is one block, and a reset where the client has yet to end; the rest of the stream is for nobody", () => {
    const { driver, peer, sent, socket, streams } = serving()
    socket.events.onData(peer.headers(1, requestOf("Closed"), true))
    assert.deepStrictEqual(sent(), ["Headers(1) end"])
    socket.events.onData(concat([peer.headers(3, requestOf("Closed")), data(3, new Uint8Array(5), true)]))
    assert.deepStrictEqual(sent(), ["Headers(3) end", "RstStream(3) 0"])
    socket.events.onData(concat([data(3, new Uint8Array(5)), peer.headers(3, ["t", "1"], true), rst(3, 8)]))
    assert.deepStrictEqual(sent(), [])
    assert.strictEqual(driver.connection.active, 0)
    assert.strictEqual(streams.length, 0)
    socket.events.onData(peer.headers(5, requestOf("Open"), true))
    assert.strictEqual(streams.length, 1)
  })

  it("a refusal says what any status says, and the same bytes again", () => {
    const { peer, socket } = serving()
    const decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 65_536, maxHeaders: 256 })
    const blocks = [1, 3, 5].map((id) => {
      socket.events.onData(peer.headers(id, requestOf("Closed"), true))
      return parse(socket.sent())[0]!.payload
    })
    const lists = blocks.map((block) => decoder.decode(block, 0, block.length))
    const expected = [":status", "200", "content-type", "application/grpc+thrift", "grpc-status", "8"]
    expected.push("grpc-message", "request over limit: %E9%94%99", "grpc-retry-pushback-ms", "50")
    for (const list of lists) assert.deepStrictEqual(list, { kind: "headers", headers: expected })
    assert.deepStrictEqual(blocks[1], blocks[2])
  })

  it("gives back the windows of what is sent to a refused stream", () => {
    const { peer, sent, socket } = serving({ connectionWindow: 65_535 })
    socket.events.onData(peer.headers(1, requestOf("Closed")))
    sent()
    let announced = 0
    for (let i = 0; i < 100; i++) {
      socket.events.onData(data(1, new Uint8Array(16_000)))
      for (const line of sent()) announced += Number(/^WindowUpdate\(0\) (\d+)$/.exec(line)![1])
    }
    assert.isAtLeast(announced + 65_535, 100 * 16_000)
  })

  it("resets a stream whose refusal is more than the client takes", () => {
    const { peer, sent, socket } = serving({}, [[6, 100]])
    socket.events.onData(peer.headers(1, requestOf("Closed")))
    assert.deepStrictEqual(sent(), ["RstStream(1) 2"])
  })

  it("ends the connection of a client that reads none of thousands of refusals", () => {
    const { driver, peer, seen, socket } = serving()
    socket.takes = false
    for (let id = 1; id < 20_000 && !driver.connection.closed; id += 2) {
      socket.events.onData(peer.headers(id, requestOf("Closed"), true))
    }
    assert.deepInclude(driver.ended, { _tag: "Error", code: 11, limit: "maxControlFrames" })
    assert.isBelow(seen.asked.length, 5000)
  })

  it("a connection that refuses is not idle", () => {
    const { driver, peer, socket, ticks } = serving({ idleTimeout: 1000 })
    const idle = () => driver.timers().some(({ since, timeout }) => (since() ?? Infinity) + timeout <= ticks.time)
    ticks.time += 999
    socket.events.onData(peer.headers(1, requestOf("Closed"), true))
    ticks.time += 1
    assert.isFalse(idle())
    ticks.time += 999
    assert.isTrue(idle())
  })
})

describe("whoever admitted a stream", () => {
  it("is told of one that was opened and given up in one read", () => {
    const { peer, seen, socket, streams } = serving()
    socket.events.onData(concat([peer.headers(1, requestOf("Open")), rst(1, 8)]))
    assert.deepStrictEqual([seen.asked.length, seen.gone, streams.length], [1, 1, 0])
  })

  it("is told of one whose client breaks the rules in the same read", () => {
    const { driver, peer, seen, socket, streams } = serving()
    // DATA of a stream that was never opened ends the connection.
    socket.events.onData(concat([peer.headers(1, requestOf("Open")), data(7, text("x"))]))
    assert.deepInclude(driver.ended, { _tag: "Error" })
    assert.deepStrictEqual([seen.asked.length, seen.gone, streams.length], [1, 1, 0])
  })

  it("is told of one that was given up while it waited for the handlers of others", () => {
    const { peer, seen, socket, streams, ticks } = serving({ limits: { maxConcurrentStreams: 1 } })
    socket.events.onData(concat([peer.headers(1, requestOf("Open"))]))
    socket.events.onData(rst(1, 8))
    // Its handler still runs.
    socket.events.onData(peer.headers(3, requestOf("Open")))
    assert.deepStrictEqual([seen.asked.length, seen.gone, streams.length], [2, 0, 1])
    socket.events.onData(rst(3, 8))
    ticks.run()
    assert.deepStrictEqual([seen.gone, streams.length], [1, 1])
    streams[0]!.release()
    assert.deepStrictEqual([seen.gone, streams.length], [1, 1])
  })

  it("is told of one whose connection ended before", () => {
    const { peer, seen, socket, streams, ticks } = serving({ limits: { maxConcurrentStreams: 1 } })
    socket.events.onData(concat([peer.headers(1, requestOf("Open"))]))
    socket.events.onData(rst(1, 8))
    socket.events.onData(peer.headers(3, requestOf("Open")))
    socket.events.onClosed()
    ticks.run()
    assert.deepStrictEqual([seen.asked.length, seen.gone, streams.length], [2, 1, 1])
  })
})

import { assert, describe, it } from "@effect/vitest"
import { takeLarge } from "../../src/internal/http2/outbox.ts"
import {
  concat,
  decodeHeaders,
  describe as describeFrames,
  parse,
  RawPeer,
  Recorder,
  requestHeaders,
  responseHeaders,
  settings,
  startedClient,
  startedServer,
  text,
  trailers,
  windowUpdate
} from "./raw.ts"

const kib = 1024
const bytes = (size: number, fill = 1) => new Uint8Array(size).fill(fill)

/** A server with open streams that have sent their headers, and a peer with these windows. */
const serverWith = (streams: number, streamWindow: number, connectionWindow: number) => {
  const server = startedServer({}, [4, streamWindow])
  const peer = new RawPeer()
  const opened = Array.from({ length: streams }, (_, i) => {
    server.connection.receive(peer.headers(2 * i + 1, requestHeaders), 0)
    const stream = server.record(2 * i + 1).stream!
    server.connection.sendHeaders(stream, responseHeaders, false)
    return stream
  })
  if (connectionWindow > 65_535) server.connection.receive(windowUpdate(0, connectionWindow - 65_535), 0)
  server.bytes()
  return { server, peer, streams: opened, connection: server.connection }
}

describe("sending", () => {
  it("writes of one stream in one tick are one DATA frame, END_STREAM among them", () => {
    const { connection, server, streams } = serverWith(2, 1000, 65_535)
    connection.sendData(streams[0]!, text("ab"), 0, 2, false, false)
    connection.sendData(streams[0]!, text("xcdx"), 1, 3, false, false)
    connection.sendData(streams[0]!, bytes(0), 0, 0, false, true)
    const frames = parse(server.bytes())
    assert.deepStrictEqual(describeFrames(frames), ["Data(1) 4 end"])
    assert.deepStrictEqual(frames[0]!.payload, text("abcd"))
  })

  it("a frame does not grow behind another one, nor when it was taken, nor over the peer's frame size", () => {
    const { connection, server, streams } = serverWith(2, 100 * kib, 100 * kib)
    connection.sendData(streams[0]!, bytes(2), 0, 2, false, false)
    connection.sendData(streams[1]!, bytes(3), 0, 3, false, false)
    connection.sendData(streams[0]!, bytes(4), 0, 4, false, false)
    assert.deepStrictEqual(server.sent(), ["Data(1) 2", "Data(3) 3", "Data(1) 4"])
    connection.sendData(streams[0]!, bytes(5), 0, 5, false, false)
    assert.deepStrictEqual(server.sent(), ["Data(1) 5"])
    connection.sendData(streams[0]!, bytes(16 * kib - 1), 0, 16 * kib - 1, false, false)
    connection.sendData(streams[0]!, bytes(4), 0, 4, false, false)
    assert.deepStrictEqual(server.sent(), ["Data(1) 16384", "Data(1) 3"])
  })

  it("large payload that is owned goes by reference, in the frame of what came before it", () => {
    const { connection, server, streams } = serverWith(1, 1000 * kib, 1000 * kib)
    const large = bytes(20 * kib, 7)
    connection.sendData(streams[0]!, bytes(5), 0, 5, false, false)
    connection.sendData(streams[0]!, large, 0, large.length, true, true)
    connection.pump()
    const chunks = connection.outbox.take()!
    assert.isTrue(chunks.some((chunk) => chunk.buffer === large.buffer))
    assert.deepStrictEqual(describeFrames(parse(concat(chunks))), ["Data(1) 16384", "Data(1) 4101 end"])
    assert.isUndefined(connection.outbox.take())
    assert.isTrue(streams[0]!.localClosed)
    assert.lengthOf(server.sent(), 0)
  })

  it("a buffer that was lent goes by reference, and comes back when the kernel has everything of it, not before", () => {
    const { connection, streams } = serverWith(2, 50 * kib, 1000 * kib)
    const lent = bytes(100 * kib, 7)
    connection.lendData(streams[0]!, lent, 90 * kib, true)
    assert.isTrue(streams[0]!.localClosed)
    const flush = () => {
      connection.pump()
      const chunks = connection.outbox.take()
      connection.outbox.recycle()
      return concat(chunks ?? [])
    }
    const first = flush()
    assert.isUndefined(takeLarge())
    connection.receive(windowUpdate(1, 50 * kib), 0)
    const second = flush()
    assert.strictEqual(takeLarge(), lent)
    const frames = parse(concat([first, second]))
    assert.strictEqual(describeFrames(frames).at(-1), `Data(1) ${8 * kib} end`)
    assert.deepStrictEqual(concat(frames.map(({ payload }) => payload)), bytes(90 * kib, 7))

    connection.lendData(streams[1]!, lent, 90 * kib, false)
    flush()
    connection.reset(streams[1]!, 8)
    flush()
    assert.isUndefined(takeLarge(), "what a reset stream still held is not written to again")
  })

  it("payload that is not owned is copied, whatever its size and wherever it waits", () => {
    const { connection, server, streams } = serverWith(1, 30 * kib, 1000 * kib)
    const large = bytes(60 * kib, 7)
    connection.sendData(streams[0]!, large, 0, large.length, false, false)
    large.fill(9)
    const now = concat(parse(server.bytes()).map((frame) => frame.payload))
    assert.strictEqual(now.length, 30 * kib)
    connection.receive(windowUpdate(1, 30 * kib), 0)
    const later = concat(parse(server.bytes()).map((frame) => frame.payload))
    assert.strictEqual(later.length, 30 * kib)
    assert.isTrue([...now, ...later].every((byte) => byte === 7))
  })

  it("honours the peer's frame size up to 64 KiB", () => {
    for (const [size, expected] of [
      [16_384, 16_384],
      [20_000, 20_000],
      [1_000_000, 65_536]
    ] as const) {
      const { connection, server, streams } = serverWith(1, 1 << 20, 1 << 20)
      connection.receive(settings([5, size]), 0)
      server.bytes()
      connection.sendData(streams[0]!, bytes(100_000), 0, 100_000, true, false)
      assert.strictEqual(parse(server.bytes())[0]!.payload.length, expected)
    }
  })

  it("never more than the windows of stream and connection", () => {
    const { connection, server, streams } = serverWith(2, 40_000, 65_535)
    connection.sendData(streams[0]!, bytes(50_000), 0, 50_000, false, true)
    connection.sendData(streams[1]!, bytes(50_000), 0, 50_000, false, true)
    assert.deepStrictEqual(server.sent(), [
      "Data(1) 16384",
      "Data(1) 16384",
      "Data(1) 7232",
      "Data(3) 16384",
      "Data(3) 9151"
    ])
    assert.deepStrictEqual([streams[0]!.buffered, streams[1]!.buffered], [10_000, 24_465])
    connection.receive(windowUpdate(1, 50_000), 0)
    assert.deepStrictEqual(server.sent(), [])
    connection.receive(windowUpdate(0, 60_000), 0)
    assert.deepStrictEqual(server.sent(), ["Data(3) 14465", "Data(1) 10000 end"])
    connection.receive(windowUpdate(3, 10_000), 0)
    assert.deepStrictEqual(server.sent(), ["Data(3) 10000 end"])
    assert.isTrue(streams[0]!.localClosed && streams[1]!.localClosed)
  })

  it("streams take turns, one frame each", () => {
    const { connection, server, streams } = serverWith(3, 0, 1 << 20)
    for (const stream of streams) connection.sendData(stream, bytes(40_000), 0, 40_000, true, false)
    assert.deepStrictEqual(server.sent(), [])
    connection.receive(concat([windowUpdate(1, 40_000), windowUpdate(3, 40_000), windowUpdate(5, 40_000)]), 0)
    assert.deepStrictEqual(server.sent(), [
      "Data(1) 16384",
      "Data(3) 16384",
      "Data(5) 16384",
      "Data(1) 16384",
      "Data(3) 16384",
      "Data(5) 16384",
      "Data(1) 7232",
      "Data(3) 7232",
      "Data(5) 7232"
    ])
  })

  it("trailers wait behind the stream's data, and RST_STREAM(NO_ERROR) behind the trailers", () => {
    const { connection, server, streams } = serverWith(1, 10, 65_535)
    connection.sendData(streams[0]!, bytes(15), 0, 15, false, false)
    connection.sendTrailers(streams[0]!, trailers, true)
    assert.isTrue(streams[0]!.localClosed)
    assert.isFalse(streams[0]!.closed)
    connection.sendData(streams[0]!, bytes(15), 0, 15, false, false)
    assert.deepStrictEqual(server.sent(), ["Data(1) 10"])
    connection.receive(windowUpdate(1, 100), 0)
    assert.deepStrictEqual(server.sent(), ["Data(1) 5", "Headers(1) end", "RstStream(1) 0"])
    assert.isTrue(streams[0]!.closed)
  })

  it("trailers need no window of the connection", () => {
    const { connection, server, streams } = serverWith(2, 100_000, 65_535)
    connection.sendData(streams[0]!, bytes(70_000), 0, 70_000, false, false)
    connection.sendTrailers(streams[1]!, trailers, false)
    assert.deepStrictEqual(server.sent().at(-1), "Headers(3) end")
  })

  it("buffered counts what waits, and onWritable tells once when it falls below the limit", () => {
    const { connection, server, streams } = serverWith(1, 0, 1 << 20)
    const stream = streams[0]!
    for (let i = 0; i < 64; i++) connection.sendData(stream, bytes(kib), 0, kib, false, false)
    assert.strictEqual(stream.buffered, 64 * kib)
    connection.receive(windowUpdate(1, 1), 0)
    assert.strictEqual(server.record(1).writable, 0)
    server.bytes()
    assert.strictEqual(stream.buffered, 64 * kib - 1)
    assert.strictEqual(server.record(1).writable, 1)
    connection.receive(windowUpdate(1, 1 << 20), 0)
    server.bytes()
    assert.strictEqual(stream.buffered, 0)
    assert.strictEqual(server.record(1).writable, 1)
  })

  it("an owner may write inside onWritable", () => {
    const { connection, server, streams } = serverWith(1, 0, 1 << 20)
    const record = server.record(1)
    let left = 5
    record.onWritable = () => {
      if (left-- > 0) connection.sendData(streams[0]!, bytes(64 * kib), 0, 64 * kib, false, left === 0)
    }
    connection.sendData(streams[0]!, bytes(64 * kib), 0, 64 * kib, false, false)
    let got = 0
    for (let i = 0; i < 400; i++) {
      connection.receive(windowUpdate(1, kib), 0)
      for (const frame of parse(server.bytes())) got += frame.payload.length
    }
    assert.strictEqual(got, 6 * 64 * kib)
    assert.isTrue(streams[0]!.localClosed)
  })

  it("a smaller INITIAL_WINDOW_SIZE of the peer makes windows negative, a larger one wakes streams", () => {
    const { connection, server, streams } = serverWith(1, 100, 65_535)
    connection.sendData(streams[0]!, bytes(200), 0, 200, false, false)
    assert.deepStrictEqual(server.sent(), ["Data(1) 100"])
    connection.receive(settings([4, 20]), 0)
    connection.receive(windowUpdate(1, 80), 0)
    assert.deepStrictEqual(server.sent(), ["Settings(0) ack"])
    connection.receive(settings([4, 30]), 0)
    assert.deepStrictEqual(server.sent(), ["Settings(0) ack", "Data(1) 10"])
  })

  it("reset drops what is queued, tells nobody, and is sent once", () => {
    const { connection, server, streams } = serverWith(1, 0, 65_535)
    connection.sendData(streams[0]!, bytes(100), 0, 100, false, false)
    connection.reset(streams[0]!, 8)
    connection.reset(streams[0]!, 8)
    connection.sendData(streams[0]!, bytes(100), 0, 100, false, true)
    assert.isFalse(connection.sendTrailers(streams[0]!, trailers, true))
    connection.receive(windowUpdate(1, 100), 0)
    assert.deepStrictEqual(server.sent(), ["RstStream(1) 8"])
    assert.isUndefined(server.record(1).abort)
    assert.strictEqual(streams[0]!.buffered, 0)
  })

  it("blocks over 16384 bytes go on in CONTINUATION", () => {
    const client = startedClient()
    client.open([...requestHeaders, "x-large", "\u0001".repeat(40_000)])
    assert.deepStrictEqual(client.sent(), ["Headers(1)", "Continuation(1)", "Continuation(1)"])
  })

  it("a header list above the peer's MAX_HEADER_LIST_SIZE is refused and visible", () => {
    const client = startedClient({}, [6, 200])
    const large = [...requestHeaders, "x-large", "v".repeat(200)]
    assert.isTrue(client.connection.fits(requestHeaders))
    assert.isFalse(client.connection.fits(large))
    const refused = client.open(large).stream!
    assert.isTrue(refused.closed)
    assert.strictEqual(refused.id, 0)
    assert.strictEqual(client.connection.active, 0)
    assert.deepStrictEqual(client.sent(), [])

    const { connection, server, streams } = serverWith(1, 100, 65_535)
    connection.receive(settings([6, 100]), 0)
    assert.isFalse(connection.sendTrailers(streams[0]!, [...trailers, "x-large", "v".repeat(200)], true))
    assert.deepStrictEqual(server.sent(), ["Settings(0) ack", "RstStream(1) 2"])
  })

  it("the peer's HEADER_TABLE_SIZE holds for the blocks that follow", () => {
    const client = startedClient({}, [1, 0])
    client.open([...requestHeaders, "x-a", "1"])
    client.open([...requestHeaders, "x-a", "1"])
    const frames = parse(client.bytes())
    assert.strictEqual(frames[0]!.payload[0], 0x20)
    assert.deepStrictEqual(decodeHeaders(frames)[1], [...requestHeaders, "x-a", "1"])
    assert.strictEqual(frames[1]!.payload.length, frames[0]!.payload.length - 1)
  })

  it("openable: 100 before the first SETTINGS, then what they say, less what is open", () => {
    const client = new Recorder("client")
    assert.strictEqual(client.connection.openable, 100)
    client.connection.receive(settings([3, 2]), 0)
    assert.strictEqual(client.connection.openable, 2)
    client.open()
    const second = client.open()
    assert.strictEqual(client.connection.openable, 0)
    assert.isTrue(client.open().stream!.closed)
    client.connection.reset(second.stream!, 8)
    assert.strictEqual(client.connection.openable, 1)
    assert.strictEqual(startedClient().connection.openable, 0x7fffffff)
  })
})

describe("Outbox", () => {
  it("chunks stay untouched until recycle", () => {
    const { connection, streams } = serverWith(1, 1 << 20, 1 << 20)
    connection.sendData(streams[0]!, bytes(100, 1), 0, 100, false, false)
    const first = connection.outbox.take()!
    connection.sendData(streams[0]!, bytes(100, 2), 0, 100, false, false)
    assert.deepStrictEqual(parse(concat(first))[0]!.payload, bytes(100, 1))
    connection.outbox.recycle()
    const second = connection.outbox.take()!
    assert.deepStrictEqual(parse(concat(first))[0]!.payload, bytes(100, 1))
    assert.deepStrictEqual(parse(concat(second))[0]!.payload, bytes(100, 2))
    connection.outbox.recycle()
    assert.strictEqual(connection.outbox.length, 0)
  })

  it("the same buffer serves again once the kernel took it", () => {
    const { connection, streams } = serverWith(1, 1 << 20, 1 << 20)
    const buffers = new Set<ArrayBufferLike>()
    for (let i = 0; i < 10; i++) {
      connection.sendData(streams[0]!, bytes(100), 0, 100, false, false)
      for (const chunk of connection.outbox.take()!) buffers.add(chunk.buffer)
      connection.outbox.recycle()
    }
    assert.strictEqual(buffers.size, 1)
  })

  it("a stream stops at the high-water mark and goes on after take", () => {
    const { connection, streams } = serverWith(1, 4 << 20, 4 << 20)
    connection.sendData(streams[0]!, bytes(1 << 20), 0, 1 << 20, true, true)
    assert.isBelow(connection.outbox.length, 300 * kib)
    let got = 0
    for (let chunks = connection.outbox.take(); chunks !== undefined; chunks = connection.outbox.take()) {
      got += concat(chunks).length
      connection.pump()
    }
    assert.isAbove(got, 1 << 20)
    assert.strictEqual(streams[0]!.buffered, 0)
  })
})

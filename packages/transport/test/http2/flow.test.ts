import { assert, describe, it } from "@effect/vitest"
import { ErrorCode } from "../../src/internal/http2/frames.ts"
import {
  concat,
  data,
  RawPeer,
  type Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settingsAck,
  startedClient,
  startedServer
} from "./raw.ts"

const kib = 1024
const mib = 1024 * kib
const bytes = (size: number) => new Uint8Array(size)

/** DATA of `size` bytes in frames of 16 KiB at most. */
const payload = (id: number, size: number): Uint8Array => {
  const frames: Array<Uint8Array> = []
  for (let left = size; left > 0; left -= 16 * kib) frames.push(data(id, bytes(Math.min(left, 16 * kib))))
  return concat(frames)
}

const serverWith = (streams: number, options: Parameters<typeof startedServer>[0] = {}): Recorder => {
  const server = startedServer(options)
  const peer = new RawPeer()
  server.connection.receive(settingsAck, 0)
  for (let i = 0; i < streams; i++) server.connection.receive(peer.headers(2 * i + 1, requestHeaders), 0)
  return server
}

const small = { flow: { initialStreamWindow: 1000, connectionWindow: 65_535, maxStreamWindow: 1000 } }

describe("flow control of what is received", () => {
  it("the connection's window is given back on receipt, the stream's on consumption", () => {
    const server = serverWith(1, { flow: { connectionWindow: 4 * mib } })
    const { connection } = server
    connection.receive(payload(1, 200 * kib), 0)
    assert.deepStrictEqual(server.sent(), [])
    connection.consume(server.record(1).stream!, 100 * kib, 1000)
    assert.deepStrictEqual(server.sent(), [`WindowUpdate(1) ${100 * kib}`])
    connection.consume(server.record(1).stream!, 100 * kib, 1000)
    connection.receive(payload(1, 256 * kib), 1000)
    assert.deepStrictEqual(server.sent(), [`WindowUpdate(1) ${100 * kib}`])
    for (let i = 0; i < 3; i++) {
      connection.consume(server.record(1).stream!, 256 * kib, 2000 + i * 1000)
      connection.receive(payload(1, 200 * kib), 2000 + i * 1000)
    }
    assert.include(server.sent().join(), `WindowUpdate(0) ${1032 * kib}`)
  })

  it("less than a quarter of a window is not worth an update", () => {
    const server = serverWith(1, small)
    server.connection.receive(payload(1, 1000), 0)
    server.connection.consume(server.record(1).stream!, 249, 1000)
    assert.deepStrictEqual(server.sent(), [])
    server.connection.consume(server.record(1).stream!, 1, 1000)
    assert.deepStrictEqual(server.sent(), ["WindowUpdate(1) 250"])
  })

  it("a stream that overruns its window is reset, with Kitex's text", () => {
    const server = serverWith(2, small)
    server.connection.receive(payload(1, 600), 0)
    server.connection.receive(payload(1, 401), 0)
    assert.deepStrictEqual(server.record(1).abort, {
      _tag: "StreamError",
      code: ErrorCode.FlowControlError,
      detail: "received 1001-bytes data exceeding the limit 1000 bytes"
    })
    assert.deepStrictEqual(server.sent(), ["RstStream(1) 3"])
    server.connection.receive(payload(3, 1000), 0)
    assert.strictEqual(server.record(3).received, 1000)
  })

  it("a peer that overruns the connection's window loses the connection", () => {
    const server = serverWith(2, { flow: { connectionWindow: 65_535, connectionBufferLimit: 1000 } })
    server.connection.receive(payload(1, 60_000), 0)
    assert.isFalse(server.connection.closed)
    server.connection.receive(payload(3, 30_000), 0)
    assert.deepStrictEqual(server.end, {
      _tag: "Error",
      code: ErrorCode.FlowControlError,
      detail: "the connection's window is overrun"
    })
  })

  it("until the peer acknowledged our SETTINGS it may use the default window", () => {
    const server = startedServer(small)
    server.connection.receive(concat([new RawPeer().headers(1, requestHeaders), payload(1, 3000)]), 0)
    assert.strictEqual(server.record(1).received, 3000)
    server.connection.receive(settingsAck, 0)
    server.connection.consume(server.record(1).stream!, 3000, 0)
    server.bytes()
    server.connection.receive(payload(1, 1000), 0)
    assert.isUndefined(server.record(1).abort)
    server.connection.receive(payload(1, 62_536), 0)
    assert.strictEqual(server.record(1).abort?._tag, "StreamError")
  })

  it("what was consumed before the peer acknowledged our SETTINGS is given back when it does", () => {
    const server = startedServer(small)
    server.connection.receive(concat([new RawPeer().headers(1, requestHeaders), payload(1, 65_535)]), 0)
    server.connection.consume(server.record(1).stream!, 65_535, 0)
    server.bytes()
    // Of 1000 bytes that were given back 64535 are taken away again: without an update nothing would ever come.
    server.connection.receive(settingsAck, 0)
    assert.deepStrictEqual(server.sent(), ["WindowUpdate(1) 64535"])
  })

  it("padding is given back at once", () => {
    const server = serverWith(1, small)
    for (let i = 0; i < 10; i++) server.connection.receive(data(1, bytes(0), false, 255), 0)
    assert.isUndefined(server.record(1).abort)
    assert.strictEqual(server.record(1).received, 0)
    assert.deepStrictEqual(
      server.sent(),
      Array.from({ length: 10 }, () => "WindowUpdate(1) 256")
    )
  })

  it("a slow reader stalls only its own stream", () => {
    const server = serverWith(2, { flow: { connectionWindow: 100 * kib, initialStreamWindow: 64 * kib } })
    const { connection } = server
    connection.receive(payload(1, 64 * kib), 0)
    for (let i = 0; i < 50; i++) {
      connection.receive(payload(3, 64 * kib), i * 1000)
      connection.consume(server.record(3).stream!, 64 * kib, i * 1000)
    }
    assert.isUndefined(server.end)
    assert.strictEqual(server.record(3).received, 50 * 64 * kib)
    assert.notInclude(server.sent().join(), "WindowUpdate(1)")
  })

  it("a window doubles when the application consumes a whole one within a round trip, up to the maximum", () => {
    const server = serverWith(1, { flow: { initialStreamWindow: 64 * kib, maxStreamWindow: 256 * kib } })
    const { connection } = server
    const stream = server.record(1).stream!
    const widths: Array<number> = []
    for (let i = 0; i < 5; i++) {
      const width = connection.streams.live.get(1)!.inflow.window
      widths.push(width / kib)
      connection.receive(payload(1, width), i)
      connection.consume(stream, width, i)
    }
    assert.deepStrictEqual(widths, [64, 128, 256, 256, 256])
  })

  it("a window does not grow for an application that takes its time", () => {
    const server = serverWith(1, { flow: { initialStreamWindow: 64 * kib } })
    for (let i = 1; i < 10; i++) {
      server.connection.receive(payload(1, 64 * kib), i * 1000)
      server.connection.consume(server.record(1).stream!, 64 * kib, i * 1000)
    }
    assert.strictEqual(server.connection.streams.live.get(1)!.inflow.window, 64 * kib)
  })

  it("a round trip is measured by the ACK of our SETTINGS", () => {
    const run = (ack: number) => {
      const server = startedServer({ now: 0, flow: { initialStreamWindow: 64 * kib } })
      server.connection.receive(concat([settingsAck, new RawPeer().headers(1, requestHeaders)]), ack)
      server.connection.receive(payload(1, 64 * kib), ack + 150)
      server.connection.consume(server.record(1).stream!, 64 * kib, ack + 150)
      return server.connection.streams.live.get(1)!.inflow.window / kib
    }
    assert.strictEqual(run(2), 64)
    assert.strictEqual(run(100), 128)
  })

  it("connectionBufferLimit: the sum of windows stays below it, later streams get small ones back", () => {
    const flow = { initialStreamWindow: 64 * kib, maxStreamWindow: mib, connectionBufferLimit: 256 * kib }
    const server = serverWith(6, { flow })
    const { connection } = server
    const use = (id: number, size: number) => {
      connection.receive(payload(id, size), 0)
      connection.consume(server.record(id).stream!, size, 0)
      return connection.streams.live.get(id)!.inflow
    }
    const first = use(1, 64 * kib)
    assert.strictEqual(first.window, 64 * kib)
    const last = use(11, 64 * kib)
    assert.strictEqual(last.window, 16 * kib)
    // When streams end, those that are left may grow.
    for (const id of [3, 5, 7, 9]) connection.reset(server.record(id).stream!, 8)
    assert.strictEqual(use(1, 64 * kib).window, 128 * kib)
  })

  it("connectionBufferLimit: many slow readers together hold the connection's window back until they read", () => {
    const flow = { initialStreamWindow: 64 * kib, connectionWindow: 64 * kib, connectionBufferLimit: 128 * kib }
    const server = serverWith(4, { flow })
    const { connection } = server
    for (const id of [1, 3, 5]) connection.receive(payload(id, 60 * kib), 0)
    assert.isAtMost(connection.inflow.unread + connection.inflow.window, 256 * kib)
    server.bytes()
    const before = connection.inflow.window
    connection.receive(payload(7, before), 0)
    assert.strictEqual(connection.inflow.window, 0)
    assert.deepStrictEqual(server.sent(), [])
    connection.consume(server.record(1).stream!, 60 * kib, 1000)
    connection.consume(server.record(3).stream!, 60 * kib, 1000)
    assert.include(server.sent().join(), "WindowUpdate(0)")
  })

  it("connectionBufferLimit: what a reset stream held is given back, by whomever it was reset", () => {
    const flow = { initialStreamWindow: 64 * kib, connectionWindow: 64 * kib, connectionBufferLimit: 64 * kib }
    for (const ours of [true, false]) {
      const server = serverWith(3, { flow })
      const { connection } = server
      for (const id of [1, 3]) connection.receive(payload(id, 60 * kib), 0)
      connection.receive(payload(5, connection.inflow.window), 0)
      assert.strictEqual(connection.inflow.window, 0)
      server.bytes()
      for (const id of [1, 3]) {
        if (ours) connection.reset(server.record(id).stream!, 8)
        else connection.receive(rst(id, 8), 0)
      }
      assert.include(server.sent().join(), "WindowUpdate(0)")
    }
  })

  it("what an ended stream held is no longer counted", () => {
    const server = serverWith(2)
    server.connection.receive(payload(1, 100 * kib), 0)
    server.connection.receive(payload(3, 100 * kib), 0)
    server.connection.reset(server.record(1).stream!, 8)
    assert.strictEqual(server.connection.inflow.unread, 100 * kib)
    server.connection.consume(server.record(1).stream!, 100 * kib, 0)
    assert.strictEqual(server.connection.inflow.unread, 100 * kib)
    server.connection.end({ _tag: "PeerClosed" })
    assert.strictEqual(server.connection.inflow.unread, 0)
  })

  it("expect lets a message in whole that is larger than window and connectionBufferLimit", () => {
    const flow = { ...small.flow, connectionBufferLimit: 2000 }
    const server = serverWith(1, { flow })
    const { connection } = server
    const stream = server.record(1).stream!
    connection.receive(payload(1, 1000), 0)
    connection.expect(stream, 200_000)
    connection.expect(stream, 200_000)
    // Once, and once only, larger frames are asked for too.
    assert.deepStrictEqual(server.sent(), ["Settings(0)", "WindowUpdate(1) 199000"])
    for (let i = 0; i < 199; i++) connection.receive(payload(1, 1000), 0)
    assert.isUndefined(server.end)
    assert.isUndefined(server.record(1).abort)
    connection.consume(stream, 200_000, 0)
    assert.include(server.sent().join(), "WindowUpdate(1) 1000")
    assert.strictEqual(connection.streams.live.get(1)!.inflow.window, 1000)
    assert.strictEqual(connection.inflow.unread, 0)
  })

  it("expect: what large messages take together is bounded, and the next is let in when one was read or reset", () => {
    const flow = { initialStreamWindow: 64 * kib, connectionBufferLimit: 300 * kib }
    const server = serverWith(4, { flow })
    const { connection } = server
    const granted = () => server.sent().filter((frame) => /^WindowUpdate\([1-9]/.test(frame))
    for (const id of [1, 3, 5, 7]) {
      connection.receive(payload(id, 16 * kib), 0)
      connection.expect(server.record(id).stream!, 264 * kib)
    }
    assert.deepStrictEqual(granted(), [`WindowUpdate(1) ${200 * kib}`])
    connection.receive(payload(1, 248 * kib), 0)
    connection.consume(server.record(1).stream!, 264 * kib, 1000)
    assert.include(granted(), `WindowUpdate(3) ${200 * kib}`)
    connection.receive(rst(5, 8), 0)
    assert.deepStrictEqual(granted(), [])
    connection.reset(server.record(3).stream!, 8)
    assert.deepStrictEqual(granted(), [`WindowUpdate(7) ${200 * kib}`])
    assert.isUndefined(server.end)
  })

  it("expect: a client may read its streams in any order, so none waits for another", () => {
    const client = startedClient({ flow: { initialStreamWindow: 64 * kib, connectionBufferLimit: 300 * kib } })
    const records = [client.open(), client.open(), client.open()]
    client.bytes()
    for (const record of records) client.connection.expect(record.stream!, mib)
    const granted = client.sent().filter((frame) => frame.startsWith("WindowUpdate"))
    assert.strictEqual(granted.length, 3)
  })

  it("a stream whose peer has ended gets no window back", () => {
    const client = startedClient()
    const record = client.open()
    client.connection.receive(
      concat([new RawPeer().headers(1, responseHeaders), payload(1, 200 * kib), data(1, bytes(0), true)]),
      0
    )
    client.bytes()
    client.connection.consume(record.stream!, 200 * kib, 0)
    client.connection.expect(record.stream!, mib)
    assert.deepStrictEqual(client.sent(), [])
  })
})

/** RFC 9113, case by case, in raw frames: what h2spec asks of a server, and what it does not ask. */
import { assert, describe, it } from "@effect/vitest"
import type { HeaderList } from "../../src/internal/http2/api.ts"
import { ErrorCode, Flag, FrameType, preface } from "../../src/internal/http2/frames.ts"
import {
  block,
  concat,
  continuation,
  data,
  frame,
  goaway,
  ping,
  priority,
  RawPeer,
  Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settings,
  settingsAck,
  startedClient,
  startedServer,
  text,
  trailers,
  uint32,
  windowUpdate
} from "./raw.ts"

const { CompressionError, FlowControlError, FrameSizeError, NoError, ProtocolError, StreamClosed } = ErrorCode

/** Frames behind the preface and SETTINGS, sent to a server that answers complete requests. */
const answering = (...frames: ReadonlyArray<Uint8Array>): Recorder => {
  const server = startedServer()
  server.handler = (record, stream) => {
    const answer = () => {
      server.connection.sendHeaders(stream, responseHeaders, false)
      server.connection.sendData(stream, text("answer"), 0, 6, false, true)
      server.connection.release(stream)
    }
    const { onData, onHeaders } = record
    record.onData = (bytes, start, end, endStream) => {
      onData.call(record, bytes, start, end, endStream)
      if (endStream) answer()
    }
    record.onHeaders = (list, endStream) => {
      onHeaders.call(record, list, endStream)
      if (endStream) answer()
    }
    if (record.ended) answer()
  }
  server.connection.receive(concat(frames), 0)
  return server
}

const connectionError = (code: number, ...frames: ReadonlyArray<Uint8Array>) => {
  const server = answering(...frames)
  assert.deepStrictEqual(server.end?._tag === "Error" ? server.end.code : server.end, code)
  assert.match(server.sent().at(-1) ?? "", new RegExp(`^Goaway\\(0\\) \\d+ ${code}$`))
}

const streamError = (code: number, id: number, ...frames: ReadonlyArray<Uint8Array>) => {
  const server = answering(...frames)
  assert.isUndefined(server.end)
  assert.include(server.sent(), `RstStream(${id}) ${code}`)
  const record = server.records.get(id)
  if (record !== undefined && record.abort !== undefined) {
    assert.deepInclude(record.abort, record.abort._tag === "PeerReset" ? {} : { _tag: "StreamError", code })
  }
  // The connection goes on.
  server.connection.receive(ping(), 0)
  assert.deepStrictEqual(server.sent(), ["Ping(0) ack"])
}

const fine = (expected: ReadonlyArray<string>, ...frames: ReadonlyArray<Uint8Array>) => {
  const server = answering(...frames)
  assert.isUndefined(server.end)
  assert.deepStrictEqual(server.sent(), expected)
}

const open = () => new RawPeer().headers(1, requestHeaders)
const request = () => new RawPeer().headers(1, requestHeaders, true)
const answer = ["Headers(1)", "Data(1) 6 end"]
const none = new Uint8Array(0)

describe("RFC 9113, server", () => {
  it("3.4 the preface", () => {
    const server = new Recorder("server")
    server.connection.receive(text("PRI * HTTP/2.0\r\n\r\nXX"), 0)
    assert.strictEqual(server.end?._tag, "Error")
    const early = new Recorder("server")
    early.connection.receive(concat([preface, ping()]), 0)
    assert.deepInclude(early.end, { code: ProtocolError, detail: "first frame received is not a setting frame" })
    const acked = new Recorder("server")
    acked.connection.receive(concat([preface, settingsAck]), 0)
    assert.strictEqual(acked.end?._tag, "Error")
  })
  it("4.1 unknown types, flags and the reserved bit are ignored", () => {
    fine(answer, frame(0xff, 0xff, 5, text("xyz")), request())
    fine(["Ping(0) ack"], frame(FrameType.Ping, 0xfe, 0, new Uint8Array(8)))
    const bit = request()
    bit[5] = 0x80
    fine(answer, bit)
  })
  it("4.2 frame sizes", () => {
    fine([], open(), data(1, new Uint8Array(16_384)))
    connectionError(FrameSizeError, open(), data(1, new Uint8Array(16_385)))
    connectionError(FrameSizeError, block(1, new Uint8Array(16_385)))
  })
  it("4.3 header blocks", () => {
    connectionError(CompressionError, block(1, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff)))
    connectionError(ProtocolError, block(1, none, false, false), priority(1, 0))
    connectionError(ProtocolError, block(1, none, false, false), block(3, none))
    connectionError(ProtocolError, block(1, none, false, false), continuation(3, none))
    connectionError(ProtocolError, block(1, none, false, false), frame(0xff, 0, 1))
  })
  it("5.1 idle", () => {
    connectionError(ProtocolError, data(1, text("x")))
    connectionError(ProtocolError, rst(1, 8))
    connectionError(ProtocolError, windowUpdate(1, 100))
    connectionError(ProtocolError, continuation(1, none))
    fine([], priority(1, 0))
  })
  it("5.1 half-closed (remote)", () => {
    const held = (...frames: ReadonlyArray<Uint8Array>) => {
      const server = startedServer()
      server.connection.receive(concat([request(), ...frames]), 0)
      return server
    }
    for (const late of [data(1, text("x")), new RawPeer().headers(1, trailers, true)]) {
      const server = held(late)
      assert.deepInclude(server.record(1).abort, { _tag: "StreamError", code: StreamClosed })
      assert.deepStrictEqual(server.sent(), ["RstStream(1) 5"])
    }
    assert.isUndefined(held(windowUpdate(1, 1), priority(1, 0)).record(1).abort)
    assert.deepStrictEqual(held(rst(1, 8)).record(1).abort, { _tag: "PeerReset", code: 8 })
  })
  it("5.1 closed by RST_STREAM of the peer", () => {
    streamError(StreamClosed, 1, open(), rst(1, 8), data(1, text("x")))
    const peer = new RawPeer()
    streamError(StreamClosed, 1, peer.headers(1, requestHeaders), rst(1, 8), peer.headers(1, trailers, true))
    connectionError(ProtocolError, open(), rst(1, 8), continuation(1, none))
    // One answer is enough.
    fine(["RstStream(1) 5"], open(), rst(1, 8), data(1, text("x")), data(1, text("x")), rst(1, 8), windowUpdate(1, 1))
  })
  it("5.1 closed by END_STREAM of both", () => {
    connectionError(StreamClosed, request(), data(1, text("x")))
    const peer = new RawPeer()
    connectionError(StreamClosed, peer.headers(1, requestHeaders, true), peer.headers(1, trailers, true))
    fine(answer, request(), windowUpdate(1, 1), rst(1, 8), priority(1, 0))
  })
  it("5.1 closed by our RST_STREAM: frames in flight are ignored, windows and tables stay in step", () => {
    const server = startedServer()
    const peer = new RawPeer()
    const frames = [
      peer.headers(1, requestHeaders),
      data(1, new Uint8Array(100)),
      peer.headers(1, ["x-new", "1"], true),
      windowUpdate(1, 5),
      windowUpdate(1, 0),
      rst(1, 8),
      peer.headers(3, [...requestHeaders, "x-new", "1"])
    ]
    server.connection.receive(frames[0]!, 0)
    server.connection.reset(server.record(1).stream!, 8)
    const before = server.connection.inflow.window
    server.connection.receive(concat(frames.slice(1)), 0)
    assert.strictEqual(server.connection.inflow.window, before - 100)
    assert.deepStrictEqual(server.sent(), ["RstStream(1) 8"])
    assert.lengthOf(server.record(1).pieces, 0)
    assert.deepStrictEqual(server.record(3).headers[0]!.list, [...requestHeaders, "x-new", "1"])
  })
  it("5.1.1 stream ids", () => {
    connectionError(ProtocolError, new RawPeer().headers(2, requestHeaders))
    const peer = new RawPeer()
    connectionError(ProtocolError, peer.headers(5, requestHeaders), peer.headers(3, requestHeaders))
    assert.strictEqual(answering(new RawPeer().headers(7, requestHeaders)).connection.lastPeerStreamId, 7)
  })
  it("5.3 PRIORITY: self-dependency is a stream error, or of the connection where there is no stream yet", () => {
    streamError(ProtocolError, 1, open(), priority(1, 1))
    connectionError(ProtocolError, priority(1, 1))
    const bytes = new RawPeer().encoder.encode(requestHeaders)
    const prioritized = frame(
      FrameType.Headers,
      Flag.EndHeaders | Flag.Priority,
      1,
      concat([uint32(1), Uint8Array.of(5), bytes])
    )
    streamError(ProtocolError, 1, prioritized)
  })
  it("6.1 DATA", () => {
    connectionError(ProtocolError, data(0, text("x")))
    connectionError(ProtocolError, open(), frame(FrameType.Data, Flag.Padded, 1, Uint8Array.of(3, 1, 2)))
    connectionError(FrameSizeError, open(), frame(FrameType.Data, Flag.Padded, 1))
    const server = answering(open(), data(1, text("abc"), false, 0), data(1, text("def"), true, 255))
    assert.deepStrictEqual(server.record(1).payload, text("abcdef"))
    assert.deepStrictEqual(server.sent(), answer)
  })
  it("6.2 HEADERS", () => {
    connectionError(ProtocolError, block(0, none))
    connectionError(ProtocolError, frame(FrameType.Headers, Flag.EndHeaders | Flag.Padded, 1, Uint8Array.of(9, 1)))
    connectionError(FrameSizeError, frame(FrameType.Headers, Flag.EndHeaders | Flag.Priority, 1, uint32(0)))
    const bytes = new RawPeer().encoder.encode(requestHeaders)
    const padded = concat([Uint8Array.of(7), uint32(0), Uint8Array.of(5), bytes, new Uint8Array(7)])
    const flags = Flag.EndHeaders | Flag.EndStream | Flag.Padded | Flag.Priority
    fine(answer, frame(FrameType.Headers, flags, 1, padded))
  })
  it("6.3 PRIORITY", () => {
    connectionError(ProtocolError, priority(0, 1))
    streamError(FrameSizeError, 1, open(), frame(FrameType.Priority, 0, 1, uint32(1)))
    connectionError(FrameSizeError, frame(FrameType.Priority, 0, 1, uint32(1)))
  })
  it("6.4 RST_STREAM", () => {
    connectionError(ProtocolError, rst(0, 8))
    connectionError(FrameSizeError, open(), frame(FrameType.RstStream, 0, 1, Uint8Array.of(0, 0, 8)))
  })
  it("6.5 SETTINGS", () => {
    connectionError(FrameSizeError, frame(FrameType.Settings, Flag.Ack, 0, new Uint8Array(6)))
    connectionError(ProtocolError, frame(FrameType.Settings, 0, 1))
    connectionError(FrameSizeError, frame(FrameType.Settings, 0, 0, new Uint8Array(5)))
    connectionError(ProtocolError, settings([2, 2]))
    connectionError(FlowControlError, settings([4, 2 ** 31]))
    connectionError(ProtocolError, settings([5, 16_383]))
    connectionError(ProtocolError, settings([5, 2 ** 24]))
    fine(["Settings(0) ack"], settings([0xff, 1], [2, 1]))
    // The last of several entries holds.
    const server = startedServer({}, [4, 0], [4, 3])
    server.connection.receive(request(), 0)
    server.connection.sendHeaders(server.record(1).stream!, responseHeaders, false)
    server.connection.sendData(server.record(1).stream!, text("answer"), 0, 6, false, true)
    assert.deepStrictEqual(server.sent(), ["Headers(1)", "Data(1) 3"])
  })
  it("6.6 PUSH_PROMISE", () => {
    connectionError(ProtocolError, frame(FrameType.PushPromise, Flag.EndHeaders, 1, uint32(2)))
  })
  it("6.7 PING", () => {
    const payload = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const server = answering(ping(payload))
    assert.deepStrictEqual(server.bytes(), ping(payload, true))
    fine([], ping(payload, true))
    assert.deepStrictEqual(answering(ping(payload, true)).pongs, [payload])
    connectionError(ProtocolError, frame(FrameType.Ping, 0, 1, payload))
    connectionError(FrameSizeError, frame(FrameType.Ping, 0, 0, uint32(1)))
  })
  it("6.8 GOAWAY", () => {
    connectionError(ProtocolError, frame(FrameType.Goaway, 0, 1, new Uint8Array(8)))
    connectionError(FrameSizeError, frame(FrameType.Goaway, 0, 0, uint32(1)))
    assert.deepStrictEqual(answering(goaway(0, NoError, "bye")).goaways, [{ last: 0, code: 0, debug: "bye" }])
  })
  it("6.9 WINDOW_UPDATE", () => {
    connectionError(ProtocolError, windowUpdate(0, 0))
    connectionError(FlowControlError, windowUpdate(0, 0x7fffffff))
    connectionError(FrameSizeError, frame(FrameType.WindowUpdate, 0, 0, Uint8Array.of(0, 0, 1)))
    streamError(ProtocolError, 1, open(), windowUpdate(1, 0))
    streamError(ProtocolError, 1, request(), windowUpdate(1, 0))
    streamError(FlowControlError, 1, open(), windowUpdate(1, 0x7fffffff))
    connectionError(FlowControlError, open(), windowUpdate(1, 0x7fff0000), settings([4, 0x7fffffff]))
  })
  it("6.10 CONTINUATION", () => {
    const bytes = new RawPeer().encoder.encode(requestHeaders)
    const parts = [...bytes].map((byte) => continuation(1, Uint8Array.of(byte), false)).slice(0, 14)
    fine(answer, block(1, bytes.slice(0, 3), true, false), continuation(1, bytes.slice(3)))
    fine(answer, block(1, none, true, false), ...parts, continuation(1, bytes.slice(14)))
    connectionError(ProtocolError, request(), continuation(1, none))
    connectionError(ProtocolError, block(1, none, true, false), continuation(0, none))
  })
  it("7 unknown error codes are handed on", () => {
    assert.deepStrictEqual(answering(open(), rst(1, 1000)).record(1).abort, { _tag: "PeerReset", code: 1000 })
  })
  it("8.1 trailers end the request, and only once", () => {
    const peer = new RawPeer()
    const server = answering(peer.headers(1, requestHeaders), peer.headers(1, ["x-a", "1"], true))
    assert.deepStrictEqual(server.record(1).headers.at(-1), { list: ["x-a", "1"], endStream: true })
    assert.deepStrictEqual(server.sent(), answer)
    const middle = new RawPeer()
    streamError(ProtocolError, 1, middle.headers(1, requestHeaders), middle.headers(1, ["x-a", "1"]))
    const pseudo = new RawPeer()
    streamError(ProtocolError, 1, pseudo.headers(1, requestHeaders), pseudo.headers(1, [":path", "/"], true))
  })

  const malformed: ReadonlyArray<readonly [what: string, list: HeaderList]> = [
    ["an upper-case name", [...requestHeaders, "X-A", "1"]],
    ["an empty name", [...requestHeaders, "", "1"]],
    ["a space in a name", [...requestHeaders, "x a", "1"]],
    ["a line break in a value", [...requestHeaders, "x-a", "1\r\nx-b: 2"]],
    ["NUL in a value", [...requestHeaders, "x-a", "1\0"]],
    ["connection", [...requestHeaders, "connection", "close"]],
    ["transfer-encoding", [...requestHeaders, "transfer-encoding", "chunked"]],
    ["te other than trailers", [...requestHeaders, "te", "gzip"]],
    ["an unknown pseudo-header", [":x", "1", ...requestHeaders]],
    ["a response's pseudo-header", [":status", "200", ...requestHeaders]],
    ["a pseudo-header behind a regular one", ["x-a", "1", ...requestHeaders]],
    ["an empty path", [":method", "POST", ":scheme", "http", ":path", ""]],
    ["no method", requestHeaders.slice(2)],
    ["no path", [":method", "POST", ":scheme", "http"]],
    ["two methods", [":method", "POST", ...requestHeaders]],
    ["no fields", []],
    ["a content-length that is no number", [...requestHeaders, "content-length", "x"]],
    ["two content-lengths", [...requestHeaders, "content-length", "1", "content-length", "2"]]
  ]
  for (const [what, list] of malformed) {
    it(`8.2, 8.3 ${what} is malformed`, () => {
      const server = answering(new RawPeer().headers(1, list))
      assert.strictEqual(server.records.size, 0)
      assert.deepStrictEqual(server.sent(), ["RstStream(1) 1"])
    })
  }
  it("8.2, 8.3 what is not malformed: te: trailers, bytes above ASCII, spaces at the end, a path without slash", () => {
    const list = [":method", "GET", ":scheme", "http", ":path", "foo", "te", "trailers", "x-a", "\u00e9 ", "x-a", ""]
    assert.deepStrictEqual(answering(new RawPeer().headers(1, list)).record(1).headers[0]!.list, list)
  })
  it("8.1.1 content-length is what the DATA frames sum up to", () => {
    const head = () => new RawPeer().headers(1, [...requestHeaders, "content-length", "3"])
    fine(answer, head(), data(1, text("a")), data(1, text("bc"), true, 4))
    streamError(ProtocolError, 1, head(), data(1, text("ab"), true))
    streamError(ProtocolError, 1, head(), data(1, text("ab")), data(1, text("cd")))
    streamError(ProtocolError, 1, new RawPeer().headers(1, [...requestHeaders, "content-length", "3"], true))
    const peer = new RawPeer()
    const first = peer.headers(1, [...requestHeaders, "content-length", "3"])
    streamError(ProtocolError, 1, first, peer.headers(1, ["x-a", "1"], true))
  })
  it("a stream that nobody takes is refused", () => {
    const server = startedServer()
    server.accept = false
    server.connection.receive(open(), 0)
    assert.deepStrictEqual(server.sent(), ["RstStream(1) 7"])
    assert.strictEqual(server.connection.streams.slots, 0)
  })
})

describe("RFC 9113, client", () => {
  const client = (...frames: ReadonlyArray<Uint8Array>) => {
    const one = startedClient()
    const record = one.open()
    one.bytes()
    one.connection.receive(concat(frames), 0)
    return { client: one, record }
  }
  const head = () => new RawPeer().headers(1, responseHeaders)

  it("an upper-case name surfaces with Kitex's text", () => {
    const { client: one, record } = client(new RawPeer().headers(1, [...responseHeaders, "HELLO", "1"]))
    assert.deepStrictEqual(record.abort, {
      _tag: "StreamError",
      code: ProtocolError,
      detail: 'invalid header field name "HELLO"'
    })
    assert.deepStrictEqual(one.sent(), ["RstStream(1) 1"])
  })
  it("HEADERS in the middle of a stream surface with Kitex's text", () => {
    const peer = new RawPeer()
    const { record } = client(peer.headers(1, responseHeaders), peer.headers(1, ["a", "b"]))
    assert.deepInclude(record.abort, { detail: "a HEADERS frame cannot appear in the middle of a stream" })
  })
  it("interim heads are passed over", () => {
    const peer = new RawPeer()
    const { record } = client(peer.headers(1, [":status", "103", "link", "x"]), peer.headers(1, responseHeaders))
    assert.deepStrictEqual(record.headers, [{ list: responseHeaders, endStream: false }])
    assert.isUndefined(record.abort)
  })
  it("a missing :status is for the layer above", () => {
    assert.lengthOf(client(new RawPeer().headers(1, trailers, true)).record.headers, 1)
  })
  it("trailers-only ends the stream, which was half-closed or not", () => {
    const { client: one, record } = client(new RawPeer().headers(1, [...responseHeaders, ...trailers], true))
    assert.isTrue(record.ended && record.stream!.remoteClosed)
    assert.isFalse(record.stream!.closed)
    one.connection.reset(record.stream!, NoError)
    assert.isTrue(record.stream!.closed)
    assert.deepStrictEqual(one.sent(), ["RstStream(1) 0"])
  })
  it("streams that it did not open are a connection error", () => {
    for (const wrong of [
      new RawPeer().headers(3, responseHeaders),
      new RawPeer().headers(2, responseHeaders),
      data(3, none)
    ]) {
      assert.strictEqual(client(wrong).client.end?._tag, "Error")
    }
  })
  it("push is a connection error", () => {
    assert.deepInclude(client(frame(FrameType.PushPromise, 4, 1, uint32(2))).client.end, { code: ProtocolError })
    assert.deepInclude(client(settings([2, 1])).client.end, { code: ProtocolError })
  })
  it("what arrives for a stream that it reset long ago is ignored", () => {
    const one = startedClient()
    const peer = new RawPeer()
    for (let i = 0; i < 3000; i++) one.connection.reset(one.open().stream!, 8)
    one.bytes()
    one.connection.receive(concat([peer.headers(1, responseHeaders), data(1, text("x"), true), rst(1, 8)]), 0)
    assert.isUndefined(one.end)
    assert.deepStrictEqual(one.sent(), [])
  })
  it("DATA after END_STREAM is a connection error", () => {
    const { client: one, record } = client()
    one.connection.sendData(record.stream!, none, 0, 0, false, true)
    one.connection.receive(concat([head(), data(1, none, true), data(1, text("x"))]), 0)
    assert.deepInclude(one.end, { code: StreamClosed })
  })
})

describe("the end of a connection", () => {
  it("GOAWAY to a client: streams above the last id were never seen, the others go on, no new ones", () => {
    const client = startedClient()
    const [first, second] = [client.open(), client.open()]
    client.connection.receive(goaway(1, NoError, "graceful shutdown"), 0)
    assert.deepStrictEqual(second.abort, { _tag: "Refused" })
    assert.isUndefined(first.abort)
    assert.deepStrictEqual(client.goaways, [{ last: 1, code: 0, debug: "graceful shutdown" }])
    assert.strictEqual(client.connection.openable, 0)
    client.connection.receive(new RawPeer().headers(1, responseHeaders), 0)
    assert.lengthOf(first.headers, 1)
    assert.strictEqual(client.connection.active, 1)
  })
  it("GOAWAY to a client: the last id only falls, and is odd", () => {
    const texts = ([first, second]: readonly [number, number]) => {
      const client = startedClient()
      client.connection.receive(concat([goaway(first, 0), goaway(second, 0)]), 0)
      return client.end?._tag === "Error" ? client.end.detail : undefined
    }
    assert.isUndefined(texts([0x7fffffff, 1]))
    assert.strictEqual(
      texts([1, 3]),
      "received goaway with stream id: 3, which exceeds stream id of previous goaway: 1"
    )
    assert.strictEqual(texts([4, 1]), "received goaway with non-zero even-numbered numbered stream id: 4")
  })
  it("two-step drain of a server: streams up to the last id, then silence for later ones", () => {
    const server = startedServer()
    const peer = new RawPeer()
    server.connection.receive(peer.headers(1, requestHeaders), 0)
    server.connection.goaway(0x7fffffff, NoError, "graceful shutdown")
    server.connection.ping(Uint8Array.of(1, 6, 1, 8, 0, 3, 3, 9))
    assert.deepStrictEqual(server.sent(), ["Goaway(0) 2147483647 0", "Ping(0)"])
    server.connection.receive(
      concat([peer.headers(3, requestHeaders), ping(Uint8Array.of(1, 6, 1, 8, 0, 3, 3, 9), true)]),
      0
    )
    assert.lengthOf(server.pongs, 1)
    server.connection.goaway(server.connection.lastPeerStreamId, NoError, "graceful shutdown")
    assert.deepStrictEqual(server.sent(), ["Goaway(0) 3 0"])
    server.connection.receive(
      concat([
        peer.headers(5, [...requestHeaders, "x-a", "1"]),
        data(5, text("x")),
        rst(5, 8),
        data(3, text("y"), true)
      ]),
      0
    )
    assert.deepStrictEqual([...server.records.keys()], [1, 3])
    assert.isTrue(server.record(3).ended)
    assert.isUndefined(server.end)
    assert.deepStrictEqual(server.sent(), [])
    assert.strictEqual(server.connection.lastPeerStreamId, 3)
  })
  it("every live stream is told once, then the connection", () => {
    const client = startedClient()
    const records = [client.open(), client.open()]
    client.connection.reset(records[0]!.stream!, 8)
    client.connection.end({ _tag: "Lost", detail: "ECONNRESET" })
    client.connection.end({ _tag: "PeerClosed" })
    const end = { _tag: "Lost", detail: "ECONNRESET" } as const
    assert.isUndefined(records[0]!.abort)
    assert.deepStrictEqual(records[1]!.abort, { _tag: "ConnectionClosed", end })
    assert.deepStrictEqual(client.end, end)
    assert.isTrue(client.connection.closed)
    assert.strictEqual(client.connection.openable, 0)
    assert.isTrue(client.open().stream!.closed)
    client.connection.receive(ping(), 0)
    assert.notInclude(client.sent(), "Ping(0) ack")
  })
  it("FIN behind a GOAWAY with an error is that error", () => {
    const client = startedClient()
    client.connection.receive(goaway(0, ErrorCode.EnhanceYourCalm, "too_many_pings"), 0)
    client.connection.end({ _tag: "PeerClosed" })
    assert.deepStrictEqual(client.end, { _tag: "PeerGoaway", code: 11, debug: "too_many_pings" })
  })
  it("midFrame: a peer that stops inside a frame or a header block can be told from an idle one", () => {
    const server = new Recorder("server")
    const steps: ReadonlyArray<readonly [bytes: Uint8Array, midFrame: boolean]> = [
      [preface.slice(0, 5), true],
      [concat([preface.slice(5), settings()]), false],
      [ping().slice(0, 4), true],
      [ping().slice(4), false],
      [block(1, none, false, false), true],
      [continuation(1, new RawPeer().encoder.encode(requestHeaders)), false],
      [data(1, text("abc")).slice(0, 10), true],
      [data(1, text("abc")).slice(10), false]
    ]
    assert.isTrue(server.connection.midFrame)
    for (const [bytes, midFrame] of steps) {
      server.connection.receive(bytes, 5)
      assert.strictEqual(server.connection.midFrame, midFrame)
    }
    assert.strictEqual(server.connection.lastReceived, 5)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { ErrorCode, preface } from "../../src/internal/http2/frames.ts"
import {
  concat,
  data,
  decodeHeaders,
  describe as describeFrames,
  parse,
  RawPeer,
  Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settings,
  startedClient,
  startedServer,
  text,
  trailers
} from "./raw.ts"

describe("Http2Connection", () => {
  it("a client begins with preface, SETTINGS and the connection's window", () => {
    const client = new Recorder("client")
    const bytes = client.bytes()
    assert.deepStrictEqual(bytes.slice(0, preface.length), preface)
    assert.deepStrictEqual(describeFrames(parse(bytes)), [
      "Settings(0)",
      `WindowUpdate(0) ${16 * 1024 * 1024 - 65_535}`
    ])
    assert.deepStrictEqual(parse(bytes)[0]!.payload, settings([2, 0], [5, 16_384], [4, 262_144], [6, 65_536]).slice(9))
  })

  it("a server sends SETTINGS without waiting for the preface", () => {
    const server = new Recorder("server")
    assert.deepStrictEqual(
      parse(server.bytes())[0]!.payload,
      settings([5, 16_384], [3, 256], [4, 262_144], [6, 65_536]).slice(9)
    )
  })

  it("unary, server", () => {
    const server = startedServer()
    const peer = new RawPeer()
    server.connection.receive(concat([peer.headers(1, requestHeaders), data(1, text("hello"), true)]), 0)
    const record = server.record(1)
    assert.deepStrictEqual(record.headers, [{ list: requestHeaders, endStream: false }])
    assert.deepStrictEqual(record.payload, text("hello"))
    assert.isTrue(record.ended)
    const stream = record.stream!
    server.connection.sendHeaders(stream, responseHeaders, false)
    server.connection.sendData(stream, text("world"), 0, 5, false, false)
    server.connection.sendTrailers(stream, trailers, true)
    assert.isTrue(stream.closed)
    const frames = parse(server.bytes())
    assert.deepStrictEqual(describeFrames(frames), ["Headers(1)", "Data(1) 5", "Headers(1) end"])
    assert.deepStrictEqual(decodeHeaders(frames), [responseHeaders, trailers])
    assert.strictEqual(server.connection.active, 0)
  })

  it("unary, client", () => {
    const client = startedClient()
    const peer = new RawPeer()
    const record = client.open()
    client.connection.sendData(record.stream!, text("hello"), 0, 5, false, true)
    assert.deepStrictEqual(client.sent(), ["Headers(1)", "Data(1) 5 end"])
    client.connection.receive(
      concat([peer.headers(1, responseHeaders), data(1, text("world")), peer.headers(1, trailers, true)]),
      0
    )
    assert.deepStrictEqual(record.headers, [
      { list: responseHeaders, endStream: false },
      { list: trailers, endStream: true }
    ])
    assert.deepStrictEqual(record.payload, text("world"))
    assert.isTrue(record.stream!.closed)
    assert.isUndefined(record.abort)
    assert.strictEqual(client.connection.active, 0)
  })

  it("trailers of a stream that the client has not half-closed are followed by RST_STREAM(NO_ERROR)", () => {
    const server = startedServer()
    server.connection.receive(new RawPeer().headers(1, requestHeaders), 0)
    const stream = server.record(1).stream!
    server.connection.sendHeaders(stream, responseHeaders, false)
    server.connection.sendTrailers(stream, trailers, true)
    assert.deepStrictEqual(server.sent(), ["Headers(1)", "Headers(1) end", "RstStream(1) 0"])
    assert.isUndefined(server.record(1).abort)
  })

  it("a reset of the peer aborts the stream with its code", () => {
    const server = startedServer()
    server.connection.receive(concat([new RawPeer().headers(1, requestHeaders), rst(1, ErrorCode.Cancel)]), 0)
    assert.deepStrictEqual(server.record(1).abort, { _tag: "PeerReset", code: ErrorCode.Cancel })
    assert.isTrue(server.record(1).stream!.closed)
  })
})

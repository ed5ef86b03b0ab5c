import { assert, describe, it } from "@effect/vitest"
import type { Http2Options } from "../../src/internal/http2/connection.ts"
import { ErrorCode, FrameType } from "../../src/internal/http2/frames.ts"
import { Bucket, type Counters, type Limits } from "../../src/internal/http2/limits.ts"
import {
  block,
  concat,
  continuation,
  data,
  frame,
  ping,
  RawPeer,
  type Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settings,
  startedClient,
  startedServer,
  text,
  windowUpdate
} from "./raw.ts"

const server = (limits: Partial<Limits>, options: Http2Options = {}) => startedServer({ ...options, limits })

const repeat = (bytes: Uint8Array, times: number) => concat(Array.from({ length: times }, () => bytes))

/** The connection ended by this limit, and the counter tells. */
const assertLimit = (
  recorder: Recorder,
  limit: keyof Limits,
  counter: keyof Counters,
  code: number = ErrorCode.EnhanceYourCalm
) => {
  const { end } = recorder
  assert.strictEqual(end?._tag, "Error")
  if (end?._tag !== "Error") return
  assert.strictEqual(end.limit, limit)
  assert.strictEqual(end.code, code)
  assert.strictEqual(recorder.connection.counters[counter], 1)
  assert.match(recorder.sent().at(-1)!, new RegExp(`^Goaway\\(0\\) \\d+ ${code}$`))
}

describe("limits", () => {
  it("maxConcurrentStreams: more are refused, and cost no handler", () => {
    const it = server({ maxConcurrentStreams: 2 })
    const peer = new RawPeer()
    for (const id of [1, 3, 5]) it.connection.receive(peer.headers(id, requestHeaders, true), 0)
    assert.deepStrictEqual([...it.records.keys()], [1, 3])
    assert.deepStrictEqual(it.sent(), ["RstStream(5) 7"])
    assert.strictEqual(it.connection.counters.refusedStreams, 1)
    assert.isUndefined(it.end)
  })

  it("maxConcurrentStreams: streams that were reset and whose handlers still run are as many at most", () => {
    const it = server({ maxConcurrentStreams: 2 })
    const peer = new RawPeer()
    const cancelled = (id: number) => concat([peer.headers(id, requestHeaders), rst(id, 8)])
    it.connection.receive(concat([1, 3, 5, 7, 9].map(cancelled)), 0)
    assert.deepStrictEqual([...it.records.keys()], [1, 3, 5, 7])
    it.connection.release(it.record(1).stream!)
    it.connection.release(it.record(1).stream!)
    it.connection.receive(concat([peer.headers(11, requestHeaders), peer.headers(13, requestHeaders)]), 0)
    assert.deepStrictEqual([...it.records.keys()], [1, 3, 5, 7, 11])
  })

  it("maxConcurrentStreams: a stream that is not flushed keeps its slot", () => {
    const it = startedServer({ limits: { maxConcurrentStreams: 1 } }, [4, 0])
    const peer = new RawPeer()
    it.connection.receive(peer.headers(1, requestHeaders, true), 0)
    const { stream } = it.record(1)
    it.connection.sendHeaders(stream!, responseHeaders, false)
    it.connection.sendData(stream!, text("x"), 0, 1, false, true)
    it.connection.release(stream!)
    it.connection.receive(peer.headers(3, requestHeaders), 0)
    assert.deepStrictEqual([...it.records.keys()], [1])
    it.connection.receive(windowUpdate(1, 1), 0)
    it.bytes()
    it.connection.receive(peer.headers(5, requestHeaders), 0)
    assert.deepStrictEqual([...it.records.keys()], [1, 5])
  })

  it("maxHeaderListSize: the stream is refused, the connection goes on", () => {
    const it = server({ maxHeaderListSize: 500 })
    const peer = new RawPeer()
    it.connection.receive(peer.headers(1, [...requestHeaders, "x-a", "v".repeat(500)]), 0)
    assert.deepStrictEqual(it.sent(), ["RstStream(1) 2"])
    assert.strictEqual(it.connection.counters.headerListsTooLarge, 1)
    it.connection.receive(peer.headers(3, requestHeaders), 0)
    assert.deepStrictEqual([...it.records.keys()], [3])

    const client = startedClient({ limits: { maxHeaderListSize: 500 } })
    const record = client.open()
    client.connection.receive(new RawPeer().headers(1, [...responseHeaders, "x-a", "v".repeat(500)]), 0)
    assert.deepStrictEqual(record.abort, {
      _tag: "StreamError",
      code: ErrorCode.ProtocolError,
      detail: "peer header list size exceeded limit",
      limit: "maxHeaderListSize"
    })
    assert.strictEqual(client.sent().at(-1), "RstStream(1) 1")
  })

  it("maxHeaderFields", () => {
    const it = server({ maxHeaderFields: 10 })
    const list = [...requestHeaders, ...Array.from({ length: 7 }, (_, i) => [`x-${i}`, ""]).flat()]
    it.connection.receive(new RawPeer().headers(1, list), 0)
    assert.deepStrictEqual(it.sent(), ["RstStream(1) 2"])
    assert.strictEqual(it.connection.counters.headerListsTooLarge, 1)
  })

  it("maxHeaderBlockSize", () => {
    const it = server({ maxHeaderBlockSize: 30_000 })
    const part = new Uint8Array(16_000)
    it.connection.receive(concat([block(1, part, false, false), continuation(1, part, false)]), 0)
    assertLimit(it, "maxHeaderBlockSize", "headerBlocksTooLarge")
  })

  it("maxContinuationFrames", () => {
    const it = server({ maxContinuationFrames: 5 })
    const part = new Uint8Array(0)
    it.connection.receive(concat([block(1, part, false, false), repeat(continuation(1, part, false), 5)]), 0)
    assert.isUndefined(it.end)
    it.connection.receive(continuation(1, part, false), 0)
    assertLimit(it, "maxContinuationFrames", "continuationFloods")
  })

  it("maxControlFrames: answers that the peer does not read", () => {
    const it = server({ maxControlFrames: 20, pingBudget: { burst: 1000, perSecond: 0 } })
    it.connection.receive(repeat(ping(), 20), 0)
    assert.lengthOf(it.sent(), 20)
    it.connection.receive(repeat(ping(), 21), 0)
    assertLimit(it, "maxControlFrames", "controlFloods")
  })

  it("maxOutboxBytes: header blocks that the peer does not read", () => {
    const it = server({ maxOutboxBytes: 10_000 })
    const peer = new RawPeer()
    it.handler = (_, stream) => {
      it.connection.sendHeaders(stream, [...responseHeaders, "x-a", "\u0001".repeat(1000)], true)
      it.connection.release(stream)
    }
    for (let id = 1; id < 50 && it.end === undefined; id += 2) {
      it.connection.receive(peer.headers(id, requestHeaders, true), 0)
    }
    assertLimit(it, "maxOutboxBytes", "outboxFloods")
    assert.isAtMost(it.records.size, 12)
  })

  it("maxSettingsEntries", () => {
    const it = server({ maxSettingsEntries: 3 })
    it.connection.receive(settings([100, 1], [100, 1], [100, 1]), 0)
    assert.isUndefined(it.end)
    it.connection.receive(settings([100, 1], [100, 1], [100, 1], [100, 1]), 0)
    assertLimit(it, "maxSettingsEntries", "settingsFloods")
  })

  it("settingsBudget", () => {
    const it = server({ settingsBudget: { burst: 5, perSecond: 1 } })
    it.connection.receive(repeat(settings(), 4), 0)
    it.connection.receive(repeat(settings(), 2), 2000)
    assert.isUndefined(it.end)
    it.connection.receive(settings(), 2000)
    assertLimit(it, "settingsBudget", "settingsFloods")
  })

  it("pingBudget: pings beside frames of streams are free", () => {
    const it = server({ pingBudget: { burst: 3, perSecond: 0 } })
    it.connection.receive(new RawPeer().headers(1, requestHeaders), 0)
    for (let i = 0; i < 50; i++) it.connection.receive(concat([data(1, text("x")), ping()]), 0)
    for (let i = 0; i < 50; i++) {
      it.connection.sendData(it.record(1).stream!, text("x"), 0, 1, false, false)
      it.connection.receive(ping(), 0)
    }
    it.bytes()
    it.connection.receive(repeat(ping(), 3), 0)
    assert.isUndefined(it.end)
    it.connection.receive(ping(), 0)
    assertLimit(it, "pingBudget", "pingFloods")
  })

  it("maxEmptyDataFrames", () => {
    const it = server({ maxEmptyDataFrames: 5 })
    it.connection.receive(new RawPeer().headers(1, requestHeaders), 0)
    const empty = data(1, text(""))
    it.connection.receive(concat([repeat(empty, 5), data(1, text("x")), repeat(empty, 5)]), 0)
    assert.isUndefined(it.end)
    it.connection.receive(data(1, text(""), false, 3), 0)
    assertLimit(it, "maxEmptyDataFrames", "emptyDataFloods")
  })

  it("resetBudget: resets before an answer, refilled by time", () => {
    const it = server({ resetBudget: { burst: 5, perSecond: 10 } })
    const peer = new RawPeer()
    it.handler = (_, stream) => it.connection.release(stream)
    let id = -1
    const cancel = () => concat([peer.headers((id += 2), requestHeaders), rst(id, 8)])
    for (let i = 0; i < 100; i++) it.connection.receive(cancel(), i * 100)
    assert.isUndefined(it.end)
    for (let i = 0; i < 6; i++) it.connection.receive(cancel(), 10_000)
    assertLimit(it, "resetBudget", "resetFloods")
    assert.isAtLeast(it.connection.counters.unreadResets, 105)
  })

  it("resetBudget: 5,000 streams that are read and then cancelled at full speed cost nothing", () => {
    const it = server({})
    const peer = new RawPeer()
    it.handler = (_, stream) => {
      it.connection.sendHeaders(stream, responseHeaders, false)
      it.connection.sendData(stream, text("token"), 0, 5, false, false)
    }
    for (let i = 0; i < 5000; i++) {
      const id = 2 * i + 1
      it.connection.receive(peer.headers(id, requestHeaders), 0)
      it.bytes()
      it.connection.receive(rst(id, 8), 0)
      it.connection.release(it.record(id).stream!)
    }
    assert.isUndefined(it.end)
    assert.strictEqual(it.connection.counters.honestResets, 5000)
    assert.strictEqual(it.connection.counters.unreadResets, 0)
    assert.strictEqual(it.connection.streams.slots, 0)
  })

  it("PRIORITY and unknown frames are counted and cost nothing else", () => {
    const it = server({})
    it.connection.receive(repeat(frame(0xee, 0xff, 77, text("anything")), 5000), 0)
    assert.strictEqual(it.connection.counters.ignoredFrames, 5000)
    it.connection.receive(frame(FrameType.Priority, 0, 9, Uint8Array.of(0, 0, 0, 1, 1)), 0)
    assert.strictEqual(it.connection.counters.ignoredFrames, 5001)
    assert.deepStrictEqual(it.sent(), [])
    assert.isUndefined(it.end)
  })
})

describe("Bucket", () => {
  it("gives its burst, then what time refills, never more than the burst", () => {
    const bucket = new Bucket({ burst: 2, perSecond: 1 })
    assert.deepStrictEqual(
      [0, 0, 0, 999, 1998, 100_000, 100_000, 100_000].map((now) => bucket.take(now)),
      [true, true, false, false, true, true, true, false]
    )
  })
})

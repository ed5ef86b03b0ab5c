/** Known attacks on HTTP/2 that an engine must stop or survive; those of timers and sockets are tested with the driver. */
import { assert, describe, it } from "@effect/vitest"
import { ErrorCode, FrameType } from "../../src/internal/http2/frames.ts"
import {
  block,
  concat,
  continuation,
  data,
  type Entry,
  frame,
  ping,
  priority,
  RawPeer,
  type Recorder,
  requestHeaders,
  responseHeaders,
  rst,
  settings,
  settingsAck,
  startedServer,
  text,
  trailers,
  uint32,
  windowUpdate
} from "./raw.ts"

const none = new Uint8Array(0)
const repeat = (bytes: Uint8Array, times: number) => concat(Array.from({ length: times }, () => bytes))

const endedBy = (server: Recorder, limit: string) => {
  assert.deepInclude(server.end, { _tag: "Error", code: ErrorCode.EnhanceYourCalm, limit })
}

/** A server whose handlers answer at once, and never end: its streams are what an attacker can pile up. */
const answeringServer = (size: number, ...entries: Array<Entry>) => {
  const server = startedServer({}, ...entries)
  server.handler = (_, stream) => {
    server.connection.sendHeaders(stream, responseHeaders, false)
    server.connection.sendData(stream, new Uint8Array(size), 0, size, true, false)
  }
  return server
}

describe("attacks", () => {
  it("CVE-2019-9511 data dribble: a large reply through windows of one byte waits once, not once a frame", () => {
    const server = answeringServer(1 << 20, [4, 0])
    server.connection.receive(new RawPeer().headers(1, requestHeaders), 0)
    server.bytes()
    for (let i = 0; i < 1000; i++) {
      server.connection.receive(windowUpdate(1, 1), 0)
      assert.deepStrictEqual(server.sent(), ["Data(1) 1"])
    }
    assert.strictEqual(server.record(1).stream!.buffered, (1 << 20) - 1000)
  })

  it("CVE-2019-9512 ping flood", () => {
    const server = startedServer()
    server.connection.receive(repeat(ping(), 10_000), 0)
    endedBy(server, "pingBudget")
    assert.isBelow(server.connection.outbox.length, 10_000)
  })

  it("CVE-2019-9513 priority shuffling is read past", () => {
    const server = startedServer()
    server.connection.receive(repeat(concat([priority(3, 1), priority(5, 3), priority(3, 5)]), 10_000), 0)
    assert.isUndefined(server.end)
    assert.strictEqual(server.connection.counters.ignoredFrames, 30_000)
    assert.strictEqual(server.connection.outbox.length, 0)
  })

  it("CVE-2019-9514 reset flood: bad requests are counted like resets", () => {
    const server = startedServer()
    const peer = new RawPeer()
    for (let id = 1; id < 2000 && server.end === undefined; id += 2) {
      server.connection.receive(peer.headers(id, [...requestHeaders, "connection", "x"]), 0)
      server.bytes()
    }
    endedBy(server, "resetBudget")
    assert.strictEqual(server.connection.counters.streamErrors, 201)
    assert.strictEqual(server.records.size, 0)
  })

  it("CVE-2019-9515 settings flood", () => {
    const server = startedServer()
    server.connection.receive(repeat(settings(), 1000), 0)
    endedBy(server, "settingsBudget")
  })

  it("CVE-2019-9516 zero-length headers", () => {
    const server = startedServer()
    const list = [...requestHeaders, ...Array.from({ length: 2000 }, () => ["x", ""]).flat()]
    server.connection.receive(new RawPeer().headers(1, list), 0)
    assert.strictEqual(server.records.size, 0)
    assert.strictEqual(server.connection.counters.headerListsTooLarge, 1)
    const empty = startedServer()
    // Empty names without end: literals of name "" and value "".
    empty.connection.receive(block(1, repeat(Uint8Array.of(0, 0, 0), 5000)), 0)
    assert.strictEqual(empty.records.size, 0)
  })

  it("CVE-2019-9517 internal buffering: with all windows open and nothing read, payload stops at the high-water mark", () => {
    const server = answeringServer(1 << 20, [4, 0x7fffffff])
    server.connection.receive(windowUpdate(0, 0x7fff0000 - 65_535), 0)
    const peer = new RawPeer()
    for (let i = 0; i < 100; i++) server.connection.receive(peer.headers(2 * i + 1, requestHeaders), 0)
    server.connection.pump()
    assert.isUndefined(server.end)
    assert.isBelow(server.connection.outbox.length, 400 * 1024)
  })

  it("CVE-2019-9518 empty frames", () => {
    const server = startedServer()
    server.connection.receive(concat([new RawPeer().headers(1, requestHeaders), repeat(data(1, none), 1000)]), 0)
    endedBy(server, "maxEmptyDataFrames")
    const headers = startedServer()
    headers.connection.receive(concat([block(1, none, false, false), repeat(continuation(1, none, false), 1000)]), 0)
    endedBy(headers, "maxContinuationFrames")
  })

  it("CVE-2023-44487 rapid reset: handlers stay below the budget and the cap", () => {
    for (const ends of [true, false]) {
      const server = startedServer()
      server.handler = (_, stream) => {
        if (ends) server.connection.release(stream)
      }
      const peer = new RawPeer()
      for (let i = 0; i < 20_000 && server.end === undefined; i++) {
        server.connection.receive(concat([peer.headers(2 * i + 1, requestHeaders), rst(2 * i + 1, 8)]), 0)
        server.bytes()
      }
      endedBy(server, "resetBudget")
      assert.isAtMost(server.records.size, 201)
    }
  })

  it("CVE-2024-27316 CONTINUATION flood", () => {
    const server = startedServer()
    const part = repeat(Uint8Array.of(0x40, 1, 0x61, 1, 0x62), 3000)
    server.connection.receive(block(1, part, false, false), 0)
    for (let i = 0; i < 1000 && server.end === undefined; i++) {
      server.connection.receive(continuation(1, part, false), 0)
    }
    assert.deepInclude(server.end, { code: ErrorCode.EnhanceYourCalm })
    assert.strictEqual(
      server.connection.counters.continuationFloods + server.connection.counters.headerBlocksTooLarge,
      1
    )
  })

  const primitives: ReadonlyArray<readonly [what: string, bytes: (id: number) => Uint8Array]> = [
    ["WINDOW_UPDATE of 0", (id) => windowUpdate(id, 0)],
    ["WINDOW_UPDATE over the maximum", (id) => windowUpdate(id, 0x7fffffff)],
    ["PRIORITY of a bad length", (id) => frame(FrameType.Priority, 0, id, uint32(0))],
    ["PRIORITY on itself", (id) => priority(id, id)],
    ["HEADERS on a half-closed stream", (id) => new RawPeer().headers(id, trailers, true)],
    ["DATA on a half-closed stream", (id) => data(id, text("x"))]
  ]
  for (const [what, bytes] of primitives) {
    it(`CVE-2025-8671 MadeYouReset by ${what}: a reset of ours costs the client too and frees no slot`, () => {
      const server = startedServer()
      const peer = new RawPeer()
      // Handlers that answered and go on: a reset of the client would be an honest one.
      server.handler = (_, stream) => server.connection.sendHeaders(stream, responseHeaders, false)
      for (let i = 0; i < 20_000 && server.end === undefined; i++) {
        const id = 2 * i + 1
        server.connection.receive(concat([peer.headers(id, requestHeaders, true), bytes(id)]), 0)
        server.bytes()
      }
      endedBy(server, "resetBudget")
      assert.isAtMost(server.records.size, 256)
      assert.strictEqual(server.connection.streams.slots, server.records.size)
    })
  }

  it("CVE-2026-49975 HTTP/2 bomb: cheap indexed fields, pinned by a shut window", () => {
    const server = startedServer({}, [4, 0])
    const peer = new RawPeer()
    // One field of 4 KB into the table, then 4,000 references of one byte each.
    const fill = peer.encoder.encode([...requestHeaders, "x-a", "v".repeat(200)])
    server.connection.receive(block(1, fill), 0)
    for (let i = 1; i <= 90; i++) {
      server.connection.receive(block(2 * i + 1, concat([fill, repeat(Uint8Array.of(0xbe), 4000)])), 0)
    }
    assert.strictEqual(server.records.size, 1)
    assert.strictEqual(server.connection.counters.headerListsTooLarge, 90)
  })

  it("CVE-2026-84304 tiny DATA frames: the engine keeps nothing of them", () => {
    const server = startedServer()
    server.connection.receive(concat([settingsAck, new RawPeer().headers(1, requestHeaders)]), 0)
    let got = 0
    server.record(1).onData = (_, start, end) => {
      got += end - start
    }
    const frames = repeat(data(1, text("x")), 1000)
    for (let i = 0; i < 65; i++) server.connection.receive(frames, 0)
    assert.strictEqual(got, 65_000)
    assert.strictEqual(server.connection.inflow.unread, 65_000)
    assert.strictEqual(server.connection.outbox.length, 0)
  })

  it("CVE-2026-21714 overflow of the connection's window ends it", () => {
    const server = startedServer()
    server.connection.receive(windowUpdate(0, 0x7fffffff), 0)
    assert.deepInclude(server.end, { code: ErrorCode.FlowControlError })
    assert.match(server.sent().at(-1)!, /^Goaway/)
  })

  it("CVE-2016-6581 HPACK bomb: one large field referred to many times", () => {
    const server = startedServer()
    const fill = new RawPeer().encoder.encode([...requestHeaders, "x-a", "v".repeat(250)])
    server.connection.receive(block(1, concat([fill, repeat(Uint8Array.of(0xbe), 16_000)])), 0)
    assert.strictEqual(server.records.size, 0)
    assert.strictEqual(server.connection.counters.headerListsTooLarge, 1)
  })

  it("streams reset while they wait for a shut window leave nothing behind", () => {
    const server = answeringServer(1000, [4, 0x7fffffff])
    const peer = new RawPeer()
    server.connection.receive(peer.headers(1, requestHeaders), 0)
    server.connection.sendData(server.record(1).stream!, new Uint8Array(70_000), 0, 70_000, true, false)
    for (let i = 1; i < 5000; i++) {
      server.connection.receive(concat([peer.headers(2 * i + 1, requestHeaders), rst(2 * i + 1, 8)]), 0)
      server.connection.release(server.record(2 * i + 1).stream!)
      server.bytes()
    }
    assert.isUndefined(server.end)
    const last = server.record(9999).stream as { line?: unknown; ahead?: unknown; behind?: unknown }
    assert.isUndefined(last.line)
    assert.strictEqual(server.connection.active, 1)
    server.connection.receive(windowUpdate(0, 100_000), 0)
    assert.isTrue(server.sent().every((one) => one.startsWith("Data(1)")))
  })
})

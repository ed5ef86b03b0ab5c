/**
 * Readers that lag behind writers, over TTHeader streaming, which has no windows: what is held, who waits, for how long.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as net from "node:net"
import { MemoryTransport } from "../../src/index.ts"
import type { RawServerStream, RawStream } from "../../src/RawStream.ts"
import { ClientTransport, type OpenRequest } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { concat } from "../http2/raw.ts"
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
  requestTo,
  serve,
  writeAll
} from "../support/raw.ts"
import { streamData, streamHeader, streamTrailer } from "../support/thrift.ts"
import { wire } from "../support/wire.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

const open = (address: string, method: string, request: Partial<OpenRequest> = {}) =>
  openStream(address, { transport: "ttheader-streaming", path: `/a.Service/${method}`, ...request })

const kib = new Uint8Array(1024)
/** Written while there is room, for as long as the stream lasts. Gives how many were. */
const endless = (stream: RawStream): { count: number } => {
  const written = { count: 0 }
  const batch = Array.from({ length: 64 }, () => kib)
  const send = () => {
    while (stream.writable) written.count += stream.write(batch, 0, encodeBytes)
  }
  stream.listener = { onReadable: () => {}, onWritable: send, onAbort: () => {} }
  send()
  return written
}

/** `Endless` sends without end, `Deaf` reads nothing, others echo. */
const handling =
  (ended: Array<string>) =>
  (stream: RawServerStream): Effect.Effect<void> => {
    const release = () => {
      ended.push(stream.method)
      stream.release()
    }
    if (stream.method !== "Endless" && stream.method !== "Deaf") return echo(stream)
    return Effect.sync(() => {
      if (stream.method === "Endless") endless(stream)
      stream.listener = {
        onReadable: () => {},
        onWritable: stream.listener?.onWritable ?? (() => {}),
        onAbort: release
      }
    })
  }

const thousand = Array.from({ length: 1000 }, (_, i) => `${i}`)

const errorOf = (stream: RawStream) => (stream.end?._tag === "Failed" ? stream.end.error : undefined)

const stalledOut = (stream: RawStream) => {
  const reason = errorOf(stream)?.reason
  assert.deepStrictEqual(reason?._tag === "LimitExceeded" && reason.limit, "streamBufferLimit")
}

/** A neighbour sends a thousand messages and has their echoes. */
const neighbour = (address: string) =>
  Effect.gen(function* () {
    const stream = yield* open(address, "Echo")
    yield* Effect.forkChild(writeAll(stream, thousand, encodeText, true))
    assert.deepStrictEqual(yield* readTexts(stream), thousand)
    assert.strictEqual((yield* ended(stream))._tag, "Status")
  })

describe("one stalled reader of streams over TTHeader", () => {
  it.effect("delays its neighbours and its own cancel for stallTimeout: in exact time", () =>
    Effect.gen(function* () {
      const over: Array<string> = []
      const { streams } = yield* serve(handling(over))
      const turns = Effect.forEach(Array.from({ length: 400 }), () => Effect.yieldNow, { discard: true })

      // The client reads nothing.
      const unread = yield* open("memory", "Endless")
      yield* turns
      const beside = yield* Effect.forkChild(neighbour("memory"), { startImmediately: true })
      yield* turns
      yield* TestClock.adjust(499)
      yield* turns
      assert.isUndefined(beside.pollUnsafe())
      yield* TestClock.adjust(501)
      while (beside.pollUnsafe() === undefined) yield* Effect.yieldNow
      assert.strictEqual(beside.pollUnsafe()!._tag, "Success")
      stalledOut(unread)
      while (over.length === 0) yield* Effect.yieldNow
      assert.deepStrictEqual(over, ["Endless"])

      // The server reads nothing.
      const deaf = yield* open("memory", "Deaf")
      endless(deaf)
      yield* turns
      const again = yield* Effect.forkChild(neighbour("memory"), { startImmediately: true })
      deaf.abort("cancel", cancelled)
      yield* turns
      yield* TestClock.adjust(1000)
      while (again.pollUnsafe() === undefined || over.length === 1) yield* Effect.yieldNow
      assert.strictEqual(again.pollUnsafe()!._tag, "Success")
      const server = streams.find((stream) => stream.method === "Deaf")!
      assert.isTrue(["LimitExceeded", "StreamReset"].includes(errorOf(server)!.reason._tag))
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )

  it.live("over sockets: its cancel and 1,000 messages of its neighbours arrive, what it holds is bounded", () =>
    Effect.gen(function* () {
      const over: Array<string> = []
      const { address, streams } = yield* serve(handling(over))
      yield* neighbour(address)
      const from = performance.now()
      const unread = yield* open(address, "Endless")
      yield* until(() => unread.available >= 512)
      yield* Effect.all([neighbour(address), neighbour(address)], { concurrency: "unbounded" })
      yield* ended(unread)
      const first = performance.now() - from
      stalledOut(unread)
      yield* until(() => over.length === 1)

      const deaf = yield* open(address, "Deaf")
      const written = endless(deaf)
      yield* until(() => streams.some((stream) => stream.method === "Deaf" && stream.available >= 512))
      const before = written.count
      yield* Effect.sleep(50)
      // It stands: what the kernel took by now is all that is written.
      assert.isBelow(written.count - before, 16 * 1024)
      const then = performance.now()
      const beside = yield* Effect.forkChild(neighbour(address), { startImmediately: true })
      deaf.abort("cancel", cancelled)
      yield* until(() => over.length === 2)
      yield* until(() => beside.pollUnsafe() !== undefined)
      // In exact time they are less than one; this machine may be busy.
      assert.isBelow(Math.max(first, performance.now() - then), 3000)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("costs at most its buffer, however long its writer goes on", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(handling([]))
      const warm = yield* open(address, "Echo")
      yield* writeAll(warm, [kib], encodeBytes, true)
      yield* ended(warm)
      const before = process.memoryUsage().arrayBuffers
      const unread = yield* open(address, "Endless")
      yield* until(() => !streams.at(-1)!.writable && unread.available >= 512)
      yield* Effect.sleep(100)
      assert.isBelow(unread.available, 640)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 2 * 1024 * 1024)
      // It goes on where it stopped.
      assert.lengthOf(yield* read(unread, 10_000, decodeBytes), 10_000)
      unread.abort("cancel", cancelled)
    }).pipe(
      Effect.scoped,
      Effect.provide(layers({ stallTimeout: Duration.infinity }, { stallTimeout: Duration.infinity }))
    )
  )

  it.live("stops its writer alone where both ends give credit: no socket is ever paused", () =>
    Effect.gen(function* () {
      const pause = net.Socket.prototype.pause
      let pauses = 0
      net.Socket.prototype.pause = function () {
        pauses++
        return pause.call(this)
      }
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          net.Socket.prototype.pause = pause
        })
      )
      const over: Array<string> = []
      const { address, streams } = yield* serve(handling(over))
      const unread = yield* open(address, "Endless")
      const deaf = yield* open(address, "Deaf")
      endless(deaf)
      yield* until(() => unread.available >= 450 && streams.some((s) => s.method === "Deaf" && s.available >= 200))
      for (let i = 0; i < 3; i++) yield* neighbour(address)
      yield* Effect.sleep(600)
      assert.isUndefined(unread.end)
      assert.isUndefined(deaf.end)
      assert.isAtMost(unread.available, 512)
      const held = unread.available
      yield* neighbour(address)
      assert.strictEqual(unread.available, held)
      assert.lengthOf(yield* read(unread, 5000, decodeBytes), 5000)
      const server = streams.find((stream) => stream.method === "Deaf")!
      assert.lengthOf(yield* read(server, 5000, decodeBytes), 5000)
      unread.abort("cancel", cancelled)
      deaf.abort("cancel", cancelled)
      yield* until(() => over.length === 1 && server.end !== undefined)
      assert.strictEqual(pauses, 0)
    }).pipe(Effect.scoped, Effect.provide(layers({}, { streamCredit: true })))
  )
})

describe("a client of streams that never reads", () => {
  it.live("costs bounded memory, and is cut off in its time; others do not notice", () =>
    Effect.gen(function* () {
      const over: Array<string> = []
      const { address, listening, streams } = yield* serve(handling(over))
      yield* neighbour(address)
      const before = process.memoryUsage().arrayBuffers
      const peer = yield* wire(listening.address.port)
      peer.socket.pause()
      yield* peer.send(concat(Array.from({ length: 300 }, (_, i) => streamHeader(i + 1, "Endless"))))
      yield* until(() => streams.length === 257)
      for (let i = 0; i < 20; i++) yield* peer.send(streamData(1, kib))
      yield* neighbour(address)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 48 * 1024 * 1024)
      const served = streams.filter((stream) => stream.method === "Endless")
      assert.lengthOf(served, 256)
      yield* until(() => served.every((stream) => stream.end !== undefined))
      peer.socket.destroy()
      yield* neighbour(address)
    }).pipe(Effect.scoped, Effect.provide(layers({ stalledWriteTimeout: 1500 }, {})))
  )
})

describe("a connection that is half open", () => {
  it.effect("is noticed by beats, and by nothing else", () =>
    Effect.gen(function* () {
      for (const beats of [true, false]) {
        yield* Effect.gen(function* () {
          yield* serve(echo)
          const stream = yield* open("memory", "Echo")
          yield* writeAll(stream, ["a"], encodeText)
          assert.deepStrictEqual(yield* readTexts(stream, 1), ["a"])
          // What the server answers does not arrive any more.
          yield* writeAll(stream, [`${"x".repeat(1000)}`], encodeText)
          yield* TestClock.adjust("12 seconds")
          assert.isUndefined(stream.end)
          yield* TestClock.adjust("12 seconds")
          if (!beats) return assert.isUndefined(stream.end)
          assert.strictEqual(errorOf(stream)?.reason._tag, "ConnectionLost")
          assert.include(errorOf(stream)?.desc, "keepalive")
        }).pipe(
          Effect.scoped,
          Effect.provide(
            MemoryTransport.layerWith({
              client: beats ? { keepalive: { time: "10 seconds", timeout: "5 seconds" } } : {},
              toClient: { stallAt: 400 }
            })
          )
        )
      }
    })
  )
})

describe("a server of streams that drains", () => {
  it.live("tells its clients, which open nothing more there, and lets what runs end", () =>
    Effect.gen(function* () {
      const { address, listening, streams } = yield* serve(echo)
      const stream = yield* open(address, "Echo")
      yield* writeAll(stream, ["a"], encodeText)
      assert.deepStrictEqual(yield* readTexts(stream, 1), ["a"])
      const other = yield* wire(listening.address.port)
      yield* other.send(streamHeader(1))
      yield* until(() => streams.length === 2)
      const client = yield* ClientTransport
      const next = () => client.tryOpen(requestTo(address, { transport: "ttheader-streaming" }))
      const drained = yield* Effect.forkChild(listening.drain, { startImmediately: true })
      // What is on its way is taken.
      const late = next()!
      yield* writeAll(late, ["late"], encodeText, true)
      assert.deepStrictEqual(yield* readTexts(late), ["late"])
      yield* until(() => next() === undefined)
      // One that does not know what it was told is refused a little later.
      yield* Effect.sleep(150)
      yield* other.send(streamHeader(3))
      yield* until(() => Buffer.from(other.received).includes("graceful shutdown"))
      yield* other.send(streamTrailer(1))
      yield* other.untilClosed
      assert.lengthOf(streams, 3)
      yield* writeAll(stream, ["b"], encodeText, true)
      assert.deepStrictEqual(yield* readTexts(stream), ["b"])
      assert.strictEqual((yield* ended(stream))._tag, "Status")
      yield* until(() => drained.pollUnsafe() !== undefined)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )
})

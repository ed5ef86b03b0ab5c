import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { MemoryTransport } from "../src/index.ts"
import { gzip } from "../src/node/gzip.ts"
import type { Encode, RawServerStream } from "../src/RawStream.ts"
import type { ClientTransport, ServerTransport } from "../src/Transport.ts"
import { Cancelled, TransportError } from "../src/TransportError.ts"
import {
  decodeBytes,
  echo,
  encodeBytes,
  encodeText,
  ended,
  openStream,
  read,
  readTexts,
  recorderOf,
  serve,
  writeAll
} from "./support/raw.ts"
import { certificate } from "./support/certificate.ts"
import { layers } from "./support/layers.ts"

const directory = mkdtempSync(join(tmpdir(), "millrace-"))
afterAll(() => rmSync(directory, { recursive: true }))
const socket = join(directory, "server.sock")

interface Case {
  readonly name: string
  readonly layer: Layer.Layer<ClientTransport | ServerTransport>
  readonly address?: string
}

const cases: ReadonlyArray<Case> = [
  {
    name: "memory",
    layer: MemoryTransport.layerWith({ client: { compression: gzip }, server: { compression: gzip } })
  },
  {
    name: "memory, every byte on its own",
    layer: MemoryTransport.layerWith({
      client: { compression: gzip },
      server: { compression: gzip },
      toClient: { split: [1, 700, 2, 16_384] },
      toServer: { split: [3, 1, 9000] }
    })
  },
  { name: "TCP", layer: layers({}, {}) },
  { name: "Unix socket", layer: layers({ path: socket }, {}), address: `unix:${socket}` },
  { name: "TLS", layer: layers({ tls: certificate }, { tls: { ca: certificate.cert } }) }
]

const cancelled = new TransportError({
  reason: new Cancelled(),
  code: 1,
  desc: "cancelled by the test"
})

const pattern = Uint8Array.from({ length: 4 * 1024 * 1024 }, (_, i) => (i * 7) & 255)
const bytes = (size: number) => pattern.slice(0, size)

for (const { address: fixed, layer, name } of cases) {
  const test = (title: string, body: Effect.Effect<void, unknown, ClientTransport | ServerTransport>) =>
    it.live(title, () => Effect.provide(body, layer))

  const withServer = <E>(
    handler: (stream: RawServerStream) => Effect.Effect<void>,
    body: (server: {
      readonly address: string
      readonly streams: Array<RawServerStream>
    }) => Effect.Effect<void, E, ClientTransport>
  ) =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(handler)
      yield* body({ address: fixed ?? address, streams })
    }).pipe(Effect.scoped)

  describe(name, () => {
    test(
      "carries messages both ways, headers and trailers",
      withServer(
        (stream) => {
          stream.pendingHeaders = [
            ["x-header", "h"],
            ["x-bin", Uint8Array.of(0, 255)]
          ]
          return echo(stream)
        },
        Effect.fnUntraced(function* ({ address, streams }) {
          const stream = yield* openStream(address, { metadata: [["x-request", "错"]] })
          yield* writeAll(stream, ["a", "b", "c"], encodeText)
          assert.deepStrictEqual(yield* readTexts(stream, 3), ["a", "b", "c"])
          stream.closeSend()
          assert.deepStrictEqual(yield* ended(stream), { _tag: "Status", status: { code: 0, message: "" } })
          assert.strictEqual(stream.header?.get("x-header"), "h")
          assert.deepStrictEqual([...stream.header!.getAll("x-bin")].map(String), ["0,255"])
          assert.strictEqual(stream.trailer?.get("x-trailer"), "t")
          assert.strictEqual(streams[0]!.metadata.get("x-request"), "错")
          const { method, package: of, service } = streams[0]!
          assert.deepStrictEqual([of, service, method], ["echo", "TestService", "Echo"])
        })
      )
    )

    test(
      "sends one message and its end in one go, and takes a status without messages",
      withServer(
        Effect.fnUntraced(function* (stream) {
          const texts = yield* readTexts(stream)
          stream.finish(
            { code: 5, message: `no ${texts.join()} 错`, biz: { code: 404, extra: { k: "v" } }, retryAfterMillis: 250 },
            [["t", "1"]]
          )
          stream.release()
        }),
        Effect.fnUntraced(function* ({ address }) {
          const stream = yield* openStream(address)
          yield* writeAll(stream, ["x"], encodeText, true)
          assert.strictEqual(stream.writeEnded, "closed")
          const end = yield* ended(stream)
          assert.deepStrictEqual(JSON.parse(JSON.stringify(end)), {
            _tag: "Status",
            status: { code: 5, message: "no x 错", biz: { code: 404, extra: { k: "v" } }, retryAfterMillis: 250 }
          })
          assert.strictEqual(stream.trailer?.get("t"), "1")
          assert.deepStrictEqual([...stream.header!.keys()], [])
        })
      )
    )

    test(
      "carries messages of every size up to 4 MiB",
      withServer(
        echo,
        Effect.fnUntraced(function* ({ address }) {
          const stream = yield* openStream(address)
          const messages = [0, 1, 4095, 4096, 65_536, 1_000_000, 4 * 1024 * 1024].map(bytes)
          yield* Effect.forkChild(writeAll(stream, messages, encodeBytes, true))
          const back = yield* read(stream, Infinity, decodeBytes)
          assert.deepStrictEqual(
            back.map((b) => b.length),
            messages.map((b) => b.length)
          )
          assert.isTrue(back.every((b, i) => Buffer.compare(b, messages[i]!) === 0))
        })
      )
    )

    test(
      "carries 20,000 small messages in order",
      withServer(
        echo,
        Effect.fnUntraced(function* ({ address }) {
          const stream = yield* openStream(address)
          const messages = Array.from({ length: 20_000 }, (_, i) => `${i}`)
          yield* Effect.forkChild(writeAll(stream, messages, encodeText, true))
          assert.deepStrictEqual(yield* readTexts(stream), messages)
        })
      )
    )

    test(
      "a sender waits at 64 KiB of its own, and a slow reader stalls only itself",
      withServer(
        (stream) => (stream.method === "Slow" ? Effect.void : echo(stream)),
        Effect.fnUntraced(function* ({ address, streams }) {
          const slow = yield* openStream(address, { path: "/echo.TestService/Slow" })
          const message = bytes(10_000)
          const many = Array.from({ length: 400 }, () => message)
          const sender = yield* Effect.forkChild(writeAll(slow, many, encodeBytes))
          const other = yield* openStream(address)
          for (let i = 0; i < 20; i++) {
            yield* writeAll(other, ["x"], encodeText)
            assert.deepStrictEqual(yield* readTexts(other, 1), ["x"])
          }
          assert.strictEqual(sender.pollUnsafe(), undefined)
          assert.isFalse(slow.writable)
          const waiting = streams.find((stream) => stream.method === "Slow")!
          assert.isBelow(waiting.available, 400)
          const all = yield* read(waiting, 400, decodeBytes)
          assert.strictEqual(all.length, 400)
          slow.abort("cancel", cancelled)
        })
      )
    )

    test(
      "a cancelled stream is cancelled at the server, with Kitex's text",
      withServer(
        (stream) => Effect.sync(() => recorderOf(stream)),
        Effect.fnUntraced(function* ({ address, streams }) {
          const stream = yield* openStream(address, { metadata: [["source-service", "caller"]] })
          yield* writeAll(stream, ["x"], encodeText)
          while (streams.length === 0) yield* Effect.sleep(1)
          stream.abort("cancel", cancelled)
          assert.deepStrictEqual(stream.end, { _tag: "Failed", error: cancelled })
          const recorder = recorderOf(streams[0]!)
          yield* recorder.until((stream) => stream.writeEnded !== undefined)
          const end = streams[0]!.end
          assert.strictEqual(
            end?._tag === "Failed" ? end.error.desc : end,
            "transport: RSTStream Frame received with error code: CANCEL [triggered by caller]"
          )
          assert.strictEqual(recorder.aborted, 1)
          streams[0]!.release()
        })
      )
    )

    test(
      "a server may end first, and abort with Kitex's shutdown",
      withServer(
        (stream) =>
          Effect.sync(() => {
            if (stream.method === "Stop") stream.abort("shutdown", cancelled)
            else stream.finish({ code: 0, message: "" }, [])
            stream.release()
          }),
        Effect.fnUntraced(function* ({ address }) {
          const early = yield* openStream(address)
          assert.strictEqual((yield* ended(early))._tag, "Status")
          assert.deepStrictEqual(early.writeEnded, early.end)
          const stopped = yield* openStream(address, { path: "/a.B/Stop" })
          const end = yield* ended(stopped)
          assert.strictEqual(end._tag === "Failed" ? `${end.error.code} ${end.error.desc}` : "", "14 graceful shutdown")
        })
      )
    )

    test(
      "compresses both ways",
      withServer(
        echo,
        Effect.fnUntraced(function* ({ address }) {
          const stream = yield* openStream(address, { compressor: "gzip" })
          const message = new Uint8Array(100_000)
          yield* writeAll(stream, [message, message], encodeBytes, true)
          assert.isBelow(stream.lastWrittenBytes, 1000)
          assert.deepStrictEqual([stream.lastWrittenCount, stream.lastWrittenSize * 2], [2, stream.lastWrittenBytes])
          const back = yield* read(stream, Infinity, decodeBytes)
          assert.deepStrictEqual(
            back.map((b) => b.length),
            [100_000, 100_000]
          )
          assert.strictEqual(stream.lastTakenSize, 100_000)
        })
      )
    )

    test(
      "says the sizes of what was written and taken, together and of the last",
      withServer(
        echo,
        Effect.fnUntraced(function* ({ address }) {
          const stream = yield* openStream(address)
          const refusing: Encode<Uint8Array> = (message, out) => {
            if (message.length === 7) throw new Error("not this one")
            encodeBytes(message, out)
          }
          const messages = [3, 5, 7, 11].map((size) => new Uint8Array(size))
          assert.throws(() => stream.write(messages, 0, refusing), "not this one")
          assert.deepStrictEqual([stream.lastWrittenCount, stream.lastWrittenBytes, stream.lastWrittenSize], [2, 8, 5])
          yield* writeAll(stream, [new Uint8Array(1)], encodeBytes, true)
          assert.deepStrictEqual([stream.lastWrittenCount, stream.lastWrittenBytes, stream.lastWrittenSize], [1, 1, 1])
          yield* ended(stream)
          const into: Array<Uint8Array> = []
          stream.take(decodeBytes, 2, into)
          assert.deepStrictEqual([stream.lastTakenBytes, stream.lastTakenSize], [8, 5])
          stream.take(decodeBytes, 2, into)
          assert.deepStrictEqual([stream.lastTakenBytes, stream.lastTakenSize], [1, 1])
          stream.take(decodeBytes, 2, into)
          assert.deepStrictEqual([stream.lastTakenBytes, stream.lastTakenSize], [0, 0])
        })
      )
    )
  })
}

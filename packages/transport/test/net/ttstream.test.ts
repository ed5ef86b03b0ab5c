/**
 * Streams over TTHeader, our client and our server, through sockets and through memory.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { MemoryTransport } from "../../src/index.ts"
import type { RawServerStream } from "../../src/RawStream.ts"
import type { ClientTransport, OpenRequest, ServerTransport } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { certificate } from "../support/certificate.ts"
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
  recorderOf,
  serve,
  writeAll
} from "../support/raw.ts"

const directory = mkdtempSync(join(tmpdir(), "millrace-"))
afterAll(() => rmSync(directory, { recursive: true }))
const path = join(directory, "server.sock")

interface Case {
  readonly name: string
  readonly layer: Layer.Layer<ClientTransport | ServerTransport>
  readonly address?: string
}

const cases: ReadonlyArray<Case> = [
  { name: "memory", layer: MemoryTransport.layer },
  {
    name: "memory, every byte on its own",
    layer: MemoryTransport.layerWith({ toClient: { split: [1, 700, 2, 16_384] }, toServer: { split: [3, 1, 9000] } })
  },
  { name: "TCP", layer: layers({}, {}) },
  { name: "TCP, a connection for each stream", layer: layers({}, { streamConnections: "short" }) },
  { name: "TCP, a connection for one stream at a time", layer: layers({}, { streamConnections: "pooled" }) },
  { name: "Unix socket", layer: layers({ path }, {}), address: `unix:${path}` },
  { name: "TLS", layer: layers({ tls: certificate }, { tls: { ca: certificate.cert } }) }
]

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

const open = (address: string, request: Partial<OpenRequest> = {}) =>
  openStream(address, { transport: "ttheader-streaming", ...request })

const pattern = Uint8Array.from({ length: 4 * 1024 * 1024 }, (_, i) => (i * 7) & 255)
const bytes = (size: number) => pattern.slice(0, size)

const ok = { _tag: "Status", status: { code: 0, message: "" } } as const

for (const { address: fixed, layer, name } of cases) {
  const test = <E>(
    title: string,
    handler: (stream: RawServerStream) => Effect.Effect<void>,
    body: (server: {
      readonly address: string
      readonly streams: Array<RawServerStream>
    }) => Effect.Effect<void, E, ClientTransport>
  ) =>
    it.live(title, () =>
      Effect.gen(function* () {
        const { address, streams } = yield* serve(handler)
        yield* body({ address: fixed ?? address, streams })
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

  describe(`TTHeader streaming: ${name}`, () => {
    test(
      "both ways: messages, headers and trailers",
      (stream) => {
        stream.pendingHeaders = [
          ["Header", "h"],
          ["x-bin", Uint8Array.of(0, 255)]
        ]
        return echo(stream)
      },
      Effect.fnUntraced(function* ({ address, streams }) {
        const stream = yield* open(address, {
          timeoutMillis: 60_000,
          header: {
            service: "TestService",
            method: "Echo",
            caller: "me",
            fields: { ints: [[2, "log"]], strings: [["X-Request", "错"]] }
          }
        })
        assert.strictEqual(stream.protocol, "ttheader-streaming")
        yield* writeAll(stream, ["a", "b", "c"], encodeText)
        assert.deepStrictEqual(yield* readTexts(stream, 3), ["a", "b", "c"])
        stream.closeSend()
        assert.deepStrictEqual(yield* ended(stream), ok)
        assert.strictEqual(stream.header?.get("header"), "h")
        assert.deepStrictEqual([...stream.header!.getAll("x-bin")].map(String), ["0,255"])
        assert.strictEqual(stream.trailer?.get("x-trailer"), "t")
        const { header, metadata, method, service, timeoutMillis } = streams[0]!
        assert.deepStrictEqual([service, method, timeoutMillis], ["TestService", "Echo", 60_000])
        assert.strictEqual(metadata.get("x-request"), "错")
        assert.strictEqual(header?.ints.get(2), "log")
      })
    )

    test(
      "one request and many responses",
      Effect.fnUntraced(function* (stream) {
        const [count = ""] = yield* readTexts(stream)
        yield* writeAll(
          stream,
          Array.from({ length: Number(count) }, (_, i) => `${i}`),
          encodeText
        )
        stream.finish({ code: 0, message: "" }, [])
        stream.release()
      }),
      Effect.fnUntraced(function* ({ address }) {
        const stream = yield* open(address)
        yield* writeAll(stream, ["20000"], encodeText, true)
        assert.strictEqual(stream.writeEnded, "closed")
        const texts = yield* readTexts(stream)
        assert.deepStrictEqual(
          texts,
          Array.from({ length: 20_000 }, (_, i) => `${i}`)
        )
        assert.deepStrictEqual(stream.end, ok)
      })
    )

    test(
      "many requests and one response",
      Effect.fnUntraced(function* (stream) {
        const texts = yield* readTexts(stream)
        yield* writeAll(stream, [`${texts.length}`], encodeText)
        stream.finish({ code: 0, message: "" }, [])
        stream.release()
      }),
      Effect.fnUntraced(function* ({ address }) {
        const stream = yield* open(address)
        yield* writeAll(
          stream,
          Array.from({ length: 20_000 }, (_, i) => `${i}`),
          encodeText,
          true
        )
        assert.deepStrictEqual(yield* readTexts(stream), ["20000"])
        assert.deepStrictEqual(stream.end, ok)
      })
    )

    test(
      "a status without messages",
      Effect.fnUntraced(function* (stream) {
        const texts = yield* readTexts(stream)
        stream.finish(
          { code: 13, message: `no ${texts.join()} 错`, biz: { code: 404, extra: { k: "v" } }, retryAfterMillis: 250 },
          [["t", "1"]]
        )
        stream.release()
      }),
      Effect.fnUntraced(function* ({ address }) {
        const stream = yield* open(address)
        yield* writeAll(stream, ["x"], encodeText, true)
        const end = yield* ended(stream)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(end)), {
          _tag: "Status",
          status: { code: 13, message: "no x 错", biz: { code: 404, extra: { k: "v" } }, retryAfterMillis: 250 }
        })
        assert.strictEqual(stream.trailer?.get("t"), "1")
        assert.deepStrictEqual([...stream.header!.keys()], [])
      })
    )

    test(
      "messages of every size up to 4 MiB",
      echo,
      Effect.fnUntraced(function* ({ address }) {
        const stream = yield* open(address)
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

    test(
      "a cancelled stream is cancelled at the server, which hears why",
      (stream) => Effect.sync(() => void recorderOf(stream)),
      Effect.fnUntraced(function* ({ address, streams }) {
        const stream = yield* open(address)
        yield* writeAll(stream, ["x"], encodeText)
        while (streams.length === 0) yield* Effect.sleep(1)
        stream.abort("cancel", cancelled, { code: 12007, text: "enough", path: ["a", "b"] })
        assert.deepStrictEqual(stream.end, { _tag: "Failed", error: cancelled })
        const recorder = recorderOf(streams[0]!)
        yield* recorder.until((stream) => stream.writeEnded !== undefined)
        const end = streams[0]!.end
        assert.include(end?._tag === "Failed" ? end.error.desc : "", "a -> b")
        assert.strictEqual(recorder.aborted, 1)
        streams[0]!.release()
      })
    )

    test(
      "a server may end first, and abort",
      (stream) =>
        Effect.sync(() => {
          if (stream.method === "Stop") stream.abort("shutdown", cancelled)
          else stream.finish({ code: 0, message: "" }, [])
          stream.release()
        }),
      Effect.fnUntraced(function* ({ address }) {
        const early = yield* open(address)
        assert.deepStrictEqual(yield* ended(early), ok)
        assert.deepStrictEqual(early.writeEnded, early.end)
        const stopped = yield* open(address, { path: "/a.B/Stop" })
        const end = yield* ended(stopped)
        assert.strictEqual(end._tag === "Failed" ? end.error.code : end, 14)
      })
    )
  })
}

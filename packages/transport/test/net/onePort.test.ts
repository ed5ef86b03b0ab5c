import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type * as tls from "node:tls"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { MemoryTransport } from "../../src/index.ts"
import type { NodeTransport } from "../../src/node/index.ts"
import type { ConnectionMode, Encoding, RawServerCall } from "../../src/RawCall.ts"
import type { RawServerStream } from "../../src/RawStream.ts"
import { type ClientTransport, ServerTransport } from "../../src/Transport.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { concat, data, fromHex, RawPeer, settings, text, uint32 } from "../http2/raw.ts"
import { call, target } from "../support/calls.ts"
import { certificate, nameCertificate } from "../support/certificate.ts"
import { layers } from "../support/layers.ts"
import { decodeBytes, echo, encodeBytes, encodeText, ended, openStream, readTexts, writeAll } from "../support/raw.ts"
import {
  buffered,
  framed,
  streamData,
  streamHeader,
  streamTrailer,
  ttheader,
  ttheaderFramed,
  withText
} from "../support/thrift.ts"
import { type Wire, wire } from "../support/wire.ts"

const directory = mkdtempSync(join(tmpdir(), "millrace-"))
afterAll(() => rmSync(directory, { recursive: true }))

const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const modes: ReadonlyArray<ConnectionMode> = ["pooled", "short", "multiplexed", "auto"]

const answerCall = (call: RawServerCall) => void call.reply(call.take(decodeBytes), encodeBytes)

/** Listens; streams and calls are echoed unless something else is done with them. */
const listen = (
  handlers: {
    readonly onCall?: (call: RawServerCall) => void
    readonly onStream?: (stream: RawServerStream) => Effect.Effect<void>
  } = {}
) =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const fork = Effect.runForkWith(yield* Effect.context())
    const calls: Array<RawServerCall> = []
    const listening = yield* server.listen({
      onStream: (stream) => void fork((handlers.onStream ?? echo)(stream)),
      onCall: (call) => {
        calls.push(call)
        ;(handlers.onCall ?? answerCall)(call)
      }
    })
    const { port } = listening.address
    return { address: `127.0.0.1:${port}`, calls, listening, port }
  })

/** A struct of short strings, as text. */
const struct = (value: string): string =>
  value.replace(/.{1,100}/g, (part) => `\v\0\x01\0\0\0${String.fromCharCode(part.length)}${part}`) + "\0"

const preface = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const headers = [":method", "POST", ":scheme", "http", ":path", "/a.B/C", "content-type", "application/grpc+thrift"]

/** One stream of HTTP/2 that sends one message and reads its echo. */
const http2Exchange = (): { readonly request: Uint8Array; readonly found: (received: Uint8Array) => boolean } => {
  const message = concat([Uint8Array.of(0), uint32(5), text("hello")])
  return {
    request: concat([preface, settings(), new RawPeer().headers(1, headers), data(1, message, true)]),
    found: (received) => Buffer.from(received).includes("hello")
  }
}

const forms = { buffered, framed, ttheader, "ttheader-framed": ttheaderFramed } as const

interface Exchange {
  readonly request: Uint8Array
  readonly found: (received: Uint8Array) => boolean
}

const callExchange = (encoding: Encoding): Exchange => {
  const message = { body: withText("hello"), sequenceId: 77 }
  const answer = forms[encoding]({ ...message, type: 2 }, { ints: [[22, "2"]] })
  return { request: forms[encoding](message), found: (received) => Buffer.from(answer).equals(received) }
}

/** One stream over TTHeader that sends one message and reads its echo. */
const streamExchange = (): Exchange => {
  const request = concat([streamHeader(9), streamData(9, withText("hello")), streamTrailer(9)])
  return { request, found: (received) => Buffer.from(received).includes("hello") }
}

const exchanges: ReadonlyArray<readonly [string, () => Exchange]> = [
  ["HTTP/2", http2Exchange],
  ["TTHeader streaming", streamExchange],
  ...encodings.map((encoding) => [encoding, () => callExchange(encoding)] as const)
]

const exchange = ({ found, request }: Exchange, peer: Wire, oneByOne: boolean) =>
  Effect.gen(function* () {
    const first = oneByOne ? 24 : 0
    yield* peer.trickle(request.slice(0, first))
    yield* peer.send(request.slice(first))
    yield* peer.until(() => peer.closed || found(peer.received))
    assert.isTrue(found(peer.received))
  })

/** So many of the first of them are refused before the client is silent for long. */
const refusedAtOnce = 5
const junk: ReadonlyArray<Uint8Array> = [
  text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  fromHex("160301020001fc0303" + "00".repeat(200)),
  new Uint8Array(100),
  new Uint8Array(70_000).fill(0xff),
  text("SSH-2.0-OpenSSH_9.2\r\n"),
  fromHex("000000044563686f0100000001"),
  preface.slice(0, 8),
  concat([preface, new Uint8Array(100).fill(0xee)]),
  concat([uint32(0x7fffffff), fromHex("80010001")]),
  concat([uint32(0x7fffffff), fromHex("10000000000000010001")]),
  fromHex("0000002c10000000000000010000"),
  streamHeader(1),
  concat([streamHeader(1), new Uint8Array(100)]),
  Uint8Array.of(1),
  new Uint8Array(0)
]

const handshakeTimeout = 700

const tlsCase = { tls: certificate }
const trusting: tls.ConnectionOptions = { ca: certificate.cert, servername: "localhost" }

const ports: ReadonlyArray<{
  readonly name: string
  readonly layer: (options: NodeTransport.ServerOptions) => Layer.Layer<ClientTransport | ServerTransport>
  readonly secure?: tls.ConnectionOptions
}> = [
  { name: "TCP", layer: (options) => layers(options, {}) },
  {
    name: "TLS",
    layer: (options) => layers({ ...tlsCase, ...options }, { tls: { ca: certificate.cert } }),
    secure: trusting
  }
]

for (const { layer, name, secure } of ports) {
  describe(`one port over ${name}`, () => {
    const test = (
      title: string,
      body: Effect.Effect<void, TransportError, ClientTransport | ServerTransport | Scope.Scope>,
      options: NodeTransport.ServerOptions = {}
    ) =>
      it.live(
        title,
        () => body.pipe(Effect.scoped, Effect.provide(layer(options)), Effect.provide(Logger.layer([]))),
        20_000
      )

    test(
      "serves every protocol, found out from its first bytes, in one piece and one by one",
      Effect.gen(function* () {
        const { port } = yield* listen()
        for (const oneByOne of [false, true]) {
          for (const [, make] of exchanges) yield* exchange(make(), yield* wire(port, secure), oneByOne)
        }
      })
    )

    test(
      "serves them all at once under load, with junk between them",
      Effect.gen(function* () {
        const { address, calls, port } = yield* listen()
        // A handshake of TLS is dear.
        const rounds = secure === undefined ? 60 : 15
        const streams = Effect.forEach(
          Array.from({ length: 40 }),
          (_, i) =>
            Effect.gen(function* () {
              const stream = yield* openStream(address, { transport: i % 2 === 0 ? "grpc" : "ttheader-streaming" })
              const sent = Array.from({ length: rounds }, (_, k) => `${i}.${k}`)
              for (const message of sent) {
                yield* writeAll(stream, [message], encodeText)
                assert.deepStrictEqual(yield* readTexts(stream, 1), [message])
              }
              stream.closeSend()
              assert.strictEqual((yield* ended(stream))._tag, "Status")
            }),
          { concurrency: "unbounded" }
        )
        const ownCalls = Effect.forEach(
          encodings.flatMap((encoding) => modes.map((connection) => ({ connection, encoding }))),
          (kind) =>
            Effect.forEach(
              Array.from({ length: rounds }),
              (_, k) =>
                Effect.gen(function* () {
                  const body = struct(`${kind.encoding} ${kind.connection} ${k} `.repeat(1 + (k % 7) * 100))
                  assert.strictEqual(yield* call(target(address, kind), body), body)
                }),
              { concurrency: 8 }
            ),
          { concurrency: "unbounded" }
        )
        const rawCalls = Effect.forEach(
          Array.from({ length: 48 }),
          (_, k) =>
            Effect.scoped(
              Effect.gen(function* () {
                const [, make] = exchanges[k % exchanges.length]!
                yield* exchange(make(), yield* wire(port, secure), k % 2 === 0)
              })
            ),
          { concurrency: 10 }
        )
        const noise = Effect.forEach(
          Array.from({ length: 70 }),
          (_, k) =>
            Effect.scoped(
              Effect.gen(function* () {
                const peer = yield* wire(port, secure)
                yield* peer.send(junk[k % junk.length]!)
                if (k % junk.length < refusedAtOnce && k % 2 === 0) yield* peer.untilClosed
              })
            ),
          { concurrency: 10 }
        )
        yield* Effect.all([streams, ownCalls, rawCalls, noise], { concurrency: "unbounded" })
        assert.strictEqual(calls.length, encodings.length * modes.length * rounds + 32)
      })
    )

    test(
      "closes whatever stops at any byte of its first message, and nothing else",
      Effect.gen(function* () {
        const { port } = yield* listen()
        const honest = yield* wire(port, secure)
        yield* exchange(callExchange("framed"), honest, false)
        const bytes = [
          ...encodings.map((encoding) => forms[encoding]({ body: withText("hi") })),
          preface,
          streamHeader(1)
        ]
        const all = bytes.flatMap((whole) => Array.from(whole, (_, i) => whole.slice(0, i)))
        const prefixes = secure === undefined ? all : all.filter((_, i) => i % 5 === 0)
        const from = performance.now()
        yield* Effect.forEach(
          prefixes,
          (prefix) =>
            Effect.gen(function* () {
              const peer = yield* wire(port, secure)
              yield* peer.send(prefix)
              yield* peer.untilClosed
            }).pipe(Effect.scoped),
          { concurrency: "unbounded" }
        )
        assert.isAbove(performance.now() - from, handshakeTimeout)
        assert.isFalse(honest.closed)
        const again = callExchange("framed")
        yield* honest.send(again.request)
        yield* honest.read(honest.length * 2)
        assert.isFalse(honest.closed)
      }),
      { handshakeTimeout }
    )

    test(
      "lets running calls end when it drains, and closes what is silent, detected or not",
      Effect.gen(function* () {
        const running: Array<RawServerCall> = []
        const { address, listening, port } = yield* listen({ onCall: (call) => running.push(call) })
        const fresh = yield* wire(port, secure)
        const half = yield* wire(port, secure)
        yield* half.send(preface.slice(0, 5))
        const busy = yield* wire(port, secure)
        yield* busy.send(callExchange("framed").request)
        const stream = yield* openStream(address)
        yield* writeAll(stream, ["a"], encodeText)
        yield* readTexts(stream, 1)
        while (running.length === 0) yield* Effect.sleep(1)

        const drained = yield* Effect.forkChild(listening.drain, { startImmediately: true })
        yield* Effect.all([fresh.untilClosed, half.untilClosed])
        assert.isFalse(busy.closed)
        assert.strictEqual(drained.pollUnsafe(), undefined)
        stream.closeSend()
        assert.strictEqual((yield* ended(stream))._tag, "Status")
        yield* Effect.sleep(150)
        assert.isFalse(busy.closed)
        running[0]!.reply(withText("hello"), encodeBytes)
        yield* busy.untilClosed
        assert.isTrue(callExchange("framed").found(busy.received))
        yield* Fiber.join(drained)
      })
    )
  })
}

describe("over TLS", () => {
  const secured = (body: Effect.Effect<void, TransportError, ClientTransport | ServerTransport | Scope.Scope>) =>
    body.pipe(Effect.scoped, Effect.provide(layers(tlsCase, { tls: { ca: certificate.cert } })))

  it.live("HTTP/2 is agreed on, or told by its preface; a client that wants only something else is refused", () =>
    secured(
      Effect.gen(function* () {
        const { port } = yield* listen()
        const agreed = yield* wire(port, { ...trusting, ALPNProtocols: ["h2", "http/1.1"] })
        yield* agreed.read(9)
        // SETTINGS, before the client has said anything
        assert.strictEqual(agreed.received[3], 4)
        yield* agreed.send(http2Exchange().request)
        yield* agreed.until(() => http2Exchange().found(agreed.received))
        const silent = yield* wire(port, trusting)
        yield* Effect.sleep(30)
        assert.strictEqual(silent.length, 0)
        const other = yield* wire(port, { ...trusting, ALPNProtocols: ["http/1.1"] })
        yield* other.untilClosed
        assert.match(other.error!, /ALERT_NO_APPLICATION_PROTOCOL/)
      })
    )
  )

  it.live("calls know their peer's address and the subject of its certificate", () =>
    Effect.gen(function* () {
      const { calls, port } = yield* listen()
      const peer = yield* wire(port, { ...trusting, ...certificate })
      yield* exchange(callExchange("ttheader"), peer, false)
      const { localPort } = peer.socket
      assert.deepStrictEqual(calls[0]!.peer, { address: `127.0.0.1:${localPort}`, subject: "localhost" })
    }).pipe(
      Effect.scoped,
      Effect.provide(layers({ tls: { ...certificate, requestCert: true, ca: certificate.cert } }, {}))
    )
  )

  it.live("but not the subject of one that nobody vouches for", () =>
    Effect.gen(function* () {
      const { calls, port } = yield* listen()
      const peer = yield* wire(port, { ...trusting, ...nameCertificate })
      yield* exchange(callExchange("ttheader"), peer, false)
      assert.deepStrictEqual(calls[0]!.peer, { address: `127.0.0.1:${peer.socket.localPort}` })
    }).pipe(
      Effect.scoped,
      Effect.provide(
        layers({ tls: { ...certificate, requestCert: true, rejectUnauthorized: false, ca: certificate.cert } }, {})
      )
    )
  )
})

describe("warnings", () => {
  it.live("tell of strangers and broken connections, by address", () => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(
      ({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`)
    )
    return Effect.gen(function* () {
      const { port } = yield* listen()
      const told = (bytes: Uint8Array) =>
        Effect.gen(function* () {
          const peer = yield* wire(port)
          const address = `127.0.0.1:${peer.socket.localPort}`
          yield* peer.send(bytes)
          yield* peer.untilClosed
          assert.lengthOf(lines, 1)
          return lines.pop()!.replace(address, "ADDRESS")
        })
      assert.strictEqual(
        yield* told(text("GET / HTTP/1.1\r\n\r\n")),
        "Warn unknown protocol: connection of ADDRESS closed, its first bytes are 474554202f20485454502f312e310d0a (an HTTP/1 request)"
      )
      assert.strictEqual(
        yield* told(concat([streamHeader(1), ttheader({})])),
        "Warn TTHeader streaming connection of ADDRESS closed: unexpected header flags: 0"
      )
      assert.strictEqual(
        yield* told(concat([framed({}), text("GET / HTTP/1.1\r\n\r\n")])),
        "Warn PingPong connection of ADDRESS closed: invalid payload (first4Bytes=0x47455420, second4Bytes=0x2f204854)"
      )
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})), Effect.provide(Logger.layer([logger])))
  })
})

describe("a server whose scope closes", () => {
  it.live("leaves no socket, whether its protocol is known or not, and tells calls", () =>
    Effect.gen(function* () {
      const handles = () => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe/.test(name)).length
      const before = handles()
      const aborted: Array<string> = []
      const peers = yield* Effect.gen(function* () {
        const { calls, port } = yield* listen({
          onCall: (call) => {
            call.onAbort = (error) => aborted.push(error.desc)
          }
        })
        // The connections outlive the server's scope.
        const scope = yield* Scope.make()
        const open = Effect.provideService(wire(port), Scope.Scope, scope)
        const [silent, half, busy] = [yield* open, yield* open, yield* open]
        yield* half.send(preface.slice(0, 5))
        yield* busy.send(callExchange("framed").request)
        while (calls.length === 0) yield* Effect.sleep(1)
        return { peers: [silent, half, busy], scope }
      }).pipe(Effect.scoped)
      yield* Effect.forEach(peers.peers, (peer) => peer.untilClosed)
      yield* Scope.close(peers.scope, Exit.void)
      assert.deepStrictEqual(aborted, ["connection closed: the transport was closed"])
      yield* Effect.sleep(20)
      assert.isAtMost(handles(), before)
    }).pipe(Effect.provide(layers({}, {})))
  )
})

describe("an accepted socket", () => {
  it.live.runIf(process.platform === "linux")("has TCP keepalive", () =>
    Effect.gen(function* () {
      const { port } = yield* listen()
      const peer = yield* wire(port)
      yield* exchange(callExchange("framed"), peer, false)
      const hex = (port: number) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`
      const line = readFileSync("/proc/net/tcp", "utf8")
        .split("\n")
        .find((line) => line.includes(`${hex(port)} ${hex(peer.socket.localPort!)}`))!
      // The timer: 2 is the one of keepalive.
      assert.match(line, /^ *\d+: \S+ \S+ 01 \S+ 02:/)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )
})

describe("a client that never reads", () => {
  it.live(
    "costs bounded memory, and is cut off in its time; others do not notice",
    () =>
      Effect.gen(function* () {
        const { address, calls, port } = yield* listen()
        const peer = yield* wire(port)
        peer.socket.pause()
        const message = framed({ body: withText("x".repeat(60_000)) })
        const used = () => {
          const { arrayBuffers, heapUsed } = process.memoryUsage()
          return arrayBuffers + heapUsed
        }
        const before = used()
        let most = 0
        let sent = 0
        for (; sent < 1000; sent++) {
          const taken = yield* peer.send(message).pipe(Effect.timeoutOption(200))
          if (taken._tag === "None") break
          most = Math.max(most, used() - before)
        }
        assert.isBelow(sent, 1000)
        assert.isBelow(calls.length, 1000)
        assert.isBelow(most, 100 * 1024 * 1024)
        assert.strictEqual(yield* call(target(address), struct("still here")), struct("still here"))
        assert.isFalse(peer.closed)
        yield* Effect.sleep(700)
        peer.socket.resume()
        yield* peer.untilClosed
      }).pipe(Effect.scoped, Effect.provide(layers({ stalledWriteTimeout: 500 }, {}))),
    20_000
  )
})

describe("calls of our client", () => {
  const socket = join(directory, "server.sock")
  const cases: ReadonlyArray<{
    readonly name: string
    readonly layer: Layer.Layer<ClientTransport | ServerTransport>
    readonly address?: string
  }> = [
    { name: "memory", layer: MemoryTransport.layer },
    {
      name: "memory, every byte on its own",
      layer: MemoryTransport.layerWith({ toServer: { split: [1, 700, 2] }, toClient: { split: [3, 1, 9000] } })
    },
    { name: "Unix socket", layer: layers({ path: socket }, {}), address: `unix:${socket}` }
  ]
  for (const { address: fixed, layer, name } of cases) {
    it.live(`are answered over ${name}, in every encoding and mode, beside streams`, () =>
      Effect.gen(function* () {
        const server = yield* listen()
        const address = fixed ?? server.address
        const stream = yield* openStream(address)
        yield* writeAll(stream, ["a"], encodeText)
        for (const encoding of encodings) {
          for (const connection of modes) {
            for (const size of [1, 100, 100_000]) {
              const body = struct("x".repeat(size))
              assert.strictEqual(yield* call(target(address, { connection, encoding }), body), body)
            }
          }
        }
        yield* writeAll(stream, ["b"], encodeText, true)
        assert.deepStrictEqual(yield* readTexts(stream), ["a", "b"])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }

  it.effect("in memory leave idle connections that a drain closes while the TestClock stands still", () =>
    Effect.gen(function* () {
      const { listening } = yield* listen()
      for (const encoding of encodings) {
        for (const connection of modes) {
          assert.strictEqual(yield* call(target("memory", { connection, encoding }), struct("x")), struct("x"))
        }
      }
      yield* listening.drain
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )

  it.effect("over sockets leave connections that a drain closes while the TestClock stands still", () =>
    Effect.gen(function* () {
      const { address, listening } = yield* listen()
      assert.strictEqual(yield* call(target(address), struct("x")), struct("x"))
      yield* listening.drain
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.effect("stop in memory at a silent client, by the clock", () =>
    Effect.gen(function* () {
      const { calls } = yield* listen()
      const body = struct("x".repeat(5000))
      const fiber = yield* Effect.forkChild(Effect.flip(call(target("memory"), body)), { startImmediately: true })
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.lengthOf(calls, 0)
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layerWith({ toServer: { stallAt: 3000 } })))
  )
})

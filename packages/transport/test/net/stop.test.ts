import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import * as net from "node:net"
import * as tls from "node:tls"
import { MemoryTransport } from "../../src/index.ts"
import type { Encoding, RawServerCall } from "../../src/RawCall.ts"
import { ServerTransport } from "../../src/Transport.ts"
import { call, target } from "../support/calls.ts"
import { certificate } from "../support/certificate.ts"
import { layers } from "../support/layers.ts"
import { decodeBytes, encodeBytes } from "../support/raw.ts"
import { framed, ttheaderFramed, withText } from "../support/thrift.ts"
import { Wire, wire } from "../support/wire.ts"

const listen = Effect.gen(function* () {
  const server = yield* ServerTransport
  const calls: Array<RawServerCall> = []
  const listening = yield* server.listen({
    onStream: () => {},
    onCall: (call) => {
      calls.push(call)
      call.reply(call.take(decodeBytes), encodeBytes)
    }
  })
  const { port } = listening.address
  return { address: `127.0.0.1:${port}`, calls, drain: listening.drain, port }
})

const forms = { framed, "ttheader-framed": ttheaderFramed } as const
const encodings = ["framed", "ttheader-framed"] as const satisfies ReadonlyArray<Encoding>
const requestOf = (encoding: keyof typeof forms) => forms[encoding]({ body: withText("hello") })
const answered = (peer: Wire) => Buffer.from(peer.received).includes("hello")
const toldToGo = (peer: Wire) => Buffer.from(peer.received).includes("crrst")

/** Nothing in this process runs meanwhile; the kernel does. */
const block = (millis: number) =>
  Effect.sync(() => {
    for (const until = performance.now() + millis; performance.now() < until;);
  })

const refuses = (port: number) =>
  Effect.gen(function* () {
    const peer = yield* wire(port)
    yield* peer.untilClosed
    assert.strictEqual(peer.error, "ECONNREFUSED")
  })

describe("a server that drains", () => {
  for (const encoding of encodings) {
    it.live(`${encoding}: answers whoever the kernel has connected, however many, and closes behind the answer`, () =>
      Effect.gen(function* () {
        const { calls, drain, port } = yield* listen
        const drained = yield* Effect.forkChild(drain, { startImmediately: true })
        const sockets = Array.from({ length: 60 }, () => net.connect(port, "127.0.0.1"))
        const peers = sockets.map((socket) => new Wire(socket))
        // They connect at the end of this tick, and behind it the time is over in which the server waits for them.
        yield* Effect.callback<void>((resume) => process.nextTick(() => resume(block(100))))
        assert.lengthOf(calls, 0)
        for (const socket of sockets) socket.write(requestOf(encoding))
        yield* Effect.forEach(peers, (peer) => peer.untilClosed)
        for (const peer of peers) {
          assert.isUndefined(peer.error)
          assert.isTrue(answered(peer))
          assert.strictEqual(toldToGo(peer), encoding === "ttheader-framed")
        }
        yield* Fiber.join(drained)
        yield* refuses(port)
      }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
    )

    it.live(`${encoding}: loses no call of clients that connect again and again`, () =>
      Effect.gen(function* () {
        const { calls, drain, port } = yield* listen
        const ends: Array<string> = []
        const client = Effect.gen(function* () {
          for (;;) {
            const peer = yield* wire(port)
            if (peer.closed) return void ends.push(peer.error ?? "closed")
            yield* peer.send(requestOf(encoding))
            yield* peer.until(() => answered(peer) || peer.closed)
            if (!answered(peer)) return void ends.push(`lost: ${peer.error}`)
            peer.socket.destroy()
          }
        }).pipe(Effect.scoped)
        const clients = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkChild(client))
        while (calls.length < 100) yield* Effect.sleep(1)
        yield* drain
        yield* Effect.forEach(clients, Fiber.join)
        assert.deepStrictEqual(
          ends,
          clients.map(() => "ECONNREFUSED")
        )
      }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
    )

    it.live(
      `${encoding}: answers a call that came while the process had no time, before it takes a client as silent`,
      () =>
        Effect.gen(function* () {
          const { drain, port } = yield* listen
          const peer = yield* wire(port)
          yield* peer.send(requestOf(encoding))
          yield* peer.until(() => answered(peer))
          const length = peer.length
          const drained = yield* Effect.forkChild(drain, { startImmediately: true })
          yield* peer.send(requestOf(encoding))
          yield* block(100)
          yield* peer.untilClosed
          assert.isAbove(peer.length, length)
          yield* Fiber.join(drained)
        }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
    )
  }

  it.live("leaves no listener when nobody waits for its end any more", () =>
    Effect.gen(function* () {
      const { drain, port } = yield* listen
      const drained = yield* Effect.forkChild(drain, { startImmediately: true })
      yield* Fiber.interrupt(drained)
      yield* refuses(port)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("may be told so by several", () =>
    Effect.gen(function* () {
      const { drain, port } = yield* listen
      yield* Effect.all([drain, drain, Effect.delay(drain, 20)], { concurrency: "unbounded" })
      yield* drain
      yield* refuses(port)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.effect("in memory answers who comes at once, and ends while the TestClock stands still", () =>
    Effect.gen(function* () {
      const { calls, drain } = yield* listen
      const drained = yield* Effect.forkChild(drain, { startImmediately: true })
      for (const encoding of encodings) {
        assert.strictEqual(yield* call(target("memory", { connection: "short", encoding }), "\0"), "\0")
      }
      yield* Fiber.join(drained)
      assert.lengthOf(calls, 2)
      const error = yield* Effect.flip(call(target("memory", { connection: "short" }), "\0"))
      assert.strictEqual(error.reason._tag, "ConnectFailed")
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )
})

describe("a server whose scope closes", () => {
  it.live("closes a connection whose TLS handshake ends later", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(listen, scope)
      const plain = yield* wire(port)
      // The server has it.
      yield* Effect.sleep(50)
      yield* Scope.close(scope, Exit.void)
      const socket = tls.connect({ socket: plain.socket, ca: certificate.cert, servername: "localhost" })
      const peer = new Wire(socket)
      yield* peer.untilClosed
    }).pipe(Effect.scoped, Effect.provide(layers({ tls: certificate }, {})))
  )
})

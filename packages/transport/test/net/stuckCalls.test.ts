import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, type Scope } from "effect"
import type { RawServerCall } from "../../src/RawCall.ts"
import type { NodeTransport } from "../../src/node/index.ts"
import { type ClientTransport, ServerTransport } from "../../src/Transport.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { concat } from "../http2/raw.ts"
import { call, lease, outgoing, target, until, Waiter } from "../support/calls.ts"
import { certificate } from "../support/certificate.ts"
import { layers } from "../support/layers.ts"
import { decodeBytes, encodeBytes } from "../support/raw.ts"
import { framed } from "../support/thrift.ts"
import { wire } from "../support/wire.ts"

/** A server over real sockets whose calls end when the test says so, unless they are told to echo. */
const listen = (isStuck: (call: RawServerCall) => boolean) =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const stuck: Array<RawServerCall> = []
    const aborted = new Set<RawServerCall>()
    const listening = yield* server.listen({
      onStream: (stream) => stream.release(),
      onCall: (call) => {
        if (!isStuck(call)) return void call.reply(call.take(decodeBytes), encodeBytes)
        stuck.push(call)
        call.onAbort = () => void aborted.add(call)
      }
    })
    return { aborted, address: `127.0.0.1:${listening.address.port}`, port: listening.address.port, stuck }
  })

const test = (
  title: string,
  body: Effect.Effect<void, TransportError, ClientTransport | ServerTransport | Scope.Scope>,
  server: NodeTransport.ServerOptions = {}
) =>
  it.live(
    title,
    () => body.pipe(Effect.scoped, Effect.provide(layers(server, {})), Effect.provide(Logger.layer([]))),
    20_000
  )

const requests = (count: number) => concat(Array.from({ length: count }, (_, i) => framed({ sequenceId: i + 1 })))

describe("calls that never end", () => {
  for (const tls of [false, true]) {
    test(
      `are interrupted when their client goes, though the connection was full${tls ? ", over TLS" : ""}`,
      Effect.gen(function* () {
        const { aborted, port, stuck } = yield* listen(() => true)
        const peer = yield* wire(port, tls ? { ca: certificate.cert, servername: "localhost" } : undefined)
        yield* peer.send(requests(300))
        yield* until(() => stuck.length === 256)
        // More chunks than one are behind them.
        for (let i = 0; i < 3; i++) {
          yield* Effect.sleep(50)
          yield* peer.send(requests(100))
        }
        yield* Effect.sleep(1200)
        peer.socket.destroy()
        const since = performance.now()
        yield* until(() => aborted.size === 256)
        assert.isBelow(performance.now() - since, 5000)
        assert.lengthOf(stuck, 256)
      }),
      tls ? { tls: certificate } : {}
    )
  }

  test(
    "do not use up a connection: a client counts those that it abandoned until the server has ended them",
    Effect.gen(function* () {
      const { aborted, address, stuck } = yield* listen(({ method }) => method === "Stuck")
      const to = target(address, { connection: "multiplexed", encoding: "ttheader-framed" })
      const struct = "\0"
      for (let i = 0; i < 300; i++) {
        if (i % 32 === 0) assert.strictEqual(yield* call(to, struct), struct)
        const leased = yield* lease(to)
        leased.send(outgoing(struct, new Waiter(), { method: "Stuck" })).abandon()
      }
      yield* until(() => aborted.size === 300)
      assert.strictEqual(yield* call(to, struct), struct)
      const ports = new Map<string, number>()
      for (const { peer } of stuck) ports.set(peer.address, (ports.get(peer.address) ?? 0) + 1)
      assert.deepStrictEqual([...ports.values()], [128, 128, 44])

      // They end, and their places are free.
      for (const each of stuck.splice(0)) each.finish()
      yield* Effect.sleep(50)
      for (let i = 0; i < 100; i++) {
        const leased = yield* lease(to)
        leased.send(outgoing(struct, new Waiter(), { method: "Stuck" })).abandon()
      }
      yield* until(() => stuck.length === 100)
      for (const { peer } of stuck) assert.isTrue(ports.has(peer.address))
    })
  )
})

describe("a log", () => {
  it.live("is not filled by bad connections, however many come", () => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
    return Effect.gen(function* () {
      const { port } = yield* listen(() => false)
      for (let i = 0; i < 30; i++) {
        const peer = yield* wire(port)
        // Half of them are taken for PingPong first.
        if (i % 2 === 0) yield* peer.send(framed({}))
        yield* peer.send(new Uint8Array(20).fill(0xee))
        yield* peer.untilClosed
      }
      assert.isAtLeast(lines.length, 20)
      assert.isAtMost(lines.length, 25)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})), Effect.provide(Logger.layer([logger])))
  })
})

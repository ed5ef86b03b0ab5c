import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { MemoryTransport } from "../../src/index.ts"
import { NodeTransport } from "../../src/node/index.ts"
import type { RawPeer } from "../../src/RawStream.ts"
import type { ClientTransport, ServerTransport } from "../../src/Transport.ts"
import type { ServerOptions } from "../../src/TransportOptions.ts"
import { until } from "../support/calls.ts"
import { certificate } from "../support/certificate.ts"
import { layers } from "../support/layers.ts"
import { echo, ended, openStream, serve, writeAll, encodeText } from "../support/raw.ts"

const directory = mkdtempSync(join(tmpdir(), "millrace-"))
afterAll(() => rmSync(directory, { recursive: true }))
const path = join(directory, "server.sock")

/** At most so many at once, and what was seen of them. */
const atMost = (most: number) => {
  const seen = { peers: [] as Array<RawPeer>, now: 0, gone: 0 }
  const acceptConnection = (peer: RawPeer) => {
    seen.peers.push(peer)
    if (seen.now === most) return undefined
    seen.now++
    return () => {
      seen.now--
      seen.gone++
    }
  }
  return { seen, acceptConnection }
}

interface Case {
  readonly name: string
  readonly layer: (options: ServerOptions) => Layer.Layer<ClientTransport | ServerTransport>
  readonly peer: RegExp
  readonly address?: string
}

const cases: ReadonlyArray<Case> = [
  { name: "memory", layer: (server) => MemoryTransport.layerWith({ server }), peer: /^memory$/ },
  { name: "TCP", layer: (server) => layers(server, {}), peer: /^127\.0\.0\.1:\d+$/ },
  {
    name: "a Unix socket",
    layer: (server) => layers({ ...server, path }, {}),
    peer: /^unix:/,
    address: `unix:${path}`
  },
  {
    name: "TLS",
    layer: (server) => layers({ ...server, tls: certificate }, { tls: { ca: certificate.cert } }),
    peer: /^127\.0\.0\.1:\d+$/
  }
]

const use = (address: string) =>
  Effect.gen(function* () {
    const stream = yield* openStream(address)
    yield* writeAll(stream, ["x"], encodeText, true)
    return yield* ended(stream)
  })

/** A client of its own, whose connections end with the scope. */
const otherClient =
  (layer: Layer.Layer<ClientTransport>) =>
  <A, E>(effect: Effect.Effect<A, E, ClientTransport>) =>
    Effect.scoped(Effect.flatMap(Layer.build(layer), (context) => Effect.provideContext(effect, context)))

for (const { address: fixed, layer, name, peer } of cases) {
  describe(`connections over ${name}`, () => {
    it.live("are refused where the rule says so, and it hears when one has gone", () => {
      const { acceptConnection, seen } = atMost(1)
      return Effect.gen(function* () {
        const { address: found, listening } = yield* serve(echo)
        const address = fixed ?? found
        const first = yield* openStream(address)
        assert.deepStrictEqual([seen.now, seen.gone], [1, 0])
        assert.match(seen.peers[0]!.address, peer)
        // Another address to the client, the same server: another connection.
        const other = address.replace("127.0.0.1", "localhost").replace("unix:", "unix://")
        const refused = yield* Effect.flip(openStream(other === address ? "elsewhere" : other))
        assert.strictEqual(refused.reason._tag, "ConnectFailed")
        assert.deepStrictEqual([seen.peers.length, seen.now, seen.gone], [2, 1, 0])
        first.closeSend()
        yield* ended(first)
        yield* listening.drain
        yield* until(() => seen.now === 0)
        assert.deepStrictEqual([seen.peers.length, seen.gone], [2, 1])
      }).pipe(Effect.scoped, Effect.provide(layer({ acceptConnection })))
    })

    it.live("are refused where the rule throws, which is logged", () => {
      const logged: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
      return Effect.gen(function* () {
        const { address } = yield* serve(echo)
        const refused = yield* Effect.flip(openStream(fixed ?? address))
        assert.strictEqual(refused.reason._tag, "ConnectFailed")
        yield* until(() => logged.length > 0)
        assert.match(logged[0]!, /^acceptConnection threw for .*: Error: oops$/)
      }).pipe(
        Effect.scoped,
        Effect.provide(
          layer({
            acceptConnection: () => {
              throw new Error("oops")
            }
          })
        ),
        Effect.provide(logger)
      )
    })
  })
}

it.live("what throws when a connection has gone is logged, and harms nobody", () => {
  const logged: Array<string> = []
  const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
  const acceptConnection = () => () => {
    throw new Error("oops")
  }
  return Effect.gen(function* () {
    const { address } = yield* serve(echo)
    yield* otherClient(NodeTransport.layerClient)(use(address))
    yield* until(() => logged.length > 0)
    assert.match(logged[0]!, /^acceptConnection threw for 127\.0\.0\.1:\d+: Error: oops$/)
    assert.strictEqual((yield* use(address))._tag, "Status")
  }).pipe(Effect.scoped, Effect.provide(layers({ acceptConnection }, {})), Effect.provide(logger))
})

it.live("over TLS those count that have not ended their handshake", () => {
  const { acceptConnection, seen } = atMost(2)
  return Effect.gen(function* () {
    const { address } = yield* serve(echo)
    const { port } = new URL(`http://${address}`)
    const mute = net.connect(Number(port), "127.0.0.1")
    const rude = net.connect(Number(port), "127.0.0.1")
    yield* until(() => seen.now === 2)
    const refused = yield* Effect.flip(openStream(address))
    assert.strictEqual(refused.reason._tag, "ConnectFailed")
    rude.write("no TLS at all, and long enough to be seen as such\n".repeat(4))
    yield* until(() => seen.now === 1)
    mute.destroy()
    yield* until(() => seen.now === 0)
    assert.strictEqual((yield* use(address))._tag, "Status")
    assert.deepStrictEqual([seen.peers.length, seen.now, seen.gone], [4, 1, 2])
    rude.destroy()
  }).pipe(
    Effect.scoped,
    Effect.provide(layers({ tls: certificate, acceptConnection }, { tls: { ca: certificate.cert } }))
  )
})

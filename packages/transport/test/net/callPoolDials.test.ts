import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import type * as tls from "node:tls"
import { makeClient } from "../../src/internal/net/client.ts"
import { NodeTransport } from "../../src/node/index.ts"
import type { CallTarget, ConnectionMode } from "../../src/RawCall.ts"
import type { ClientTransport } from "../../src/Transport.ts"
import type { TransportError } from "../../src/TransportError.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import { call, calls, echo, lease, target, thriftServer, until } from "../support/calls.ts"
import { certificate } from "../support/certificate.ts"
import { Ticks } from "../support/socket.ts"

const client = (options: NodeTransport.ClientOptions = {}) => Effect.provide(NodeTransport.layerClientWith(options))

/** A transport whose dials never end. */
const endless = Effect.fnUntraced(function* (options: ClientOptions = {}) {
  let dials = 0
  let interrupted = 0
  const dial = () =>
    Effect.suspend(() => {
      dials++
      return Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
    })
  const platform = { ...new Ticks().platform, clock: yield* Clock.Clock }
  return { ...(yield* makeClient(dial, options, platform)), dials: () => dials, interrupted: () => interrupted }
})

describe("dials of calls", () => {
  it.live("say what to do about them", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* Effect.callback<void>((resume) => void server.server.close(() => resume(Effect.void)))
      for (const connection of ["pooled", "short", "multiplexed", "auto"] as const) {
        const error = yield* Effect.flip(lease(target(server.address, { connection })))
        assert.strictEqual(error.reason._tag, "ConnectFailed")
        assert.strictEqual(
          error.desc,
          `cannot connect to ${server.address}: connection refused (ECONNREFUSED); does a server listen there?`
        )
      }
      assert.include((yield* Effect.flip(lease(target("nonsense")))).desc, "HOST:PORT")
    }).pipe(client(), Effect.scoped)
  )

  it.live("a server that closes every connection at once", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo, { onConnection: ({ socket }) => socket.destroy() })
      const shared = yield* Effect.flip(call(target(server.address, { connection: "multiplexed" }), "x"))
      assert.include(["ConnectFailed", "ConnectionLost"], shared.reason._tag)
      const own = yield* Effect.flip(call(target(server.address), "x"))
      assert.strictEqual(own.reason._tag, "ConnectionLost")
      assert.isAtMost(server.dials, 4)
    }).pipe(client(), Effect.scoped)
  )

  it.live("TLS without ALPN", () =>
    Effect.gen(function* () {
      const protocols: Array<string | false | null> = []
      const server = yield* thriftServer(echo, {
        tls: { ...certificate },
        onConnection: ({ socket }) => protocols.push((socket as tls.TLSSocket).alpnProtocol)
      })
      yield* calls(target(server.address), 10, 2)
      assert.isAtMost(server.dials, 2)
      assert.isFalse(protocols[0])
    }).pipe(client({ tls: { ca: certificate.cert, servername: "localhost", ALPNProtocols: ["h2"] } }), Effect.scoped)
  )

  it.live("a TLS client and a server without it", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(() => {}, {
        onConnection: ({ socket }) => socket.write("no TLS here, sorry\n")
      })
      const error = yield* Effect.flip(lease(target(server.address)))
      assert.strictEqual(
        error.desc,
        `cannot connect to ${server.address}: the server does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)`
      )
      yield* until(() => server.open === 0)
    }).pipe(client({ tls: {} }), Effect.scoped)
  )

  it.live("a handshake that does not end", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(() => {})
      const error = yield* Effect.flip(lease(target(server.address)))
      assert.deepInclude(error.reason, { _tag: "ConnectTimeout", step: "tls", millis: 30 })
      yield* until(() => server.open === 0)
    }).pipe(client({ tls: {}, tlsTimeout: "30 millis" }), Effect.scoped)
  )

  it.effect("that take too long", () =>
    Effect.gen(function* () {
      const never = yield* endless({ connectTimeout: "10 seconds" })
      const to = target("ADDRESS", { connection: "multiplexed" })
      const fork = (to: CallTarget) => Effect.forkChild(never.lease(to), { startImmediately: true })
      const first = yield* fork(to)
      const joined = yield* fork({ ...to, connectTimeoutMillis: 20 })
      const own = yield* fork({ ...to, connection: "pooled", connectTimeoutMillis: 20 })
      yield* TestClock.adjust(19)
      assert.isUndefined(joined.pollUnsafe())
      yield* TestClock.adjust(1)
      for (const fiber of [joined, own]) {
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.deepInclude(error.reason, { _tag: "ConnectTimeout", step: "dial", millis: 20 })
      }
      // Who joins with a shorter limit leaves alone.
      assert.isUndefined(first.pollUnsafe())
      yield* TestClock.adjust("10 seconds")
      const error = yield* Effect.flip(Fiber.join(first))
      assert.deepInclude(error.reason, { _tag: "ConnectTimeout", step: "dial", millis: 10_000 })
      assert.strictEqual(
        error.desc,
        "cannot connect to ADDRESS within 10000ms: the host did not answer; is the address right, or connectTimeout too short?"
      )
      assert.strictEqual(never.interrupted(), 2)
    }).pipe(Effect.scoped)
  )

  it.live("whose caller has gone fill the pool", () =>
    Effect.gen(function* () {
      for (const connection of ["pooled", "multiplexed", "auto", "short"] as const) {
        const server = yield* thriftServer(echo)
        const to = target(server.address, { connection })
        const fiber = yield* Effect.forkChild(lease(to), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* until(() => server.dials === 1)
        if (connection === "short") {
          yield* until(() => server.open === 0)
          continue
        }
        yield* Effect.sleep(5)
        assert.strictEqual(yield* call(to, "x"), "x")
        assert.strictEqual(server.dials, 1)
      }
    }).pipe(client(), Effect.scoped)
  )
})

describe("a transport that is closed", () => {
  it.live("ends its connections, its calls and its dials", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer((request, side) => {
        if (request.body !== "held") side.answer(request)
      })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(NodeTransport.layerClient, scope)
      const fork = <A>(effect: Effect.Effect<A, TransportError, ClientTransport>) =>
        Effect.forkChild(Effect.provideContext(effect, context), { startImmediately: true })
      const fibers = yield* Effect.all([
        fork(call(target(server.address), "held")),
        fork(call(target(server.address, { connection: "multiplexed" }), "held")),
        fork(call(target(server.address, { connection: "short" }), "held"))
      ])
      yield* Effect.provideContext(call(target(server.address), "idle"), context)
      yield* until(() => server.requests.length === 4)
      yield* Scope.close(scope, Exit.void)
      for (const fiber of fibers) {
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error.reason._tag, "ConnectionLost")
        assert.include(error.desc, "the transport was closed")
      }
      for (const connection of ["pooled", "multiplexed"] as const) {
        const error = yield* Effect.flip(Effect.provideContext(lease(target(server.address, { connection })), context))
        assert.include(error.desc, "the transport is closed")
      }
      yield* until(() => server.open === 0)
    }).pipe(Effect.scoped)
  )

  it.effect("ends its dials", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const never = yield* Effect.provideService(endless(), Scope.Scope, scope)
      const fork = (connection: ConnectionMode) =>
        Effect.forkChild(never.lease(target("ADDRESS", { connection })), { startImmediately: true })
      const fibers = yield* Effect.all([fork("pooled"), fork("short"), fork("multiplexed"), fork("multiplexed")])
      yield* Scope.close(scope, Exit.void)
      for (const fiber of fibers) {
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error.reason._tag, "ConnectFailed")
        assert.strictEqual(error.desc, "cannot connect to ADDRESS: the transport is closed")
      }
      const late = yield* Effect.flip(never.lease(target("ADDRESS")))
      assert.strictEqual(late.desc, "cannot connect to ADDRESS: the transport is closed")
      assert.strictEqual(never.interrupted(), 3)
      assert.strictEqual(never.dials(), 3)
    })
  )
})

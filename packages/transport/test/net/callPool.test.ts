import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { AddressPool } from "../../src/internal/net/addressPool.ts"
import { CallClient } from "../../src/internal/net/callClient.ts"
import { callPoolOptions } from "../../src/internal/net/options.ts"
import { NodeTransport } from "../../src/node/index.ts"
import type { CallTarget } from "../../src/RawCall.ts"
import { ClientTransport } from "../../src/Transport.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import {
  call,
  calls,
  echo,
  lease,
  type Request,
  requestsOf,
  type ServerSide,
  target,
  thriftServer,
  together,
  until
} from "../support/calls.ts"
import { encodeText } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

const client = (options: NodeTransport.ClientOptions = {}) => Effect.provide(NodeTransport.layerClientWith(options))

const tryLease = (to: CallTarget) => Effect.map(ClientTransport, (transport) => transport.tryLease(to))

describe("pooled", () => {
  it.live("a thousand calls one after the other take one connection", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(target(server.address), 1000, 1)
      assert.strictEqual(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("64 callers take 64 connections at most, however long they go on", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(target(server.address), 1280, 64)
      assert.isAtMost(server.dials, 64)
    }).pipe(client(), Effect.scoped)
  )

  it.live("64 at once, again and again, take 64 connections where so many may be idle", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(64))
      for (let i = 0; i < 10; i++) yield* calls(target(server.address), 64)
      assert.strictEqual(server.dials, 64)
      assert.deepStrictEqual(
        requestsOf(server),
        Array.from({ length: 64 }, () => 10)
      )
    }).pipe(client({ pool: { maxIdlePerAddress: 64 } }), Effect.scoped)
  )

  it.live("the connection that was used last is used next", () =>
    Effect.gen(function* () {
      const held: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        if (request.body === "0" || request.body === "1") held.push([request, side])
        else side.answer(request)
      })
      const both = yield* Effect.forkChild(calls(target(server.address), 2), { startImmediately: true })
      yield* until(() => held.length === 2)
      const [first, last] = held as [(typeof held)[0], (typeof held)[0]]
      first[1].answer(first[0])
      yield* Effect.sleep(20)
      last[1].answer(last[0])
      yield* Fiber.join(both)
      for (let i = 2; i < 12; i++) yield* call(target(server.address), `${i}`)
      assert.strictEqual(last[1].requests.length, 11)
      assert.strictEqual(first[1].requests.length, 1)
      assert.strictEqual(server.dials, 2)
    }).pipe(client(), Effect.scoped)
  )

  it.live("keeps so many idle for an address, and closes the oldest", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(5))
      yield* calls(target(server.address), 5)
      yield* until(() => server.open === 2)
      assert.strictEqual(server.dials, 5)
    }).pipe(client({ pool: { maxIdlePerAddress: 2 } }), Effect.scoped)
  )

  it.live("keeps so many idle for all addresses, and closes the oldest", () =>
    Effect.gen(function* () {
      const servers = yield* Effect.all([thriftServer(echo), thriftServer(together(2)), thriftServer(echo)])
      const [first, second, third] = servers
      yield* call(target(first.address), "a")
      yield* calls(target(second.address), 2)
      yield* call(target(third.address), "b")
      yield* until(() => servers.reduce((sum, { open }) => sum + open, 0) === 2)
      assert.deepStrictEqual(
        servers.map(({ open }) => open),
        [0, 1, 1]
      )
    }).pipe(client({ pool: { maxIdlePerAddress: 2, maxIdleGlobal: 2 } }), Effect.scoped)
  )

  it.live("refuses a call that needs more than maxPerAddress, and takes the next", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(2))
      const to = target(server.address)
      const two = yield* Effect.forkChild(calls(to, 2), { startImmediately: true })
      const error = yield* Effect.flip(lease(to))
      assert.deepInclude(error.reason, { _tag: "LimitExceeded", limit: "pool.maxPerAddress", max: 2 })
      assert.strictEqual(error.code, 8)
      assert.strictEqual(
        error.desc,
        `all 2 connections to ${server.address} are in use; make fewer calls at once, multiplex them, ` +
          "or raise pool.maxPerAddress"
      )
      yield* Fiber.join(two)
      yield* calls(to, 2)
      assert.strictEqual(server.dials, 2)
    }).pipe(client({ pool: { maxPerAddress: 2 } }), Effect.scoped)
  )

  const gone: ReadonlyArray<readonly [string, (request: Request, side: ServerSide) => void]> = [
    ["an exception", (request, side) => side.answer(request, { type: 3 })],
    ["an answer with crrst", (request, side) => side.answer(request, { goodbye: true })],
    ["an answer to another method", (request, side) => side.answer(request, { method: "Other" })],
    ["an answer with another sequence id", (request, side) => side.answer(request, { seq: 77 })],
    ["bytes behind the answer", (request, side) => (side.answer(request), side.answer(request))]
  ]
  for (const [what, onRequest] of gone)
    it.live(`${what} takes the connection out of the pool`, () =>
      Effect.gen(function* () {
        let first = true
        const server = yield* thriftServer((request, side) => {
          if (first) onRequest(request, side)
          else side.answer(request)
          first = false
        })
        const to = target(server.address, { encoding: "ttheader-framed" })
        yield* Effect.exit(call(to, "a"))
        assert.strictEqual(yield* call(to, "b"), "b")
        assert.deepStrictEqual(requestsOf(server), [1, 1])
        yield* until(() => server.open === 1)
      }).pipe(client(), Effect.scoped)
    )

  it.live("an answer that cannot be decoded takes it out too", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      const to = target(server.address)
      const taken = yield* lease(to)
      const header = { ints: [], strings: [] }
      yield* Effect.callback<void>((resume) => {
        taken.send({
          method: "Echo",
          oneway: false,
          header,
          args: "a",
          encode: encodeText,
          listener: {
            onReply: (reply) => {
              const decode = () => {
                throw new Error("not decodable")
              }
              assert.throws(() => reply.take(decode), "not decodable")
              resume(Effect.void)
            },
            onSent: () => {},
            onFailed: () => {}
          }
        })
      })
      assert.strictEqual(yield* call(to, "b"), "b")
      assert.deepStrictEqual(requestsOf(server), [1, 1])
    }).pipe(client(), Effect.scoped)
  )

  it.live("a call that is given up takes its connection with it: the answer reaches nobody", () =>
    Effect.gen(function* () {
      const held: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        if (request.body === "given up") held.push([request, side])
        else side.answer(request)
      })
      const to = target(server.address)
      const fiber = yield* Effect.forkChild(call(to, "given up"), { startImmediately: true })
      yield* until(() => held.length === 1)
      yield* Fiber.interrupt(fiber)
      const next = yield* Effect.forkChild(call(to, "next"), { startImmediately: true })
      held[0]![1].answer(held[0]![0])
      assert.strictEqual(yield* Fiber.join(next), "next")
      assert.strictEqual(server.dials, 2)
      yield* until(() => held[0]![1].ended)
    }).pipe(client(), Effect.scoped)
  )

  it.live("a oneway call is sent, and its connection closed behind it", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      const to = target(server.address)
      assert.strictEqual(yield* call(to, "x".repeat(300_000), { oneway: true }), "sent")
      yield* until(() => server.sides[0]?.ended === true)
      assert.strictEqual(server.requests[0]!.body.length, 300_000)
      assert.strictEqual(yield* call(to, "next"), "next")
      assert.strictEqual(server.dials, 2)
    }).pipe(client(), Effect.scoped)
  )

  it.live("a connection that the server closed while it was idle is not used", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      const to = target(server.address)
      for (let i = 0; i < 3; i++) {
        assert.strictEqual(yield* call(to, "x"), "x")
        const side = server.sides.at(-1)!
        if (i === 1) side.socket.resetAndDestroy()
        else side.socket.end()
        yield* until(() => side.closed)
        yield* Effect.sleep(5)
        assert.isUndefined(yield* tryLease(to))
      }
      assert.strictEqual(server.dials, 3)
    }).pipe(client(), Effect.scoped)
  )

  it.live("calls fail when the server goes, and say whether they were sent", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer((_, side) => side.socket.destroy())
      const error = yield* Effect.flip(call(target(server.address), "x"))
      assert.strictEqual(error.reason._tag, "ConnectionLost")
      assert.notProperty(error.reason, "neverSent")
      assert.include(error.desc, "default codec read failed")
    }).pipe(client(), Effect.scoped)
  )

  it.live("encodings and modes do not share connections", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      for (let i = 0; i < 3; i++)
        for (const encoding of ["framed", "ttheader", "ttheader-framed"] as const)
          for (const connection of ["pooled", "multiplexed", "auto"] as const)
            assert.strictEqual(yield* call(target(server.address, { encoding, connection }), "x"), "x")
      assert.deepStrictEqual(
        requestsOf(server),
        Array.from({ length: 9 }, () => 3)
      )
    }).pipe(client(), Effect.scoped)
  )
})

describe("idle time", () => {
  const idling = (options: ClientOptions, expected: ReadonlyArray<readonly [seconds: number, open: number]>) =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.promise(() => Effect.runPromise(Effect.provideService(thriftServer(together(4)), Scope.Scope, scope))),
        () => Scope.close(scope, Exit.void)
      )
      yield* calls(target(server.address), 4)
      let passed = 0
      for (const [seconds, open] of expected) {
        yield* TestClock.adjust(`${seconds - passed} seconds`)
        passed = seconds
        // The other end of a real socket hears of it in its own time.
        yield* Effect.promise(async () => {
          for (let i = 0; i < 200 && server.open !== open; i++) await new Promise((done) => setImmediate(done))
          for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done))
        })
        assert.strictEqual(server.open, open, `after ${seconds} s`)
      }
    }).pipe(client(options), Effect.scoped)
  const scope = Scope.makeUnsafe()

  it.effect("ends a connection, but for those that stay", () =>
    idling({ pool: { maxIdleTime: "10 seconds", minIdlePerAddress: 1 } }, [
      [9, 4],
      [11, 1],
      [3000, 1]
    ])
  )
})

describe("short", () => {
  it.live("dials for each call, and closes behind the answer", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(target(server.address, { connection: "short" }), 20, 4)
      assert.strictEqual(server.dials, 20)
      yield* until(() => server.open === 0)
    }).pipe(client(), Effect.scoped)
  )
})

describe("an address", () => {
  it("is forgotten with its last connection or dial", () => {
    const ticks = new Ticks()
    const settings = callPoolOptions({}, ticks.platform)
    let empty = 0
    const allIdle = new Set<CallClient>()
    const pool = new AddressPool(target("ADDRESS"), settings, undefined, allIdle, () => empty++)
    const sockets = [new FakeSocket(), new FakeSocket()] as const
    pool.dialling = 3
    for (const socket of sockets) {
      const client = new CallClient(socket, settings, pool, "framed")
      client.start()
      pool.add(client, false)
      pool.settle(client)
    }
    pool.dialFailed()
    assert.strictEqual(pool.size, 2)
    assert.strictEqual(allIdle.size, 2)
    sockets[0].events.onEnd()
    assert.strictEqual(empty, 0)
    sockets[1].events.onError("ECONNRESET")
    assert.strictEqual(empty, 1)
    assert.strictEqual(pool.size, 0)
    assert.strictEqual(allIdle.size, 0)
    pool.dialling = 1
    pool.dialFailed()
    assert.strictEqual(empty, 2)
  })
})

describe("numbers out of range", () => {
  const options = (given: ClientOptions) => callPoolOptions(given, new Ticks().platform)

  it("become what Kitex makes of them", () => {
    assert.deepInclude(options({}), {
      maxIdlePerAddress: 10,
      maxIdleGlobal: 100,
      maxIdleTime: 60_000,
      minIdlePerAddress: 0,
      maxPerAddress: 1024,
      perConnection: 128,
      connectionsPerAddress: 1
    })
    assert.deepInclude(
      options({
        pool: { maxIdlePerAddress: 0, maxIdleGlobal: 0, maxIdleTime: 0, minIdlePerAddress: -1, maxPerAddress: 0 }
      }),
      { maxIdlePerAddress: 1, maxIdleGlobal: 2 ** 20, maxIdleTime: 30_000, minIdlePerAddress: 0, maxPerAddress: 1 }
    )
    assert.deepInclude(
      options({ pool: { maxIdlePerAddress: 3, minIdlePerAddress: 9, maxIdleGlobal: 2, maxIdleTime: 1 } }),
      {
        maxIdlePerAddress: 5,
        minIdlePerAddress: 5,
        maxIdleGlobal: 5,
        maxIdleTime: 2000
      }
    )
    assert.deepInclude(options({ callsPerConnection: 0, connectionsPerAddress: -1 }), {
      perConnection: 1,
      connectionsPerAddress: 1
    })
  })
})

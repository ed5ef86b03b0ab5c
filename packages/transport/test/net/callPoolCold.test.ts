import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeCallPool } from "../../src/internal/net/callPool.ts"
import { connectFailed } from "../../src/internal/net/errors.ts"
import type { Dialled } from "../../src/internal/net/socket.ts"
import { NodeTransport } from "../../src/node/index.ts"
import type { CallLease, CallTarget } from "../../src/RawCall.ts"
import type { TransportError } from "../../src/TransportError.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import {
  answer,
  type Answer,
  calls,
  goodbye,
  outgoing,
  parseRequests,
  target,
  thriftServer,
  Waiter
} from "../support/calls.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

const auto = target("ADDRESS", { connection: "auto", encoding: "ttheader-framed" })

/** Calls at once of a client that has not heard of the server, whose dials and answers are the test. */
const cold = Effect.fnUntraced(function* (count: number, to: CallTarget = auto, options: ClientOptions = {}) {
  const ticks = new Ticks()
  const dials: Array<(effect: Effect.Effect<Dialled, TransportError>) => void> = []
  const dial = () => Effect.callback<Dialled, TransportError>((resume) => void dials.push(resume))
  const pool = yield* makeCallPool(dial, options, ticks.platform)
  const sockets: Array<FakeSocket> = []
  yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach(({ events }) => events.onClosed())))
  const leases: Array<CallLease> = []
  const ask = Effect.fnUntraced(function* () {
    const fiber = yield* Effect.forkChild(pool.lease(to), { startImmediately: true })
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) leases.push(exit.value)
    })
    return fiber
  })
  const fibers: Array<Fiber.Fiber<CallLease, TransportError>> = []
  for (let i = 0; i < count; i++) fibers.push(yield* ask())
  return {
    ask,
    dials,
    fibers,
    leases,
    ticks,
    /** A dial that is done: the socket. */
    dialled: (index: number): FakeSocket => {
      const socket = new FakeSocket()
      sockets.push(socket)
      dials[index]!(Effect.succeed({ secure: Effect.succeed(socket), destroy: () => socket.destroy() }))
      ticks.run()
      return socket
    },
    fail: (index: number): void => {
      dials[index]!(Effect.fail(connectFailed("ADDRESS", "refused")))
      ticks.run()
    },
    /** Sends on the last lease, whose socket this is, and answers. */
    exchange: (socket: FakeSocket, how: Answer, without?: "header"): Waiter => {
      const waiter = new Waiter()
      leases.pop()!.send(outgoing("x", waiter))
      ticks.run()
      const [[request]] = parseRequests(socket.sent())
      socket.events.onData(answer(without === undefined ? request! : { ...request!, ttheader: false }, how))
      ticks.run()
      return waiter
    }
  }
})

describe("a server that was not heard of, and many calls at once", () => {
  it.live("share one connection soon, however many they are", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer((request, side) =>
        side.answer(request, { multiplexes: (request.flags & 1) === 1 })
      )
      const to = target(server.address, { connection: "auto", encoding: "ttheader-framed" })
      yield* calls(to, 2000)
      assert.isBelow(server.dials, 64)
    }).pipe(Effect.provide(NodeTransport.layerClient), Effect.scoped)
  )

  it.effect("16 explore; taught that it multiplexes, all others share, those with a dial under way too", () =>
    Effect.gen(function* () {
      const { dialled, dials, exchange, leases } = yield* cold(100)
      assert.strictEqual(dials.length, 16)
      const first = dialled(0)
      assert.strictEqual(leases.length, 1)
      assert.strictEqual(exchange(first, { multiplexes: true }).body, "x")
      assert.strictEqual(leases.length, 99)
      assert.strictEqual(new Set(leases).size, 1)
      // What comes of their dials waits in the pool.
      const others = Array.from({ length: 15 }, (_, i) => dialled(i + 1))
      assert.strictEqual(others.filter(({ ended }) => !ended).length, 10)
      assert.strictEqual(dials.length, 16)
      assert.strictEqual(leases.length, 99)
    }).pipe(Effect.scoped)
  )

  it.effect("who finds no room on the shared connection keeps its dial", () =>
    Effect.gen(function* () {
      const { dialled, exchange, leases } = yield* cold(16, auto, { callsPerConnection: 4 })
      exchange(dialled(0), { multiplexes: true })
      assert.strictEqual(leases.length, 4)
      for (let i = 1; i < 16; i++) dialled(i)
      assert.strictEqual(leases.length, 15)
      assert.strictEqual(leases.filter((lease) => lease === leases[0]).length, 4)
    }).pipe(Effect.scoped)
  )

  it.effect("an exception teaches as well", () =>
    Effect.gen(function* () {
      const { dialled, dials, exchange, leases } = yield* cold(100)
      assert.strictEqual(exchange(dialled(0), { multiplexes: true, type: 3 }).exception, "oops")
      // Its connection is gone: one dial for all who have none.
      assert.strictEqual(dials.length, 17)
      dialled(16)
      assert.strictEqual(leases.length, 99)
      assert.strictEqual(new Set(leases).size, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("a goodbye teaches nothing", () =>
    Effect.gen(function* () {
      const { dialled, dials, leases, ticks } = yield* cold(100)
      const socket = dialled(0)
      leases.pop()!.send(outgoing("x", new Waiter()))
      ticks.run()
      socket.events.onData(goodbye)
      ticks.run()
      // One more tries in its place.
      assert.strictEqual(dials.length, 17)
      assert.strictEqual(leases.length, 0)
    }).pipe(Effect.scoped)
  )

  for (const without of [undefined, "header"] as const)
    it.effect(`taught that it does not by an answer without the ${without ?? "key"}, each dials`, () =>
      Effect.gen(function* () {
        const { dialled, dials, exchange, leases } = yield* cold(100)
        exchange(dialled(0), {}, without)
        // One has the connection that is free.
        assert.strictEqual(leases.length, 1)
        assert.strictEqual(dials.length, 99)
        for (let i = 1; i < 99; i++) dialled(i)
        assert.strictEqual(new Set(leases).size, 99)
      }).pipe(Effect.scoped)
    )

  it.effect("without a TTHeader nothing can be taught, and each dials", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* cold(100, { ...auto, encoding: "framed" })).dials.length, 100)
    }).pipe(Effect.scoped)
  )

  it.effect("one more tries where a dial has failed, and takes a connection that is free", () =>
    Effect.gen(function* () {
      const { dialled, dials, fail, fibers, leases, ticks } = yield* cold(100)
      fail(0)
      assert.strictEqual((yield* Effect.flip(Fiber.join(fibers[0]!))).reason._tag, "ConnectFailed")
      assert.strictEqual(dials.length, 17)
      dialled(1)
      const [lease] = leases.splice(0)
      lease!.release()
      ticks.run()
      assert.deepStrictEqual(leases, [lease])
      assert.strictEqual(dials.length, 17)
    }).pipe(Effect.scoped)
  )

  it.effect("all fail where no dial succeeds", () =>
    Effect.gen(function* () {
      const { dials, fail, fibers } = yield* cold(100)
      for (let i = 0; i < dials.length; i++) fail(i)
      assert.strictEqual(dials.length, 100)
      for (const fiber of fibers) assert.isTrue(Exit.isFailure(fiber.pollUnsafe()!))
    }).pipe(Effect.scoped)
  )

  it.effect("who waits and is interrupted leaves nothing", () =>
    Effect.gen(function* () {
      const { dialled, dials, fail, fibers, leases } = yield* cold(20)
      for (const fiber of fibers.slice(16, 19)) yield* Fiber.interrupt(fiber)
      fail(0)
      assert.strictEqual(dials.length, 17)
      dialled(16)
      assert.deepStrictEqual(yield* Fiber.join(fibers[19]!), leases[0])
      for (let i = 1; i < 16; i++) fail(i)
      assert.strictEqual(dials.length, 17)
    }).pipe(Effect.scoped)
  )

  it.effect("calls that take their time do not keep others waiting for long", () =>
    Effect.gen(function* () {
      const { dialled, dials, leases, ticks } = yield* cold(100, auto, { pool: { maxPerAddress: 40 } })
      for (let i = 0; i < 16; i++) dialled(i)
      yield* TestClock.adjust(99)
      ticks.run()
      assert.strictEqual(dials.length, 16)
      yield* TestClock.adjust(1)
      ticks.run()
      assert.strictEqual(dials.length, 32)
      for (let i = 16; i < 32; i++) dialled(i)
      assert.strictEqual(leases.length, 32)
      yield* TestClock.adjust(100)
      ticks.run()
      assert.strictEqual(dials.length, 40)
    }).pipe(Effect.scoped)
  )

  it.effect("what was taught stays known while there is no connection", () =>
    Effect.gen(function* () {
      for (const multiplexes of [true, false]) {
        const { ask, dialled, dials, exchange } = yield* cold(1)
        const socket = dialled(0)
        exchange(socket, { multiplexes })
        socket.events.onEnd()
        for (let i = 0; i < 100; i++) yield* ask()
        assert.strictEqual(dials.length, multiplexes ? 2 : 101)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("an end of the transport ends all", () =>
    Effect.gen(function* () {
      const { fibers, ticks } = yield* Effect.scoped(cold(100))
      ticks.run()
      for (const fiber of fibers) {
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error.desc, "cannot connect to ADDRESS: the transport is closed")
      }
    })
  )
})

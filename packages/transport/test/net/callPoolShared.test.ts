import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { NodeTransport } from "../../src/node/index.ts"
import {
  call,
  calls,
  echo,
  goodbye,
  lease,
  type Request,
  requestsOf,
  type ServerSide,
  target,
  thriftServer,
  together,
  until
} from "../support/calls.ts"

const client = (options: NodeTransport.ClientOptions = {}) => Effect.provide(NodeTransport.layerClientWith(options))

describe("multiplexed", () => {
  const to = (address: string) => target(address, { connection: "multiplexed", encoding: "ttheader-framed" })

  it.live("one dial for all who wait, and one connection for all", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(64))
      for (let i = 0; i < 5; i++) yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("answers in any order", () =>
    Effect.gen(function* () {
      const waiting: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        waiting.push([request, side])
        if (waiting.length === 64) for (const [request, side] of waiting.toReversed()) side.answer(request)
      })
      yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("takes connectionsPerAddress in turn", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(to(server.address), 300, 1)
      assert.deepStrictEqual(requestsOf(server), [100, 100, 100])
    }).pipe(client({ connectionsPerAddress: 3 }), Effect.scoped)
  )

  it.live("one more connection where callsPerConnection are out, which goes when it is not needed", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(22))
      yield* calls(to(server.address), 22)
      assert.deepStrictEqual(requestsOf(server), [4, 4, 4, 4, 4, 2])
      yield* until(() => server.open === 2)
      yield* calls(to(server.address), 22)
      assert.strictEqual(server.dials, 10)
    }).pipe(client({ callsPerConnection: 4, pool: { maxIdlePerAddress: 1 } }), Effect.scoped)
  )

  it.live("who waits for a dial needs no connection of its own", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 1)
    }).pipe(client({ pool: { maxPerAddress: 1 } }), Effect.scoped)
  )

  it.live("a call too many is refused", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(() => {})
      const first = yield* Effect.forkChild(call(to(server.address), "x"), { startImmediately: true })
      yield* until(() => server.requests.length === 1)
      const error = yield* Effect.flip(lease(to(server.address)))
      assert.deepInclude(error.reason, { _tag: "LimitExceeded", limit: "pool.maxPerAddress", max: 1 })
      yield* Fiber.interrupt(first)
    }).pipe(client({ callsPerConnection: 1, pool: { maxPerAddress: 1 } }), Effect.scoped)
  )

  it.live("goes on with the connection that is there when another cannot be dialled", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* call(to(server.address), "a")
      server.server.close()
      assert.strictEqual(yield* call(to(server.address), "b"), "b")
      assert.deepStrictEqual(requestsOf(server), [2])
    }).pipe(client({ connectionsPerAddress: 2 }), Effect.scoped)
  )

  it.live("a goodbye: calls that are out are answered, new ones go elsewhere", () =>
    Effect.gen(function* () {
      const held: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        if (request.body === "held") held.push([request, side])
        else side.answer(request)
      })
      const fiber = yield* Effect.forkChild(call(to(server.address), "held"), { startImmediately: true })
      yield* until(() => held.length === 1)
      held[0]![1].socket.write(goodbye)
      yield* Effect.sleep(10)
      assert.strictEqual(yield* call(to(server.address), "new"), "new")
      assert.strictEqual(server.dials, 2)
      held[0]![1].answer(held[0]![0])
      assert.strictEqual(yield* Fiber.join(fiber), "held")
      yield* until(() => server.open === 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("an exception leaves the connection", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer((request, side) => side.answer(request, { type: 3, body: request.body }))
      yield* calls(to(server.address), 10, 1)
      assert.strictEqual(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("is not waited for where more than 1 MiB waits to be sent", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo, {
        onConnection: (side) => {
          if (server.dials === 1) side.socket.pause()
        }
      })
      const large = yield* Effect.forkChild(call(to(server.address), "x".repeat(8 << 20)), { startImmediately: true })
      yield* until(() => server.dials === 1)
      yield* Effect.sleep(20)
      assert.strictEqual(yield* call(to(server.address), "small"), "small")
      assert.strictEqual(server.dials, 2)
      server.sides[0]!.socket.resume()
      assert.strictEqual((yield* Fiber.join(large)).length, 8 << 20)
    }).pipe(client(), Effect.scoped)
  )
})

describe("learned", () => {
  const to = (address: string) => target(address, { connection: "auto", encoding: "ttheader-framed" })
  const ours = (request: Request, side: ServerSide) => side.answer(request, { multiplexes: (request.flags & 1) === 1 })

  it.live("pooled before the first answer; one connection is shared from then on", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(ours)
      assert.strictEqual(yield* call(to(server.address), "first"), "first")
      yield* calls(to(server.address), 640, 64)
      assert.strictEqual(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )

  it.live("after a few dials at once calls settle on one connection", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(together(16, { multiplexes: true }))
      yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 16)
      yield* until(() => server.open === 11)
      for (let i = 0; i < 3; i++) yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 16)
      assert.deepStrictEqual(
        requestsOf(server).filter((count) => count > 1),
        [241]
      )
    }).pipe(client(), Effect.scoped)
  )

  it.live("an address stays known: all who wait share the next dial", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(ours)
      yield* call(to(server.address), "first")
      server.sides[0]!.socket.destroy()
      yield* until(() => server.open === 0)
      yield* Effect.sleep(5)
      yield* calls(to(server.address), 64)
      assert.strictEqual(server.dials, 2)
    }).pipe(client(), Effect.scoped)
  )

  it.live("is forgotten at an answer without the key: pooled again, on the same connection", () =>
    Effect.gen(function* () {
      let says = true
      const waiting: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        if (request.body === "held") waiting.push([request, side])
        else side.answer(request, { multiplexes: says })
      })
      yield* call(to(server.address), "a")
      const held = yield* Effect.forkChild(call(to(server.address), "held"), { startImmediately: true })
      yield* until(() => waiting.length === 1)
      says = false
      yield* call(to(server.address), "b")
      assert.strictEqual(server.dials, 1)
      // The connection is not free.
      yield* call(to(server.address), "c")
      assert.strictEqual(server.dials, 2)
      waiting[0]![1].answer(waiting[0]![0])
      assert.strictEqual(yield* Fiber.join(held), "held")
      assert.deepStrictEqual(requestsOf(server), [3, 1])
      yield* call(to(server.address), "d")
      assert.deepStrictEqual(requestsOf(server), [4, 1])
      assert.strictEqual(server.open, 2)
    }).pipe(client(), Effect.scoped)
  )

  it.live("a connection that owes answers to nobody is not pooled again", () =>
    Effect.gen(function* () {
      let says = true
      const waiting: Array<readonly [Request, ServerSide]> = []
      const server = yield* thriftServer((request, side) => {
        if (request.body === "held") waiting.push([request, side])
        else side.answer(request, { multiplexes: says })
      })
      yield* call(to(server.address), "a")
      const held = yield* Effect.forkChild(call(to(server.address), "held"), { startImmediately: true })
      yield* until(() => waiting.length === 1)
      yield* Fiber.interrupt(held)
      says = false
      yield* call(to(server.address), "b")
      const next = yield* Effect.forkChild(call(to(server.address), "c"), { startImmediately: true })
      waiting[0]![1].answer(waiting[0]![0], { type: 3 })
      assert.strictEqual(yield* Fiber.join(next), "c")
      assert.strictEqual(server.dials, 2)
      yield* until(() => server.sides[0]!.closed)
    }).pipe(client(), Effect.scoped)
  )

  it.live("is never learned without a TTHeader, or from a server of another kind", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echo)
      yield* calls(to(server.address), 64, 8)
      assert.isAtMost(server.dials, 8)
      assert.isAbove(server.dials, 1)
    }).pipe(client(), Effect.scoped)
  )
})

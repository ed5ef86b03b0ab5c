import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { MemoryTransport } from "../../src/index.ts"
import type { CallTarget, ConnectionMode, Encoding, RawServerCall } from "../../src/RawCall.ts"
import type { RawStream } from "../../src/RawStream.ts"
import { ClientTransport, ServerTransport, type StreamTransport } from "../../src/Transport.ts"
import type { ServerOptions } from "../../src/TransportOptions.ts"
import { sendOn, until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import { decodeText, echo, encodeText, ended, openStream as openWith, readTexts, writeAll } from "../support/raw.ts"

/** Counts the connections of a server. */
const counting = () => {
  const connections = { made: 0, now: 0 }
  const acceptConnection = () => {
    connections.made++
    connections.now++
    return () => void connections.now--
  }
  return { connections, acceptConnection }
}

/** Turns of the scheduler, and no time. */
const turns = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })

/** A server that echoes streams, and calls too but for those that say `wait`: they are in `held`. */
const serve = Effect.gen(function* () {
  const fork = Effect.runForkWith(yield* Effect.context())
  const held: Array<RawServerCall> = []
  const listening = yield* Effect.flatMap(ServerTransport, (server) =>
    server.listen({
      onStream: (stream) => void fork(echo(stream)),
      onCall: (call) => {
        const text = call.take(decodeText)
        if (text === "wait") held.push(call)
        else call.reply(text, encodeText)
      }
    })
  )
  return { held, address: `127.0.0.1:${listening.address.port}` }
})

const works = (stream: RawStream) =>
  Effect.gen(function* () {
    yield* writeAll(stream, ["x"], encodeText)
    assert.deepStrictEqual(yield* readTexts(stream, 1), ["x"])
  })

const target = (encoding: Encoding, connection: ConnectionMode, address: string): CallTarget => ({
  address,
  encoding,
  connection
})

const lease = (to: CallTarget) =>
  Effect.flatMap(ClientTransport, (client) => {
    const ready = client.tryLease(to)
    return ready === undefined ? client.lease(to) : Effect.succeed(ready)
  })

const call = (to: CallTarget, body: string) => Effect.flatMap(lease(to), (lease) => sendOn(lease, body))

const kinds = [
  ["pooled Framed", "framed", "pooled"],
  ["pooled TTHeader", "ttheader", "pooled"],
  ["multiplexed TTHeader", "ttheader", "multiplexed"],
  ["TTHeader that finds out", "ttheader", "auto"]
] as const

const protocols = ["grpc", "ttheader-streaming"] as const

const openStream = (address: string, transport: StreamTransport) => openWith(address, { transport })

const sides = ["client", "server"] as const

/** Draws the same number again and again. */
const always = (value: number) =>
  Effect.provideService(Random.Random, { nextDoubleUnsafe: () => value, nextIntUnsafe: () => 0 })

for (const side of sides) {
  describe(`a connection that is too old for its ${side}`, () => {
    /** In memory; `random`: what the ages of all connections are drawn with. */
    const inMemory = (
      random: number,
      body: (connections: {
        readonly made: number
        readonly now: number
      }) => Effect.Effect<void, unknown, ClientTransport | ServerTransport | Scope.Scope>
    ) => {
      const { acceptConnection, connections } = counting()
      const age = { maxConnectionAge: "1 minute" } as const
      const options: MemoryTransport.Options =
        side === "client" ? { client: age, server: { acceptConnection } } : { server: { ...age, acceptConnection } }
      return Effect.flatMap(MemoryTransport.make(options), (context) =>
        Effect.provideContext(body(connections), context)
      ).pipe(Effect.scoped, always(random))
    }

    const ages = [
      [0, 54],
      [0.5, 60],
      [0.999, 65.988]
    ] as const
    for (const protocol of protocols) {
      for (const [random, seconds] of ages) {
        it.effect(`takes no new streams from ${seconds} seconds on, and ends with its last one: ${protocol}`, () =>
          inMemory(random, (connections) =>
            Effect.gen(function* () {
              yield* serve
              const old = yield* openStream("memory", protocol)
              yield* works(old)
              yield* TestClock.adjust(seconds * 1000 - 1)
              yield* works(yield* openStream("memory", protocol))
              assert.deepStrictEqual(connections, { made: 1, now: 1 })
              yield* TestClock.adjust(1)
              yield* turns
              const young = yield* openStream("memory", protocol)
              yield* works(young)
              assert.deepStrictEqual(connections, { made: 2, now: 2 })
              // No limit of time: a stream goes on as long as it likes.
              yield* TestClock.adjust("40 seconds")
              yield* works(old)
              old.closeSend()
              assert.strictEqual((yield* ended(old))._tag, "Status")
            })
          )
        )
      }

      it.effect(`closes at once where it has no streams: ${protocol}`, () =>
        inMemory(0.5, (connections) =>
          Effect.gen(function* () {
            yield* serve
            const stream = yield* openStream("memory", protocol)
            yield* writeAll(stream, ["x"], encodeText, true)
            assert.strictEqual((yield* ended(stream))._tag, "Status")
            yield* TestClock.adjust("59999 millis")
            yield* turns
            assert.deepStrictEqual(connections, { made: 1, now: 1 })
            yield* TestClock.adjust("1 millis")
            yield* turns
            assert.deepStrictEqual(connections, { made: 1, now: 0 })
          })
        )
      )
    }

    for (const [name, encoding, mode] of kinds) {
      it.effect(`takes no new calls, and ends with its last one: ${name}`, () =>
        inMemory(0.5, (connections) =>
          Effect.gen(function* () {
            const { held } = yield* serve
            const to = target(encoding, mode, "memory")
            // So that all are in the pool, or shared.
            for (const body of ["a", "b", "c"]) assert.strictEqual(yield* call(to, body), body)
            assert.deepStrictEqual(connections, { made: 1, now: 1 })
            yield* TestClock.adjust("55 seconds")
            assert.strictEqual(yield* call(to, "d"), "d")
            const late = yield* Effect.forkChild(call(to, "wait"), { startImmediately: true })
            yield* turns
            assert.strictEqual(held.length, 1)
            yield* TestClock.adjust("5 seconds")
            yield* turns
            assert.deepStrictEqual(connections, { made: 1, now: 1 })
            assert.strictEqual(yield* call(to, "e"), "e")
            assert.deepStrictEqual(connections, { made: 2, now: 2 })
            held[0]!.reply("late", encodeText)
            assert.strictEqual(yield* Fiber.join(late), "late")
            yield* TestClock.adjust("1 seconds")
            yield* turns
            assert.deepStrictEqual(connections, { made: 2, now: 1 })
            assert.strictEqual(yield* call(to, "f"), "f")
          })
        )
      )
    }
  })
}

describe("an address that is gone", () => {
  const transports = [
    ["memory", (server: ServerOptions) => MemoryTransport.layerWith({ server })],
    ["TCP", (server: ServerOptions) => layers(server, {})]
  ] as const

  for (const [over, layer] of transports) {
    const test = (
      name: string,
      body: (connections: {
        readonly made: number
        readonly now: number
      }) => Effect.Effect<void, unknown, ClientTransport | ServerTransport | Scope.Scope>
    ) =>
      it.live(`${name}, over ${over}`, () => {
        const { acceptConnection, connections } = counting()
        return body(connections).pipe(Effect.scoped, Effect.provide(layer({ acceptConnection })))
      })

    for (const protocol of protocols) {
      test(`leaves its streams to their end, and gets a new connection when it is called all the same: ${protocol}`, (connections) =>
        Effect.gen(function* () {
          const { address } = yield* serve
          const { retire } = yield* ClientTransport
          const old = yield* openStream(address, protocol)
          yield* works(old)
          retire!("elsewhere")
          yield* works(yield* openStream(address, protocol))
          assert.deepStrictEqual(connections, { made: 1, now: 1 })
          retire!(address)
          const young = yield* openStream(address, protocol)
          yield* works(young)
          yield* works(old)
          assert.deepStrictEqual(connections, { made: 2, now: 2 })
          retire!(address)
          young.closeSend()
          assert.strictEqual((yield* ended(young))._tag, "Status")
          yield* until(() => connections.now === 1)
        }))

      test(`does not keep a connection for streams that was being dialled: ${protocol}`, (connections) =>
        Effect.gen(function* () {
          const { address } = yield* serve
          const { retire } = yield* ClientTransport
          const opening = yield* Effect.forkChild(openStream(address, protocol), { startImmediately: true })
          retire!(address)
          const stream = yield* Fiber.join(opening)
          yield* works(stream)
          stream.closeSend()
          assert.strictEqual((yield* ended(stream))._tag, "Status")
          // Over TTHeader who waits gets another, which stays.
          yield* until(() => connections.now <= (protocol === "grpc" ? 0 : 1))
          retire!(address)
          yield* until(() => connections.now === 0)
          // Nobody waits for this one.
          const left = yield* Effect.forkChild(openStream(address, protocol), { startImmediately: true })
          retire!(address)
          yield* Fiber.interrupt(left)
          // In memory, without SETTINGS to wait for, it is there at once.
          const opened = left.pollUnsafe()
          if (opened?._tag === "Success") opened.value.closeSend()
          const { made } = connections
          yield* until(() => connections.now === 0)
          yield* works(yield* openStream(address, protocol))
          assert.isAbove(connections.made, made)
        }))
    }

    for (const [name, encoding, mode] of kinds) {
      test(`does not keep a connection that was being dialled: ${name}`, (connections) =>
        Effect.gen(function* () {
          const { address } = yield* serve
          const { retire } = yield* ClientTransport
          const to = target(encoding, mode, address)
          const calling = yield* Effect.forkChild(call(to, "a"), { startImmediately: true })
          retire!(address)
          assert.strictEqual(yield* Fiber.join(calling), "a")
          yield* until(() => connections.now <= (mode === "multiplexed" ? 1 : 0))
          retire!(address)
          yield* until(() => connections.now === 0)
          // Nobody waits for this one.
          const { made } = connections
          const left = yield* Effect.forkChild(call(to, "b"), { startImmediately: true })
          retire!(address)
          yield* Fiber.interrupt(left)
          yield* until(() => connections.made > made)
          yield* until(() => connections.now === 0)
        }))
    }

    for (const [name, encoding, mode] of kinds) {
      test(`leaves its calls to their end, and loses idle connections at once: ${name}`, (connections) =>
        Effect.gen(function* () {
          const { address, held } = yield* serve
          const { retire } = yield* ClientTransport
          const to = target(encoding, mode, address)
          const late = yield* Effect.forkChild(call(to, "wait"), { startImmediately: true })
          yield* until(() => held.length === 1)
          assert.strictEqual(yield* call(to, "a"), "a")
          const made = connections.made
          assert.strictEqual(connections.now, made)
          retire!(address)
          // That of the call that waits is left.
          yield* until(() => connections.now === 1)
          assert.strictEqual(yield* call(to, "b"), "b")
          assert.strictEqual(connections.made, made + 1)
          held[0]!.reply("late", encodeText)
          assert.strictEqual(yield* Fiber.join(late), "late")
          yield* until(() => connections.now === 1)
          assert.strictEqual(yield* call(to, "c"), "c")
          assert.strictEqual(connections.made, made + 1)
        }))

      test(`serves a call that has its connection, but has yet to be sent: ${name}`, (connections) =>
        Effect.gen(function* () {
          const { address } = yield* serve
          const { retire } = yield* ClientTransport
          const to = target(encoding, mode, address)
          const leased = yield* lease(to)
          retire!(address)
          assert.strictEqual(yield* sendOn(leased, "a"), "a")
          yield* until(() => connections.now === 0)
          const given = yield* lease(to)
          retire!(address)
          given.release()
          yield* until(() => connections.now === 0)
          assert.strictEqual(connections.made, 2)
        }))
    }
  }
})

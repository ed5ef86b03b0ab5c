/** Much of everything between two processes, and nothing left behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Request } from "../src/api.ts"
import { watchProcess } from "../src/usage.ts"
import { leavesNothing, soakClient, soakServer, until, witness } from "./soaking.ts"

watchProcess()

const message = new Request({ message: "a short one" })
const warmUp = 2000

describe("soak", () => {
  it.live(
    "50,000 short streams, unary and bidirectional",
    () =>
      Effect.gen(function* () {
        const server = yield* soakServer()
        const client = yield* soakClient(server.address)
        const one = (i: number) =>
          i % 2 === 0
            ? Effect.map(client.Unary(message), (response) => assert.strictEqual(response.message, message.message))
            : Effect.map(Stream.runCount(client.Echo(Stream.make(message, message))), (n) => assert.strictEqual(n, 2))
        const many = (n: number) => Effect.forEach(Array.from(Array(n).keys()), one, { concurrency: 64, discard: true })
        yield* many(warmUp)
        const after = yield* leavesNothing(server, many(50_000))
        assert.strictEqual(after.handlers.started, warmUp + 50_000)
      }),
    120_000
  )

  it.live(
    "2,000 idle streams on one connection",
    () =>
      Effect.gen(function* () {
        const streams = 2000
        const server = yield* soakServer({ transport: { limits: { maxConcurrentStreams: streams + 1 } } })
        const client = yield* soakClient(server.address)
        const idle = Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* stream.send(message)
          yield* stream.recv
        })
        const many = Effect.forEach(Array.from(Array(streams).keys()), () => idle, { concurrency: 64, discard: true })
        yield* Effect.scoped(many)
        const empty = yield* until(server.usage, (now) => now.handlers.active === 0, 2000)
        yield* leavesNothing(
          server,
          Effect.gen(function* () {
            yield* many
            const full = yield* server.usage
            assert.strictEqual(full.handlers.active, streams)
            assert.strictEqual(full.sockets, 1)
            const each = (full.held - empty.held) / streams
            assert.isBelow(each, 16 * 1024, "bytes of an idle stream on the server")
            yield* Effect.sleep(500)
            const response = yield* client.Unary(message)
            assert.strictEqual(response.message, message.message)
          })
        )
      }),
    120_000
  )

  it.live(
    "5,000 streams read once and cancelled at full speed, beside a long one that does not notice",
    () =>
      Effect.gen(function* () {
        const server = yield* soakServer()
        const client = yield* soakClient(server.address)
        const one = Effect.gen(function* () {
          const first = yield* Stream.runHead(client.Produce(new Request({ message: "flood", count: 32 })))
          assert.strictEqual(first._tag, "Some")
        })
        const many = (n: number) =>
          Effect.forEach(Array.from(Array(n).keys()), () => one, { concurrency: 32, discard: true })
        yield* many(500)
        const long = yield* witness(client)
        const after = yield* leavesNothing(server, many(5000))
        assert.strictEqual(after.handlers.started, 5501)
        assert.strictEqual(after.handlers.active, 1)
        assert.strictEqual(after.sockets, 1)
        const before = long.seen
        yield* Effect.sleep(200)
        assert.isAbove(long.seen, before, "the long stream goes on")
        assert.isAbove(before, 10, "it went on all the time")
        assert.isBelow(long.longest, 2000, "its longest gap, in milliseconds")
      }),
    120_000
  )
})

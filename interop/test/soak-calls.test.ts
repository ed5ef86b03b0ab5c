/** The soak of PingPong calls: many short ones, calls that are given up, and connections that are cut. */
import { assert, describe, it } from "@effect/vitest"
import type { Client } from "@millrace/rpc"
import { Effect, Fiber } from "effect"
import { Request } from "../src/api.ts"
import type { Soak } from "../src/soak.ts"
import { usage, watchProcess } from "../src/usage.ts"
import { relayTo } from "./relay.ts"
import { leavesNothing, type SoakServer, soakCaller, soakServer, until } from "./soaking.ts"

watchProcess()

const say = (message: string, count?: number) => ({ req: new Request({ message, count }) })
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)

const atOnce = 64

/** Until all pooled connections are there, and the server has seen the end of all others. */
const settled = Effect.fnUntraced(function* (server: SoakServer, client: Client.Client<typeof Soak>) {
  yield* Effect.forEach(numbers(atOnce), () => client.Call(say("sleep", 50)), { concurrency: atOnce, discard: true })
  const { sockets } = usage()
  const now = yield* until(server.usage, (now) => now.handlers.active === 0 && now.sockets === sockets, 10_000)
  assert.deepStrictEqual([now.handlers.active, now.sockets], [0, sockets])
})

describe("soak of calls", () => {
  for (const [transport, connection, n] of [
    ["ttheader-framed", "auto", 50_000],
    ["ttheader", "pooled", 50_000],
    ["framed", "multiplexed", 20_000],
    ["buffered", "pooled", 20_000]
  ] as const) {
    it.live(
      `${n} short calls, ${transport}, ${connection}`,
      () =>
        Effect.gen(function* () {
          const server = yield* soakServer()
          const client = yield* soakCaller(server.address, { transport, connection })
          // from the first answer on the client knows how it may use the connection
          yield* client.Call(say("first"))
          const one = (i: number) =>
            Effect.map(client.Call(say(`call ${i}`, i)), ({ message }) => assert.strictEqual(message, `call ${i}`))
          const many = (n: number) => Effect.forEach(numbers(n), one, { concurrency: atOnce, discard: true })
          yield* many(4000)
          yield* settled(server, client)
          const after = yield* leavesNothing(server, many(n))
          assert.strictEqual(after.handlers.started, 4001 + n + atOnce)
          assert.strictEqual(after.sockets, connection === "pooled" ? atOnce : 1)
        }),
      120_000
    )
  }

  for (const [transport, connection, n] of [
    ["ttheader-framed", "auto", 5000],
    ["ttheader-framed", "pooled", 1000],
    ["framed", "pooled", 1000]
  ] as const) {
    it.live(
      `${n} calls given up while the handler runs, ${transport}, ${connection}: no handler stays`,
      () =>
        Effect.gen(function* () {
          const server = yield* soakServer()
          const client = yield* soakCaller(server.address, { transport, connection })
          const one = Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(client.Call(say("never")), { startImmediately: true })
            yield* Effect.yieldNow
            yield* Fiber.interrupt(fiber)
            const { message } = yield* client.Call(say("one more"))
            assert.strictEqual(message, "one more")
          })
          const timed = Effect.gen(function* () {
            const error = yield* Effect.flip(client.Call(say("never"), { rpcTimeout: 5 }))
            assert.strictEqual(error._tag === "RpcError" ? error.reason._tag : error._tag, "RpcTimeout")
          })
          const many = (n: number) =>
            Effect.forEach(numbers(n), (i) => (i % 2 === 0 ? one : timed), { concurrency: 32, discard: true })
          yield* many(n / 5)
          yield* settled(server, client)
          const after = yield* leavesNothing(server, Effect.andThen(many(n), settled(server, client)))
          assert.strictEqual(after.handlers.active, 0)
        }),
      120_000
    )
  }

  it.live(
    "connections cut under calls: each call has its answer or a typed error, and nothing stays",
    () =>
      Effect.gen(function* () {
        const server = yield* soakServer()
        const relay = yield* relayTo(server.address)
        let answered = 0
        let failed = 0
        const run = Effect.fnUntraced(function* (rounds: number) {
          const clients = yield* Effect.forEach(["auto", "pooled", "short", "multiplexed"] as const, (connection) =>
            soakCaller(relay.address, { connection })
          )
          for (let round = 0; round < rounds; round++) {
            const calls = yield* Effect.forkChild(
              Effect.forEach(
                numbers(160),
                (i) =>
                  Effect.match(clients[i % clients.length]!.Call(say(i % 3 === 0 ? "sleep" : `call ${i}`, i % 10)), {
                    onSuccess: ({ message }) => {
                      answered++
                      assert.strictEqual(message, i % 3 === 0 ? "slept" : `call ${i}`)
                    },
                    onFailure: (error) => {
                      failed++
                      assert.strictEqual(error._tag === "RpcError" ? error.reason._tag : error._tag, "Unavailable")
                    }
                  }),
                { concurrency: 64, discard: true }
              )
            )
            yield* Effect.sleep(1 + (round % 5))
            relay.cut()
            yield* Fiber.join(calls)
          }
        }, Effect.scoped)
        yield* run(5)
        yield* until(server.usage, (now) => now.sockets === 0, 5000)
        yield* leavesNothing(
          server,
          Effect.andThen(
            run(25),
            until(server.usage, (now) => now.sockets === 0, 5000)
          )
        )
        assert.strictEqual(answered + failed, 30 * 160)
        assert.isAbove(answered, 500)
        assert.isAbove(failed, 500)
        assert.strictEqual(relay.open(), 0)
      }),
    120_000
  )
})

/** What a real Kitex client sees of the limits of our server, and what its own policies make of our server. */
import { assert, describe, layer } from "@effect/vitest"
import { Acl, Limiter } from "@millrace/governance"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer } from "effect"
import { createServer } from "node:net"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { type Governed, KitexClient, ourServer } from "./peers.ts"

interface Calls extends Governed {
  readonly address: string
  readonly n?: number
  readonly word?: string
  readonly key?: string
  readonly count?: number
}

/** What so many calls of a Kitex client came to: how often each outcome was seen. */
const outcomes = Effect.fnUntraced(function* ({
  address,
  count = 1,
  key = "",
  n = 1,
  word = "hi",
  ...governed
}: Calls) {
  const run = yield* KitexClient
  const result = yield* run({ scenario: "governed", address, n, ask: { word, key, count }, governed })
  assert.deepStrictEqual([result.ok, result.detail], [true, ""])
  return result.seen[0]!["value"] as Record<string, number>
})

const modes = ["call", "unary", "bidi"] as const

/** A refusal as Kitex shows it: the code of an exception, or of a stream. */
const shown = (mode: Governed["mode"], code: number, text: string): string =>
  mode === "call"
    ? `type 6: remote or network error[remote]: ${text}`
    : `code ${code}: ${mode === "unary" ? "remote or network error: " : ""}rpc error: code = ${code} desc = ${text}`

const freeAddress = Effect.callback<string>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number }
    server.close(() => resume(Effect.succeed(`127.0.0.1:${port}`)))
  })
})

describe.skipIf(!goAvailable())("Kitex client, our server: governance", () => {
  layer(Layer.merge(KitexClient.layer, NodeTransport.layerClient), { excludeTestServices: true, timeout: "5 minutes" })(
    (it) => {
      for (const mode of modes) {
        it.effect(`${mode}: a limit of calls a second`, () =>
          Effect.gen(function* () {
            const address = yield* serverHere({ admission: [Limiter.qps(20)] })
            const seen = yield* outcomes({ address, mode, n: 60, width: 4 })
            const refusal = shown(mode, 8, "request over limit: request too frequent")
            assert.sameMembers(Object.keys(seen), ["hi", refusal], JSON.stringify(seen))
            assert.isAtLeast(seen[refusal]!, 20)
          })
        )

        it.effect(`${mode}: a limit of calls at a time`, () =>
          Effect.gen(function* () {
            const address = yield* serverHere({ admission: [Limiter.concurrency(2)] })
            assert.deepStrictEqual(yield* outcomes({ address, mode, n: 6, width: 6, word: "sleep", count: 300 }), {
              sleep: 2,
              [shown(mode, 8, "request over limit: to many connections")]: 4
            })
            assert.deepStrictEqual(yield* outcomes({ address, mode, n: 2 }), { hi: 2 })
          })
        )

        it.effect(`${mode}: a rule that knows the caller`, () =>
          Effect.gen(function* () {
            const deny = (caller: string) =>
              Acl.admission(({ info }) => (info.caller === caller ? "denied" : undefined))
            const closed = yield* serverHere({ admission: [deny("interop-go-client")] })
            const open = yield* serverHere({ admission: [deny("somebody-else")] })
            assert.deepStrictEqual(yield* outcomes({ address: closed, mode }), {
              [shown(mode, 7, "request forbidden: denied")]: 1
            })
            assert.deepStrictEqual(yield* outcomes({ address: open, mode }), { hi: 1 })
          })
        )
      }

      it.effect("a limit of connections: one too many is closed, those before go on", () =>
        Effect.gen(function* () {
          const address = yield* serverHere({}, { acceptConnection: Limiter.connections(1) })
          assert.deepStrictEqual(yield* outcomes({ address, mode: "unary" }), { hi: 1 })
          const [[refused]] = [Object.keys(yield* outcomes({ address, mode: "call" }))]
          assert.match(refused!, /EOF|closed|reset/)
          assert.deepStrictEqual(yield* outcomes({ address, mode: "unary", n: 5, width: 5 }), { hi: 5 })
        })
      )

      for (const mode of ["call", "unary"] as const) {
        it.effect(`${mode}: Kitex calls again after a timeout, and our handler knows`, () =>
          Effect.gen(function* () {
            const address = yield* serverHere()
            assert.deepStrictEqual(
              yield* outcomes({ address, mode, millis: 150, retries: 2, word: "sleep-first", key: `again-${mode}` }),
              { "attempt 2, a retry: true": 1 }
            )
          })
        )
      }

      it.effect("Kitex's breaker opens when our server is gone, and closes when it is back", () =>
        Effect.gen(function* () {
          const address = yield* freeAddress
          const options = { address, mode: "call", breaker: 5 } as const
          const gone = yield* outcomes({ ...options, n: 20 })
          // the first call tries several times, which opens the breaker of the instance
          assert.deepStrictEqual(gone, {
            "forbidden by circuitbreaker: instance circuitbreak": 5,
            "forbidden by circuitbreaker: service circuitbreak": 15
          })
          yield* ourServer("--port", address.split(":")[1]!)
          // its cooling time
          yield* Effect.sleep("5 seconds")
          let seen: Record<string, number> = {}
          for (let i = 0; i < 4; i++) {
            seen = yield* outcomes(options)
            yield* Effect.sleep("250 millis")
          }
          assert.deepStrictEqual(seen, { hi: 1 })
          assert.deepStrictEqual(yield* outcomes({ ...options, n: 20 }), { hi: 20 })
        })
      )
    }
  )
})

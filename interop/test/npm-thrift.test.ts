/** Apache's `thrift` of npm in both directions, Buffered and Framed: a client that pipelines, a server that answers in any order. */
import { assert, describe, layer } from "@effect/vitest"
import { Client, type RpcError } from "@millrace/rpc"
import type { ConnectionMode } from "@millrace/transport/RawCall"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { Refused, Request } from "../src/api.ts"
import { CallsService, StrangeCalls } from "../src/calls.ts"
import * as npm from "./npm-thrift.ts"
import { Ours, ourServer } from "./peers.ts"
import { relayTo } from "./relay.ts"
import { told } from "./told.ts"

const MiB = 1024 * 1024

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const big = Buffer.from(numbers(MiB).map((i) => i * 31))

const client = (framing: npm.Framing, address: string) =>
  Effect.acquireRelease(
    Effect.sync(() => npm.connect(framing, address)),
    ({ close }) => Effect.sync(close)
  )

const call = (to: { call: npm.Call }, name: string, args: npm.Value) => Effect.promise(() => to.call(name, args))
const failure = (to: { call: npm.Call }, name: string, args: npm.Value) =>
  Effect.flip(Effect.tryPromise({ try: () => to.call(name, args), catch: (error) => error as npm.Value }))

const say = (message: string, count = 0) => ({ req: { message, count } })

describe("npm thrift", () => {
  layer(Layer.merge(Ours.layer, NodeTransport.layerClient), { excludeTestServices: true })((it) => {
    for (const framing of ["buffered", "framed"] as const) {
      it.effect(`${framing}: its client, our server`, () =>
        Effect.gen(function* () {
          const to = yield* client(framing, yield* Ours)
          assert.deepStrictEqual(yield* call(to, "Call", say("hi 错误", -1)), { message: "hi 错误", count: -1 })
          assert.isUndefined(yield* call(to, "Nothing", {}))
          assert.deepStrictEqual(yield* failure(to, "Call", say("refused")), { code: 42, why: "bad" })
          // the server keeps the connection after every answer of a handler
          for (const [word, type, message] of [
            ["plain-error", 6, "biz error: boom"],
            ["trans-error", 1000, "retry [biz error]"],
            [
              "panic",
              6,
              "panic: [happened in biz handler, method=CallsService.Call, please check the panic at the server side] kaboom"
            ]
          ] as const) {
            const error = yield* failure(to, "Call", say(word))
            assert.deepInclude(error, { type, message })
          }
          // a success without a result
          assert.isUndefined(yield* call(to, "Call", say("nil")))
          assert.isUndefined(yield* call(to, "Call", say("biz")))
          yield* call(to, "Tell", { text: "told", key: `npm-${framing}` })
          const heard = yield* call(to, "Call", { req: { message: "seen", key: `npm-${framing}` } })
          assert.deepStrictEqual(heard, { message: "told" })
          const bytes = (yield* call(to, "Bytes", { bytes: big })) as Buffer
          assert.isTrue(bytes.equals(big))
        }).pipe(Effect.scoped)
      )

      it.effect(`${framing}: its client pipelines 64 calls, which our server answers side by side`, () =>
        Effect.gen(function* () {
          const to = yield* client(framing, yield* Ours)
          const from = performance.now()
          const order: Array<number> = []
          const answers = yield* Effect.forEach(
            numbers(64),
            (i) =>
              Effect.map(call(to, "Call", say("sleep", 200 - 3 * i)), (answer) => {
                order.push(i)
                return answer
              }),
            { concurrency: "unbounded" }
          )
          assert.lengthOf(answers, 64)
          assert.notDeepEqual(order, numbers(64))
          assert.isBelow(performance.now() - from, 64 * 100)
          const echoes = yield* Effect.forEach(numbers(2000), (i) => call(to, "Call", say(`call ${i}`, i)), {
            concurrency: 64
          })
          assert.deepStrictEqual(
            echoes,
            numbers(2000).map((i) => ({ message: `call ${i}`, count: i }))
          )
        }).pipe(Effect.scoped)
      )

      it.effect(`${framing}: what our server does not know`, () =>
        Effect.gen(function* () {
          const to = yield* client(framing, yield* Ours)
          const error = yield* failure(to, "Missing", { text: "hi" })
          assert.deepInclude(error, { type: 20, message: "unknown service , method Missing" })
          const again = yield* client(framing, yield* ourServer("--unknown"))
          assert.strictEqual(yield* call(again, "Missing", { text: "hi" }), "unknown .Missing(10 bytes)")
        }).pipe(Effect.scoped)
      )

      it.effect(`${framing}: our client, its server`, () =>
        Effect.gen(function* () {
          const heard: Array<unknown> = []
          const handler: npm.Handler = async (name, args) => {
            if (name === "Bytes") return args["bytes"]
            if (name === "Tell") heard.push(args)
            if (name !== "Call") return undefined
            const { count, message } = args["req"] as { message: string; count: number }
            if (message === "refused") throw new npm.Refused({ code: 42, why: "bad" })
            if (message === "error") throw new Error("boom")
            if (message === "nil") return undefined
            if (message === "sleep") await sleep(count)
            return { message, count }
          }
          const server = yield* Effect.acquireRelease(
            Effect.promise(() => npm.serve(framing, handler)),
            ({ close }) => Effect.sync(close)
          )
          const relay = yield* relayTo(server.address)
          for (const connection of ["auto", "pooled", "short", "multiplexed"] satisfies Array<ConnectionMode>) {
            const options = { hostPorts: [relay.address], transport: framing, connection }
            const ours = yield* Client.make(CallsService, options)
            const stranger = yield* Client.make(StrangeCalls, options)
            const request = (message: string, count?: number) => ({ req: new Request({ message, count }) })

            assert.strictEqual((yield* ours.Call(request("hi 错误"))).message, "hi 错误")
            assert.isUndefined(yield* ours.Nothing({}))
            const refused = yield* Effect.flip(ours.Call(request("refused")))
            assert.instanceOf(refused, Refused)
            assert.deepInclude(refused, { code: 42, why: "bad" })
            assert.strictEqual(yield* told(ours.Call(request("error"))), "Status 0 boom")
            // its exceptions have no type on the wire, whatever they were made with
            assert.strictEqual(yield* told(stranger.Missing({ text: "hi" })), "Status 0 Unknown function Missing")
            assert.isUndefined(yield* ours.Call(request("nil")))
            yield* ours.Tell({ text: "told", key: connection })
            yield* ours.Nothing({})
            const bytes = yield* ours.Bytes({ bytes: big })
            assert.isTrue(big.equals(bytes))

            const before = relay.dials()
            const n = connection === "short" ? 100 : 2000
            const echoes = yield* Effect.forEach(numbers(n), (i) => ours.Call(request(`call ${i}`)), {
              concurrency: 64
            })
            assert.deepStrictEqual(
              echoes.map(({ message }) => message),
              numbers(n).map((i) => `call ${i}`)
            )
            const most = { auto: 64, pooled: 64, short: n, multiplexed: 1 }[connection]
            assert.isAtMost(relay.dials() - before, most, connection)
            if (connection !== "multiplexed") continue
            const order: Array<number> = []
            yield* Effect.forEach(
              numbers(64),
              (i) => Effect.map(ours.Call(request("sleep", 200 - 3 * i)), () => order.push(i)),
              { concurrency: "unbounded" }
            )
            assert.notDeepEqual(order, numbers(64))
            const late = yield* Effect.flip(ours.Call(request("sleep", 100), { rpcTimeout: 20 }))
            assert.strictEqual((late as RpcError.RpcError).reason._tag, "RpcTimeout")
          }
          assert.deepStrictEqual(
            heard,
            ["auto", "pooled", "short", "multiplexed"].map((key) => ({ text: "told", key }))
          )
        }).pipe(Effect.scoped)
      )
    }
  })
})

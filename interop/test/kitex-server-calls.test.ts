/** Our Client calls a real Kitex server, in every encoding. What the words do is in kitex/peer. */
import { assert, describe, layer } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Client, Method, RpcError, Service, StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ClientOptions } from "@millrace/rpc/ClientOptions"
import type { ConnectionMode, Encoding } from "@millrace/transport/RawCall"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Fiber, Layer } from "effect"
import { Choice, InteropService, Point, Refused, Request, Response } from "../src/api.ts"
import { CallsService, CombineService, Nowhere, StrangeCalls, Strict } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { Kitex, kitexServer, Ours } from "./peers.ts"
import { relayTo } from "./relay.ts"
import { requests, routes, routesRefuse, routesUnknown } from "./routes.ts"
import { told } from "./told.ts"
import { everything } from "./values.ts"

const MiB = 1024 * 1024

const encodings = ["buffered", "framed", "ttheader", "ttheader-framed"] as const
const keyed = (encoding: Encoding): boolean => encoding.startsWith("tt")

/** A Kitex server without the handlers of TTHeader's keys, and one for multiplexed clients. */
class Plain extends Context.Service<Plain, string>()("interop/Plain") {
  static readonly layer = Layer.effect(Plain, kitexServer("--plain"))
}
class Mux extends Context.Service<Mux, string>()("interop/Mux") {
  static readonly layer = Layer.effect(Mux, kitexServer("--mux"))
}

const clientOf = (address: string, options: ClientOptions) =>
  Client.make(CallsService, { hostPorts: [address], ...options })

const say = (message: string, count?: number, key?: string) => ({ req: new Request({ message, count, key }) })

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const pattern = (size: number) => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i * 31
  return bytes
}
const same = (got: Uint8Array, want: Uint8Array) => assert.isTrue(Buffer.from(got).equals(want))

const assertRpcError = (error: unknown, reason: string, code: number, desc: string) => {
  assert.instanceOf(error, RpcError.RpcError)
  const { code: gotCode, desc: gotDesc, reason: gotReason } = error as RpcError.RpcError
  assert.deepStrictEqual([gotReason._tag, gotCode, gotDesc], [reason, code, desc])
}

/** The words that a server answers by an exception: what a client sees. */
const exceptions: ReadonlyArray<readonly [word: string, code: number, desc: string]> = [
  ["plain-error", 6, "biz error: boom"],
  ["unicode-error", 6, "biz error: 错误 100%\n"],
  ["trans-error", 1000, "retry [biz error]"],
  ["status", 6, "biz error: rpc error: code = 7 desc = no entry"],
  ["context-error", 6, "biz error: context deadline exceeded"],
  ["wrapped-refused", 6, "biz error: wrapped: Refused({Code:42 Why:bad Where:<nil>})"],
  [
    "panic",
    6,
    "panic: [happened in biz handler, method=CallsService.Call, please check the panic at the server side] kaboom"
  ]
]

const bizStatuses: ReadonlyArray<readonly [word: string, code: number, text: string, extra: Record<string, string>]> = [
  ["biz", 404, "not found", {}],
  ["biz-extra", 404, "not found", { k: "v" }],
  ["biz-html", -7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }],
  ["biz-wrapped", 404, "not found", {}],
  ["biz-empty-extra", 5, "", {}]
]

/** The same service for a client that does not know that the text is needed. */
class Lenient extends Service.make("CallsService", {
  methods: [Method.pingPong("NeedText", { arguments: { strict: Thrift.field(1, Point) }, response: Thrift.String })]
}) {}

const streamless = { arguments: { req: Thrift.field(1, Request) }, response: Response }

/** The streams of InteropService as calls. */
class Streamless extends Service.make("InteropService", {
  methods: [
    Method.pingPong("Bidi", streamless),
    Method.pingPong("Client", streamless),
    Method.pingPong("Server", streamless),
    Method.pingPong("Unary", streamless)
  ]
}) {}

describe.skipIf(!goAvailable())("our client, Kitex server: PingPong", () => {
  const services = Layer.mergeAll(Kitex.layer, Ours.layer, Plain.layer, Mux.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const encoding of encodings) {
      const options = { transport: encoding }

      it.effect(`${encoding}: every shape of arguments and results`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, options)
          for (let i = 0; i < 3; i++) {
            const blob = pattern(1000)
            const response = yield* client.Call({ req: new Request({ message: "hi 错误", count: -1, blob }) })
            assert.deepStrictEqual(response, new Response({ message: "hi 错误", count: -1, blob }))
            assert.strictEqual(yield* client.NeedText({ strict: new Strict({ text: "needed" }) }), "needed")
            assert.strictEqual(yield* client.Next({ number: 41 }), 42)
            assert.isFalse(yield* client.Not({ flag: true }))
            assert.strictEqual(yield* client.Half({ number: -0.5 }), -0.25)
            assert.strictEqual(yield* client.Sum({ numbers: [2n ** 60n, 1n, -3n] }), 2n ** 60n - 2n)
            same(yield* client.Bytes({ bytes: Uint8Array.of(0, 1, 255) }), Uint8Array.of(0, 1, 255))
            same(yield* client.Bytes({ bytes: Uint8Array.of() }), Uint8Array.of())
            const sizes = yield* client.Sizes({ texts: new Set(["", "ab", "错"]) })
            assert.deepStrictEqual(
              Array.from(sizes).toSorted(([a], [b]) => (a < b ? -1 : 1)),
              [
                ["", 0n],
                ["ab", 2n],
                ["错", 3n]
              ]
            )
            assert.strictEqual(yield* client.Repeat({ text: "ab", times: 2 }), "abab")
            assert.isUndefined(yield* client.Nothing({}))
            assert.isUndefined(yield* client.Attempt(say("hi")))
            assert.deepStrictEqual(yield* client.Every({ value: everything }), everything)
            for (const choice of [
              Choice.cases.number.make({ value: 7 }),
              Choice.cases.text.make({ value: "" }),
              Choice.cases.words.make({ value: ["a"] }),
              Choice.cases.flag.make({ value: false })
            ]) {
              assert.deepStrictEqual(yield* client.Choose({ choice }), choice)
            }
          }
        })
      )

      it.effect(`${encoding}: oneway, heard whatever becomes of it`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, options)
          for (const text of ["told", "plain-error", "panic"]) {
            const key = `ours-${encoding}-${text}`
            assert.isUndefined(yield* client.Tell({ text, key }))
            assert.strictEqual((yield* client.Call(say("seen", 0, key))).message, text)
          }
        })
      )

      it.effect(`${encoding}: declared exceptions keep the connection`, () =>
        Effect.gen(function* () {
          const relay = yield* relayTo(yield* Kitex)
          const client = yield* clientOf(relay.address, options)
          for (const word of ["refused", "refused-and-response"]) {
            const error = yield* Effect.flip(client.Call(say(word)))
            assert.instanceOf(error, Refused)
            assert.deepInclude(error, { code: 42, why: "bad" })
          }
          assert.instanceOf(yield* Effect.flip(client.Attempt(say("refused"))), Refused)
          assert.strictEqual(relay.dials(), 1)
        })
      )

      it.effect(`${encoding}: errors of handlers`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, options)
          for (const [word, code, desc] of exceptions) {
            assertRpcError(yield* Effect.flip(client.Call(say(word))), "Status", code, desc)
            const attempt = yield* Effect.flip(client.Attempt(say(word)))
            assertRpcError(attempt, "Status", code, desc.replace(".Call,", ".Attempt,"))
          }
        })
      )

      it.effect(`${encoding}: business errors, which only a TTHeader carries`, () =>
        Effect.gen(function* () {
          const relay = yield* relayTo(yield* Kitex)
          const client = yield* clientOf(relay.address, options)
          const strict = yield* clientOf(relay.address, { ...options, missingResult: "fail" })
          const plain = yield* clientOf(yield* Plain, options)
          for (const [word, statusCode, statusMessage, extra] of bizStatuses) {
            if (!keyed(encoding)) {
              assert.isUndefined(yield* client.Call(say(word)))
              continue
            }
            const error = (yield* Effect.flip(client.Call(say(word)))) as CallError
            assert.strictEqual(error._tag, "BizStatusError")
            assert.deepInclude(error, { statusCode, statusMessage })
            assert.deepStrictEqual("extra" in error ? { ...error.extra } : undefined, extra)
            assert.isUndefined(yield* plain.Call(say(word)))
          }
          // code 0 and nil are successes without a result
          for (const word of ["biz-zero", "nil"]) {
            assert.isUndefined(yield* client.Call(say(word)))
            assertRpcError(yield* Effect.flip(strict.Call(say(word))), "Status", 5, "missing result")
          }
          assert.isAtMost(relay.dials(), 1)
        })
      )

      it.effect(`${encoding}: unknown methods and services, a required member that is missing`, () =>
        Effect.gen(function* () {
          const hostPorts = [yield* Kitex]
          const stranger = yield* Client.make(StrangeCalls, { hostPorts, ...options })
          const nowhere = yield* Client.make(Nowhere, { hostPorts, ...options })
          const lenient = yield* Client.make(Lenient, { hostPorts, ...options })
          const missing = yield* Effect.flip(stranger.Missing({ text: "hi" }))
          const nobody = yield* Effect.flip(nowhere.Nobody({}))
          if (keyed(encoding)) {
            assertRpcError(missing, "Status", 1, "unknown method Missing (service CallsService)")
            assertRpcError(nobody, "Status", 20, "unknown service Nowhere, method Nobody")
          } else {
            assertRpcError(missing, "Status", 20, "unknown service , method Missing")
            assertRpcError(nobody, "Status", 20, "unknown service , method Nobody")
          }
          const needed = yield* Effect.flip(lenient.NeedText({ strict: new Point({ x: 1 }) }))
          assert.strictEqual((needed as RpcError.RpcError).code, 7)
          assert.include((needed as RpcError.RpcError).desc, "required field text is not set")
        })
      )

      it.effect(`${encoding}: streaming methods called as if they had no stream, at a Kitex server and at ours`, () =>
        Effect.gen(function* () {
          for (const address of [yield* Kitex, yield* Ours]) {
            const client = yield* Client.make(Streamless, { hostPorts: [address], ...options })
            const text = "is a thrift streaming method, please call with Kitex StreamClient"
            for (const method of ["Bidi", "Client", "Server"] as const) {
              const got = yield* told(client[method](say("hi")))
              assert.strictEqual(got, `Status 6 biz error: InteropService.${method} ${text}`)
            }
            // a Kitex server generated with -streamx takes it too
            const unary =
              address === (yield* Ours)
                ? "hi"
                : "Status 6 biz error: InteropService.Unary is a thrift streaming unary method, please call with Kitex StreamClient or remove the annotation streaming.mode"
            assert.strictEqual(yield* told(client.Unary(say("hi"))), unary)
          }
        })
      )

      it.effect(`${encoding}: 1 MiB and 16 MiB both ways`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, options)
          for (const [size, times] of [
            [MiB, 3],
            [16 * MiB, 2]
          ] as const) {
            const bytes = pattern(size)
            for (let i = 0; i < times; i++) same(yield* client.Bytes({ bytes }), bytes)
          }
        })
      )

      for (const [connection, n, most] of [
        ["pooled", 2000, 64],
        ["auto", 2000, 64],
        ["short", 200, 200],
        ["multiplexed", 2000, 1]
      ] as const satisfies ReadonlyArray<readonly [ConnectionMode, number, number]>) {
        it.effect(`${encoding}: ${n} calls, 64 at once, ${connection}: each gets its own answer`, () =>
          Effect.gen(function* () {
            const relay = yield* relayTo(yield* Kitex)
            const client = yield* clientOf(relay.address, { ...options, connection })
            const one = (i: number) =>
              Effect.map(client.Call(say(`call ${i}`, i)), (response) => {
                assert.deepStrictEqual(response, new Response({ message: `call ${i}`, count: i }))
              })
            yield* Effect.forEach(numbers(n), one, { concurrency: 64, discard: true })
            if (connection === "short") assert.strictEqual(relay.dials(), most)
            else assert.isAtMost(relay.dials(), most)
          })
        )
      }

      it.effect(`${encoding}: our timeout fires; the late answer is nobody's`, () =>
        Effect.gen(function* () {
          const relay = yield* relayTo(yield* Kitex)
          const client = yield* clientOf(relay.address, options)
          const error = yield* Effect.flip(client.Call(say("sleep", 300), { rpcTimeout: 50 }))
          const { address } = relay
          const text = `rpc timeout: timeout=50ms, to=CallsService, method=Call, location=kitex.rpcTimeoutMW, remote=${address}`
          assertRpcError(error, "RpcTimeout", 4, text)
          assert.strictEqual((yield* client.Call(say("next"))).message, "next")
          assert.strictEqual(relay.dials(), 2)
        })
      )

      it.effect(`${encoding}: interruption ends a call; the next has its own answer`, () =>
        Effect.gen(function* () {
          const relay = yield* relayTo(yield* Kitex)
          const client = yield* clientOf(relay.address, options)
          const fiber = yield* Effect.forkChild(client.Call(say("sleep", 200)))
          yield* Effect.sleep(50)
          yield* Fiber.interrupt(fiber)
          const next = yield* Effect.forEach(numbers(20), (i) => client.Call(say(`next ${i}`)))
          assert.deepStrictEqual(
            next.map(({ message }) => message),
            numbers(20).map((i) => `next ${i}`)
          )
          assert.deepStrictEqual([relay.dials(), relay.open()], [2, 1])
        })
      )

      it.effect(`${encoding}: the server sees the timeout and the caller where a TTHeader says them`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, { ...options, callerName: "interop-ts-client" })
          assert.strictEqual((yield* client.Call(say("timeout"))).count, 0)
          const { count } = yield* client.Call(say("timeout"), { rpcTimeout: "5 seconds" })
          if (keyed(encoding)) assert.isTrue(count! > 3000 && count! <= 5000, `${count}`)
          else assert.strictEqual(count, 0)
          const caller = yield* client.Call(say("caller"))
          assert.strictEqual(caller.message, keyed(encoding) ? "interop-ts-client/" : "/")
        })
      )

      it.effect(`${encoding}: backward metainfo`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* Kitex, options)
          const got: Array<string | undefined> = []
          yield* client.Call(say("backward"), { onHeader: (header) => got.push(header.get("from-server")) })
          assert.deepStrictEqual(got, [keyed(encoding) ? "v2" : undefined])
        })
      )

      it.effect(`${encoding}: streams and calls of one service on one port at once`, () =>
        Effect.gen(function* () {
          const hostPorts = [yield* Kitex]
          const streams = yield* StreamClient.make(InteropService, { hostPorts })
          const calls = yield* Client.make(InteropService, { hostPorts, ...options })
          const stream = yield* streams.Bidi.open()
          for (let i = 0; i < 10; i++) {
            yield* stream.send(new Request({ message: `s${i}` }))
            assert.strictEqual((yield* calls.Echo(say(`c${i}`))).message, `c${i}`)
            assert.strictEqual(yield* calls.Join({ left: "a", right: "b" }), "a-b")
            yield* calls.Ping({})
            yield* calls.Check(say("hi"))
            yield* calls.Notify({ text: "hi" })
            assert.strictEqual((yield* stream.recv).message, `s${i}`)
          }
          assert.instanceOf(yield* Effect.flip(calls.Echo(say("refused"))), Refused)
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: middlewares of the server`, () =>
        Effect.gen(function* () {
          for (const [middleware, reason, desc] of [
            ["error", "Status", "mw-boom"],
            ["overlimit", "Rejected", "request over limit: request too frequent"],
            ["acl", "Forbidden", "request forbidden: denied"]
          ] as const) {
            const client = yield* clientOf(yield* kitexServer("--middleware", middleware), options)
            assertRpcError(yield* Effect.flip(client.Call(say("hi"))), reason, 6, desc)
          }
          const client = yield* clientOf(yield* kitexServer("--middleware", "rewrite"), options)
          assert.strictEqual((yield* client.Call(say("hi"))).message, "mw:hi")
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: routing`, () =>
        Effect.gen(function* () {
          for (const [args, rows] of [
            [[], routes],
            [["--refuse"], routesRefuse],
            [["--unknown"], routesUnknown]
          ] as const) {
            const ask = yield* requests(yield* kitexServer("--services", "routes", ...args), options)
            for (const [name, named, bare] of rows) {
              assert.strictEqual(yield* told(ask[name]), keyed(encoding) ? named : bare, name)
            }
          }
          const hostPorts = [yield* kitexServer("--services", "combined")]
          const combined = yield* Client.make(CombineService, { hostPorts, ...options })
          assert.strictEqual(yield* combined.Left({ text: "a" }), "left a")
          assert.strictEqual(yield* combined.Right({ text: "b" }), "right b")
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: the server stops under load: what it had begun is answered`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* kitexServer("--grace", "1s"), { ...options, connection: "pooled" })
          yield* Effect.forEach(numbers(64), () => client.Call(say("warm")), { concurrency: 64 })
          const slow = yield* Effect.forkChild(
            Effect.forEach(numbers(32), (i) => told(client.Call(say("sleep", 150 + i))), { concurrency: 32 })
          )
          yield* Effect.sleep(50)
          yield* client.Call(say("drain"))
          const late = yield* Effect.forEach(numbers(300), () => Effect.delay(told(client.Call(say("late"))), 1))
          for (const text of yield* Fiber.join(slow)) assert.strictEqual(text, "sleep")
          // what came too late was refused as a whole: by a closed connection, or by nobody listening
          const failures = new Set(late.filter((text) => text !== "late"))
          assert.isAtLeast(failures.size, 1)
          for (const text of failures) assert.match(text, /^Unavailable 14 /)
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: a server that is gone`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* kitexServer(), options)
          const error = yield* Effect.flip(client.Call(say("exit")))
          const hint = "does it speak Thrift, and TLS only where this client does?"
          assertRpcError(error, "Unavailable", 14, `default codec read failed: EOF peer close; ${hint}`)
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: a size limit of the server closes the connection`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* kitexServer("--size-limit", "10000"), options)
          yield* client.Bytes({ bytes: new Uint8Array(5000) })
          const large = client.Bytes({ bytes: new Uint8Array(20_000) })
          if (encoding === "buffered") yield* large
          else assert.strictEqual(((yield* Effect.flip(large)) as RpcError.RpcError).reason._tag, "Unavailable")
        }).pipe(Effect.scoped)
      )
    }

    for (const encoding of ["ttheader", "ttheader-framed"] as const) {
      it.effect(`${encoding}: multiplexed on Kitex's server for that: answers in any order`, () =>
        Effect.gen(function* () {
          const relay = yield* relayTo(yield* Mux)
          const client = yield* clientOf(relay.address, { transport: encoding, connection: "multiplexed" })
          const order: Array<number> = []
          const one = (i: number) =>
            Effect.map(client.Call(say("sleep", 10 * (9 - i))), () => {
              order.push(i)
            })
          yield* Effect.forEach(numbers(10), one, { concurrency: 10 })
          assert.deepStrictEqual(order, numbers(10).toReversed())
          const echo = (i: number) =>
            Effect.map(client.Call(say(`call ${i}`)), ({ message }) => assert.strictEqual(message, `call ${i}`))
          yield* Effect.forEach(numbers(2000), echo, { concurrency: 64, discard: true })
          assert.strictEqual(relay.dials(), 1)
          // a timeout of one is not the end of the connection
          const late = yield* Effect.flip(client.Call(say("sleep", 100), { rpcTimeout: 20 }))
          assert.strictEqual((late as RpcError.RpcError).reason._tag, "RpcTimeout")
          yield* Effect.sleep(100)
          yield* echo(1)
          assert.strictEqual(relay.dials(), 1)
        })
      )

      it.effect(`${encoding}: the server for multiplexed clients says goodbye when it stops`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* kitexServer("--mux", "--grace", "1s"), {
            transport: encoding,
            connection: "multiplexed"
          })
          const slow = yield* Effect.forkChild(client.Call(say("sleep", 200)))
          yield* Effect.sleep(50)
          yield* client.Call(say("drain"))
          assert.strictEqual((yield* Fiber.join(slow)).message, "sleep")
          yield* Effect.sleep(200)
          const error = yield* Effect.flip(client.Call(say("late")))
          assert.strictEqual((error as RpcError.RpcError).reason._tag, "Unavailable")
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: our timeout is the deadline of a Kitex handler that asks for it`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(yield* kitexServer("--context-timeout"), { transport: encoding })
          const key = `ours-${encoding}-deadline`
          const error = yield* Effect.flip(client.Call(say("wait", 0, key), { rpcTimeout: 100 }))
          // either side may be first
          assert.oneOf((error as RpcError.RpcError).reason._tag, ["RpcTimeout", "Status"])
          assert.strictEqual((yield* client.Call(say("seen", 0, key))).message, "context deadline exceeded")
        }).pipe(Effect.scoped)
      )

      it.effect(`${encoding}: checksums, right and wrong`, () =>
        Effect.gen(function* () {
          const checking = yield* kitexServer("--checksum")
          const wrong = yield* kitexServer("--wrong-checksum")
          const bytes = pattern(100_000)
          const ours = yield* Layer.build(NodeTransport.layerClientWith({ checksum: true }))
          const clients = (address: string) => clientOf(address, { transport: encoding })
          for (const address of [checking, yield* Kitex]) {
            const client = yield* Effect.provide(clients(address), ours)
            same(yield* client.Bytes({ bytes }), bytes)
          }
          same(yield* (yield* clients(checking)).Bytes({ bytes }), bytes)
          // only who checks minds
          same(yield* (yield* clients(wrong)).Bytes({ bytes }), bytes)
          const minding = yield* Effect.provide(clients(wrong), ours)
          const error = (yield* Effect.flip(minding.Bytes({ bytes }))) as RpcError.RpcError
          assert.match(error.desc, /^payload validation error: validation failed, err=[0-9a-f]{8}$/)
        }).pipe(Effect.scoped)
      )
    }
  })
})

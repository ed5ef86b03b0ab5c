import { assert, describe, it } from "@effect/vitest"
import { Transport } from "@millrace/transport"
import { Effect, Fiber } from "effect"
import { Client, type ClientOptions, type Endpoints, type Metadata, RpcError } from "../../src/index.ts"
import { CurrentCall, type HandledCall } from "../../src/internal/currentCall.ts"
import { pass, told } from "../support/client.ts"
import { Request, wrapped } from "../support/echo.ts"
import { EchoService, ended, FakeCalls } from "../support/fakeCalls.ts"

const hi = { req: new Request({ message: "hi" }) }
const empty = Uint8Array.of(0)

describe("headers", () => {
  it.effect("every key, in the name of the child", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        destService: "echo-svc",
        callerName: "cli",
        rpcTimeout: "1 second",
        connectTimeout: 100
      })
      yield* ended(client.Ping({}), () => fake.last.reply(empty))
      assert.deepStrictEqual(fake.last.header, {
        ints: [
          [1, "framed"],
          [3, "cli"],
          [6, "echo-svc"],
          [9, "Ping"],
          [12, "1000"],
          [17, "100"],
          [20, ""],
          [22, "1"]
        ],
        strings: [["isn", "EchoService"]]
      })
      yield* ended(client.Log({ line: "x" }), () => fake.last.sent())
      assert.strictEqual(fake.last.ints[22], "4")
    })
  )

  it.effect("without timeouts, from nobody, unframed", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ transport: "ttheader" })
      yield* ended(client.Ping({}), () => fake.last.reply(empty))
      assert.deepStrictEqual(fake.last.ints, { 1: "unframed", 3: "", 6: "EchoService", 9: "Ping", 20: "", 22: "1" })
    })
  )

  it.effect("are one object for calls that have the same", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ rpcTimeout: "1 second" })
      const call = (options?: ClientOptions.ClientCallOptions) =>
        ended(client.Ping({}, options), () => fake.last.reply(empty))
      yield* call()
      yield* call()
      yield* call({ rpcTimeout: "2 seconds" })
      yield* call()
      yield* call({ rpcTimeout: "2 seconds", transport: "ttheader" })
      yield* call({ rpcTimeout: "2 seconds", hostPort: "b:2" })
      yield* call({ rpcTimeout: "2 seconds", connectTimeout: 70 })
      yield* call({ rpcTimeout: "2 seconds" }).pipe(
        Effect.provideService(CurrentCall, { info: { method: "Outer" } } as HandledCall)
      )
      yield* call({ rpcTimeout: "2 seconds" })
      const [first, second, third, fourth, fifth, sixth, seventh, eighth, ninth] = fake.calls.map(
        ({ header }) => header
      )
      assert.strictEqual(second, first)
      assert.strictEqual(fourth, first)
      assert.strictEqual(sixth, third)
      assert.strictEqual(ninth, third)
      assert.strictEqual(new Set([first, third, fifth, seventh, eighth]).size, 5)
      assert.deepStrictEqual(
        fake.calls.slice(-3).map(({ ints }) => [ints[17], ints[20]]),
        [
          ["70", ""],
          [undefined, "Outer"],
          [undefined, ""]
        ]
      )
    })
  )

  it.effect("are not kept without bound", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      for (const rpcTimeout of [...Array.from({ length: 300 }, (_, i) => i + 1), 1]) {
        yield* ended(client.Ping({}, { rpcTimeout }), () => fake.last.reply(empty))
      }
      assert.deepStrictEqual(fake.last.header, fake.calls[0]!.header)
      assert.notStrictEqual(fake.last.header, fake.calls[0]!.header)
    })
  )

  it.effect("of the answer: keys as they came, without those of the protocol", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const seen: Array<readonly [string, Metadata.Metadata]> = []
      const options: ClientOptions.ClientCallOptions = {
        onHeader: (header) => void seen.push(["header", header]),
        onTrailer: (trailer) => void seen.push(["trailer", trailer])
      }
      const strings = { "Trace-Id": "1", "trace-id": "2", Only: "3", isn: "x", crrst: "1", "biz-status": "0", rip: "r" }
      yield* ended(client.Echo(hi, options), () => fake.last.reply(wrapped("yo", 0), strings))
      assert.deepStrictEqual(
        seen.map(([which]) => which),
        ["header", "trailer"]
      )
      for (const [, metadata] of seen) {
        assert.deepStrictEqual([...metadata.keys()], ["Trace-Id", "trace-id", "Only"])
        assert.deepStrictEqual(
          ["Trace-Id", "trace-id", "TRACE-ID", "only", "crrst", "CRRST", "none"].map(metadata.get),
          ["1", "2", "1", "3", undefined, undefined, undefined]
        )
        assert.deepStrictEqual([metadata.getAll("only"), metadata.getAll("none")], [["3"], []])
      }
      yield* Effect.exit(ended(client.Echo(hi, options), () => fake.last.exception(6, "boom", { a: "b" })))
      assert.strictEqual(seen[2]![1].get("a"), "b")
      yield* ended(client.Echo(hi, options), () => fake.last.reply(wrapped("yo", 0)))
      assert.deepStrictEqual([...seen[4]![1].keys()], [])
      assert.strictEqual(seen.length, 6)
    })
  )

  it.effect("of the answer: what their reader throws is a defect of its call", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const onHeader = () => {
        throw new Error("mine")
      }
      const exit = yield* Effect.exit(ended(client.Echo(hi, { onHeader }), () => fake.last.reply(wrapped("yo", 0))))
      assert.strictEqual(told(exit), "defect: Error: mine")
    })
  )
})

describe("where calls go", () => {
  it.effect("hostPorts in turn, and a call's own; encodings and connections", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ hostPorts: ["a:1", "b:2"], transport: "framed", connectTimeout: 70 })
      const call = (options?: ClientOptions.ClientCallOptions) =>
        ended(client.Ping({}, options), () => fake.last.reply(empty))
      yield* call()
      yield* call()
      yield* call({ hostPort: "c:3", connection: "short" })
      yield* call({ transport: undefined, connectTimeout: undefined })
      const target = { encoding: "framed", connection: "auto", connectTimeoutMillis: 70 }
      assert.deepStrictEqual<unknown>(fake.targets, [
        { ...target, address: "a:1" },
        { ...target, address: "b:2" },
        { ...target, address: "c:3", connection: "short" },
        { address: "a:1", encoding: "ttheader-framed", connection: "auto", connectTimeoutMillis: undefined }
      ])
    })
  )

  it.effect("the memory of the transport when nobody says where", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* Effect.provideService(Client.make(EchoService), Transport.ClientTransport, fake.transport)
      yield* ended(client.Ping({}), () => fake.last.reply(empty))
      assert.deepStrictEqual<unknown>(fake.targets, [
        { address: "memory", encoding: "ttheader-framed", connection: "auto", connectTimeoutMillis: undefined }
      ])
    })
  )

  it.effect("an instance that takes time to choose, and none at all", () =>
    Effect.gen(function* () {
      const none = new RpcError.RpcError({
        reason: new RpcError.Unavailable({ neverSent: true }),
        code: 14,
        desc: "no instance"
      })
      let calls = 0
      const endpoints: Endpoints.Endpoints = {
        pick: () => (++calls > 1 ? Effect.fail(none) : Effect.as(Effect.sleep(10), "picked:1"))
      }
      const fake = new FakeCalls()
      const client = yield* fake.client({ endpoints })
      const fiber = yield* Effect.forkChild(client.Ping({}))
      yield* pass(10)
      fake.last.reply(empty)
      yield* Fiber.join(fiber)
      assert.strictEqual(fake.last.target.address, "picked:1")
      assert.strictEqual(yield* Effect.flip(client.Ping({})), none)
    })
  )
})

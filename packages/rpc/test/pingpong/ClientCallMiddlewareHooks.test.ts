import { assert, describe, it } from "@effect/vitest"
import { TransportError } from "@millrace/transport"
import { Effect, Fiber } from "effect"
import {
  BizStatusError,
  type ClientOptions,
  type ClientStream,
  type Endpoints,
  LogId,
  Metainfo,
  type MetaHandler,
  Middleware,
  type RpcInfo,
  RpcError
} from "../../src/index.ts"
import { CurrentCall, type HandledCall } from "../../src/internal/currentCall.ts"
import { Recorder } from "../../src/testing/index.ts"
import { clientOf, pass, told } from "../support/client.ts"
import { Request, Response, TestService, wrapped } from "../support/echo.ts"
import { EchoService, ended, FakeCalls } from "../support/fakeCalls.ts"

const hi = { req: new Request({ message: "hi" }) }
const empty = Uint8Array.of(0)

const answering = (answer: (call: FakeCalls["last"]) => void) => {
  const fake = new FakeCalls()
  fake.onSend = (call) => queueMicrotask(() => answer(call))
  return fake
}
const echoing = () => answering((call) => (call.oneway ? call.sent() : call.reply(wrapped("yo", 0))))

describe("metaHandlers", () => {
  it.effect("write string keys: later ones of a name win, metainfo too", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client({
        metaHandlers: [
          { writeMeta: (meta, info) => (meta.set("a", "1"), meta.set("Method", info.method)) },
          { onConnectStream: () => Effect.die("no stream") },
          { writeMeta: (meta) => (meta.set("a", "2"), meta.set("RPC_PERSIST_k", "mine"), meta.set("crlf", "x\r\ny")) }
        ]
      })
      yield* client.Echo(hi).pipe(Metainfo.withPersistentValue("k", "v"))
      assert.deepStrictEqual(fake.last.header.strings, [
        ["isn", "EchoService"],
        ["RPC_PERSIST_k", "mine"],
        ["a", "2"],
        ["Method", "Echo"],
        ["crlf", "x\r\ny"]
      ])
      yield* client.Log({ line: "x" })
      assert.strictEqual(fake.last.strings["Method"], "Log")
    })
  )

  it.effect("read the keys of an answer, without those of the protocol, also beside an exception", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const seen: Array<unknown> = []
      const client = yield* fake.client({
        metaHandlers: [{ readMeta: (meta, info) => void seen.push([...meta.keys()], meta.get("b"), info.address) }]
      })
      yield* ended(client.Echo(hi), () => fake.last.reply(wrapped("yo", 0), { b: "1", crrst: "1" }))
      yield* Effect.exit(ended(client.Echo(hi), () => fake.last.exception(6, "boom", { b: "2" })))
      yield* ended(client.Echo(hi), () => fake.last.reply(wrapped("yo", 0)))
      assert.deepStrictEqual(seen, [["b"], "1", "a:1", ["b"], "2", "a:1"])
    })
  )

  it.effect("are not asked where there is no TTHeader", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const called: Array<string> = []
      const handler: MetaHandler.MetaHandler = {
        writeMeta: () => void called.push("write"),
        readMeta: () => void called.push("read")
      }
      const client = yield* fake.client({ metaHandlers: [handler], transport: "framed" })
      yield* client.Echo(hi)
      yield* client.Echo(hi, { transport: "buffered" })
      assert.deepStrictEqual(called, [])
      yield* client.Echo(hi, { transport: "ttheader" })
      assert.deepStrictEqual(called, ["write"])
    })
  )

  it.effect("what they throw is the error of the call, and the connection is given back", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.reply(wrapped("yo", 0), { x: "1" }))
      const outcomeOf = (handler: MetaHandler.MetaHandler) =>
        Effect.gen(function* () {
          const client = yield* fake.client({ metaHandlers: [handler] })
          return told(yield* Effect.exit(client.Echo(hi)))
        })
      const set = (key: string, value: string) => outcomeOf({ writeMeta: (meta) => meta.set(key, value) })
      const head = "Status: rpc error: code = 6 desc = remote or network error: "
      const refused = "cannot be set on a PingPong call: the key belongs to the protocol, choose another"
      assert.strictEqual(yield* set("isn", "x"), `${head}"isn" ${refused}`)
      assert.strictEqual(yield* set("", "x"), `${head}"" ${refused}`)
      assert.strictEqual(yield* set("PV_x", "x"), `${head}"PV_x" ${refused}`)
      assert.strictEqual(
        yield* set("k", "x".repeat(65_536)),
        `${head}"k" cannot be sent on a PingPong call: keys and values of a TTHeader have at most 65535 bytes`
      )
      assert.deepStrictEqual([fake.calls.length, fake.released], [0, 4])
      const mine = new RpcError.RpcError({ reason: new RpcError.Rejected({ limit: "x" }), code: 8, desc: "mine" })
      const thrower = () => {
        throw mine
      }
      assert.strictEqual(yield* outcomeOf({ writeMeta: thrower }), "Rejected: rpc error: code = 8 desc = mine")
      assert.strictEqual(yield* outcomeOf({ readMeta: thrower }), "Rejected: rpc error: code = 8 desc = mine")
      assert.deepStrictEqual([fake.calls.length, fake.released], [1, 5])
    })
  )

  it.effect("write once, also when a dead connection makes a call go out again", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const recorder = yield* Recorder.make
      let written = 0
      const client = yield* Effect.provide(
        fake.client({ metaHandlers: [{ writeMeta: (meta) => meta.set("n", `${++written}`) }] }),
        recorder.layer
      )
      const fiber = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
      fake.last.fail(neverSent)
      fake.last.reply(wrapped("yo", 0))
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        fake.calls.map(({ strings }) => strings["n"]),
        ["1", "1"]
      )
      assert.strictEqual(written, 1)
      const { sendBytes, sendCount } = recorder.client.finishes[0]!
      assert.deepStrictEqual([sendCount, sendBytes], [1, wrapped("hi").length])
    })
  )
})

const neverSent = new TransportError.TransportError({
  reason: new TransportError.ConnectionLost({ address: "a:1", neverSent: true }),
  code: 14,
  desc: "gone"
})
const lost = new TransportError.TransportError({
  reason: new TransportError.ConnectionLost({ address: "a:1" }),
  code: 14,
  desc: "default codec read failed: EOF peer close"
})

describe("what a fiber says", () => {
  it.effect("transient and persistent values, and the log id", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client()
      yield* client
        .Echo(hi)
        .pipe(
          Metainfo.withValue("Tenant", "acme\r\n"),
          Metainfo.withPersistentValue("user_id", "7"),
          Metainfo.withValue("__proto__", "p"),
          LogId.within("log-1")
        )
      assert.deepStrictEqual(fake.last.header.strings, [
        ["isn", "EchoService"],
        ["RPC_TRANSIT___proto__", "p"],
        ["RPC_TRANSIT_Tenant", "acme\r\n"],
        ["RPC_PERSIST_user_id", "7"]
      ])
      assert.deepStrictEqual(fake.last.header.ints, [
        [1, "framed"],
        [2, "log-1"],
        [3, ""],
        [6, "EchoService"],
        [9, "Echo"],
        [20, ""],
        [22, "1"]
      ])
      yield* client.Echo(hi)
      assert.deepStrictEqual([fake.last.header.strings.length, fake.last.ints[2]], [1, undefined])
    })
  )

  it.effect("the same from call to call is the same header", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client({ rpcTimeout: "1 second" })
      yield* Effect.repeat(client.Echo(hi), { times: 1 }).pipe(Metainfo.withValue("a", "1"), LogId.within("l"))
      yield* client.Echo(hi)
      yield* client.Echo(hi).pipe(Metainfo.withValue("a", "2"))
      yield* client.Echo(hi)
      const [first, second, third, fourth, fifth] = fake.calls.map(({ header }) => header)
      assert.strictEqual(second, first)
      assert.notStrictEqual(third, first)
      assert.strictEqual(fourth!.strings.length, 2)
      assert.strictEqual(fifth, third)
    })
  )

  it.effect("the header is another when any of it is", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client()
      const said = () => [fake.last.ints[2], fake.last.ints[12], fake.last.strings["RPC_TRANSIT_a"]]
      const calls = Effect.gen(function* () {
        yield* client.Echo(hi).pipe(LogId.within("1"))
        assert.deepStrictEqual(said(), ["1", undefined, "x"])
        yield* client.Echo(hi).pipe(LogId.within("2"))
        assert.deepStrictEqual(said(), ["2", undefined, "x"])
        yield* client.Echo(hi, { rpcTimeout: 500 }).pipe(LogId.within("2"))
        assert.deepStrictEqual(said(), ["2", "500", "x"])
        yield* client.Echo(hi, { rpcTimeout: 500 }).pipe(Metainfo.withValue("a", "y"), LogId.within("2"))
        assert.deepStrictEqual(said(), ["2", "500", "y"])
      })
      yield* Metainfo.withValue(calls, "a", "x")
    })
  )

  it.effect("in a handler: what came with its call goes on, transient values do not", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client()
      const handled = {
        info: { method: "Outer", logId: "log-2" },
        metainfo: { transient: new Map([["t", "1"]]), persistent: new Map([["p", "2"]]) }
      } as unknown as HandledCall
      yield* Effect.provideService(client.Echo(hi), CurrentCall, handled)
      assert.deepStrictEqual(fake.last.strings, { isn: "EchoService", RPC_PERSIST_p: "2" })
      assert.deepStrictEqual([fake.last.ints[2], fake.last.ints[20]], ["log-2", "Outer"])
    })
  )

  it.effect("also what middleware sets for the call; info.logId follows", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const ids: Array<unknown> = []
      const client = yield* fake.client({
        middleware: [
          Middleware.client((next, info) => {
            ids.push(info.logId)
            return next.pipe(
              LogId.within("inner"),
              Metainfo.withValue("m", "1"),
              Effect.tap(() => Effect.sync(() => ids.push(info.logId)))
            )
          })
        ]
      })
      yield* client.Echo(hi).pipe(LogId.within("outer"))
      assert.deepStrictEqual(ids, ["outer", "inner"])
      assert.deepStrictEqual([fake.last.ints[2], fake.last.strings["RPC_TRANSIT_m"]], ["inner", "1"])
    })
  )

  it.effect("backward values of an answer are gathered, those of the protocol are not", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const [, values] = yield* ended(client.Echo(hi).pipe(Metainfo.withBackwardValues), () =>
        fake.last.reply(wrapped("yo", 0), { region: "eu", crrst: "1", __proto__x: "1" })
      )
      assert.deepStrictEqual(
        [...values],
        [
          ["region", "eu"],
          ["__proto__x", "1"]
        ]
      )
      const [exit, beside] = yield* ended(Effect.exit(client.Echo(hi)).pipe(Metainfo.withBackwardValues), () =>
        fake.last.exception(6, "boom", { why: "x" })
      )
      assert.deepStrictEqual([exit._tag, beside.get("why")], ["Failure", "x"])
    })
  )
})

describe("errorHandler", () => {
  const handled = (options: ClientOptions.ClientOptions = {}) => {
    const errors: Array<readonly [RpcError.RpcError, string]> = []
    const errorHandler = (error: RpcError.RpcError, info: RpcInfo.RpcInfo): ClientStream.CallError => {
      errors.push([error, info.address])
      return new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: error.desc })
    }
    const seen: Array<string> = []
    const middleware = [
      Middleware.client((next) => Effect.tapError(next, (error) => Effect.sync(() => void seen.push(error._tag))))
    ]
    return { errors, seen, options: { errorHandler, middleware, ...options } }
  }

  it.effect("gets what the connection, its creation and the answer fail with, inside of middleware", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const { errors, options, seen } = handled()
      const client = yield* fake.client(options)
      const outcomes: Array<string> = []
      const run = (answer: () => void) =>
        Effect.gen(function* () {
          outcomes.push(told(yield* Effect.exit(ended(client.Echo(hi), answer))))
        })
      yield* run(() => fake.last.exception(6, "boom"))
      yield* run(() => fake.last.fail(lost))
      yield* run(() => fake.last.reply(Uint8Array.of(99)))
      fake.warm = false
      fake.dial = Effect.fail(
        new TransportError.TransportError({
          reason: new TransportError.ConnectFailed({ address: "a:1" }),
          code: 14,
          desc: "no route"
        })
      )
      yield* run(() => {})
      assert.strictEqual(outcomes.length, 4)
      assert.strictEqual(outcomes[0], "BizStatusError: biz error: code=1, msg=boom")
      assert.isTrue(outcomes.every((outcome) => outcome.startsWith("BizStatusError")))
      assert.deepStrictEqual(
        errors.map(([{ reason }, address]) => [reason._tag, address]),
        [
          ["Status", "a:1"],
          ["Unavailable", "a:1"],
          ["CodecError", "a:1"],
          ["Unavailable", "a:1"]
        ]
      )
      assert.deepStrictEqual(seen, ["BizStatusError", "BizStatusError", "BizStatusError", "BizStatusError"])
    })
  )

  it.effect(
    "gets neither business errors, nor declared exceptions, nor timeouts, nor failures to choose an instance",
    () =>
      Effect.gen(function* () {
        const fake = new FakeCalls()
        const { errors, options } = handled({ rpcTimeout: "1 second" })
        const client = yield* fake.client(options)
        yield* Effect.exit(ended(client.Echo(hi), () => fake.last.reply(empty, { "biz-status": "5" })))
        yield* Effect.exit(
          ended(client.Echo(hi), () => fake.last.reply(Uint8Array.of(12, 0, 1, 8, 0, 1, 0, 0, 0, 7, 0, 0)))
        )
        const late = yield* Effect.forkChild(Effect.exit(client.Echo(hi)), { startImmediately: true })
        yield* pass(1000)
        assert.match(told(yield* Fiber.join(late)), /^RpcTimeout/)
        const none = new RpcError.RpcError({
          reason: new RpcError.Unavailable({ neverSent: true }),
          code: 14,
          desc: "no instance"
        })
        const unplaced = yield* fake.client({ ...options, endpoints: { pick: () => Effect.fail(none) } })
        assert.strictEqual(yield* Effect.flip(unplaced.Echo(hi)), none)
        assert.deepStrictEqual(errors, [])
      })
  )

  it.effect("what it throws is a defect of the call", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.exception(6, "boom"))
      const client = yield* fake.client({
        errorHandler: () => {
          throw new Error("mine")
        }
      })
      assert.strictEqual(told(yield* Effect.exit(client.Echo(hi))), "defect: Error: mine")
    })
  )
})

describe("options", () => {
  it.effect(
    "requestInInfo shows the request to middleware as it is by then; the choice of an instance sees it anyway",
    () =>
      Effect.gen(function* () {
        for (const requestInInfo of [true, false]) {
          const fake = echoing()
          const seen: Array<unknown> = []
          const client = yield* fake.client({
            requestInInfo,
            endpoints: { pick: ({ info, request }) => (seen.push(info.request, request), "a:1") },
            middleware: [
              Middleware.client((next, info) => (seen.push(info.request), next)),
              Middleware.clientFor(EchoService, "Echo", (next) => next({ req: new Request({ message: "other" }) }))
            ],
            instanceMiddleware: [Middleware.client((next, info) => (seen.push(info.request, "request" in info), next))]
          })
          yield* client.Echo(hi)
          const other = { req: new Request({ message: "other" }) }
          assert.deepStrictEqual(
            seen,
            requestInInfo ? [hi, other, other, other, true] : [undefined, undefined, other, undefined, false]
          )
        }
      })
  )

  it.effect("statsLevel", () =>
    Effect.gen(function* () {
      const fake = echoing()
      for (const [statsLevel, count] of [
        ["disabled", 0],
        ["base", 1],
        ["detailed", 1],
        [undefined, 1]
      ] as const) {
        const recorder = yield* Recorder.make
        const client = yield* Effect.provide(fake.client({ statsLevel }), recorder.layer)
        yield* client.Echo(hi)
        const { finishes, starts } = recorder.client
        assert.deepStrictEqual([starts.length, finishes.length], [count, count])
      }
    })
  )

  it.effect("caller and callee are in the info", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const infos: Array<RpcInfo.RpcInfo> = []
      const client = yield* fake.client({
        callerName: "cli",
        destService: "echo-svc",
        middleware: [Middleware.client((next, info) => (infos.push(info), next))]
      })
      yield* client.Echo(hi)
      yield* client.Echo(hi)
      assert.deepStrictEqual(
        infos.map(({ address, callee, caller, mode }) => [caller, callee, mode, address]),
        [
          ["cli", "echo-svc", "pingPong", "a:1"],
          ["cli", "echo-svc", "pingPong", "a:1"]
        ]
      )
      assert.notStrictEqual(infos[0], infos[1])
    })
  )

  it.effect("none of it is the call of before: one info for all calls", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const infos: Array<RpcInfo.RpcInfo> = []
      const endpoints = { pick: ({ info }: Endpoints.Placing) => (infos.push(info), "a:1") }
      const bare = yield* fake.client({ endpoints })
      const unused = yield* fake.client({
        endpoints,
        middleware: [Middleware.recvPlain(() => (m) => m), Middleware.builder(() => [])],
        instanceMiddleware: [],
        metaHandlers: [{ onConnectStream: (next) => next }],
        requestInInfo: false,
        errorHandler: undefined
      })
      for (const client of [bare, unused]) {
        yield* client.Echo(hi)
        yield* client.Echo(hi)
      }
      assert.strictEqual(infos[1], infos[0])
      assert.strictEqual(infos[3], infos[2])
      const observed = yield* fake.client({ endpoints, requestInInfo: true })
      yield* observed.Echo(hi)
      yield* observed.Echo(hi)
      assert.notStrictEqual(infos[5], infos[4])
    })
  )
})

describe("with a server in memory", () => {
  it.effect("both clients of Testing take middleware", () =>
    Effect.gen(function* () {
      const modes: Array<string> = []
      const seen = Middleware.client((next, info) => (modes.push(info.mode), next))
      const client = yield* clientOf(
        {
          EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: `${req.message} back` })),
          EchoUnary: (request) => Effect.succeed(new Response({ message: `${request.message} back` }))
        },
        {
          client: { middleware: [seen] },
          pingPong: {
            middleware: [
              seen,
              Middleware.clientFor(TestService, "EchoPingPong", (next, { req }) =>
                next({ req: new Request({ message: `${req.message} there` }) })
              )
            ]
          }
        }
      )
      assert.strictEqual((yield* client.EchoUnary(new Request({ message: "hi" }))).message, "hi back")
      assert.strictEqual((yield* client.EchoPingPong(hi)).message, "hi there back")
      assert.deepStrictEqual(modes, ["unary", "pingPong"])
    })
  )

  it.effect("serverFor: each sees the request that the one around it gave", () =>
    Effect.gen(function* () {
      const append = (what: string) =>
        Middleware.serverFor(TestService, "EchoPingPong", (next, { req }) =>
          Effect.map(
            next({ req: new Request({ message: `${req.message}${what}` }) }),
            ({ message }) => new Response({ message: `${message}${what}` })
          )
        )
      const client = yield* clientOf(
        { EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: `${req.message} ` })) },
        // The helper knows no middleware; what it is given requires nothing.
        { server: { middleware: [append("1"), append("2")] } } as never
      )
      assert.strictEqual((yield* client.EchoPingPong(hi)).message, "hi12 21")
    })
  )

  it.effect("metainfo arrives, backward values come back", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoPingPong: () =>
          Effect.gen(function* () {
            yield* Metainfo.sendBackwardValue("region", "eu")
            const tenant = yield* Metainfo.value("tenant")
            return new Response({ message: `${tenant} ${yield* LogId.current}` })
          })
      })
      const [response, values] = yield* client
        .EchoPingPong(hi)
        .pipe(Metainfo.withValue("tenant", "acme"), LogId.within("log-3"), Metainfo.withBackwardValues)
      assert.strictEqual(response.message, "acme log-3")
      assert.deepStrictEqual([...values], [["region", "eu"]])
    })
  )
})

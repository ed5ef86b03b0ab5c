import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Transport, TransportError } from "@millrace/transport"
import { Config, ConfigProvider, Effect, Fiber, Layer } from "effect"
import { Client, type ClientOptions, type Endpoints, Method, RpcError, Service } from "../../src/index.ts"
import { Recorder } from "../../src/testing/index.ts"
import { pass, settle, told } from "../support/client.ts"
import { Busy, Request, Response, struct, wrapped } from "../support/echo.ts"
import { EchoService, ended, FakeCalls } from "../support/fakeCalls.ts"

const hi = { req: new Request({ message: "hi" }) }
const empty = Uint8Array.of(0)
/** `Busy` with retryAfter 7 as the exception of id 1, and behind it a success. */
const busy = [12, 0, 1, 8, 0, 1, 0, 0, 0, 7, 0]

const lost = (neverSent: boolean) =>
  new TransportError.TransportError({
    reason: new TransportError.ConnectionLost({ address: "a:1", ...(neverSent ? { neverSent } : undefined) }),
    code: 14,
    desc: "default codec read failed: EOF peer close"
  })

describe("results", () => {
  it.effect("a struct, an instance of its class", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const got = yield* ended(client.Echo(hi), () => fake.last.reply(wrapped("yo", 0)))
      assert.instanceOf(got, Response)
      assert.strictEqual(got.message, "yo")
      assert.deepStrictEqual(fake.last.bytes, [...wrapped("hi")])
      assert.deepStrictEqual([fake.last.method, fake.last.oneway], ["Echo", false])
    })
  )

  it.effect("void", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ missingResult: "fail" })
      assert.isUndefined(yield* ended(client.Ping({}), () => fake.last.reply(empty)))
      assert.deepStrictEqual(fake.last.bytes, [0])
    })
  )

  it.effect("a declared exception, also beside a success", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      for (const bytes of [
        [...busy, 0],
        [...busy, ...wrapped("yo", 0)],
        [12, 0, 0, ...struct("yo"), ...busy, 0]
      ]) {
        const error = yield* Effect.flip(ended(client.Echo(hi), () => fake.last.reply(Uint8Array.from(bytes))))
        assert.instanceOf(error, Busy)
        assert.strictEqual((error as Busy).retryAfter, 7)
      }
    })
  )

  it.effect("none at all: undefined, or an error on request", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const lenient = yield* fake.client()
      assert.isUndefined(yield* ended(lenient.Echo(hi), () => fake.last.reply(empty)))
      const strict = yield* fake.client({ missingResult: "fail" })
      const error = yield* Effect.flip(ended(strict.Echo(hi), () => fake.last.reply(empty)))
      assert.instanceOf(error, RpcError.RpcError)
      assert.strictEqual(
        told(yield* Effect.exit(Effect.fail(error))),
        "Status: rpc error: code = 5 desc = missing result"
      )
    })
  )

  it.effect("oneway is done when its bytes are sent", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const fiber = yield* Effect.forkChild(client.Log({ line: "x" }), { startImmediately: true })
      yield* settle
      assert.isUndefined(fiber.pollUnsafe())
      assert.isTrue(fake.last.oneway)
      fake.last.sent()
      assert.isUndefined(yield* Fiber.join(fiber))
      assert.strictEqual(fake.last.abandoned, 0)
    })
  )
})

describe("errors", () => {
  const failure = Effect.fnUntraced(function* (
    answer: (fake: FakeCalls) => void,
    options: ClientOptions.ClientOptions = {}
  ) {
    const fake = new FakeCalls()
    const client = yield* fake.client(options)
    const error = yield* Effect.flip(ended(client.Echo(hi), () => answer(fake)))
    assert.instanceOf(error, RpcError.RpcError)
    const { address, code, desc, method, reason } = error as RpcError.RpcError
    assert.strictEqual(method, "EchoService.Echo")
    assert.strictEqual(address, "a:1")
    return { code, desc, reason: { ...reason } as Readonly<Record<string, unknown>> }
  })

  it.effect("a TApplicationException is a status of its type", () =>
    Effect.gen(function* () {
      const error = yield* failure((fake) => fake.last.exception(6, "biz error: boom"))
      assert.deepStrictEqual(error, { code: 6, desc: "biz error: boom", reason: { _tag: "Status" } })
      assert.strictEqual((yield* failure((fake) => fake.last.exception(1000, "retry [biz error]"))).code, 1000)
    })
  )

  it.effect("a server's timeout, and a server that stops", () =>
    Effect.gen(function* () {
      const text = "rpc timeout: timeout=1s, to=EchoService, method=Echo"
      assert.deepStrictEqual(yield* failure((fake) => fake.last.exception(6, text), { rpcTimeout: "1 second" }), {
        code: 6,
        desc: text,
        reason: { _tag: "RpcTimeout", millis: 1000 }
      })
      assert.deepStrictEqual(yield* failure((fake) => fake.last.exception(14, "graceful shutdown")), {
        code: 14,
        desc: "graceful shutdown",
        reason: { _tag: "Unavailable", neverSent: false, draining: true }
      })
      assert.deepStrictEqual(yield* failure((fake) => fake.last.exception(14, "the disk is full [biz error]")), {
        code: 14,
        desc: "the disk is full [biz error]",
        reason: { _tag: "Unavailable", neverSent: false }
      })
    })
  )

  it.effect("an exception wins over a business error", () =>
    Effect.gen(function* () {
      const error = yield* failure((fake) => fake.last.exception(6, "biz error: boom", { "biz-status": "404" }))
      assert.strictEqual(error.desc, "biz error: boom")
    })
  )

  it.effect("an answer that cannot be decoded names the member", () =>
    Effect.gen(function* () {
      const error = yield* failure((fake) => fake.last.reply(Uint8Array.of(12, 0, 0, 11, 0, 1, 0, 0, 0, 9, 104)))
      assert.strictEqual(error.code, 7)
      assert.strictEqual(error.reason["_tag"], "CodecError")
      assert.include(String(error.reason["path"]), "message")
    })
  )

  it.effect("arguments that cannot be encoded give the connection back", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const error = yield* Effect.flip(client.Log({ line: 5 as never }))
      assert.strictEqual(error._tag, "RpcError")
      assert.strictEqual((error as RpcError.RpcError).reason._tag, "CodecError")
      assert.deepStrictEqual([fake.leased, fake.released, fake.calls.length], [1, 1, 0])
    })
  )

  it.effect("a connection that is lost", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failure((fake) => fake.last.fail(lost(false))), {
        code: 14,
        desc: "default codec read failed: EOF peer close",
        reason: { _tag: "Unavailable", neverSent: false }
      })
    })
  )

  it.effect("no connection", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      fake.warm = false
      fake.dial = Effect.fail(
        new TransportError.TransportError({
          reason: new TransportError.ConnectTimeout({ address: "a:1", step: "dial", millis: 50 }),
          code: 14,
          desc: "slow"
        })
      )
      const client = yield* fake.client()
      const error = yield* Effect.flip(client.Ping({}))
      assert.deepInclude((error as RpcError.RpcError).reason, { _tag: "ConnectTimeout", millis: 50 })
      assert.strictEqual((error as RpcError.RpcError).address, "a:1")
    })
  )

  it.effect("business errors", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const biz = (strings: Record<string, string>) =>
        Effect.exit(ended(client.Echo(hi), () => fake.last.reply(empty, strings)))
      const error = yield* Effect.flip(
        ended(client.Echo(hi), () =>
          fake.last.reply(empty, {
            "biz-status": "404",
            "biz-message": "not found",
            "biz-extra": '{"k":"v","__proto__":"p"}'
          })
        )
      )
      assert.strictEqual(error._tag, "BizStatusError")
      if (error._tag !== "BizStatusError") return
      assert.deepStrictEqual([error.statusCode, error.statusMessage], [404, "not found"])
      assert.deepStrictEqual(Object.entries(error.extra), [
        ["k", "v"],
        ["__proto__", "p"]
      ])
      const malformed = "BizStatusError: biz error: code=-5, msg="
      for (const extra of ["{", "[]", '{"k":1}', "null", ""]) {
        assert.strictEqual(told(yield* biz({ "biz-status": "-5", "biz-extra": extra })), malformed, extra)
      }
      for (const status of ["0", "", "x", "0x10", "1e3", " 4", "99999999999"]) {
        assert.strictEqual(told(yield* biz({ "biz-status": status, "biz-message": "m" })), "success", status)
      }
    })
  )
})

describe("a call whose connection took nothing of it", () => {
  it.effect("is sent again, at most twice more, and then to another instance", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ hostPorts: ["a:1", "b:2"] })
      const got = yield* ended(client.Echo(hi), () => {
        fake.last.fail(lost(true))
        fake.last.fail(lost(true))
        fake.last.reply(wrapped("third", 0))
      })
      assert.strictEqual(got.message, "third")
      assert.deepStrictEqual(
        fake.calls.map(({ target }) => target.address),
        ["a:1", "a:1", "a:1"]
      )
      const error = yield* Effect.flip(
        ended(client.Echo(hi), () => {
          for (let i = 0; i < 6; i++) fake.last.fail(lost(true))
        })
      )
      assert.deepInclude((error as RpcError.RpcError).reason, { _tag: "Unavailable", neverSent: true })
      assert.deepStrictEqual(
        fake.calls.slice(3).map(({ target }) => target.address),
        ["b:2", "b:2", "b:2", "a:1", "a:1", "a:1"]
      )
    })
  )

  it.effect("by a dial where no connection is left", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      fake.dial = Effect.sleep(10)
      const fiber = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
      fake.warm = false
      fake.last.fail(lost(true))
      assert.strictEqual(fake.calls.length, 1)
      yield* pass(10)
      fake.last.reply(wrapped("second", 0))
      assert.strictEqual((yield* Fiber.join(fiber)).message, "second")
      assert.deepStrictEqual([fake.leased, fake.released], [2, 0])
    })
  )

  it.effect("also when that is found out while it is sent; the last connection is the one that is abandoned", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      fake.onSend = (call) => {
        fake.onSend = undefined
        call.fail(lost(true))
      }
      const fiber = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
      assert.strictEqual(fake.calls.length, 2)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        fake.calls.map(({ abandoned }) => abandoned),
        [0, 1]
      )
    })
  )

  it.effect("is not sent again when nobody waits, nor abandoned while it waits for another", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client()
      const first = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
      yield* Fiber.interrupt(first)
      fake.last.fail(lost(true))
      assert.strictEqual(fake.leased, 1)
      const second = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
      fake.warm = false
      fake.dial = Effect.never
      fake.last.fail(lost(true))
      yield* Fiber.interrupt(second)
      assert.strictEqual(fake.last.abandoned, 0)
    })
  )
})

describe("transport and connection", () => {
  const wrong = (options: object) => options as ClientOptions.ClientOptions

  it.effect("that are none are a defect, of make or of the call, which names those that are", () =>
    Effect.gen(function* () {
      const transport = 'defect: Error: transport "TTHeader" is none of buffered, framed, ttheader, ttheader-framed'
      const connection = 'defect: Error: connection "long" is none of auto, pooled, short, multiplexed'
      const fake = new FakeCalls()
      assert.strictEqual(told(yield* Effect.exit(fake.client(wrong({ transport: "TTHeader" })))), transport)
      assert.strictEqual(told(yield* Effect.exit(fake.client(wrong({ connection: "long" })))), connection)
      const recorder = yield* Recorder.make
      for (const made of [fake.client(), Effect.provide(fake.client(), recorder.layer)]) {
        const client = yield* made
        assert.strictEqual(told(yield* Effect.exit(client.Ping({}, wrong({ transport: "TTHeader" })))), transport)
        assert.strictEqual(told(yield* Effect.exit(client.Ping({}, wrong({ connection: "long" })))), connection)
      }
      assert.strictEqual(recorder.client.finishes.length, 2)
      assert.strictEqual(fake.targets.length, 0)
    })
  )

  it.effect("are known to whoever chooses an instance", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const seen: Array<string> = []
      const pick: Endpoints.Endpoints["pick"] = ({ info }) => {
        seen.push(info.protocol)
        return "a:1"
      }
      const client = yield* fake.client({ endpoints: { pick }, transport: "ttheader" })
      yield* ended(client.Ping({}), () => fake.last.reply(empty))
      yield* ended(client.Ping({}, { transport: "framed" }), () => fake.last.reply(empty))
      assert.deepStrictEqual(seen, ["ttheader", "framed"])
      assert.deepStrictEqual(
        fake.calls.map(({ target }) => target.encoding),
        ["ttheader", "framed"]
      )
    })
  )
})

describe("methods", () => {
  it.effect("are those of PingPong and oneway, inherited ones too", () =>
    Effect.gen(function* () {
      const client = yield* new FakeCalls().client()
      assert.deepStrictEqual(Object.keys(client), ["Ping", "Echo", "Log"])
    })
  )

  it.effect("of any name", () =>
    Effect.gen(function* () {
      const methods = [
        Method.pingPong("__proto__", { arguments: {} }),
        Method.pingPong("constructor", { arguments: {} })
      ]
      const service = Service.make("Odd", { methods })
      const fake = new FakeCalls()
      const client = yield* Effect.provideService(Client.make(service), Transport.ClientTransport, fake.transport)
      for (const [name, method] of Object.entries<(args: {}) => Effect.Effect<unknown, unknown>>(client)) {
        yield* ended(method({}), () => fake.last.reply(empty))
        assert.strictEqual(fake.last.method, name)
      }
      assert.strictEqual(fake.calls.length, 2)
    })
  )

  it.effect("with several arguments", () =>
    Effect.gen(function* () {
      const service = Service.make("Sums", {
        methods: [
          Method.pingPong("Add", {
            arguments: { a: Thrift.field(1, Thrift.I32), b: Thrift.field(3, Thrift.I32) },
            response: Thrift.I32
          })
        ]
      })
      const fake = new FakeCalls()
      const client = yield* Effect.provideService(Client.make(service), Transport.ClientTransport, fake.transport)
      const sum = yield* ended(client.Add({ a: 1, b: 2 }), () => fake.last.reply(Uint8Array.of(8, 0, 0, 0, 0, 0, 3, 0)))
      assert.strictEqual(sum, 3)
      assert.deepStrictEqual(fake.last.bytes, [8, 0, 1, 0, 0, 0, 1, 8, 0, 3, 0, 0, 0, 2, 0])
    })
  )
})

describe("a client as a service", () => {
  class Echo extends Client.Service<Echo>()("test/EchoCalls", EchoService) {}
  const ping = Effect.flatMap(Echo, (echo) => echo.Ping({}))

  it.effect("layer and layerConfig", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const transport = Layer.succeed(Transport.ClientTransport, fake.transport)
      const answer = () => fake.last.reply(empty)
      yield* ended(Effect.provide(ping, Layer.provide(Echo.layer({ rpcTimeout: 30 }), transport)), answer)
      const configured = Echo.layerConfig({ rpcTimeout: Config.Duration("TIMEOUT") }).pipe(
        Layer.provide(transport),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ TIMEOUT: "20 millis" })))
      )
      yield* ended(Effect.provide(ping, configured), answer)
      assert.deepStrictEqual(
        fake.calls.map(({ ints }) => ints[12]),
        ["30", "20"]
      )
    })
  )
})

describe("tracing", () => {
  const traced = Effect.fnUntraced(function* (answer: (fake: FakeCalls) => void) {
    const fake = new FakeCalls()
    const recorder = yield* Recorder.make
    const client = yield* Effect.provide(fake.client(), recorder.layer)
    const exit = yield* Effect.exit(ended(client.Echo(hi), () => answer(fake)))
    const { finishes, starts } = recorder.client
    assert.deepStrictEqual([starts.length, finishes.length], [1, 1])
    const { address, bizError, ...info } = starts[0]!
    assert.deepStrictEqual(info, {
      side: "client",
      service: "EchoService",
      method: "Echo",
      mode: "pingPong",
      protocol: "ttheader-framed",
      path: "/EchoService/Echo",
      caller: "",
      callee: "EchoService",
      logId: undefined
    })
    // It is alive: what became known during the call is in it.
    assert.strictEqual(starts[0], finishes[0]!.info)
    assert.deepStrictEqual([address, bizError], ["a:1", finishes[0]!.bizError])
    return { exit, finish: finishes[0]! }
  })

  it.effect("one start, one finish, with sizes and the address", () =>
    Effect.gen(function* () {
      const { exit, finish } = yield* traced((fake) => fake.last.reply(wrapped("yo!", 0)))
      assert.strictEqual(told(exit), "success")
      assert.strictEqual(finish.info.address, "a:1")
      const { reason, recvBytes, recvCount, sendBytes, sendCount } = finish
      assert.deepStrictEqual(
        { reason, sendCount, sendBytes, recvCount, recvBytes },
        { reason: "eof", sendCount: 1, sendBytes: 14, recvCount: 1, recvBytes: 15 }
      )
    })
  )

  it.effect("business errors, exceptions and declared exceptions", () =>
    Effect.gen(function* () {
      const biz = (yield* traced((fake) => fake.last.reply(empty, { "biz-status": "4", "biz-message": "m" }))).finish
      assert.deepStrictEqual([biz.reason, told(biz.exit), biz.bizError?.statusCode], ["error", "success", 4])
      const failed = (yield* traced((fake) => fake.last.exception(6, "boom"))).finish
      assert.deepStrictEqual([failed.reason, told(failed.exit)], ["error", "Status: rpc error: code = 6 desc = boom"])
      const declared = (yield* traced((fake) => fake.last.reply(Uint8Array.from([...busy, 0])))).finish
      assert.deepStrictEqual([declared.reason, told(declared.exit)], ["eof", "success"])
    })
  )

  it.effect("a call that is made twice is two calls", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(fake.client(), recorder.layer)
      const call = client.Ping({})
      yield* ended(call, () => fake.last.reply(empty))
      yield* ended(call, () => fake.last.reply(empty))
      assert.deepStrictEqual([recorder.client.starts.length, recorder.client.finishes.length], [2, 2])
    })
  )
})

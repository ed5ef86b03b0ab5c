import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { type Metadata, MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import {
  BizStatusError,
  Client,
  type ClientOptions,
  Deadline,
  type Handlers,
  Method,
  RpcError,
  Server,
  ServerCall,
  Service
} from "../../src/index.ts"
import { Recorder } from "../../src/testing/index.ts"
import { clientOf, pass, settle, told } from "../support/client.ts"
import { Busy, Request, Response, TestService } from "../support/echo.ts"
import { EchoService } from "../support/fakeCalls.ts"
import { Testing } from "../support/over.ts"

const encodings: ReadonlyArray<RawCall.Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const connections: ReadonlyArray<RawCall.ConnectionMode> = ["auto", "pooled", "short", "multiplexed"]

type EchoHandlers = Handlers.Handlers<(typeof EchoService)["methods"], never>

/** A client of EchoService; only the handlers of a test are written out. */
const serviceOf = (handlers: Partial<EchoHandlers>, options: Testing.Options = {}) =>
  Testing.client(
    EchoService,
    {
      Ping: () => Effect.void,
      Log: () => Effect.void,
      Echo: () => Effect.never,
      EchoUnary: () => Effect.never,
      ...handlers
    } as EchoHandlers,
    options
  )

const asking = (message: string) => ({ req: new Request({ message }) })

/** Answers as the request says. */
const byText: EchoHandlers["Echo"] = ({ req: { message } }) => {
  switch (message) {
    case "busy":
      return Effect.fail(new Busy({ retryAfter: 7 }))
    case "biz":
      return Effect.fail(
        new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found", extra: { k: "<é>" } })
      )
    case "fail":
      return Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status(), code: 1000, desc: "retry" }))
    case "die":
      return Effect.die(new Error("boom"))
    case "nothing":
      return Effect.succeed(undefined as never)
    default:
      return Effect.succeed(new Response({ message: `${message}!` }))
  }
}

describe("every encoding and every mode of connections", () => {
  for (const transport of encodings) {
    for (const connection of connections) {
      it.effect(`${transport}, ${connection}`, () =>
        Effect.gen(function* () {
          const lines: Array<string> = []
          const recorder = yield* Recorder.make
          const client = yield* serviceOf(
            { Echo: byText, Log: ({ line }) => Effect.sync(() => void lines.push(line)) },
            { pingPong: { transport, connection } }
          ).pipe(Effect.provide(recorder.layer))
          const echo = (message: string) => Effect.exit(client.Echo(asking(message)))
          const header = transport.startsWith("ttheader")
          assert.strictEqual((yield* client.Echo(asking("hi"))).message, "hi!")
          assert.isUndefined(yield* client.Ping({}))
          assert.isUndefined(yield* client.Log({ line: "x" }))
          assert.isUndefined(yield* client.Echo(asking("nothing")))
          const busy = yield* Effect.flip(client.Echo(asking("busy")))
          assert.deepStrictEqual([busy._tag, (busy as Busy).retryAfter], ["Busy", 7])
          const biz = yield* echo("biz")
          assert.strictEqual(told(biz), header ? "BizStatusError: biz error: code=404, msg=not found" : "success")
          if (header) {
            const error = yield* Effect.flip(client.Echo(asking("biz")))
            assert.deepStrictEqual({ ...(error as BizStatusError.BizStatusError).extra }, { k: "<é>" })
          }
          assert.strictEqual(told(yield* echo("fail")), "Status: rpc error: code = 1000 desc = retry [biz error]")
          assert.strictEqual(
            told(yield* echo("die")),
            "Status: rpc error: code = 6 desc = panic: [happened in biz handler, method=EchoService.Echo, please check the panic at the server side] boom"
          )
          const many = yield* Effect.forEach(Array.from({ length: 64 }), (_, i) => client.Echo(asking(`${i}`)), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(
            many.map(({ message }) => message),
            many.map((_, i) => `${i}!`)
          )
          const large = "x".repeat(1024 * 1024)
          assert.strictEqual((yield* client.Echo(asking(large))).message, `${large}!`)
          yield* settle
          assert.deepStrictEqual(lines, ["x"])
          assert.strictEqual(recorder.client.finishes.length, recorder.client.starts.length)
          assert.strictEqual(recorder.server.starts.length, recorder.client.starts.length)
          assert.strictEqual(recorder.server.finishes.length, recorder.client.starts.length)
        })
      )
    }
  }
})

describe("ends of a call", () => {
  for (const connection of connections) {
    const interrupted: Array<string | undefined> = []
    const never = Effect.onExit(Effect.never, (exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) interrupted.push(ServerCall.interruptedBy(exit.cause))
      })
    )

    it.effect(`an interrupted call interrupts its handler, ${connection}`, () =>
      Effect.gen(function* () {
        interrupted.length = 0
        const client = yield* serviceOf({ Echo: () => never }, { pingPong: { connection } })
        // A connection that is shared learns from its first answer that it can cancel.
        yield* client.Ping({})
        const fiber = yield* Effect.forkChild(client.Echo(asking("x")), { startImmediately: true })
        yield* settle
        yield* Fiber.interrupt(fiber)
        yield* settle
        assert.deepStrictEqual(interrupted, ["clientAbort"])
        yield* client.Ping({})
      })
    )

    it.effect(`so does a timeout, and the next call is well, ${connection}`, () =>
      Effect.gen(function* () {
        interrupted.length = 0
        const client = yield* serviceOf({ Echo: () => never }, { pingPong: { connection, rpcTimeout: 100 } })
        yield* client.Ping({})
        const fiber = yield* Effect.forkChild(client.Echo(asking("x")), { startImmediately: true })
        yield* pass(100)
        assert.match(told(yield* Fiber.await(fiber)), /^RpcTimeout: .*timeout=100ms, to=EchoService, method=Echo/)
        assert.strictEqual(interrupted.length, 1)
        yield* client.Ping({})
      })
    )
  }

  it.effect("a late answer reaches nobody, on a connection that is shared too", () =>
    Effect.gen(function* () {
      for (const transport of encodings) {
        const client = yield* serviceOf(
          { Echo: ({ req }) => Effect.as(Effect.sleep(Number(req.message)), new Response({ message: req.message })) },
          { pingPong: { transport, connection: "multiplexed" } }
        )
        const late = yield* Effect.forkChild(client.Echo(asking("50"), { rpcTimeout: 20 }), { startImmediately: true })
        const next = yield* Effect.forkChild(client.Echo(asking("60")), { startImmediately: true })
        yield* pass(70, 10)
        assert.match(told(yield* Fiber.await(late)), /^RpcTimeout/)
        assert.strictEqual((yield* Fiber.join(next)).message, "60")
      }
    })
  )
})

describe("what a handler passes on", () => {
  it.effect("its deadline, the name of its method, and headers of the answer", () =>
    Effect.gen(function* () {
      const inner: Array<RawCall.CallHeaderFields> = []
      const seen: Array<number | undefined> = []
      yield* Effect.gen(function* () {
        const real = yield* Transport.ClientTransport
        const spy = Transport.ClientTransport.of({
          ...real,
          tryLease: (target) => {
            const lease = real.tryLease(target)
            return lease === undefined ? undefined : spied(lease)
          },
          lease: (target) => Effect.map(real.lease(target), spied)
        })
        const spied = (lease: RawCall.CallLease): RawCall.CallLease => ({
          peer: lease.peer,
          release: () => lease.release(),
          send: (call) => {
            inner.push(call.header)
            return lease.send(call)
          }
        })
        const client = yield* Effect.provideService(
          Client.make(EchoService, { callerName: "gateway" }),
          Transport.ClientTransport,
          spy
        )
        const handlers = EchoService.toLayer({
          Ping: () => Effect.map(Deadline.remaining, (left) => void seen.push(left)),
          Log: () => Effect.void,
          EchoUnary: () => Effect.never,
          Echo: (_, call) =>
            Effect.gen(function* () {
              yield* client.Ping({}).pipe(Effect.orDie)
              yield* call.setHeader("Trace-Id", "1")
              return new Response({})
            })
        })
        const headers: Array<Metadata.Metadata> = []
        yield* Effect.provide(
          client.Echo(asking("x"), { rpcTimeout: "1 second", onHeader: (header) => void headers.push(header) }),
          Layer.provide(Server.layer([EchoService], { graceTime: 0 }), handlers)
        )
        assert.deepStrictEqual([...headers[0]!.keys()], ["Trace-Id"])
      }).pipe(Effect.provide(MemoryTransport.layer))
      const ints = inner.map(({ ints }) => Object.fromEntries(ints))
      assert.deepStrictEqual(
        ints.map((keys) => [keys[3], keys[9], keys[12], keys[20]]),
        [
          ["gateway", "Echo", "1000", ""],
          ["gateway", "Ping", "1000", "Echo"]
        ]
      )
      assert.deepStrictEqual(seen, [1000])
    })
  )
})

describe("what is out of the ordinary", () => {
  class Odd extends Thrift.Exception<Odd>()("odd.Odd", { why: Thrift.optional(1, Thrift.String) }) {}
  class Plain extends Thrift.Exception<Plain>()("odd.Plain", { why: Thrift.optional(1, Thrift.String) }) {}
  const Inherited = Service.make("Inherited", {
    methods: [
      Method.pingPong("toString", {
        arguments: { constructor: Thrift.field(1, Thrift.String) },
        response: Thrift.String,
        exceptions: { toString: Thrift.field(1, Odd), constructor: Thrift.field(2, Plain) }
      })
    ]
  })

  it.effect("names that every object has", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(Inherited, {
        toString: ({ constructor: text }) => {
          if (text === "odd") return Effect.fail(new Odd({ why: "odd" }))
          return text === "plain" ? Effect.fail(new Plain({ why: "plain" })) : Effect.succeed(text)
        }
      })
      const call = (text: string) => client.toString({ constructor: text })
      assert.strictEqual(yield* call("ok"), "ok")
      assert.instanceOf(yield* Effect.flip(call("odd")), Odd)
      assert.instanceOf(yield* Effect.flip(call("plain")), Plain)
    })
  )

  it("an exception that is called as the answer is refused", () => {
    assert.throws(
      () => Method.pingPong("Take", { arguments: {}, exceptions: { success: Thrift.field(1, Odd) } }),
      "Method Take has an exception called success, as its answer is: rename it"
    )
  })

  it.effect("a header that is too large is a typed error on both sides, and no defect", () =>
    Effect.gen(function* () {
      const long = "x".repeat(70_000)
      const handlers: Partial<EchoHandlers> = {
        Echo: () => Effect.fail(new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: long }))
      }
      const client = yield* serviceOf(handlers)
      const answered = yield* Effect.flip(client.Echo(asking("x")))
      assert.match(
        told(Exit.fail(answered)),
        /^BizStatusError: .*x{1024}\.\.\. \(cut: ttHeader write kv info failed, string exceeded 65535B max size/
      )
      const named = yield* serviceOf(handlers, { pingPong: { callerName: long } })
      const asked = yield* Effect.flip(named.Echo(asking("x")))
      assert.match(told(Exit.fail(asked)), /^InvalidMetadata.*ttHeader write kv info failed/)
    })
  )
})

it.effect("Testing.client has the methods of both kinds, with options for each", () =>
  Effect.gen(function* () {
    const client = yield* clientOf(
      {
        EchoPingPong: ({ req }) => Effect.as(Effect.sleep(30), new Response({ message: req.message })),
        EchoUnary: ({ message }) => Effect.as(Effect.sleep(30), new Response({ message })),
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message }))
      },
      { client: { timeout: 20 }, pingPong: { rpcTimeout: 10 } }
    )
    const options: ClientOptions.ClientCallOptions = { rpcTimeout: undefined }
    const exits = yield* Effect.forkChild(
      Effect.all(
        [
          Effect.exit(client.EchoPingPong(asking("a"))),
          Effect.exit(client.EchoPingPong(asking("b"), options)),
          Effect.exit(client.EchoUnary(new Request({ message: "c" }))),
          Effect.exit(client.Echo(Stream.make(new Request({ message: "d" }))).pipe(Stream.runCollect))
        ],
        { concurrency: "unbounded" }
      )
    )
    yield* pass(40, 5)
    const [a, b, c, d] = (yield* Fiber.join(exits)).map(told)
    assert.match(a!, /^RpcTimeout/)
    assert.strictEqual(b, "success")
    assert.match(c!, /^DeadlineExceeded/)
    assert.strictEqual(d, "success")
    assert.hasAllKeys(
      client,
      TestService.methods.map(({ name }) => name)
    )
  })
)

import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { CircuitBreaker } from "@millrace/governance"
import {
  Admission,
  BizStatusError,
  Client,
  Method,
  Middleware,
  RpcError,
  RpcTracer,
  Server,
  Service
} from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Effect, Exit, Fiber, Layer, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { StreamClient } from "./support/over.ts"

class Message extends Thrift.Struct<Message>("breaker.Message")({ text: Thrift.optional(1, Thrift.String) }) {}
class Missing extends Thrift.Exception<Missing>()("breaker.Missing", { text: Thrift.optional(1, Thrift.String) }) {}

class Search extends Service.make("Search", {
  package: "breaker",
  methods: [
    Method.unary("Unary", { request: Message, response: Message }),
    Method.serverStreaming("Watch", { request: Message, response: Message }),
    Method.pingPong("Ping", {
      arguments: { text: Thrift.field(1, Thrift.String) },
      response: Thrift.String,
      exceptions: { missing: Thrift.field(1, Missing) }
    })
  ]
}) {}

const status = new RpcError.RpcError({ reason: new RpcError.Status(), code: 2, desc: "broken" })
const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })

type Answer = "good" | "status" | "biz" | "exception" | "stall" | "reset"

/** A server that answers as it is told, and counts the calls that reach it. */
const serverOf = (admission: ReadonlyArray<Admission.Admission> = []) => {
  const server = { answer: "good" as Answer, starts: 0, handled: 0 }
  const answer = (text: string | undefined) =>
    Effect.suspend((): Effect.Effect<string, RpcError.RpcError | BizStatusError.BizStatusError> => {
      server.handled++
      switch (server.answer) {
        case "status":
          return Effect.fail(status)
        case "biz":
          return Effect.fail(biz)
        case "stall":
          return Effect.never
        default:
          return Effect.succeed(text ?? "")
      }
    })
  const handlers = Search.toLayer({
    Unary: ({ text }) => Effect.map(answer(text), (text) => new Message({ text })),
    Watch: ({ text }) =>
      Stream.concat(
        server.answer === "stall" ? Stream.empty : Stream.make(new Message({ text })),
        Stream.drain(Stream.fromEffect(answer(text)))
      ),
    Ping: ({ text }) => (server.answer === "exception" ? Effect.fail(new Missing({ text })) : answer(text))
  })
  const tracer = RpcTracer.layer({
    start: ({ side }) => Effect.sync(() => void (side === "server" && server.starts++))
  })
  const layer = Server.layer([Search], { admission }).pipe(
    Layer.provide([handlers, tracer]),
    Layer.provideMerge(MemoryTransport.layer)
  )
  return { server, layer }
}

/** How a call ended, in a word. */
const told = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "good"
  const [reason] = exit.cause.reasons
  if (reason?._tag !== "Fail") return reason?._tag ?? "?"
  const error = reason.error
  if (error instanceof RpcError.RpcError) return error.reason._tag
  return error instanceof BizStatusError.BizStatusError ? "biz" : error instanceof Missing ? "exception" : "?"
}

type Call = Effect.Effect<unknown, unknown>

const repeat = (call: Call, times: number) => Effect.replicateEffect(Effect.map(Effect.exit(call), told), times)

const config: CircuitBreaker.Config = { minSample: 4 }

/** The calls of each kind that only end, by clients that share a breaker. */
const clients = (breaker: CircuitBreaker.CircuitBreaker["Service"], callerName = "web") =>
  Effect.gen(function* () {
    const options = { callerName, admission: [breaker.admission] }
    const streams = yield* StreamClient.make(Search, options)
    const calls = yield* Client.make(Search, options)
    const text = new Message({ text: "a" })
    return {
      Unary: (timeout?: number): Call => streams.Unary(text, { timeout }),
      Watch: (recvTimeout?: number): Call => Stream.runCollect(streams.Watch(text, { recvTimeout })),
      Ping: (rpcTimeout?: number): Call => calls.Ping({ text: "a" }, { rpcTimeout })
    }
  })

const open = ["CircuitOpen", "CircuitOpen"]

describe("clients", () => {
  for (const method of ["Unary", "Ping"] as const) {
    it.effect(`${method}: refused without a byte once it failed too often, and closed by probes that succeed`, () => {
      const { layer, server } = serverOf()
      return Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make(config)
        const call = (yield* clients(breaker))[method]()
        assert.deepStrictEqual(yield* repeat(call, 2), ["good", "good"])
        server.answer = "status"
        assert.deepStrictEqual(yield* repeat(call, 2), ["Status", "Status"])
        assert.strictEqual(breaker.state(`web/Search/${method}`), "open")
        const before = { ...server }
        assert.deepStrictEqual(
          yield* repeat(call, 100),
          Array.from({ length: 100 }, () => "CircuitOpen")
        )
        assert.deepStrictEqual({ ...server }, before)
        assert.deepStrictEqual([server.starts, server.handled], [4, 4])
        // A probe that fails.
        yield* TestClock.adjust(5000)
        assert.deepStrictEqual(yield* repeat(call, 3), ["Status", ...open])
        assert.strictEqual(server.starts, 5)
        server.answer = "good"
        yield* TestClock.adjust(4999)
        assert.deepStrictEqual(yield* repeat(call, 2), open)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* repeat(call, 3), ["good", ...open])
        yield* TestClock.adjust(200)
        assert.deepStrictEqual(yield* repeat(call, 3), ["good", "good", "good"])
        assert.strictEqual(server.starts, 9)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

    it.effect(`${method}: one probe at a time where many ask`, () => {
      const { layer, server } = serverOf()
      return Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make(config)
        const call = (yield* clients(breaker))[method]()
        server.answer = "status"
        yield* repeat(call, 4)
        yield* TestClock.adjust(5000)
        server.answer = "good"
        const results = yield* Effect.all(
          Array.from({ length: 50 }, () => Effect.map(Effect.exit(call), told)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter((result) => result === "good").length, 1)
        assert.strictEqual(results.filter((result) => result === "CircuitOpen").length, 49)
        assert.strictEqual(server.starts, 5)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

    it.effect(`${method}: opens by timeouts, and not by interruptions`, () => {
      const { layer, server } = serverOf()
      return Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make(config)
        const call = (yield* clients(breaker))[method]
        server.answer = "stall"
        const atOnce = (timeout?: number) => {
          const exits = Array.from({ length: 4 }, () => Effect.map(Effect.exit(call(timeout)), told))
          return Effect.forkChild(Effect.all(exits, { concurrency: "unbounded" }), { startImmediately: true })
        }
        yield* Fiber.interrupt(yield* atOnce())
        assert.strictEqual(breaker.state(`web/Search/${method}`), "closed")
        const late = yield* atOnce(100)
        yield* TestClock.adjust(100)
        const timeout = method === "Ping" ? "RpcTimeout" : "DeadlineExceeded"
        assert.deepStrictEqual(yield* Fiber.join(late), [timeout, timeout, timeout, timeout])
        assert.deepStrictEqual(yield* repeat(call(), 2), open)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

    it.effect(`${method}: business errors never open it`, () => {
      const { layer, server } = serverOf()
      return Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make(config)
        const call = (yield* clients(breaker))[method]()
        server.answer = "biz"
        assert.deepStrictEqual(new Set(yield* repeat(call, 20)), new Set(["biz"]))
        assert.strictEqual(breaker.state(`web/Search/${method}`), "closed")
      }).pipe(Effect.scoped, Effect.provide(layer))
    })
  }

  it.effect("PingPong: declared exceptions never open it", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(config)
      const { Ping } = yield* clients(breaker)
      server.answer = "exception"
      assert.deepStrictEqual(new Set(yield* repeat(Ping(), 20)), new Set(["exception"]))
      assert.strictEqual(breaker.state("web/Search/Ping"), "closed")
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("opens by a server that refuses", () => {
    const refused = new RpcError.RpcError({
      code: 8,
      desc: "request over limit: to many connections",
      reason: new RpcError.Rejected({ limit: "concurrency" })
    })
    const { layer, server } = serverOf([Admission.make(() => refused)])
    return Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(config)
      const { Ping, Unary } = yield* clients(breaker)
      for (const call of [Ping, Unary]) {
        const results = yield* repeat(call(), 6)
        assert.deepStrictEqual(results.slice(4), open)
        assert.notInclude(results.slice(0, 4), "CircuitOpen")
      }
      assert.strictEqual(server.handled, 0)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("follows a policy that changes", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const policy = yield* SubscriptionRef.make<CircuitBreaker.Config>({ enable: false })
      const { Ping } = yield* clients(yield* CircuitBreaker.make(policy))
      server.answer = "status"
      assert.deepStrictEqual(new Set(yield* repeat(Ping(), 300)), new Set(["Status"]))
      yield* SubscriptionRef.set(policy, config)
      assert.deepStrictEqual(yield* repeat(Ping(), 6), ["Status", "Status", "Status", "Status", ...open])
      yield* SubscriptionRef.set(policy, { enable: false })
      assert.deepStrictEqual(yield* repeat(Ping(), 2), ["Status", "Status"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("share a breaker by layers, where they call by the same name", () => {
    const { layer, server } = serverOf()
    class One extends Client.Service<One>()("One", Search) {}
    class Other extends Client.Service<Other>()("Other", Search) {}
    class Stranger extends Client.Service<Stranger>()("Stranger", Search) {}
    const options = (callerName: string) => ({ callerName, admission: [CircuitBreaker.admission] })
    const live = Layer.mergeAll(One.layer(options("web")), Other.layer(options("web")), Stranger.layer(options("app")))
    return Effect.gen(function* () {
      const ping = { text: "a" }
      server.answer = "status"
      yield* repeat((yield* One).Ping(ping), 4)
      assert.deepStrictEqual(yield* repeat((yield* Other).Ping(ping), 2), open)
      assert.deepStrictEqual(yield* repeat((yield* Stranger).Ping(ping), 1), ["Status"])
      const { state } = yield* CircuitBreaker.CircuitBreaker
      assert.deepStrictEqual([state("web/Search/Ping"), state("app/Search/Ping")], ["open", "closed"])
    }).pipe(Effect.provide(Layer.provideMerge(live, Layer.merge(layer, CircuitBreaker.layer(config)))))
  })

  it.effect("refuses outside of middleware, and inside of tracers", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const log: Array<string> = []
      const breaker = yield* CircuitBreaker.make({ minSample: 1 })
      const tracer = RpcTracer.layer({
        start: ({ side }) => Effect.sync(() => void (side === "client" && log.push("start"))),
        finish: ({ exit, info }) => Effect.sync(() => void (info.side === "client" && log.push(`finish ${told(exit)}`)))
      })
      const around = Middleware.client((next) =>
        Effect.andThen(
          Effect.sync(() => log.push("middleware")),
          next
        )
      )
      const client = yield* Effect.provide(
        Client.make(Search, { admission: [breaker.admission], middleware: [around] }),
        tracer
      )
      server.answer = "status"
      yield* repeat(client.Ping({ text: "a" }), 2)
      assert.deepStrictEqual(log, ["start", "middleware", "finish Status", "start", "finish CircuitOpen"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("streams", () => {
  it.effect("count by their creation: what the server does with them never opens it", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(config)
      const { Watch } = yield* clients(breaker)
      server.answer = "status"
      assert.deepStrictEqual(new Set(yield* repeat(Watch(), 20)), new Set(["Status"]))
      assert.strictEqual(breaker.state("web/Search/Watch"), "closed")
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("that nobody takes open it", () =>
    Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(config)
      const { Ping, Unary, Watch } = yield* clients(breaker)
      for (const call of [Watch, Unary, Ping]) {
        const results = yield* repeat(call(), 6)
        assert.deepStrictEqual(results.slice(4), open)
        assert.deepStrictEqual(new Set(results.slice(0, 4)), new Set(["Unavailable"]))
      }
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )

  it.effect(
    "count by their end where that is wanted, and no stream of those that are refused reaches the server",
    () => {
      const { layer, server } = serverOf()
      return Effect.gen(function* () {
        const breaker = yield* CircuitBreaker.make(config, { countStreams: "end" })
        const { Watch } = yield* clients(breaker)
        server.answer = "status"
        assert.deepStrictEqual(yield* repeat(Watch(), 6), ["Status", "Status", "Status", "Status", ...open])
        assert.deepStrictEqual([server.starts, server.handled], [4, 4])
        server.answer = "good"
        yield* TestClock.adjust(5000)
        assert.deepStrictEqual(yield* repeat(Watch(), 1), ["good"])
        // It answered, and it ended well.
        assert.strictEqual(breaker.state("web/Search/Watch"), "closed")
      }).pipe(Effect.scoped, Effect.provide(layer))
    }
  )

  it.effect("that stall open it, and business errors do not", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make(config, { countStreams: "end" })
      const { Watch } = yield* clients(breaker)
      server.answer = "biz"
      assert.deepStrictEqual(new Set(yield* repeat(Watch(), 4)), new Set(["biz"]))
      assert.strictEqual(breaker.state("web/Search/Watch"), "closed")
      server.answer = "stall"
      const stalled = yield* Effect.forkChild(repeat(Watch(100), 6), { startImmediately: true })
      for (let i = 0; i < 6; i++) yield* TestClock.adjust(100)
      const results = yield* Fiber.join(stalled)
      assert.deepStrictEqual(
        results.slice(0, 4),
        Array.from({ length: 4 }, () => "RecvTimeout")
      )
      assert.deepStrictEqual(results.slice(4), open)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("that are left early, cancelled or interrupted never open it", () => {
    const { layer, server } = serverOf()
    return Effect.gen(function* () {
      const breaker = yield* CircuitBreaker.make({ minSample: 1 }, { countStreams: "end" })
      const client = yield* StreamClient.make(Search, { callerName: "web", admission: [breaker.admission] })
      const watch = client.Watch(new Message({ text: "a" }))
      for (let i = 0; i < 3; i++) {
        yield* Stream.runDrain(Stream.take(watch, 1))
        const running = yield* Effect.forkChild(
          Stream.runForEach(watch, () => Effect.never),
          { startImmediately: true }
        )
        yield* TestClock.adjust(1)
        yield* Fiber.interrupt(running)
      }
      assert.strictEqual(breaker.state("web/Search/Watch"), "closed")
      assert.strictEqual(server.starts, 6)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

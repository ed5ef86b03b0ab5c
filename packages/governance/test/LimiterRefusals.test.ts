/** What a refused call costs its server, and what its client gets, in every way that a call can travel. */
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Acl, Limiter } from "@millrace/governance"
import { Admission, Client, Method, type Middleware, RpcError, Server, Service, StreamClient } from "@millrace/rpc"
import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { Deferred, Effect, Exit, Fiber, Layer, Metric, Stream } from "effect"
import { TestClock } from "effect/testing"

class Text extends Thrift.Struct<Text>("limit.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Streams extends Service.make("Streams", {
  methods: [
    Method.unary("Unary", { request: Text, response: Text }),
    Method.bidirectional("Both", { request: Text, response: Text }),
    Method.clientStreaming("Up", { request: Text, response: Text }),
    Method.serverStreaming("Down", { request: Text, response: Text })
  ]
}) {}
class Calls extends Service.make("Calls", {
  methods: [
    Method.pingPong("Call", { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.String }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}

const hello = new Text({ text: "hello" })
const settle = Effect.repeat(
  Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
  { times: 6 }
)

/** What a server does for the calls that it receives. */
class Work {
  received = 0
  taken = 0
  fibers = 0
  handlers = 0

  get all() {
    const { fibers, handlers, received, taken } = this
    return { fibers, handlers, received, taken }
  }

  /** A transport whose streams and calls tell when something is taken from them. */
  readonly transport = Layer.effect(
    Transport.ServerTransport,
    Effect.map(Transport.ServerTransport, ({ listen }) => ({
      listen: (acceptor) => {
        const watching = listen({
          onStream: (raw) => {
            this.received++
            acceptor.onStream(this.#watched(raw))
          },
          onCall: (raw) => {
            this.received++
            acceptor.onCall(this.#watched(raw))
          }
        })
        // Connections have fibers of their own.
        return Effect.provideService(watching, Metric.FiberRuntimeMetrics, undefined)
      }
    }))
  )

  readonly fiberCount = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void this.fibers++,
    recordFiberEnd: () => {}
  })

  #watched<A extends object>(raw: A): A {
    const take = (raw as { take: (...args: Array<unknown>) => unknown }).take
    Object.defineProperty(raw, "take", {
      value: (...args: Array<unknown>) => {
        this.taken++
        return take.apply(raw, args)
      }
    })
    return raw
  }
}

const serving = (
  work: Work,
  options: Server.Options<ReadonlyArray<Middleware.ForServer>>,
  answer: Effect.Effect<void>,
  transport = MemoryTransport.layer
) => {
  const handled = Effect.andThen(
    Effect.sync(() => void work.handlers++),
    answer
  )
  return Server.layer([Streams, Calls], { graceTime: 0, ...options }).pipe(
    Layer.provide(
      Streams.toLayer({
        Unary: (request) => Effect.as(handled, request),
        Both: (requests) => Stream.tap(requests, () => handled),
        Up: (requests) => Effect.andThen(Stream.runDrain(requests), Effect.as(handled, hello)),
        Down: (request) => Stream.fromEffect(Effect.as(handled, request))
      })
    ),
    Layer.provide(Calls.toLayer({ Call: ({ text }) => Effect.as(handled, text), Log: () => handled })),
    Layer.provide(work.fiberCount),
    Layer.provide(work.transport),
    Layer.provideMerge(transport),
    Layer.orDie
  )
}

const encodings: ReadonlyArray<RawCall.Encoding> = ["ttheader-framed", "ttheader", "framed", "buffered"]

/** Every way to call. */
const ways = Effect.gen(function* () {
  const streams = yield* StreamClient.make(Streams)
  const list: Array<readonly [name: string, call: Effect.Effect<unknown, unknown>]> = [
    ["unary", streams.Unary(hello)],
    ["bidirectional", Stream.runDrain(streams.Both(Stream.make(hello)))],
    ["client streaming", streams.Up(Stream.make(hello))],
    ["server streaming", Stream.runDrain(streams.Down(hello))]
  ]
  for (const transport of encodings) {
    const calls = yield* Client.make(Calls, { transport })
    list.push([transport, calls.Call({ text: "hello" })])
  }
  return list
})

describe("a refused call", () => {
  const rules: ReadonlyArray<readonly [string, () => Admission.Admission, string]> = [
    ["the concurrency", () => Limiter.concurrency(1), "request over limit: to many connections"],
    ["the QPS", () => Limiter.qps(10), "request over limit: request too frequent"],
    [
      "the adaptive limit",
      () => Limiter.adaptive({ initial: 1, min: 1, max: 1 }),
      "request over limit: server overloaded"
    ],
    [
      "an ACL",
      () => Acl.admission(({ info }) => (info.caller === "" ? "denied" : undefined)),
      "request forbidden: denied"
    ]
  ]
  for (const [name, rule, text] of rules) {
    it.effect(`decodes no message and starts no fiber: ${name}`, () =>
      Effect.gen(function* () {
        const work = new Work()
        const gate = yield* Deferred.make<void>()
        yield* Effect.gen(function* () {
          const all = yield* ways
          // Where there is room for one, somebody has it.
          const streams = yield* StreamClient.make(Streams, { callerName: "friend" })
          const first = yield* Effect.forkChild(streams.Unary(hello), { startImmediately: true })
          yield* settle
          const { fibers } = work
          for (const [way, call] of all) {
            const before = work.all
            const error = yield* Effect.flip(call)
            yield* settle
            assert.isTrue(error instanceof RpcError.RpcError && error.desc === text, `${way}: ${String(error)}`)
            assert.deepStrictEqual(work.all, { ...before, received: before.received + 1 }, way)
          }
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(first)
          // The spies see what they are to see.
          yield* TestClock.adjust(1000)
          yield* streams.Unary(hello)
          assert.deepStrictEqual(work.all, { received: 2 + all.length, taken: 2, fibers: fibers + 1, handlers: 2 })
        }).pipe(Effect.scoped, Effect.provide(serving(work, { admission: [rule()] }, Deferred.await(gate))))
      })
    )
  }

  it.effect("is Rejected with the time until it may come again, on every transport that can tell", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const streams = yield* StreamClient.make(Streams)
        yield* streams.Unary(hello)
        yield* TestClock.adjust(60)
        for (const [way, call] of yield* ways) {
          const error = yield* Effect.flip(call)
          assert.isTrue(error instanceof RpcError.RpcError, way)
          if (!(error instanceof RpcError.RpcError)) return
          const silent = way === "framed" || way === "buffered"
          assert.strictEqual(error.code, encodings.includes(way as never) ? 6 : 8, way)
          assert.deepStrictEqual(
            { ...error.reason },
            {
              ...new RpcError.Rejected({
                limit: "request too frequent",
                ...(silent ? undefined : { retryAfterMillis: 40 })
              })
            },
            way
          )
        }
        yield* TestClock.adjust(40)
        yield* streams.Unary(hello)
      }).pipe(Effect.scoped, Effect.provide(serving(new Work(), { admission: [Limiter.qps(10)] }, Effect.void)))
    })
  )

  it.effect("is Forbidden, by a rule and by a middleware, of the server and of the client", () =>
    Effect.gen(function* () {
      const middleware = [Acl.middleware((info) => Effect.succeed(info.method === "" ? undefined : "denied"))]
      const rule = Acl.admission(() => "denied")
      for (const options of [{ admission: [rule] }, { middleware }]) {
        yield* Effect.gen(function* () {
          for (const [way, call] of yield* ways) {
            const error = yield* Effect.flip(call)
            assert.isTrue(error instanceof RpcError.RpcError, way)
            if (!(error instanceof RpcError.RpcError)) return
            assert.strictEqual(error.reason._tag, "Forbidden", way)
            assert.strictEqual(error.code, encodings.includes(way as never) ? 6 : 7, way)
            assert.strictEqual(error.desc, "request forbidden: denied", way)
          }
        }).pipe(Effect.scoped, Effect.provide(serving(new Work(), options, Effect.void)))
        const work = new Work()
        yield* Effect.gen(function* () {
          const streams = yield* StreamClient.make(Streams, options)
          const calls = yield* Client.make(Calls, options)
          for (const call of [streams.Unary(hello), Stream.runDrain(streams.Down(hello)), calls.Call({ text: "" })]) {
            const error = yield* Effect.flip(call)
            assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "Forbidden")
          }
          yield* settle
          assert.strictEqual(work.received, 0)
        }).pipe(Effect.scoped, Effect.provide(serving(work, {}, Effect.void)))
      }
    })
  )

  it.effect("that is oneway is not answered, and does not run", () =>
    Effect.gen(function* () {
      const work = new Work()
      yield* Effect.gen(function* () {
        const calls = yield* Client.make(Calls)
        for (let lines = 0; lines < 3; lines++) yield* calls.Log({ line: "hello" })
        yield* settle
        assert.deepStrictEqual([work.received, work.handlers], [3, 1])
      }).pipe(Effect.scoped, Effect.provide(serving(work, { admission: [Limiter.qps(10)] }, Effect.void)))
    })
  )
})

describe("what a handler fails with is no refusal", () => {
  const refused = new RpcError.RpcError({
    code: 8,
    desc: "request over limit: of somebody behind",
    reason: new RpcError.Rejected({ limit: "of somebody behind", retryAfterMillis: 5 })
  })

  it.effect("of unary and PingPong calls, which have run; a stream is told", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const tags: Record<string, string> = {}
        for (const [way, call] of yield* ways) {
          const error = yield* Effect.flip(call)
          tags[way] = error instanceof RpcError.RpcError ? error.reason._tag : String(error)
        }
        assert.deepStrictEqual(tags, {
          unary: "Status",
          bidirectional: "Rejected",
          "client streaming": "Rejected",
          "server streaming": "Rejected",
          "ttheader-framed": "Status",
          ttheader: "Status",
          framed: "Status",
          buffered: "Status"
        })
      }).pipe(Effect.scoped, Effect.provide(serving(new Work(), {}, Effect.fail(refused) as never)))
    })
  )
})

describe("a place is given back", () => {
  const endings: ReadonlyArray<readonly [string, Effect.Effect<void>]> = [
    ["when the handler succeeds", Effect.void],
    [
      "when it fails",
      Effect.fail(new RpcError.RpcError({ code: 5, desc: "no", reason: new RpcError.Status({}) })) as never
    ],
    ["when it dies", Effect.die(new Error("boom"))],
    ["when it is interrupted", Effect.interrupt],
    ["when its client leaves", Effect.never]
  ]
  for (const [name, ending] of endings) {
    it.effect(name, () =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          for (let round = 0; round < 3; round++) {
            for (const [way, call] of yield* ways) {
              const fiber = yield* Effect.forkChild(Effect.exit(call), { startImmediately: true })
              yield* settle
              if (ending === Effect.never) yield* Fiber.interrupt(fiber)
              else {
                const exit = yield* Fiber.join(fiber)
                const rejected = Exit.isFailure(exit) && String(exit.cause).includes("over limit")
                assert.isFalse(rejected, `${way}, round ${round}`)
              }
              yield* settle
            }
          }
        }).pipe(Effect.scoped, Effect.provide(serving(new Work(), { admission: [Limiter.concurrency(1)] }, ending)))
      })
    )
  }

  it.effect("when a later rule refuses, or dies", () =>
    Effect.gen(function* () {
      const later = [
        Acl.admission(() => "denied"),
        Admission.make(() => {
          throw new Error("boom")
        })
      ]
      for (const rule of later) {
        yield* Effect.gen(function* () {
          for (let round = 0; round < 3; round++) {
            for (const [way, call] of yield* ways) {
              const error = yield* Effect.flip(call)
              assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag !== "Rejected", way)
            }
          }
        }).pipe(
          Effect.scoped,
          Effect.provide(serving(new Work(), { admission: [Limiter.concurrency(1), rule] }, Effect.void))
        )
      }
    })
  )
})

describe("a connection over the limit", () => {
  it.effect("is closed, before anything of it is read; there is room again when another has gone", () => {
    const work = new Work()
    const acceptConnection = Limiter.connections(1)
    return Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = serving(work, {}, Deferred.await(gate), MemoryTransport.layerWith({ server: { acceptConnection } }))
      yield* Effect.gen(function* () {
        const calls = yield* Client.make(Calls, { connection: "short" })
        const first = yield* Effect.forkChild(calls.Call({ text: "first" }), { startImmediately: true })
        yield* settle
        const error = yield* Effect.flip(calls.Call({ text: "second" }))
        assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "Unavailable", String(error))
        assert.strictEqual(work.received, 1)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(first), "first")
        yield* settle
        assert.strictEqual(yield* calls.Call({ text: "third" }), "third")
      }).pipe(Effect.scoped, Effect.provide(live))
    })
  })
})

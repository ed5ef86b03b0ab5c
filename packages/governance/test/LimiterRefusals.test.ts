/** What a refused call costs its server, and what its client gets, in every way that a call can travel. */
import { assert, describe, it } from "@effect/vitest"
import { Acl, Limiter } from "@millrace/governance"
import { Admission, Client, RpcError } from "@millrace/rpc"
import type { RawStream } from "@millrace/transport"
import { Deferred, Effect, Fiber, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { settle, until } from "./support/passing.ts"
import { Calls, hello, hostPorts, serving, Streams, ways, wires, Work } from "./support/refusals.ts"
import { StreamClient, type Words, wordsOf } from "./support/over.ts"

/** Of a limit or of a rule. */
const refusal = ({ forbidden, rejected }: Words, text: string) =>
  text.startsWith("request forbidden") ? forbidden(text) : rejected(text)

/** A rate that has one call to begin with, and no other while a test runs. */
const seldom = 1 / 3600

describe.concurrent.each(wires)("a refused call, $name", (wire) => {
  const rules: ReadonlyArray<
    readonly [string, (rate: SubscriptionRef.SubscriptionRef<number>) => Admission.Admission, string]
  > = [
    ["the concurrency", () => Limiter.concurrency(1), "request over limit: to many connections"],
    ["the QPS", (rate) => Limiter.qps(rate), "request over limit: request too frequent"],
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
    it.live(`decodes no message and starts no fiber: ${name}`, () =>
      Effect.gen(function* () {
        const work = new Work()
        const gate = yield* Deferred.make<void>()
        const rate = yield* SubscriptionRef.make(seldom)
        yield* Effect.gen(function* () {
          const all = yield* ways
          // Where there is room for one, somebody has it.
          const streams = yield* StreamClient.make(Streams, { hostPorts: yield* hostPorts, callerName: "friend" })
          const first = yield* Effect.forkChild(streams.Unary(hello), { startImmediately: true })
          yield* until(() => work.handlers === 1)
          const { fibers } = work
          for (const [way, call] of all) {
            const before = work.all
            const error = yield* Effect.flip(call)
            yield* settle
            assert.isTrue(
              error instanceof RpcError.RpcError && error.message === refusal(wordsOf(way), text),
              `${way}: ${String(error)}`
            )
            if (wire.asksByHeaders && wordsOf(way).isStream) before.refusedByHeaders++
            else before.received++
            assert.deepStrictEqual(work.all, before, way)
          }
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(first)
          // The spies see what they are to see.
          yield* SubscriptionRef.set(rate, 0)
          yield* streams.Unary(hello)
          const { received, refusedByHeaders, ...counts } = work.all
          assert.strictEqual(received + refusedByHeaders, 2 + all.length)
          assert.deepStrictEqual(counts, { taken: 2, fibers: fibers + 1, handlers: 2, ended: 2 })
        }).pipe(Effect.scoped, Effect.provide(serving(wire, work, { admission: [rule(rate)] }, Deferred.await(gate))))
      })
    )
  }

  // Virtual time for the limit, on real sockets too.
  it.effect("is Rejected with the time until it may come again, on every transport that can tell", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const streams = yield* StreamClient.make(Streams, { hostPorts: yield* hostPorts })
        yield* streams.Unary(hello)
        yield* TestClock.adjust(60)
        for (const [way, call] of yield* ways) {
          const error = yield* Effect.flip(call)
          assert.isTrue(error instanceof RpcError.RpcError, way)
          if (!(error instanceof RpcError.RpcError)) return
          const silent = way === "framed" || way === "buffered"
          assert.strictEqual(error.message, wordsOf(way).rejected("request over limit: request too frequent"), way)
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
      }).pipe(Effect.scoped, Effect.provide(serving(wire, new Work(), { admission: [Limiter.qps(10)] }, Effect.void)))
    })
  )

  it.live("is Forbidden, by a rule and by a middleware, of the server and of the client", () =>
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
            assert.strictEqual(error.message, wordsOf(way).forbidden("request forbidden: denied"), way)
          }
        }).pipe(Effect.scoped, Effect.provide(serving(wire, new Work(), options, Effect.void)))
        const work = new Work()
        yield* Effect.gen(function* () {
          const guarded = { ...options, hostPorts: yield* hostPorts }
          const streams = yield* StreamClient.make(Streams, guarded)
          const calls = yield* Client.make(Calls, guarded)
          for (const call of [streams.Unary(hello), Stream.runDrain(streams.Down(hello)), calls.Call({ text: "" })]) {
            const error = yield* Effect.flip(call)
            assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "Forbidden")
          }
          yield* settle
          assert.strictEqual(work.received, 0)
        }).pipe(Effect.scoped, Effect.provide(serving(wire, work, {}, Effect.void)))
      }
    })
  )

  it.live("that is oneway is not answered, and does not run", () =>
    Effect.gen(function* () {
      const work = new Work()
      yield* Effect.gen(function* () {
        const calls = yield* Client.make(Calls, { hostPorts: yield* hostPorts })
        for (let lines = 0; lines < 3; lines++) yield* calls.Log({ line: "hello" })
        yield* until(() => work.received === 3)
        yield* settle
        assert.deepStrictEqual([work.received, work.handlers], [3, 1])
      }).pipe(Effect.scoped, Effect.provide(serving(wire, work, { admission: [Limiter.qps(seldom)] }, Effect.void)))
    })
  )
})

describe.concurrent.each(wires)("what a handler fails with is no refusal, $name", (wire) => {
  const refused = new RpcError.RpcError({
    code: 8,
    desc: "request over limit: of somebody behind",
    reason: new RpcError.Rejected({ limit: "of somebody behind", retryAfterMillis: 5 })
  })

  it.live("of unary and PingPong calls, which have run; a stream is told", () =>
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
      }).pipe(Effect.scoped, Effect.provide(serving(wire, new Work(), {}, Effect.fail(refused) as never)))
    })
  )
})

describe.concurrent.each(wires)("a place is given back, $name", (wire) => {
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
    it.live(name, () =>
      Effect.gen(function* () {
        const work = new Work()
        yield* Effect.gen(function* () {
          let calls = 0
          for (let round = 0; round < 3; round++) {
            for (const [way, call] of yield* ways) {
              const fiber = yield* Effect.forkChild(Effect.exit(call), { startImmediately: true })
              calls++
              if (ending === Effect.never) {
                yield* until(() => work.handlers === calls || fiber.pollUnsafe() !== undefined)
                yield* Fiber.interrupt(fiber)
              } else yield* Fiber.join(fiber)
              // A call that was refused has no handler.
              assert.strictEqual(work.handlers, calls, `${way}, round ${round}`)
              yield* until(() => work.ended === calls)
              yield* settle
            }
          }
        }).pipe(Effect.scoped, Effect.provide(serving(wire, work, { admission: [Limiter.concurrency(1)] }, ending)))
      })
    )
  }

  it.live("when a later rule refuses, or dies", () =>
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
          Effect.provide(serving(wire, new Work(), { admission: [Limiter.concurrency(1), rule] }, Effect.void))
        )
      }
    })
  )
})

describe.concurrent.each(wires)("a connection over the limit, $name", (wire) => {
  it.live("is closed, before anything of it is read; there is room again when another has gone", () => {
    const work = new Work()
    const limit = Limiter.connections(1)
    let connections = 0
    const acceptConnection = (peer: RawStream.RawPeer) => {
      const gone = limit(peer)
      if (gone === undefined) return undefined
      connections++
      return () => {
        connections--
        gone()
      }
    }
    return Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const calls = yield* Client.make(Calls, { hostPorts: yield* hostPorts, connection: "short" })
        const first = yield* Effect.forkChild(calls.Call({ text: "first" }), { startImmediately: true })
        yield* until(() => work.handlers === 1)
        const error = yield* Effect.flip(calls.Call({ text: "second" }))
        assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "Unavailable", String(error))
        assert.strictEqual(work.received, 1)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Fiber.join(first), "first")
        yield* until(() => connections === 0)
        assert.strictEqual(yield* calls.Call({ text: "third" }), "third")
      }).pipe(Effect.scoped, Effect.provide(serving(wire, work, {}, Deferred.await(gate), { acceptConnection })))
    })
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Method, Service } from "@millrace/rpc"
import { Thrift } from "@millrace/codec"
import { Effect, Exit, Fiber, Schema, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { Policy, Timeouts } from "../src/index.ts"
import { Testing } from "./support/over.ts"

class Text extends Thrift.Struct<Text>("t.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Hanging extends Service.make("Hanging", {
  methods: [
    Method.unary("Ask", { request: Text, response: Text }),
    Method.serverStreaming("Hear", { request: Text, response: Text }),
    Method.pingPong("Ping", { arguments: {} })
  ]
}) {}

const text = new Text({ text: "a" })
const handlers = { Ask: () => Effect.never, Hear: () => Stream.never, Ping: () => Effect.never }

/** How long a call took until it failed, and why. */
const failsAfter = Effect.fnUntraced(function* <A, E extends { readonly _tag: string }>(call: Effect.Effect<A, E>) {
  const fiber = yield* Effect.forkChild(call, { startImmediately: true })
  for (let millis = 0; millis <= 1000; millis++) {
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      const error = Exit.isFailure(exit) ? yield* Effect.flip(exit) : undefined
      return `${millis} ${(error as unknown as { reason: { _tag: string } }).reason._tag}`
    }
    yield* Effect.yieldNow
    yield* TestClock.adjust(1)
  }
  yield* Fiber.interrupt(fiber)
  return "never"
})

describe("the option timeouts of clients", () => {
  it.effect(
    "is what its value says when a call begins; a call's own budgets win over it, and it over the client's",
    () =>
      Effect.gen(function* () {
        const streams = yield* SubscriptionRef.make<Timeouts.Streams>({ recvTimeout: 20 })
        const calls = yield* SubscriptionRef.make<Timeouts.Calls>({ rpcTimeout: "30 millis" })
        const client = yield* Testing.client(Hanging, handlers, {
          client: { timeout: 100, recvTimeout: 200, timeouts: streams },
          pingPong: {
            rpcTimeout: 100,
            timeouts: Policy.map(calls, (value) => value)
          }
        })
        const hear = (options = {}) => Stream.runDrain(client.Hear(text, options))
        assert.strictEqual(yield* failsAfter(client.Ask(text)), "20 RecvTimeout")
        assert.strictEqual(yield* failsAfter(hear()), "20 RecvTimeout")
        assert.strictEqual(yield* failsAfter(hear({ recvTimeout: 40 })), "40 RecvTimeout")
        assert.strictEqual(yield* failsAfter(client.Ping({})), "30 RpcTimeout")
        assert.strictEqual(yield* failsAfter(client.Ping({}, { rpcTimeout: 10 })), "10 RpcTimeout")

        const begun = yield* Effect.forkChild(Effect.exit(hear()), { startImmediately: true })
        yield* SubscriptionRef.set(streams, { firstMessageTimeout: 50 })
        yield* SubscriptionRef.set(calls, {})
        assert.strictEqual(yield* failsAfter(client.Ask(text)), "50 FirstMessageTimeout")
        assert.strictEqual(yield* failsAfter(hear({ timeout: 40 })), "40 DeadlineExceeded")
        assert.strictEqual(yield* failsAfter(client.Ping({})), "100 RpcTimeout")
        // A call keeps those that it began with.
        const error = yield* Effect.flip(yield* Fiber.join(begun))
        assert.strictEqual((error as { reason: { _tag: string } }).reason._tag, "RecvTimeout")
      })
  )

  it("has schemas that name what is wrong", () => {
    const decode = Schema.decodeUnknownSync(Timeouts.Streams, { onExcessProperty: "error" })
    assert.deepStrictEqual(decode({ timeout: "2 seconds", recvTimeoutCancels: false }), {
      timeout: "2 seconds",
      recvTimeoutCancels: false
    })
    assert.throws(() => decode({ recvTimeout: "soon" }), /Expected a duration.*\["recvTimeout"\]/s)
    assert.throws(() => decode({ rpcTimeout: 1 }), /excess|[Uu]nexpected/)
  })
})

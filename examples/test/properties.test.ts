/**
 * A property-based test of one's own service: random clients and random faults, in memory and in virtual time, but through
 * the engines that run in production. A failure prints the smallest script and faults that show it.
 */
import { assert, describe, it } from "@effect/vitest"
import { StreamClient } from "@millrace/rpc"
import { FaultPlan, Recorder, StreamScript, Testing, ThriftArbitrary } from "@millrace/rpc/testing"
import { Effect, Fiber, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Llm, Prompt } from "../src/llm/api.ts"
import * as Handlers from "../src/llm/handlers.ts"
import * as Model from "../src/llm/model.ts"

const ServiceTest = (faults: FaultPlan.FaultPlan) =>
  Testing.layer([Llm], { faults }).pipe(
    Layer.provide(Handlers.layer),
    Layer.provide(Model.layer({ tokensPerSecond: 25, jitter: 1, failureRate: 0, seed: "test" }))
  )

/** Runs the effect while the clock goes on, in steps: what was written in one is read before the next. */
const inVirtualTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust("50 millis")
    }
    return yield* Fiber.join(fiber)
  })

const answerLength = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))

const [, chat] = Llm.methods

describe("the token service", () => {
  it.effect.prop(
    "sends as many tokens as asked for, in order, whatever the pieces that bytes arrive in",
    { text: ThriftArbitrary.schema(Prompt.fields.text), maxTokens: answerLength, faults: FaultPlan.Lossless },
    ({ faults, maxTokens, text }) =>
      Effect.gen(function* () {
        const llm = yield* StreamClient.make(Llm)
        const tokens = yield* inVirtualTime(Stream.runCollect(llm.Generate(new Prompt({ text, maxTokens }))))
        assert.deepStrictEqual(
          tokens.map((token) => token.index),
          Array.from({ length: maxTokens }, (_, index) => index)
        )
        assert.deepStrictEqual(
          tokens.findIndex((token) => token.last),
          maxTokens - 1
        )
      }).pipe(Effect.provide(ServiceTest(faults))),
    { arbitrary: { runs: 50 } }
  )

  it.effect.prop(
    "survives every client and every fault: a call that started has finished once, on both sides",
    { script: StreamScript.schema(chat), faults: FaultPlan.FaultPlan },
    ({ faults, script }) =>
      Effect.gen(function* () {
        const recorder = yield* Recorder.make
        yield* Effect.gen(function* () {
          const llm = yield* StreamClient.make(Llm, { timeout: "1 minute" })
          yield* inVirtualTime(
            llm.Chat.open().pipe(
              Effect.flatMap((stream) => StreamScript.run(stream, script)),
              Effect.scoped,
              Effect.exit
            )
          )
        }).pipe(Effect.provide(ServiceTest(faults).pipe(Layer.provideMerge(recorder.layer))))
        assert.strictEqual(recorder.client.starts.length, 1)
        assert.strictEqual(recorder.client.finishes.length, 1)
        assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
      }),
    { arbitrary: { runs: 50 } }
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import * as Exit from "effect/Exit"
import { RpcTracer, type RpcInfo } from "../src/index.ts"
import * as tracing from "../src/internal/tracing.ts"
import * as Layer from "effect/Layer"

const Word = Context.Reference<string>("test/Word", { defaultValue: () => "" })
const info = { side: "client" } as RpcInfo.RpcInfo
const event = { info, exit: Exit.void } as unknown as RpcTracer.RpcFinish

/** Adds its letter to the word, by a function or by an effect. */
const letter = (name: string, direct: boolean, log: Array<string>): tracing.DirectTracer =>
  direct
    ? {
        begin: (_, context) => Context.add(context, Word, Context.get(context, Word) + name),
        end: () => void log.push(name)
      }
    : {
        start: () => Effect.map(Word, (word) => Context.make(Word, word + name)),
        finish: () => Effect.sync(() => void log.push(name))
      }

const prepared = (...tracers: ReadonlyArray<RpcTracer.RpcTracer>) =>
  Effect.map(Effect.scoped(Layer.build(RpcTracer.layer(...tracers))), (context) => tracing.prepare(context))

describe("tracers without effects", () => {
  for (const kinds of [
    [true, true],
    [true, false, true],
    [false, true],
    [false, false]
  ]) {
    it.effect(`start in order and finish in reverse among others: ${kinds.join(", ")}`, () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const tracers = yield* prepared(...kinds.map((direct, at) => letter("abc"[at]!, direct, log)))
        assert.strictEqual(tracing.areDirect(tracers), !kinds.includes(false))
        const context = yield* tracing.start(tracers, info)
        const word = "abc".slice(0, kinds.length)
        assert.strictEqual(Context.get(context, Word), word)
        yield* tracing.finish(tracers, event)
        assert.strictEqual(log.join(""), [...word].toReversed().join(""))
      })
    )
  }

  it.effect("what throws leaves the context as it was, and the others go on", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const thrower: tracing.DirectTracer = {
        begin: () => {
          throw new Error("begin")
        },
        end: () => {
          throw new Error("end")
        }
      }
      const tracers = yield* prepared(letter("a", true, log), thrower, letter("b", true, log))
      assert.strictEqual(Context.get(tracing.begin(tracers, info, Context.empty()), Word), "ab")
      tracing.end(tracers, event)
      assert.deepStrictEqual(log, ["b", "a"])
    })
  )
})

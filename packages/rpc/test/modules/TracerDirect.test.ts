import { assert, describe, it } from "@effect/vitest"
import { Metadata } from "@millrace/transport"
import { Clock, Context, Effect } from "effect"
import * as Exit from "effect/Exit"
import { RpcError, RpcTracer, type RpcInfo } from "../../src/index.ts"
import { StreamInfo } from "../../src/internal/serverInfo.ts"
import { Serving } from "../../src/internal/serving.ts"
import { Timers } from "../../src/internal/timers.ts"
import * as tracing from "../../src/internal/tracing.ts"
import * as Layer from "effect/Layer"

const Word = Context.Reference<string>("test/Word", { defaultValue: () => "" })
const info = { side: "client" } as RpcInfo.RpcInfo
const overHttp2 = { header: undefined, protocol: "grpc" } as const
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
  it.effect("hear of a call that a server refused without a fiber for that", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      let fibers = 0
      const runFork = <A, E>(effect: Effect.Effect<A, E>) => {
        fibers++
        return Effect.runFork(effect)
      }
      const serving = new Serving(
        {
          admission: [],
          tracers: yield* prepared({ ...letter("a", true, log), streamStart: () => void log.push("stream") }),
          metaHandlers: [],
          graceMillis: 0,
          context: Context.empty()
        },
        new Timers(yield* Clock.Clock, Effect.runFork),
        runFork
      )
      const refused = new RpcError.RpcError({ reason: new RpcError.Forbidden(), code: 7, desc: "no" })
      serving.refused(new StreamInfo("S", "M", "unary", "/S/M", "memory", Metadata.empty, overHttp2), refused)
      assert.deepStrictEqual([log, fibers], [["stream", "a"], 0])
    })
  )

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

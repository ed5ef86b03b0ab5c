import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import { Middleware, RpcTracer } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { begin, serveCalls } from "./support/calls.ts"
import { open, serve, settled, wrapped } from "./support/echo.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Calls whose handlers run on and have let go of their arguments: whether any of those are still there. */
const held = (middleware: ReadonlyArray<Middleware.ServerMiddleware>) =>
  Effect.suspend(() => {
    let args: WeakRef<object> | undefined
    const forget = (request: object) => {
      args = new WeakRef(request)
      return Effect.never
    }
    const alive = () => {
      collect()
      assert.isDefined(args)
      return args!.deref() !== undefined
    }
    const options = { middleware, graceTime: 0 }
    const pingPong: Effect.Effect<boolean> = Effect.gen(function* () {
      yield* begin("EchoPingPong", wrapped("m"))
      yield* settled
      return alive()
    }).pipe(Effect.provide(serveCalls({ EchoPingPong: forget }, options)))
    const unary: Effect.Effect<boolean> = Effect.gen(function* () {
      const opened = yield* open("/echo.TestService/EchoUnary")
      opened.send(wrapped("m"))
      yield* settled
      return alive()
    }).pipe(Effect.provide(serve({ EchoUnary: forget }, options)))
    return Effect.zipWith(pingPong, unary, (one, other) => one || other)
  })

describe("the arguments of a call live no longer than its handler wants them", () => {
  const middleware = [Middleware.server((next) => next)]
  const Reference = Context.Reference<number>("test/Reference", { defaultValue: () => 0 })

  it.live("without tracers", () =>
    Effect.gen(function* () {
      assert.isFalse(yield* held([]))
      assert.isFalse(yield* held(middleware))
    })
  )

  it.live("with tracers", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      assert.isFalse(yield* Effect.provide(held([]), recorder.layer))
      assert.isFalse(yield* Effect.provide(held(middleware), recorder.layer))
      const context = RpcTracer.layer({ start: () => Effect.succeed(Context.make(Reference, 1)) })
      assert.isFalse(yield* Effect.provide(held([]), context))
      assert.isFalse(yield* Effect.provide(held(middleware), context))
    })
  )
})

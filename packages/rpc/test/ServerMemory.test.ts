import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Middleware } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { type Accepting, begin, serveCalls } from "./support/calls.ts"
import { settled, wrapped } from "./support/echo.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** A call whose handler runs on and has let go of its arguments: whether they are still there. */
const held = (middleware: ReadonlyArray<Middleware.ServerMiddleware>) =>
  Effect.suspend(() => {
    let args: WeakRef<object> | undefined
    const live = serveCalls(
      {
        EchoPingPong: (request) => {
          args = new WeakRef(request)
          return Effect.never
        }
      },
      { middleware, graceTime: 0 }
    )
    const run: Effect.Effect<boolean, never, Accepting> = Effect.gen(function* () {
      yield* begin("EchoPingPong", wrapped("m"))
      yield* settled
      collect()
      assert.isDefined(args)
      return args!.deref() !== undefined
    })
    return Effect.provide(run, live)
  })

describe("the arguments of a call live no longer than its handler wants them", () => {
  const middleware = [Middleware.server((next) => next)]

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
    })
  )
})

/** Unary calls have no frame around them that waits for their exit: those who hear of them hear of each end all the same. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Admission, type Endpoints, type StreamOptions } from "../src/index.ts"
import { settle } from "./support/client.ts"
import { Crowd, clients, request, server } from "./support/observers.ts"

const ends = (
  pick: (heard: Crowd) => ReturnType<Endpoints.Endpoints["pick"]>,
  options: StreamOptions.CallOptions,
  interruptAfter: number
) =>
  Effect.gen(function* () {
    const heard = new Crowd()
    const { streams } = yield* clients({
      endpoints: { pick: () => pick(heard) },
      admission: [Admission.make(heard.next)]
    })
    const fiber = yield* Effect.forkChild(streams.EchoUnary(request, options), { startImmediately: true })
    yield* settle
    yield* TestClock.adjust(interruptAfter)
    yield* settle
    yield* Fiber.interrupt(fiber)
    const exit = yield* Fiber.await(fiber)
    assert.isTrue(Exit.isFailure(exit))
    assert.deepStrictEqual(heard.wrong, [])
    return heard.all.flatMap(({ tags }) => tags)
  }).pipe(Effect.scoped, Effect.provide(server()))

describe("the end of a unary call is told once", () => {
  const here = (heard: Crowd) => ({ address: "memory", ...heard.next() })

  it.effect("interrupted while an instance is chosen: to who admitted it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ends(() => Effect.never, {}, 0), ["interrupted"])
    })
  )

  it.effect("interrupted while it waits for its answer", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ends(here, {}, 0), ["interrupted", "interrupted"])
      assert.deepStrictEqual(yield* ends((heard) => Effect.succeed(here(heard)), {}, 0), ["interrupted", "interrupted"])
    })
  )

  it.effect("broken by a callback, or by the choice", () =>
    Effect.gen(function* () {
      const onHeader = () => {
        throw new Error("mine")
      }
      assert.deepStrictEqual(yield* ends(here, { onHeader }, 100), ["error", "error"])
      assert.deepStrictEqual(yield* ends(onHeader, {}, 100), ["error"])
    })
  )
})

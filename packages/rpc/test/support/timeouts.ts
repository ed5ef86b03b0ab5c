import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { afterEach, beforeEach, vi } from "vitest"
import { Timers } from "../../src/internal/timers.ts"
import { type TestHandlers, told } from "./client.ts"

/** Timers that were armed in a test. */
const armed = new Set<Timers>()

/** Watches the timers of each test of the file. */
export const watchTimers = () => {
  beforeEach(() => {
    armed.clear()
    const arm = Timers.prototype.arm
    vi.spyOn(Timers.prototype, "arm").mockImplementation(function (this: Timers, timer, at) {
      armed.add(this)
      arm.call(this, timer, at)
    })
  })
  afterEach(() => void vi.restoreAllMocks())
}

/** Timers were armed, and none is any more. */
export const nothingLeft = () => {
  assert.isAbove(armed.size, 0)
  assert.deepStrictEqual(
    Array.from(armed, ({ size }) => size).filter((size) => size > 0),
    []
  )
}

/** Handlers that hang until they are told to stop, and how they ended. */
export const hanging = () => {
  const ends: Array<string> = []
  const hang = Effect.onExit(Effect.never, (exit) => Effect.sync(() => void ends.push(told(exit))))
  const handlers: Partial<TestHandlers> = {
    EchoUnary: () => hang,
    EchoServer: () => Stream.fromEffect(hang),
    EchoClient: () => hang,
    Echo: () => Stream.fromEffect(hang),
    EchoPingPong: () => hang,
    Ping: () => hang
  }
  return { ends, handlers }
}

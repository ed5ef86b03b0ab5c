import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeClient } from "../../src/internal/net/client.ts"
import type { Dialled } from "../../src/internal/net/socket.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { target } from "../support/calls.ts"
import { Ticks } from "../support/socket.ts"

/** A stream, or a call on a shared connection, with a limit of its own; all of one kind wait for one dial. */
const kinds = ["streams", "calls"] as const

const client = Effect.fnUntraced(function* (
  kind: (typeof kinds)[number],
  dial: Effect.Effect<Dialled, TransportError>
) {
  let dials = 0
  const counted = () => Effect.suspend(() => (dials++, dial))
  const platform = { ...new Ticks().platform, clock: yield* Clock.Clock }
  const { lease, open } = yield* makeClient(counted, {}, platform)
  const wait = (limit?: number): Effect.Effect<unknown, TransportError> =>
    kind === "calls"
      ? lease(target("ADDRESS", { connection: "multiplexed", connectTimeoutMillis: limit }))
      : open({ address: "ADDRESS", path: "/S/M", authority: "a", connectTimeoutMillis: limit })
  return {
    dials: () => dials,
    fork: (limit?: number) => Effect.forkChild(wait(limit), { startImmediately: true })
  }
})

const timedOut = Effect.fnUntraced(function* (
  fiber: Fiber.Fiber<unknown, TransportError>,
  step: "dial" | "tls",
  millis: number
) {
  assert.isDefined(fiber.pollUnsafe(), "it still waits")
  const { reason } = yield* Effect.flip(Fiber.join(fiber))
  assert.deepInclude(reason, { _tag: "ConnectTimeout", step, millis })
})

for (const kind of kinds)
  describe(`a dial that ${kind} wait for`, () => {
    it.effect("takes its time whatever the limit of who was first", () =>
      Effect.gen(function* () {
        const { dials, fork } = yield* client(kind, Effect.never)
        const first = yield* fork(20)
        const joined = yield* fork()
        const short = yield* fork(30)
        yield* TestClock.adjust(20)
        yield* timedOut(first, "dial", 20)
        yield* TestClock.adjust(10)
        yield* timedOut(short, "dial", 30)
        yield* TestClock.adjust(969)
        assert.isUndefined(joined.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* timedOut(joined, "dial", 1000)
        assert.strictEqual(dials(), 1)
      }).pipe(Effect.scoped)
    )

    it.effect("goes on for the first as long as it wants, but not for those who join", () =>
      Effect.gen(function* () {
        const { dials, fork } = yield* client(kind, Effect.never)
        const first = yield* fork(5000)
        const joined = yield* fork()
        yield* TestClock.adjust(1000)
        yield* timedOut(joined, "dial", 1000)
        assert.isUndefined(first.pollUnsafe())
        yield* TestClock.adjust(4000)
        yield* timedOut(first, "dial", 5000)
        assert.strictEqual(dials(), 1)
      }).pipe(Effect.scoped)
    )

    it.effect("and the handshake behind it have one limit together, where there is one", () =>
      Effect.gen(function* () {
        const dial = Effect.delay(Effect.succeed({ secure: Effect.never, destroy: () => {} }), 10)
        const { fork } = yield* client(kind, dial)
        const limited = [yield* fork(20), yield* fork(30)]
        const patient = yield* fork()
        yield* TestClock.adjust(20)
        yield* timedOut(limited[0]!, "tls", 20)
        assert.isUndefined(limited[1]!.pollUnsafe())
        yield* TestClock.adjust(10)
        yield* timedOut(limited[1]!, "tls", 30)
        yield* TestClock.adjust(4979)
        assert.isUndefined(patient.pollUnsafe())
        yield* TestClock.adjust(1)
        yield* timedOut(patient, "tls", 5000)
      }).pipe(Effect.scoped)
    )
  })

import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { type Timer, Timers } from "../../src/internal/timers.ts"

const make = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const timers = new Timers(yield* Clock.Clock, Effect.runForkWith(context))
  yield* Effect.addFinalizer(() => Effect.sync(() => timers.close()))
  return timers
})

/** A timer that writes down when it fired. */
const noting = (
  log: Array<string>,
  name: string,
  again: (now: number) => number | undefined = () => undefined
): Timer => ({
  at: 0,
  index: -1,
  fire: (now) => {
    log.push(`${name}@${now}`)
    return again(now)
  }
})

describe("Timers", () => {
  it.effect("fire at their time, the earliest first, whatever the order of arming", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      for (const at of [30, 10, 20, 10]) timers.arm(noting(log, `${at}`), at)
      yield* TestClock.adjust(9)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["10@10", "10@10"])
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["10@10", "10@10", "20@20", "30@30"])
      assert.strictEqual(timers.size, 0)
    })
  )

  it.effect("a disarmed timer does not fire, and disarming twice is nothing", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      const [a, b, c] = ["a", "b", "c"].map((name) => noting(log, name)) as [Timer, Timer, Timer]
      timers.arm(a, 10)
      timers.arm(b, 20)
      timers.arm(c, 30)
      timers.disarm(a)
      timers.disarm(a)
      timers.disarm(c)
      assert.strictEqual(timers.size, 1)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["b@20"])
      timers.disarm(b)
    })
  )

  it.effect("arming again moves a timer, in either direction", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      const [a, b] = ["a", "b"].map((name) => noting(log, name)) as [Timer, Timer]
      timers.arm(a, 10)
      timers.arm(b, 50)
      timers.arm(a, 60)
      timers.arm(b, 5)
      yield* TestClock.adjust(59)
      assert.deepStrictEqual(log, ["b@5"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["b@5", "a@60"])
    })
  )

  it.effect("a timer says when to fire next, and never spins", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      timers.arm(
        noting(log, "a", (now) => (now < 30 ? now + 10 : undefined)),
        10
      )
      // An answer in the past is the next millisecond.
      timers.arm(
        noting(log, "b", (now) => (now < 12 ? 0 : undefined)),
        10
      )
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(
        log.filter((entry) => entry.startsWith("a")),
        ["a@10", "a@20", "a@30"]
      )
      assert.deepStrictEqual(
        log.filter((entry) => entry.startsWith("b")),
        ["b@10", "b@11", "b@12"]
      )
    })
  )

  it.effect("one that fires may arm and disarm others", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      const victim = noting(log, "victim")
      const late = noting(log, "late")
      timers.arm(victim, 10)
      timers.arm(
        noting(log, "first", () => {
          timers.disarm(victim)
          timers.arm(late, 15)
          return undefined
        }),
        9
      )
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["first@9", "late@15"])
    })
  )

  it.effect("sleep longer than the platform's timers can", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      timers.arm(noting(log, "far"), 2 ** 33)
      yield* TestClock.adjust(2 ** 32)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(2 ** 32)
      assert.strictEqual(log.length, 1)
    })
  )

  it.effect("closing forgets them all", () =>
    Effect.gen(function* () {
      const timers = yield* make
      const log: Array<string> = []
      const a = noting(log, "a")
      timers.arm(a, 10)
      timers.close()
      assert.strictEqual(a.index, -1)
      timers.arm(a, 20)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual([log, timers.size], [[], 0])
    })
  )

  const time = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))
  const which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))
  const Step = Schema.TaggedUnion({
    Arm: { timer: which, after: time },
    Disarm: { timer: which },
    Pass: { millis: time }
  })

  it.effect.prop(
    "behave as a sorted list does, in any order of arming, disarming and time",
    [Schema.Array(Step)],
    ([steps]) =>
      Effect.gen(function* () {
        const timers = yield* make
        const fired: Array<string> = []
        const all = Array.from({ length: 8 }, (_, i) => noting(fired, `${i}`))
        const expected: Array<string> = []
        const model = new Map<number, number>()
        const start = timers.now()
        let now = start
        for (const step of steps) {
          if (step._tag === "Arm") {
            timers.arm(all[step.timer]!, now + step.after)
            // Never inside the call that arms it.
            model.set(step.timer, now + Math.max(step.after, 1))
          } else if (step._tag === "Disarm") {
            timers.disarm(all[step.timer]!)
            model.delete(step.timer)
          } else {
            now += step.millis
            yield* TestClock.adjust(step.millis)
            const due = [...model].filter(([, at]) => at <= now).toSorted(([, a], [, b]) => a - b)
            for (const [timer] of due) {
              model.delete(timer)
              expected.push(`${timer}`)
            }
          }
          assert.strictEqual(timers.size, model.size)
        }
        const names = fired.map((entry) => entry.split("@")[0]!)
        // Timers of one moment fire in any order.
        assert.deepStrictEqual(names.toSorted(), expected.toSorted())
        const times = fired.map((entry) => Number(entry.split("@")[1]))
        assert.deepStrictEqual(
          times,
          times.toSorted((a, b) => a - b)
        )
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 200 } }
  )
})

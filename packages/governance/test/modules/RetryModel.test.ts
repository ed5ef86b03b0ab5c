import { assert, describe, it } from "@effect/vitest"
import { Retry } from "@millrace/governance"
import { Deadline } from "@millrace/rpc"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { failureOf, failures, play, type Step } from "../support/attempts.ts"
import { seededBelow } from "../support/random.ts"

const cases = 400

const endings = ["ok", "timeout", "connect", "rejected", "forbidden", "status", "defect"] as const

const retryable = (ends: Step["ends"]) => ends === "timeout" || ends === "connect" || ends === "rejected"

interface Expected {
  readonly began: ReadonlyArray<number>
  readonly millis: number
  readonly winner: number
  /** Two things happen at once: either may come first. */
  readonly tie: boolean
}

interface Limits {
  readonly maxRetries: number
  readonly wait: number
  readonly maxDuration: number
  readonly deadline: number
}

/** One after the other, in a loop. */
const inTurn = (steps: ReadonlyArray<Step>, { deadline, maxDuration, maxRetries, wait }: Limits): Expected => {
  const began: Array<number> = []
  let now = 0
  for (let number = 0; ; number++) {
    began.push(now)
    const { ends, takes } = steps[number]!
    now += takes
    const next = now + wait
    if (!retryable(ends) || number === maxRetries || next > maxDuration || next >= deadline) {
      return { began, millis: now, winner: number, tie: false }
    }
    now = next
  }
}

/** Side by side: looks for what happens next in a list. */
const sideBySide = (
  steps: ReadonlyArray<Step>,
  delay: number,
  mixed: boolean,
  { deadline, maxDuration, maxRetries, wait }: Limits
): Expected => {
  const began: Array<number> = []
  const open = new Map<number, number>()
  let tie = false
  let next: { at: number; must: boolean } = { at: 0, must: true }
  const may = (at: number) => began.length <= maxRetries && at <= maxDuration && at < deadline
  for (;;) {
    const ends = [...open].sort(([, a], [, b]) => a - b)
    const first = ends[0]
    if (ends.length > 1 && ends[1]![1] === first![1]) tie = true
    if (first !== undefined && first[1] === next.at) tie = true
    if (first === undefined || next.at < first[1]) {
      if (next.must || may(next.at)) {
        open.set(began.length, next.at + steps[began.length]!.takes)
        began.push(next.at)
        next = { at: next.at + delay, must: false }
      } else next = { at: Infinity, must: false }
      continue
    }
    const [number, now] = first
    open.delete(number)
    const over = { began, millis: now, winner: number, tie }
    if (!mixed || !retryable(steps[number]!.ends)) return over
    if (next.must) continue
    if (may(now + wait)) next = { at: now + wait, must: true }
    else if (open.size === 0) return over
  }
}

describe("random outcomes and times against a plain model", () => {
  for (const kind of ["failure", "backup", "mixed"] as const) {
    it.effect(kind, () =>
      Effect.gen(function* () {
        const below = seededBelow(kind.length * 7919)
        let compared = 0
        let several = 0
        for (let round = 0; round < cases; round++) {
          const maxRetries = below({ failure: 6, backup: 3, mixed: 4 }[kind])
          const steps = Array.from({ length: maxRetries + 1 }, (): Step => ({
            takes: 1 + below(200),
            ends: endings[below(below(2) === 0 ? 4 : endings.length)]!
          }))
          const delay = 5 + below(100)
          const wait = kind === "backup" || below(2) === 0 ? 0 : 1 + below(60)
          const maxDuration = kind === "backup" || below(3) > 0 ? Infinity : 1 + below(400)
          const deadline = below(3) > 0 ? Infinity : 1 + below(400)
          const limits = { maxRetries, wait, maxDuration, deadline }
          const expected =
            kind === "failure" || maxRetries === 0
              ? inTurn(steps, limits)
              : sideBySide(steps, delay, kind === "mixed", limits)
          if (expected.tie) continue
          const backoff: Retry.Backoff = wait === 0 ? { type: "none" } : { type: "fixed", delay: wait }
          const bounded = { backoff, ...(maxDuration < Infinity && { maxDuration }) }
          const policy =
            kind === "failure"
              ? Retry.failure({ maxRetries, ...bounded })
              : kind === "backup"
                ? Retry.backup({ maxRetries, delay })
                : Retry.mixed({ maxRetries, delay, ...bounded })
          const run = play(policy, steps)
          const fiber = yield* Effect.forkChild(deadline < Infinity ? Deadline.within(run, deadline) : run, {
            startImmediately: true
          })
          yield* TestClock.adjust(20_000)
          const { exit, millis, seen } = yield* Fiber.join(fiber)
          const context = JSON.stringify({ kind, delay, ...limits, steps, seen, millis })
          assert.deepStrictEqual(
            seen.map(({ began }) => began),
            [...expected.began],
            context
          )
          assert.strictEqual(millis, expected.millis, context)
          const { ends } = steps[expected.winner]!
          if (ends === "ok") assert.deepStrictEqual(exit, Exit.succeed(expected.winner), context)
          else if (ends !== "defect") {
            // What an error says of the retries it did not get is not the model's affair.
            const error = failureOf(exit) as Error & { readonly reason: { readonly _tag: string } }
            assert.strictEqual(error.reason._tag, failures[ends as "timeout"].reason._tag, context)
          }
          // Whoever has not won has failed before, or was cut when the winner was there; nobody goes on.
          for (const { ended, how, number } of seen) {
            assert.isTrue(ended >= 0 && ended <= millis, context)
            if (number !== expected.winner && how === "ok") assert.fail(context)
            if (how === "cut") assert.strictEqual(ended, millis, context)
          }
          assert.isTrue(seen.length <= maxRetries + 1)
          compared++
          if (seen.length > 1) several++
        }
        assert.isTrue(compared > cases * 0.8 && several > cases * 0.3, `${compared} ${several}`)
      })
    )
  }
})

describe("budget", () => {
  it.effect("bounds the retries of all that share it, at every moment", () =>
    Effect.gen(function* () {
      const below = seededBelow(4711)
      for (const [percent, burst] of [
        [10, 5],
        [30, 1],
        [100, 2],
        [0, 3],
        [7, 10]
      ] as const) {
        const budget = Retry.budget({ percent, burst })
        // The breaker of retries would stop most of them.
        const policies = Array.from({ length: 4 }, (_, i) =>
          Retry.failure({ maxRetries: 3, errorRate: 0.3 }, { budget, retryable: () => i > 0 })
        )
        let calls = 0
        let retries = 0
        let saved = burst * 100
        for (let round = 0; round < 1000; round++) {
          const failing = below(4) === 0
          calls++
          saved = Math.min(burst * 100, saved + percent)
          const { seen } = yield* play(policies[below(4)]!, [{ takes: 0, ends: failing ? "connect" : "ok" }])
          retries += seen.length - 1
          saved -= (seen.length - 1) * 100
          assert.isTrue(saved >= 0, `${percent} ${burst} ${saved}`)
          assert.isTrue(retries <= burst + (calls * percent) / 100, `${retries} of ${calls}`)
          if (round % 5 === 0) yield* TestClock.adjust("3 seconds")
        }
        assert.isTrue(retries >= burst, `${retries}`)
      }
    })
  )

  it.effect("is saved up again, no further than its burst", () =>
    Effect.gen(function* () {
      const budget = Retry.budget({ percent: 50, burst: 2 })
      const policy = Retry.failure({ maxRetries: 5, errorRate: 0.3 }, { budget })
      const attempts = (ends: "ok" | "connect") =>
        Effect.andThen(
          TestClock.adjust("11 seconds"),
          Effect.map(play(policy, [{ takes: 0, ends }]), ({ seen }) => seen.length)
        )
      assert.strictEqual(yield* attempts("connect"), 3)
      assert.strictEqual(yield* attempts("connect"), 1)
      assert.strictEqual(yield* attempts("connect"), 2)
      for (let i = 0; i < 20; i++) yield* attempts("ok")
      assert.strictEqual(yield* attempts("connect"), 3)
    })
  )

  it.effect("gets back what was taken for a retry that does not begin", () =>
    Effect.gen(function* () {
      const begin = (policy: ReturnType<typeof Retry.failure>, steps: ReadonlyArray<Step>) =>
        Effect.forkChild(play(policy, steps), { startImmediately: true })
      const attempts = (policy: ReturnType<typeof Retry.failure>, steps: ReadonlyArray<Step>) =>
        Effect.gen(function* () {
          const call = yield* begin(policy, steps)
          yield* TestClock.adjust("11 seconds")
          return (yield* Fiber.join(call)).seen.length
        })
      const backoff = { type: "fixed", delay: 1000 } as const
      const fails = { takes: 15, ends: "connect" } as const
      // Nobody waits for it any more.
      for (const policy of [
        Retry.failure({ backoff }, { budget: Retry.budget({ percent: 0, burst: 1 }) }),
        Retry.mixed({ backoff, delay: 5000 }, { budget: Retry.budget({ percent: 0, burst: 1 }) })
      ]) {
        const call = yield* begin(policy, [fails])
        yield* TestClock.adjust(20)
        yield* Fiber.interrupt(call)
        assert.strictEqual(yield* attempts(policy, [fails]), 2)
        assert.strictEqual(yield* attempts(policy, [fails]), 1)
      }
      // Another attempt was quicker. That one has taken its own.
      const policy = Retry.mixed(
        { backoff, delay: 10, maxRetries: 2 },
        { budget: Retry.budget({ percent: 0, burst: 2 }) }
      )
      const counts = []
      for (let call = 0; call < 3; call++) counts.push(yield* attempts(policy, [fails, { takes: 20, ends: "ok" }]))
      assert.deepStrictEqual(counts, [2, 2, 1])
    })
  )

  it.effect("the failure says that it is used up", () =>
    Effect.gen(function* () {
      const policy = Retry.failure({}, { budget: Retry.budget({ percent: 0, burst: 1 }) })
      const { exit, seen } = yield* play(policy, [{ takes: 0, ends: "timeout" }])
      assert.strictEqual(seen.length, 2)
      assert.strictEqual(
        (failureOf(exit) as { readonly desc: string }).desc,
        "rpc timeout[retried 1, retry budget is used up]: timeout=1ms, to=Shop"
      )
    })
  )
})

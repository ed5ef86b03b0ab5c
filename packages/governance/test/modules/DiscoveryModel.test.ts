/**
 * What is discovered, against a plain model of it: a source that answers, is empty, fails and is slow as it likes, calls at any time,
 * and a clock that goes on in steps of 100 ms.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Resolver } from "@millrace/governance"
import { RpcError } from "@millrace/rpc"
import { Clock, Effect, Logger, Schema, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { broken, discover, endOf, instances, pick, scripted } from "../support/discovery.ts"

const tick = 100
const refresh = 5000
const idle = 30_000
const resolveTimeout = 2500
const confirmEmpty = 2

const Answer = Schema.Struct({
  kind: Schema.Literals(["list", "list", "list", "empty", "fail"]),
  list: Schema.NonEmptyArray(Schema.Literals(["a:1", "b:1", "c:1"])),
  ticks: Schema.Literals([0, 0, 0, 1, 7, 24, 26, 60])
})
type Answer = (typeof Answer)["Type"]

const Step = Schema.Struct({
  answer: Schema.optionalKey(Answer),
  ticks: Schema.Literals([0, 1, 5, 9, 10, 50, 50, 60, 120, 310]),
  calls: Schema.Literals([0, 1, 2, 3])
})

type Outcome = "waits" | "failed" | "none" | ReadonlyArray<string>

class Model {
  now = 0
  answer: Answer
  readonly asked: Array<number> = []
  readonly outcomes: Array<Outcome> = []
  list: ReadonlyArray<string> | undefined
  /** Times at which the addresses of the list came into it. */
  since = new Map<string, number>()
  #running = false
  #empties = 0
  #failed = false
  #answeredAt = -Infinity
  #usedAt = 0
  #asking: { readonly until: number; readonly answer: Answer } | undefined
  #pauseUntil = 0
  #waiting: Array<number> = []

  constructor(answer: Answer) {
    this.answer = answer
  }

  call(): void {
    this.#usedAt = this.now
    if (!this.#running) {
      this.#running = true
      this.#ask()
    }
    const at = this.outcomes.push("waits") - 1
    if (this.#known()) this.outcomes[at] = this.list!
    else if (this.#asking === undefined && this.now - this.#answeredAt < 1000) this.outcomes[at] = this.#error()
    else {
      this.#waiting.push(at)
      if (this.#asking === undefined) this.#ask()
    }
  }

  tick(): void {
    this.now += tick
    if (!this.#running) return
    if (this.#asking !== undefined) {
      if (this.#asking.until === this.now) this.#answered(this.#asking.answer)
    } else if (this.#pauseUntil === this.now) {
      if (this.now - this.#usedAt >= idle) this.#forget()
      else this.#ask()
    }
  }

  #ask(): void {
    this.asked.push(this.now)
    const { answer } = this
    const millis = answer.ticks * tick
    if (millis === 0) this.#answered(answer)
    else if (millis < resolveTimeout) this.#asking = { until: this.now + millis, answer }
    else this.#asking = { until: this.now + resolveTimeout, answer: { ...answer, kind: "fail" } }
  }

  #answered({ kind, list }: Answer): void {
    this.#asking = undefined
    this.#answeredAt = this.now
    this.#pauseUntil = this.now + refresh
    this.#failed = kind === "fail"
    if (kind === "list") {
      this.#empties = 0
      this.#set([...new Set(list)])
    }
    if (kind === "empty" && (++this.#empties >= confirmEmpty || !this.#known())) this.#set([])
    for (const at of this.#waiting) this.outcomes[at] = this.#known() ? this.list! : this.#error()
    this.#waiting = []
  }

  #set(list: ReadonlyArray<string>): void {
    this.since = new Map(list.map((address) => [address, this.since.get(address) ?? this.now]))
    this.list = list
  }

  #forget(): void {
    this.#running = false
    this.#empties = 0
    this.#failed = false
    this.#answeredAt = -Infinity
    this.list = undefined
    this.since = new Map()
  }

  #known(): boolean {
    return this.list !== undefined && this.list.length > 0
  }

  #error(): Outcome {
    return this.list === undefined && this.#failed ? "failed" : "none"
  }
}

const answerOf = ({ kind, list, ticks }: Answer) => {
  const answer =
    kind === "fail"
      ? Effect.fail(broken("a"))
      : Effect.succeed({ instances: instances(...(kind === "list" ? list : [])) })
  return ticks === 0 ? answer : Effect.delay(answer, ticks * tick)
}

describe("discovery", () => {
  it.effect.prop(
    "does what a plain model of it does",
    [Answer, Schema.Array(Step).check(Schema.isBetweenLength(10, 30))],
    ([first, steps]) =>
      Effect.gen(function* () {
        // The clock of the test goes on from run to run.
        const start = yield* Clock.currentTimeMillis
        const model = new Model(first)
        const script = scripted(answerOf(first))
        const { endpoints } = yield* discover(script.source, { confirmEmpty, resolveTimeout })
        const outcomes: Array<{ address?: string; error?: string }> = []
        const call = Effect.suspend(() => {
          const outcome: (typeof outcomes)[number] = {}
          outcomes.push(outcome)
          return Effect.match(pick(endpoints), {
            onFailure: (error) => {
              assert.isTrue(error instanceof RpcError.RpcError)
              outcome.error = error.desc
            },
            onSuccess: (picked) => {
              outcome.address = picked!.address
              const { since } = picked as unknown as { readonly since: number }
              assert.strictEqual(since - start, model.since.get(picked!.address), "the node is that of before")
              picked!.ended(endOf(0))
            }
          })
        })
        const compare = () => {
          assert.deepStrictEqual(
            script.asked.map((at) => at - start),
            model.asked
          )
          model.outcomes.forEach((expected, at) => {
            const { address, error } = outcomes[at]!
            if (expected === "waits") assert.deepStrictEqual(outcomes[at], {})
            else if (expected === "failed") assert.include(error, "service discovery error: script:")
            else if (expected === "none") assert.include(error, "no instance available")
            else assert.include(expected, address)
          })
        }
        for (const { answer, calls, ticks } of steps) {
          if (answer !== undefined) {
            model.answer = answer
            script.answer = answerOf(answer)
          }
          for (let i = 0; i < calls; i++) {
            model.call()
            yield* Effect.forkChild(call, { startImmediately: true })
          }
          for (let i = 0; i < ticks; i++) {
            model.tick()
            yield* TestClock.adjust(tick)
          }
          compare()
        }
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 25 } }
  )

  const Happening = Schema.Struct({
    truth: Schema.optionalKey(Schema.Array(Schema.Literals(["a:1", "b:1", "c:1"])).check(Schema.isMaxLength(3))),
    answers: Schema.Literals(["well", "well", "fails", "slowly"]),
    watch: Schema.Literals(["up", "up", "lost", "down"]),
    seconds: Schema.Literals([0, 1, 2, 7, 20])
  })

  it.effect.prop(
    "comes to know what is true, whatever became of questions and of what was pushed, and never asks too often",
    [Schema.Array(Happening).check(Schema.isBetweenLength(3, 15))],
    ([happenings]) =>
      Effect.gen(function* () {
        const truth = yield* SubscriptionRef.make<ReadonlyArray<string>>(["a:1"])
        let answers: (typeof Happening)["Type"]["answers"] = "well"
        const watching = yield* SubscriptionRef.make<"up" | "lost" | "down">("up")
        const script = scripted(
          Effect.suspend(() => {
            const told = Effect.sync(() => ({ instances: instances(...truth.value) }))
            // Slow ones say what was true when they were asked.
            return answers === "well"
              ? told
              : answers === "fails"
                ? Effect.fail(broken("a"))
                : Effect.flatMap(told, (answer) => Effect.delay(Effect.succeed(answer), 1500))
          })
        )
        const lost = SubscriptionRef.changes(watching).pipe(
          Stream.filter((state) => state !== "up"),
          Stream.take(1),
          Stream.flatMap(() => Stream.fail(broken("a")))
        )
        const source: Resolver.Source = {
          ...script.source,
          watch: () =>
            Stream.suspend(() =>
              watching.value === "down"
                ? Stream.fail(broken("a"))
                : SubscriptionRef.changes(truth).pipe(
                    Stream.map((addresses) => instances(...addresses)),
                    Stream.merge(watching.value === "lost" ? Stream.never : lost)
                  )
            )
        }
        const { endpoints, instances: known } = yield* discover(source, { confirmEmpty })
        const use = (seconds: number) =>
          Effect.gen(function* () {
            for (let i = 0; i < seconds; i++) {
              yield* Effect.forkChild(Effect.ignore(Effect.map(pick(endpoints), (picked) => picked?.ended(endOf(0)))), {
                startImmediately: true
              })
              yield* TestClock.adjust("1 second")
            }
          })
        for (const happening of happenings) {
          if (happening.truth !== undefined) yield* SubscriptionRef.set(truth, [...new Set(happening.truth)])
          answers = happening.answers
          yield* SubscriptionRef.set(watching, happening.watch)
          yield* use(happening.seconds)
        }
        answers = "well"
        yield* SubscriptionRef.set(watching, "up")
        // As long as the longest wait for the next watch, and two questions for what has to be confirmed.
        yield* use(45)
        assert.sameMembers(
          (yield* known("a")).map(({ address }) => address),
          [...truth.value]
        )
        script.asked.reduce((before, at) => {
          assert.isAtLeast(at - before, 1000)
          return at
        }, -1000)
        // It hears of changes again.
        yield* SubscriptionRef.set(truth, ["z:1"])
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* pick(endpoints))?.address, "z:1")
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))),
    { arbitrary: { runs: 25 } }
  )
})

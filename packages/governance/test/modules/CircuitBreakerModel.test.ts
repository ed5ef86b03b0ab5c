import { assert, describe, it } from "@effect/vitest"
import { CircuitBreaker } from "@millrace/governance"
import type { CallObserver } from "@millrace/rpc/CallObserver"
import { Effect, Stream, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { Window } from "../../src/internal/breaker/window.ts"
import { admitted, endOf, failure, infoOf, local, timeout } from "../support/breakerCalls.ts"
import { seeded } from "../support/random.ts"

type Kind = "success" | "failure" | "timeout" | "ignore"
const kinds: ReadonlyArray<Kind> = ["success", "failure", "timeout", "ignore"]

interface Settings {
  readonly enable: boolean
  readonly errRate: number
  readonly minSample: number
  readonly coolingTimeout: number
  readonly detectTimeout: number
  readonly halfOpenSuccesses: number
}

/** All samples there ever were, and the rules as they are written. */
class Model {
  settings: Settings
  state: CircuitBreaker.State = "closed"
  readonly changes: Array<string> = []
  readonly #key: string
  #samples: Array<{ readonly kind: Kind; readonly at: number }> = []
  #openedAt = 0
  #lastProbe = 0
  #inARow = 0

  constructor(key: string, settings: Settings) {
    this.#key = key
    this.settings = settings
  }

  ask(now: number): boolean {
    const { coolingTimeout, detectTimeout, enable } = this.settings
    if (!enable || this.state === "closed") return true
    const allowed =
      this.state === "open" ? now - this.#openedAt >= coolingTimeout : now - this.#lastProbe >= detectTimeout
    if (!allowed) return false
    this.#lastProbe = now
    if (this.state === "open") {
      this.#inARow = 0
      this.#change("halfOpen", now)
    }
    return true
  }

  hear(kind: Kind, now: number): void {
    const { enable, errRate, halfOpenSuccesses, minSample } = this.settings
    if (!enable || kind === "ignore") return
    if (kind !== "success") {
      this.#samples.push({ kind, at: now })
      const counts = this.#counts(now)
      const all = counts.success + counts.failure + counts.timeout
      const tooMany = all >= minSample && (counts.failure + counts.timeout) / all >= errRate
      if (this.state === "halfOpen" || (this.state === "closed" && tooMany)) {
        this.#openedAt = now
        this.#change("open", now)
      }
    } else if (this.state === "closed") this.#samples.push({ kind, at: now })
    else if (this.state === "halfOpen") {
      this.#inARow++
      if (this.#inARow >= halfOpenSuccesses) {
        this.#change("closed", now)
        this.#samples = []
      }
    }
  }

  #counts(now: number) {
    // A hundred buckets of 100 ms, that of now included.
    const since = (Math.floor(now / 100) - 99) * 100
    const counts = { success: 0, failure: 0, timeout: 0, ignore: 0 }
    for (const { at, kind } of this.#samples) if (at >= since) counts[kind]++
    return counts
  }

  #change(to: CircuitBreaker.State, now: number): void {
    const { failure, success, timeout } = this.#counts(now)
    this.changes.push(`${now} ${this.#key} ${this.state} ${to} ${success}/${failure}/${timeout}`)
    this.state = to
  }
}

const steps: ReadonlyArray<number> = [
  0, 0, 0, 0, 0, 1, 7, 50, 99, 100, 101, 199, 200, 999, 5000, 9899, 9900, 10_000, 30_000
]

const endings: Record<Kind, Partial<Parameters<CallObserver["ended"]>[0]>> = {
  success: {},
  failure: { error: failure },
  timeout: { error: timeout },
  ignore: { error: local }
}

const settingsOf = (random: () => number): Settings => ({
  enable: random() < 0.9,
  errRate: [0.1, 0.5, 0.5, 1][Math.floor(random() * 4)]!,
  minSample: [1, 3, 10, 20][Math.floor(random() * 4)]!,
  coolingTimeout: [1000, 5000][Math.floor(random() * 2)]!,
  detectTimeout: [50, 200][Math.floor(random() * 2)]!,
  halfOpenSuccesses: [1, 2, 3][Math.floor(random() * 3)]!
})

/** Calls of a few methods that end at once or later, changes of the policy, and time that passes. */
const compare = (seed: number, operations: number) =>
  Effect.gen(function* () {
    const random = seeded(seed)
    const any = <A>(all: ReadonlyArray<A>): A => all[Math.floor(random() * all.length)]!
    let settings = settingsOf(random)
    const policy = yield* SubscriptionRef.make<CircuitBreaker.Config>(settings)
    const { admission, state, states } = yield* CircuitBreaker.make(policy)
    const methods = ["A", "B", "C"].map((method) => ({ method, path: `/s.S/${method}` }))
    const models = new Map(methods.map(({ method }) => [method, new Model(`web/search/${method}`, settings)]))
    const changes: Array<string> = []
    yield* Effect.forkScoped(
      Stream.runForEach(states, ({ at, from, key, to, ...counts }) =>
        Effect.sync(() => {
          assert.strictEqual(counts.samples, counts.successes + counts.failures + counts.timeouts)
          changes.push(`${at} ${key} ${from} ${to} ${counts.successes}/${counts.failures}/${counts.timeouts}`)
        })
      ),
      { startImmediately: true }
    )
    // Whether traffic is good or bad goes on for a while.
    let good = 0.5
    let now = 0
    const running: Array<{ readonly observer: CallObserver; readonly method: string; readonly counts: boolean }> = []
    let decisions = 0
    for (let i = 0; i < operations; i++) {
      if (random() < 0.02) good = any([0.1, 0.5, 0.95])
      if (random() < 0.01) {
        settings = settingsOf(random)
        for (const model of models.values()) model.settings = settings
        yield* SubscriptionRef.set(policy, settings)
      }
      if (random() < 0.3) {
        now += any(steps)
        yield* TestClock.setTime(now)
      }
      if (running.length > 0 && random() < 0.45) {
        const [{ counts, method, observer }] = running.splice(
          Math.floor(random() * running.length),
          1
        ) as typeof running
        const kind = random() < good ? "success" : any(kinds)
        observer.ended(endOf(now, { ...endings[kind], info: infoOf({ method }) }))
        if (counts) models.get(method)!.hear(kind, now)
      } else {
        const info = any(methods)
        const model = models.get(info.method)!
        const observer = admitted(admission, now, info)
        assert.strictEqual(observer !== undefined, model.ask(now), `seed ${seed}, operation ${i}`)
        decisions++
        if (observer !== undefined) running.push({ observer, method: info.method, counts: settings.enable })
      }
      for (const [method, model] of models) {
        assert.strictEqual(state(`web/search/${method}`), model.state, `seed ${seed}, operation ${i}`)
      }
    }
    yield* TestClock.adjust(1)
    const expected = [...models.values()].flatMap((model) => model.changes)
    assert.deepStrictEqual([...changes].sort(), [...expected].sort(), `seed ${seed}`)
    return { changes: changes.length, decisions }
  })

describe("a breaker against a list of all calls", () => {
  it.effect("decides, changes and counts the same", () =>
    Effect.gen(function* () {
      let changes = 0
      for (let seed = 1; seed <= 10; seed++) {
        yield* TestClock.setTime(0)
        changes += (yield* Effect.scoped(compare(seed, 1000))).changes
      }
      // Otherwise the traffic is no test.
      assert.isAbove(changes, 300)
    })
  )
})

describe("a window against a list of all samples", () => {
  it("has the same sums", () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = seeded(seed)
      const window = new Window()
      const samples: Array<{ readonly kind: Kind; readonly bucket: number }> = []
      let now = Math.floor(random() * 1e12)
      for (let i = 0; i < 500; i++) {
        now += steps[Math.floor(random() * steps.length)]!
        const bucket = Math.floor(now / 100)
        const kind = kinds[Math.floor(random() * 4)]!
        if (kind === "ignore") window.advance(now)
        else {
          window[kind](now)
          samples.push({ kind, bucket })
        }
        const sum = (kind: Kind) => samples.filter((each) => each.kind === kind && bucket - each.bucket < 100).length
        const expected = [sum("success"), sum("failure"), sum("timeout")]
        assert.deepStrictEqual([window.successes, window.failures, window.timeouts], expected, `seed ${seed}, ${i}`)
      }
    }
  })
})

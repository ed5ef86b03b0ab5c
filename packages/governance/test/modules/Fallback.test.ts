import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Fallback, Retry } from "@millrace/governance"
import { Method, RpcError, Service } from "@millrace/rpc"
import { Effect, Exit } from "effect"
import { failureOf, failures, info, play, rpcError } from "../support/attempts.ts"

const withRequest = { ...info, request: { item: "tea" } }

class Shop extends Service.make("Shop", {
  methods: [
    Method.pingPong("Price", { arguments: { item: Thrift.field(1, Thrift.String) }, response: Thrift.I32 }),
    Method.pingPong("Other", { arguments: {}, response: Thrift.I32 })
  ]
}) {}

describe("make", () => {
  it.effect("answers in place of a failure, and knows the call", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const fallback = Fallback.make({
        onFailure: (failure, { info, request }) => {
          seen.push(failure, info.method, request)
          return Effect.succeed(42)
        }
      })
      for (const ends of ["timeout", "biz", "busy", "forbidden"] as const) {
        const { exit } = yield* play(fallback, [{ takes: 0, ends }], withRequest)
        assert.deepStrictEqual(exit, Exit.succeed(42))
        assert.deepStrictEqual(seen.splice(0), [failures[ends], "Price", { item: "tea" }])
      }
      assert.deepStrictEqual((yield* play(fallback, [{ takes: 0, ends: "ok" }])).exit, Exit.succeed(0))
      assert.deepStrictEqual(seen, [])
    })
  )

  it.effect("leaves alone what it does not want, and what is no failure", () =>
    Effect.gen(function* () {
      let asked = 0
      const fallback = Fallback.make({
        onFailure: () => {
          asked++
          return undefined
        }
      })
      const { exit } = yield* play(fallback, [{ takes: 0, ends: "timeout" }])
      assert.strictEqual(failureOf(exit), failures.timeout)
      assert.strictEqual(asked, 1)
      for (const ends of ["defect", "interrupt"] as const) {
        assert.isTrue(Exit.isFailure((yield* play(fallback, [{ takes: 0, ends }])).exit))
      }
      assert.strictEqual(asked, 1)
    })
  )

  it.effect("may fail, with another failure", () =>
    Effect.gen(function* () {
      const fallback = Fallback.make({ onFailure: () => Effect.fail(failures.biz) })
      assert.strictEqual(failureOf((yield* play(fallback, [{ takes: 0, ends: "timeout" }])).exit), failures.biz)
    })
  )

  it.effect("answers in place of an answer", () =>
    Effect.gen(function* () {
      const fallback = Fallback.make({ onAnswer: (answer) => (answer === 0 ? Effect.succeed("none") : undefined) })
      assert.deepStrictEqual((yield* play(fallback, [{ takes: 0, ends: "ok" }])).exit, Exit.succeed("none"))
    })
  )

  it("says whether its answer is reported", () => {
    assert.strictEqual(Fallback.make({}).reportsAnswer, false)
    assert.strictEqual(Fallback.make({}, { reportsAnswer: true }).reportsAnswer, true)
    assert.strictEqual(Fallback.forService(Shop, {}, { reportsAnswer: true }).reportsAnswer, true)
  })
})

describe("ofTimeoutAndCircuitOpen", () => {
  it.effect("answers for those two alone", () =>
    Effect.gen(function* () {
      const fallback = Fallback.ofTimeoutAndCircuitOpen(() => Effect.succeed("cached"))
      const outcome = (failure: unknown) => Effect.exit(fallback.run(() => Effect.fail(failure), info))
      const open = rpcError(new RpcError.CircuitOpen({ level: "service", key: "a/b/c" }))
      assert.deepStrictEqual(yield* outcome(failures.timeout), Exit.succeed("cached"))
      assert.deepStrictEqual(yield* outcome(open), Exit.succeed("cached"))
      for (const failure of [failures.lost, failures.biz, failures.busy, failures.forbidden]) {
        assert.strictEqual(failureOf(yield* outcome(failure)), failure)
      }
    })
  )
})

describe("forService", () => {
  it.effect("answers for the methods that it has", () =>
    Effect.gen(function* () {
      const fallback = Fallback.forService(Shop, {
        Price: {
          onFailure: (_failure, { request }) => Effect.succeed(request.item.length),
          onAnswer: (price) => (price === 0 ? Effect.succeed(price + 1) : undefined)
        }
      })
      const outcome = (ends: "timeout" | "ok", of = withRequest) =>
        Effect.map(play(fallback, [{ takes: 0, ends }], of), ({ exit }) => exit)
      assert.deepStrictEqual(yield* outcome("timeout"), Exit.succeed(3))
      assert.deepStrictEqual(yield* outcome("ok"), Exit.succeed(1))
      for (const other of [{ method: "Other" }, { service: "Else" }, { method: "constructor" }]) {
        const of = { ...withRequest, ...other }
        assert.strictEqual(failureOf(yield* outcome("timeout", of)), failures.timeout)
        assert.deepStrictEqual(yield* outcome("ok", of), Exit.succeed(0))
      }
    })
  )

  it.effect("stands outside of retries", () =>
    Effect.gen(function* () {
      const fallback = Fallback.make({ onFailure: () => Effect.succeed("last resort") })
      const { exit, seen } = yield* play(
        { run: (attempt, info) => fallback.run(() => Retry.failure().run(attempt, info), info) },
        [{ takes: 0, ends: "connect" }]
      )
      assert.deepStrictEqual(exit, Exit.succeed("last resort"))
      assert.strictEqual(seen.length, 3)
    })
  )
})

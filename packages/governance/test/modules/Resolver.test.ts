import { assert, describe, it } from "@effect/vitest"
import { Instance, Resolver } from "@millrace/governance"
import { Effect, Stream, SubscriptionRef } from "effect"

describe("fromInstances", () => {
  it.effect("gives the list of a service", () =>
    Effect.gen(function* () {
      const heavy = Instance.make("b:1", { weight: 30, tags: { zone: "x" } })
      const source = Resolver.fromInstances({ a: ["a:1", heavy], empty: [] })
      assert.deepStrictEqual((yield* source.resolve("a")).instances, [{ address: "a:1", weight: 10, tags: {} }, heavy])
      assert.deepStrictEqual((yield* source.resolve("empty")).instances, [])
      const error = yield* Effect.flip(source.resolve("toString"))
      assert.strictEqual(error.message, "static: there is no service toString in the list, which has a, empty")
      assert.isUndefined(source.watch)
    })
  )

  it.effect("gives one list for whatever is asked", () =>
    Effect.gen(function* () {
      const source = Resolver.fromInstances(["a:1"])
      assert.deepStrictEqual((yield* source.resolve("whatever")).instances, [Instance.make("a:1")])
    })
  )

  it.effect("pushes what a reference has", () =>
    Effect.gen(function* () {
      const listed = yield* SubscriptionRef.make<Resolver.Listed>({ a: ["a:1"] })
      const source = Resolver.fromInstances(listed)
      const heard: Array<ReadonlyArray<string>> = []
      yield* Effect.forkChild(
        Stream.runForEach(source.watch!("a"), (list) =>
          Effect.sync(() => heard.push(list.map(({ address }) => address)))
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      yield* SubscriptionRef.set(listed, { a: ["b:1", "c:1"] })
      yield* Effect.yieldNow
      yield* SubscriptionRef.set(listed, { b: ["b:1"] })
      yield* Effect.yieldNow
      assert.deepStrictEqual(heard, [["a:1"], ["b:1", "c:1"], []])
      assert.deepStrictEqual((yield* source.resolve("b")).instances, [Instance.make("b:1")])
    })
  )
})

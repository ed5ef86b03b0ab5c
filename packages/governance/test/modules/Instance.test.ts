import { assert, describe, it } from "@effect/vitest"
import { Instance } from "@millrace/governance"
import { Schema } from "effect"

describe("diff", () => {
  const a = Instance.make("a:1")
  const b = Instance.make("b:1", { weight: 3, tags: { zone: "x" } })

  it("is nothing where nothing has changed, in whatever order", () => {
    assert.isUndefined(Instance.diff([], []))
    assert.isUndefined(Instance.diff([a, b], [Instance.make("b:1", { weight: 3, tags: { zone: "x" } }), a]))
  })

  it("tells weights and tags apart", () => {
    const weight = Instance.make("a:1", { weight: 11 })
    assert.deepStrictEqual(Instance.diff([a, b], [weight, b]), { added: [], updated: [weight], removed: [] })
    for (const tags of [{ zone: "y" }, {}, { zone: "x", more: "" }, { other: "x" }, { toString: "x" }]) {
      const tagged = Instance.make("b:1", { weight: 3, tags })
      assert.deepStrictEqual(Instance.diff([b], [tagged]), { added: [], updated: [tagged], removed: [] })
    }
  })

  const list = Schema.Array(
    Schema.Struct({
      address: Schema.Literals(["a:1", "b:1", "c:1", "d:1"]),
      weight: Schema.Literals([1, 2]),
      tags: Schema.Record(Schema.Literals(["k", "l"]), Schema.Literals(["v", "w"]))
    })
  )

  it.prop("says how to come from one list to the next", [list, list], ([previous, next]) => {
    const { added, removed, updated } = Instance.diff(previous, next) ?? { added: [], removed: [], updated: [] }
    const reached = new Map(previous.map((instance) => [instance.address as string, instance as Instance.Instance]))
    for (const { address } of removed) assert.isTrue(reached.delete(address))
    for (const instance of updated) {
      assert.isTrue(reached.has(instance.address))
      assert.notDeepEqual(reached.get(instance.address), instance)
      reached.set(instance.address, instance)
    }
    for (const instance of added) {
      assert.isFalse(reached.has(instance.address))
      reached.set(instance.address, instance)
    }
    const wanted = new Map(next.map((instance) => [instance.address as string, instance as Instance.Instance]))
    assert.deepStrictEqual(
      [...reached].sort(([x], [y]) => x.localeCompare(y)),
      [...wanted].sort(([x], [y]) => x.localeCompare(y))
    )
  })
})

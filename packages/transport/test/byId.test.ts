import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { ById } from "../src/internal/byId.ts"
import { Choices, choices } from "./http2/arbitraries.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void

// Few numbers, so that they come again, and those at the ends of what 32 bits hold.
const ids = [...Array.from({ length: 40 }, (_, i) => i), -1, -0x8000_0000, 0x7fff_ffff]
const ops = ["set", "set", "set", "delete", "delete", "get", "values", "clear"] as const

describe("what is under way, by its number", () => {
  it.prop("is what a Map would hold, whatever comes and goes", [choices], ([given]) => {
    const random = new Choices(given)
    const byId = new ById<{ readonly at: number }>()
    const model = new Map<number, { readonly at: number }>()
    for (let at = 0; at < 300; at++) {
      const id = random.pick(ids)
      const op = random.pick(ops)
      if (op === "set") {
        const thing = { at }
        byId.set(id, thing)
        model.set(id, thing)
      } else if (op === "delete") {
        byId.delete(id)
        model.delete(id)
      } else if (op === "values") {
        const inOrder = [...model].sort(([a], [b]) => a - b).map(([, thing]) => thing)
        assert.deepStrictEqual([...byId.values()], inOrder)
      } else if (op === "clear" && random.below(10) === 0) {
        byId.clear()
        model.clear()
      }
      assert.strictEqual(byId.get(id), model.get(id))
      assert.strictEqual(byId.has(id), model.has(id))
      assert.strictEqual(byId.size, model.size)
    }
  })

  it("of many that come and leave in any order all are found, and none that has left", () => {
    const byId = new ById<{ readonly id: number }>()
    for (let i = 0; i < 10_000; i++) byId.set(2 * i + 1, { id: 2 * i + 1 })
    assert.strictEqual(byId.size, 10_000)
    for (let i = 0; i < 10_000; i += 3) byId.delete(2 * i + 1)
    for (let i = 0; i < 10_000; i++) assert.strictEqual(byId.get(2 * i + 1)?.id, i % 3 === 0 ? undefined : 2 * i + 1)
    for (let i = 0; i < 10_000; i++) byId.delete(2 * i + 1)
    assert.deepStrictEqual([...byId.values()], [])
  })

  it("a number without a sign is the one of the same bits", () => {
    const byId = new ById<{ readonly id: number }>()
    const thing = { id: 0xffff_fff0 }
    byId.set(thing.id, thing)
    assert.strictEqual(byId.get(0xffff_fff0), thing)
    assert.strictEqual(byId.get(-16), thing)
    byId.delete(0xffff_fff0)
    assert.strictEqual(byId.size, 0)
  })

  it("who walks over all sees neither those that leave meanwhile nor those that come", () => {
    const byId = new ById<{ readonly id: number }>()
    for (const id of [3, 1, 5, 7]) byId.set(id, { id })
    const seen: Array<number> = []
    for (const { id } of byId.values()) {
      seen.push(id)
      byId.delete(5)
      byId.set(9, { id: 9 })
    }
    assert.deepStrictEqual(seen, [1, 3, 7])
  })

  it("a table that was alive in a full collection does not keep what comes behind it", () => {
    const byId = new ById<{ readonly payload: ReadonlyArray<number> }>()
    let next = 0
    // Of a Map of the same all is kept that ever was in it: 40 MB and more.
    const comeAndGo = (count: number) => {
      for (let i = 0; i < count; i++, next++) {
        byId.set(next, { payload: Array.from({ length: 200 }, () => next) })
        byId.delete(next - 64)
      }
    }
    const held = () => {
      collect({ type: "minor" })
      collect({ type: "minor" })
      return process.memoryUsage().heapUsed
    }
    comeAndGo(1000)
    collect()
    const before = held()
    comeAndGo(30_000)
    assert.isBelow(held() - before, 8_000_000)
    assert.strictEqual(byId.size, 64)
  })
})

import { assert, describe, it } from "@effect/vitest"
import { withinBudget } from "../../src/internal/net/logBudget.ts"

describe("a log that peers can fill", () => {
  it("takes 20 lines at once and one a second, and tells how many were left out", () => {
    const lines: Array<string> = []
    let time = 5000
    const log = withinBudget(
      (line) => lines.push(line),
      () => time
    )
    for (let i = 0; i < 50; i++) log(`line ${i}`)
    assert.lengthOf(lines, 20)
    assert.strictEqual(lines[19], "line 19")
    time += 999
    log("early")
    time += 1
    log("next")
    log("too many")
    time += 1000
    log("last")
    assert.deepStrictEqual(lines.slice(20), ["next (and 31 more like it)", "last (and 1 more like it)"])
  })
})

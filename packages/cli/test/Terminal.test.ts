import { assert, describe, it } from "@effect/vitest"
import { count, hasColor, widthOf } from "../src/terminal.ts"

describe("hasColor", () => {
  it("is what was asked for", () => {
    assert.isTrue(hasColor("always", {}, { NO_COLOR: "1" }))
    assert.isFalse(hasColor("never", { isTTY: true }, {}))
  })

  it("by itself: in a terminal that can, and when nobody objects", () => {
    assert.isTrue(hasColor("auto", { isTTY: true }, { NO_COLOR: "", TERM: "xterm" }))
    assert.isFalse(hasColor("auto", {}, {}))
    assert.isFalse(hasColor("auto", { isTTY: true }, { NO_COLOR: "1" }))
    assert.isFalse(hasColor("auto", { isTTY: true }, { TERM: "dumb" }))
  })
})

describe("widthOf", () => {
  it("is that of the terminal, with room for a frame, and fixed elsewhere", () => {
    assert.deepStrictEqual(
      [widthOf({ isTTY: true, columns: 100 }), widthOf({ isTTY: true, columns: 3 }), widthOf({ columns: 3 })],
      [100, 40, 120]
    )
  })
})

describe("count", () => {
  it("counts as a person does", () => {
    assert.deepStrictEqual([count(0), count(1), count(2)], ["0 files", "1 file", "2 files"])
  })
})

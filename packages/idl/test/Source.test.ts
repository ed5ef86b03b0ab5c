import { assert, describe, it } from "@effect/vitest"
import * as Source from "../src/Source.ts"

describe("Source", () => {
  it("counts lines from 1 and columns in code points, whatever the order and the length", () => {
    const text = `a\r\n${"x😀".repeat(1200)}\n\n中b\n${"😀".repeat(700)}`
    const source = { path: "a.thrift", text }
    const expected = new Map<number, Source.Position>()
    let [line, column, offset] = [1, 1, 0]
    for (const character of text) {
      expected.set(offset, { line, column })
      offset += character.length
      if (character === "\n") [line, column] = [line + 1, 1]
      else column++
    }
    expected.set(offset, { line, column })
    for (const [at, place] of [...expected, ...[...expected].toReversed()])
      assert.deepStrictEqual(Source.position(source, at), place)
  })

  it("knows the end of a line of any length", () => {
    for (const length of [0, 1, 1023, 1024, 1025, 2048]) {
      const source = { path: "a.thrift", text: "x".repeat(length) }
      assert.deepStrictEqual(Source.position(source, length), { line: 1, column: length + 1 })
    }
  })

  it("gives a line without its end", () => {
    const source = { path: "a.thrift", text: "a\r\nb\n\nc" }
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5].map((line) => Source.lineText(source, line)),
      ["a", "b", "", "c", ""]
    )
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5].map((line) => Source.lineStart(source, line)),
      [0, 3, 5, 6, 7]
    )
  })
})

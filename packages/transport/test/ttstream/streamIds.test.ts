import { assert, describe, it } from "@effect/vitest"
import { idAfter, nextStreamId } from "../../src/internal/ttstream/streamIds.ts"

describe("ttstream stream ids", () => {
  it("rise by one, wrap around, and leave 0 out", () => {
    assert.deepStrictEqual([0, 2 ** 31 - 2, 2 ** 31 - 1, -(2 ** 31), -2, -1].map(idAfter), [
      1,
      2 ** 31 - 1,
      -(2 ** 31),
      -(2 ** 31) + 1,
      -1,
      1
    ])
    const first = nextStreamId()
    assert.strictEqual(nextStreamId(), first + 1)
  })
})

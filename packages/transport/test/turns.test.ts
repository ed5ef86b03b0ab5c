import { assert, it } from "@effect/vitest"
import { Turns } from "../src/internal/turns.ts"
import type { RawServerStream } from "../src/RawStream.ts"

const stream = (path: string) => ({ path }) as RawServerStream

it("streams wait for handlers that still run, in order, and leave when they are reset", () => {
  const started: Array<string> = []
  const turns = new Turns(2, ({ path }) => started.push(path))
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(stream) as [
    RawServerStream,
    RawServerStream,
    RawServerStream,
    RawServerStream,
    RawServerStream
  ]
  for (const each of [a, b, c, d, e]) turns.take(each)
  assert.deepStrictEqual(started, ["a", "b"])
  assert.isFalse(turns.leave(a))
  assert.isTrue(turns.leave(c))
  assert.isFalse(turns.leave(c))
  turns.giveBack()
  assert.deepStrictEqual(started, ["a", "b", "d"])
  turns.giveBack()
  turns.giveBack()
  assert.deepStrictEqual(started, ["a", "b", "d", "e"])
})

it("streams that are refused at once make room for those behind them, however many", () => {
  const started: Array<string> = []
  const turns = new Turns(1, ({ path }) => {
    started.push(path)
    if (path !== "first") turns.giveBack()
  })
  turns.take(stream("first"))
  for (let i = 0; i < 20_000; i++) turns.take(stream(`${i}`))
  assert.deepStrictEqual(started, ["first"])
  turns.giveBack()
  assert.strictEqual(started.length, 20_001)
})

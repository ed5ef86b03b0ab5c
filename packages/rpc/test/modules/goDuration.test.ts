import { assert, describe, it } from "@effect/vitest"
import { goDuration } from "../../src/internal/goDuration.ts"

describe("a duration in Go's notation", () => {
  // What Go's time.Duration prints.
  const rows: ReadonlyArray<readonly [millis: number, text: string]> = [
    [0, "0s"],
    [0.0001, "100ns"],
    [0.0015, "1.5µs"],
    [0.5, "500µs"],
    [1, "1ms"],
    [39.977276, "39.977276ms"],
    [200, "200ms"],
    [0.1 + 0.2, "300µs"],
    [999.999999, "999.999999ms"],
    [1500, "1.5s"],
    [59_999.999999999, "1m0s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [3_660_500, "1h1m0.5s"],
    [360_000_000, "100h0m0s"]
  ]
  for (const [millis, text] of rows) it(text, () => assert.strictEqual(goDuration(millis), text))
})

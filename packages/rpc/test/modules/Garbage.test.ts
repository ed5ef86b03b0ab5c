import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"

/** Of about 4 KB that a call makes, at both ends. Tables that held on to what was in them left 700 to 1,700. */
const few = 300

it("what a unary call makes is gone with the next scavenge, also behind a full collection that ran while calls did", () => {
  const program = fileURLToPath(new URL("../support/garbage.ts", import.meta.url))
  const left = JSON.parse(execFileSync(process.execPath, ["--expose-gc", program], { encoding: "utf8" }))
  assert.hasAllKeys(left, ["HTTP/2", "TTHeader"])
  assert.isBelow(left["HTTP/2"], few)
  assert.isBelow(left.TTHeader, few)
}, 60_000)

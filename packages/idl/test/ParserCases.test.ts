import { assert, describe, it } from "@effect/vitest"
import { cases, parse, verdicts } from "./parsing.ts"

/** Rejected by thriftgo, accepted here: see the comment of `Parser`. */
const deviations: ReadonlySet<string> = new Set([
  "emptyFile.thrift",
  "bom.thrift",
  "strEsc.thrift",
  "backslashEnd.thrift"
])

describe("the cases of one construct each", () => {
  it("are all there, byte for byte", () => {
    assert.strictEqual(verdicts.length, 169)
    assert.strictEqual(cases.size, 169)
    assert.ok(cases.get("crlf.thrift")!.includes("\r\n"))
    assert.ok(cases.get("bom.thrift")!.startsWith("\ufeff"))
  })

  it.each(verdicts)("$case: $stage", ({ case: name, stage }) => {
    const { diagnostics } = parse(cases.get(name)!)
    const isAccepted = stage !== "syntax" || deviations.has(name)
    assert.strictEqual(diagnostics.length === 0, isAccepted)
  })

  it.each(verdicts.filter(({ case: name, stage }) => stage === "syntax" && !deviations.has(name)))(
    "$case gives one error, or one for each place",
    ({ case: name }) => {
      assert.strictEqual(parse(cases.get(name)!).diagnostics.length, name === "xsdAll.thrift" ? 2 : 1)
    }
  )
})

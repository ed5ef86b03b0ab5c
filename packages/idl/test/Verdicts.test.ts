import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import * as Checker from "../src/Checker.ts"
import { deviations } from "../src/Deviations.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Loader from "../src/Loader.ts"

const folder = new URL("data/cases/", import.meta.url)

const read = (name: string): string => readFileSync(new URL(name, folder), "utf8")

interface Verdict {
  readonly case: string
  readonly stage: string
}

const verdicts: ReadonlyArray<Verdict> = JSON.parse(read("thriftgo-verdicts.json"))

const accepts = (name: string): boolean => {
  const reader = Loader.fromRecord({ [name]: read(name) })
  return !Diagnostic.hasErrors(Checker.compile([name], { read: reader }).diagnostics)
}

describe("verdicts of thriftgo", () => {
  it("covers every case", () => {
    const names = readdirSync(folder).filter((name) => name.endsWith(".thrift"))
    assert.strictEqual(names.length, 169)
    assert.deepStrictEqual(verdicts.map((each) => each.case).toSorted(), names.toSorted())
  })

  it("differs in the cases of the table alone, and in the way that the table says", () => {
    const differing = verdicts.filter(({ case: name, stage }) => accepts(name) !== (stage === "ok"))
    const expected = deviations.flatMap(({ cases }) => cases)
    assert.deepStrictEqual(differing.map((each) => each.case).toSorted(), expected.toSorted())
    for (const { cases, thriftgo } of deviations) {
      for (const name of cases) assert.strictEqual(accepts(name), thriftgo === "rejects", name)
    }
  })

  it("names each row and each case once", () => {
    const ids = deviations.map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
    const cases = deviations.flatMap((row) => row.cases)
    assert.strictEqual(new Set(cases).size, cases.length)
  })

  it("rejects with one of the codes that the row names", () => {
    for (const { cases, ours, thriftgo } of deviations) {
      if (thriftgo === "rejects") continue
      for (const name of cases) {
        const { diagnostics } = Checker.compile([name], { read: Loader.fromRecord({ [name]: read(name) }) })
        for (const { code, severity } of diagnostics) if (severity === "error") assert.include(ours, code, name)
      }
    }
  })
})

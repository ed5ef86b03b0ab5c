/** Random IDLs, right and wrong: we accept what thriftgo accepts, but for the differences that the compiler documents. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Cases from "../src/idl/cases.ts"
import { goAvailable } from "./go.ts"
import { oracle } from "./idl-programs.ts"
import { disagreement, unknown } from "./idl-disagreement.ts"
import { idl, type Idl, shrink, theirs, type Verdict } from "./idl-verdicts.ts"

const count = 2000

/** What more random IDLs than here once found. */
const found: ReadonlyArray<{ readonly about: string } & Idl> = [
  {
    about: "words of the language as names, on lines of their own",
    main: "a.thrift",
    files: { "a.thrift": 'struct\nstruct { }\nconst i32\nenum = 1\ntypedef i32\nunion (a = "b")' }
  },
  {
    about: "numbers of enums that are none",
    main: "a.thrift",
    files: { "a.thrift": "enum A { A = 029 } enum B { B = 0xG } const double C = 1e0x5" }
  },
  {
    about: "a word of the language as the language of a namespace",
    main: "a.thrift",
    files: { "a.thrift": "namespace\nstruct demo.user_api" }
  },
  {
    about: "a name that is a service in one include and an enum in another of the same prefix",
    main: "a.thrift",
    files: {
      "a.thrift": 'include "base.thrift" include "sub/base.thrift" struct A { 1: base.X x }',
      "base.thrift": "service X {}",
      "sub/base.thrift": "enum X {}"
    }
  },
  {
    about: "a name that is an enum in one include and a service in another of the same prefix",
    main: "a.thrift",
    files: {
      "a.thrift": 'include "base.thrift" include "sub/base.thrift" service A extends base.X {}',
      "base.thrift": "enum X {}",
      "sub/base.thrift": "service X {}"
    }
  }
]

const fixtures = fileURLToPath(new URL("../../packages/idl/test/data/cases/", import.meta.url))

const show = ({ files }: Idl): string =>
  Object.entries(files)
    .map(([path, text]) => `--- ${path}\n${text}`)
    .join("\n")

describe.skipIf(!goAvailable())("thriftgo's verdicts", () => {
  // what the other test relies on
  it("the oracle says of the recorded cases what was recorded", { timeout: 120_000 }, async () => {
    const recorded: ReadonlyArray<Verdict & { readonly case: string }> = JSON.parse(
      readFileSync(`${fixtures}thriftgo-verdicts.json`, "utf8")
    )
    assert.strictEqual(recorded.length, readdirSync(fixtures).filter((name) => name.endsWith(".thrift")).length)
    const verdicts = await theirs(
      oracle(),
      recorded.map((each) => ({ main: each.case, files: { [each.case]: readFileSync(fixtures + each.case, "utf8") } }))
    )
    assert.deepStrictEqual(
      verdicts.map(({ message, stage }, i) => ({ case: recorded[i]!.case, stage, message })),
      recorded.map((each) => ({ case: each.case, stage: each.stage, message: each.message.trim() }))
    )
  })

  it("every way to read a text otherwise than thriftgo is known here", () => {
    assert.deepStrictEqual(unknown, [])
  })

  it.each(found)("$about", async (the) => {
    const [verdict] = await theirs(oracle(), [the])
    assert.strictEqual(verdict!.stage, "ok")
    assert.isUndefined(disagreement(the, verdict!))
  })

  it(`${count} random IDLs`, { timeout: 120_000 }, async () => {
    const program = oracle()
    const cases = Array.from({ length: count }, (_, seed) => Cases.make(seed))
    const verdicts = await theirs(program, cases.map(idl))
    const accepted = verdicts.filter(({ stage }) => stage === "ok").length
    assert.isAbove(accepted, count / 4, "too few right ones to mean anything")
    assert.isAbove(count - accepted, count / 4, "too few wrong ones to mean anything")
    const wrong = cases.filter((each, i) => disagreement(idl(each), verdicts[i]!) !== undefined)
    const reports: Array<string> = []
    for (const each of wrong.slice(0, 3)) {
      const small = idl(await shrink(program, each, disagreement))
      const verdict = (await theirs(program, [small]))[0]!
      reports.push(`seed ${each.seed} (${each.about}): ${disagreement(small, verdict)}\n${show(small)}`)
    }
    assert.strictEqual(wrong.length, 0, `${wrong.length} disagreements; the first ones:\n\n${reports.join("\n\n")}`)
  })
})

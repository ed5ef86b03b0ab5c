import { readdirSync, readFileSync } from "node:fs"
import type * as Ast from "../src/Ast.ts"
import type * as Diagnostic from "../src/Diagnostic.ts"
import * as Parser from "../src/Parser.ts"
import * as Source from "../src/Source.ts"

const folder = new URL("./data/cases/", import.meta.url)

/** The cases of one construct each, by their file names. */
export const cases: ReadonlyMap<string, string> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith(".thrift"))
    .map((name) => [name, readFileSync(new URL(name, folder), "utf8")])
)

/** What thriftgo says to each case. */
export const verdicts: ReadonlyArray<{ readonly case: string; readonly stage: string }> = JSON.parse(
  readFileSync(new URL("thriftgo-verdicts.json", folder), "utf8")
)

export const parse = (text: string, options?: Parser.Options): Parser.Result =>
  Parser.parse({ path: "test.thrift", text }, options)

/** The document of a text that has no errors. */
export const right = (text: string, options?: Parser.Options): Ast.Document => {
  const { diagnostics, document } = parse(text, options)
  if (diagnostics.length > 0) throw new Error(`${text}: ${shown(diagnostics).join("; ")}`)
  return document
}

/** A diagnostic in a line: `1:5 E_SYNTAX message`. */
export const shown = (diagnostics: ReadonlyArray<Diagnostic.Diagnostic>): ReadonlyArray<string> =>
  diagnostics.map(({ code, message, source, span }) => {
    const { column, line } = Source.position(source, span.start)
    return `${line}:${column} ${code} ${message}`
  })

/** What is wrong with a text. */
export const errors = (text: string, options?: Parser.Options): ReadonlyArray<string> =>
  shown(parse(text, options).diagnostics)

const placeKeys: ReadonlySet<string> = new Set([
  "start",
  "end",
  "quote",
  "comments",
  "annotationsSpan",
  "argumentsSpan"
])

/** A document without its places: what it means. */
export const meaning = (document: Ast.Document): unknown =>
  JSON.parse(
    JSON.stringify(document, (key, value: unknown) => {
      if (placeKeys.has(key)) return undefined
      if (typeof value === "bigint") return `${value}n`
      return key === "throwsSpan" ? value !== undefined : value
    })
  )

/** Pseudo-random numbers that are the same in every run. */
export const generator = (seed: number): ((limit: number) => number) => {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

import { assert } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import type * as Diagnostic from "../src/Diagnostic.ts"
import * as Loader from "../src/Loader.ts"
import * as Source from "../src/Source.ts"

/** What a test expects of the one diagnostic with that code. */
export interface Expected {
  readonly code: Diagnostic.Code
  /** A part of the message. */
  readonly phrase: string
  /** A part of the hint. */
  readonly hint?: string
  /** Places by the text of their span and a part of the message. */
  readonly related?: ReadonlyArray<readonly [text: string, message: string]>
  /** All codes in their order, where there are others too. */
  readonly codes?: ReadonlyArray<Diagnostic.Code>
  /** Included files. */
  readonly files?: Readonly<Record<string, string>>
  readonly options?: Checker.Options
}

/** The text without « and », and where they stood as `line:column-line:column`. */
const unmark = (marked: string): { readonly text: string; readonly place: string } => {
  const place = (before: string) => {
    const lines = before.replaceAll(/[«»]/g, "").split("\n")
    return `${lines.length}:${[...lines.at(-1)!].length + 1}`
  }
  const [before, inside] = marked.split(/[«»]/)
  return { text: marked.replaceAll(/[«»]/g, ""), place: `${place(before!)}-${place(before! + inside!)}` }
}

export const compile = (
  text: string,
  files: Readonly<Record<string, string>> = {},
  options: Checker.Options = {}
): Checker.Result =>
  Checker.compile(["main.thrift"], { ...options, read: Loader.fromRecord({ ...files, "main.thrift": text }) })

const placeOf = ({ source, span }: Diagnostic.Diagnostic): string => {
  const [start, end] = [Source.position(source, span.start), Source.position(source, span.end)]
  return `${start.line}:${start.column}-${end.line}:${end.column}`
}

/** Compiles the text and compares what is found with what is marked in it. */
export const expectAt = (marked: string, expected: Expected): Checker.Result => {
  const { text, place } = unmark(marked)
  const result = compile(text, expected.files, expected.options)
  const codes = result.diagnostics.map(({ code }) => code)
  assert.deepStrictEqual(codes, [...(expected.codes ?? [expected.code])])
  const found = result.diagnostics.find(({ code }) => code === expected.code)!
  assert.strictEqual(placeOf(found), place)
  assert.include(found.message, expected.phrase)
  if (expected.hint === undefined) {
    if ("hint" in expected) assert.isUndefined(found.hint)
  } else assert.include(found.hint ?? "", expected.hint)
  if (expected.related !== undefined) {
    assert.strictEqual(found.related.length, expected.related.length)
    for (const [i, [spanText, message]] of expected.related.entries()) {
      const { source, span, message: actual } = found.related[i]!
      assert.strictEqual(source.text.slice(span.start, span.end), spanText)
      assert.include(actual, message)
    }
  }
  return result
}

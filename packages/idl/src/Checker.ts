/**
 * Says what a set of IDL files means and what is wrong with it: all of it in one run.
 *
 * @since 0.1.0
 */
import type * as Diagnostic from "./Diagnostic.ts"
import { checkFile } from "./internal/check/file.ts"
import { checkInherited } from "./internal/check/inherited.ts"
import { includedFrom } from "./internal/check/includedFrom.ts"
import type { Run, Scope } from "./internal/check/scope.ts"
import * as Loader from "./Loader.ts"
import type * as Program from "./Program.ts"

/**
 * What is taken for right.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether two members of an enum may have the same number, as Apache Thrift allows. */
  readonly allowEnumAlias?: boolean | undefined
}

/**
 * A program, and what was found. Where there is an error the program has what could be understood.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly program: Program.Program
  /** By file and place, those of reading and parsing among them. */
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** How many names are compared for "did you mean" in a run; enough for people, and no burden on hostile input. */
const comparisons = 200_000

/**
 * Checks loaded files.
 *
 * @since 0.1.0
 * @category constructors
 */
export const check = (loaded: Loader.Loaded, options: Options = {}): Result => {
  const run: Run = {
    diagnostics: [...loaded.diagnostics],
    allowEnumAlias: options.allowEnumAlias ?? false,
    shapes: new Map(),
    depths: new Map(),
    budget: { comparisons }
  }
  // by path: a kept parse may be of another reading of the file
  const partial = new Set(
    loaded.diagnostics.filter(({ code }) => code === "E_SYNTAX" || code === "E_LIMIT").map(({ source }) => source.path)
  )
  const scopes = new Map<Loader.Parsed, Scope>()
  for (const parsed of loaded.files) scopes.set(parsed, checkFile(run, parsed, scopes, partial.has(parsed.source.path)))
  const files = [...scopes.values()].map(({ file }) => file)
  checkInherited(
    run,
    files.flatMap(({ definitions }) => definitions.filter((each) => each.tag === "Service"))
  )
  const entries = [...scopes].filter(([{ isEntry }]) => isEntry).map(([, { file }]) => file)
  return { program: { files, entries }, diagnostics: includedFrom(loaded, sorted(loaded, run.diagnostics)) }
}

const sorted = (
  { files }: Loader.Loaded,
  diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
): ReadonlyArray<Diagnostic.Diagnostic> => {
  const order = new Map(files.map(({ source }, i) => [source.path, i]))
  const place = ({ source }: Diagnostic.Diagnostic) => order.get(source.path) ?? -1
  return diagnostics.toSorted((a, b) => place(a) - place(b) || a.span.start - b.span.start || a.span.end - b.span.end)
}

/**
 * Loads the entries with all that they include and checks them.
 *
 * **Example**
 *
 * ```ts
 * import { Checker, Loader } from "@millrace/idl"
 *
 * const read = Loader.fromRecord({ "api.thrift": "struct Request { 1: Mesage message }  struct Message {}" })
 * const { diagnostics } = Checker.compile(["api.thrift"], { read })
 *
 * diagnostics[0]?.message // undefined type: "Mesage"
 * diagnostics[0]?.hint // did you mean "Message"?
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const compile = (entries: ReadonlyArray<string>, options: Loader.Options & Options): Result =>
  check(Loader.load(entries, options), options)

/**
 * Options about namespaces that no IDL has anything to do with, which are most often slips.
 *
 * @since 0.1.0
 */
import * as Program from "@millrace/idl/Program"
import type { Options } from "./options.ts"

type Names = Pick<Options, "namespaceMap" | "namespaceScope">

const isMapped = (file: Program.File, from: string, scopes: ReadonlyArray<string>): boolean => {
  const namespace = Program.namespace(file, scopes)
  const { path } = file.source
  return namespace === from || namespace.startsWith(`${from}.`) || path === from || path.endsWith(`/${from}`)
}

const hasScope = (file: Program.File, scopes: ReadonlyArray<string>): boolean =>
  file.document.headers.some((header) => header.tag === "Namespace" && scopes.includes(header.scope.text))

/** A sentence for each, over all runs, as a flag is for all of them. */
export const unmatched = (
  runs: ReadonlyArray<{ readonly program: Program.Program; readonly options: Names }>
): ReadonlyArray<string> => {
  const matches = new Map<string, boolean>()
  const add = (sentence: string, isMatch: boolean) => matches.set(sentence, matches.get(sentence) === true || isMatch)
  for (const { options, program } of runs) {
    for (const from of Object.keys(options.namespaceMap)) {
      const isMatch = program.files.some((file) => isMapped(file, from, options.namespaceScope))
      add(`the namespace map names ${from}, which is neither a namespace here nor the path of an IDL`, isMatch)
    }
    const scopes = options.namespaceScope.join(",")
    if (scopes === Program.namespaceScopes.join(",")) continue
    const isMatch = program.files.some((file) => hasScope(file, options.namespaceScope))
    add(`no IDL has a namespace of the scope ${scopes}`, isMatch)
  }
  return Array.from(matches).flatMap(([sentence, isMatch]) => (isMatch ? [] : [sentence]))
}

/**
 * Where the file of a diagnostic is included from, as related places.
 *
 * @internal
 */
import type * as Diagnostic from "../../Diagnostic.ts"
import type * as Loader from "../../Loader.ts"

/**
 * Adds to each diagnostic of an included file the includes that lead to it, the nearest first.
 *
 * @internal
 */
export const includedFrom = (
  { files }: Loader.Loaded,
  diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
): ReadonlyArray<Diagnostic.Diagnostic> => {
  if (diagnostics.length === 0) return diagnostics
  const entries = new Set<string>()
  const includers = new Map<string, Diagnostic.Related>()
  for (const { source, includes, isEntry } of files) {
    if (isEntry) entries.add(source.path)
    for (const { node, file } of includes) {
      if (includers.has(file.source.path)) continue
      includers.set(file.source.path, {
        source,
        span: { start: node.path.start, end: node.path.end },
        message: "included from here"
      })
    }
  }
  const chains = new Map<string, ReadonlyArray<Diagnostic.Related>>()
  const chainOf = (path: string): ReadonlyArray<Diagnostic.Related> => {
    const known = chains.get(path)
    if (known !== undefined) return known
    const includer = entries.has(path) ? undefined : includers.get(path)
    const chain = includer === undefined ? [] : [includer, ...chainOf(includer.source.path)]
    chains.set(path, chain)
    return chain
  }
  return diagnostics.map((diagnostic) => {
    const chain = chainOf(diagnostic.source.path)
    return chain.length === 0 ? diagnostic : { ...diagnostic, related: [...diagnostic.related, ...chain] }
  })
}

/**
 * The namespace of a file in TypeScript, which gives its folder and the names of its types.
 */
import * as Program from "../../Program.ts"

/** @internal */
export interface NamespaceOptions {
  /** The scopes whose namespace counts, the first that a file declares. */
  readonly namespaceScopes: ReadonlyArray<string>
  /** `old` to `new`: for a namespace and all below it, or for one file by its path. */
  readonly namespaceMap: ReadonlyArray<readonly [from: string, to: string]>
}

const isFile = (path: string, name: string): boolean => path === name || path.endsWith(`/${name}`)

/** @internal */
export const namespaceOf = (file: Program.File, options: NamespaceOptions): string => {
  const declared = Program.namespace(file, options.namespaceScopes)
  let longest: readonly [from: string, to: string] | undefined
  for (const entry of options.namespaceMap) {
    const [from, to] = entry
    if (isFile(file.source.path, from)) return to
    const holds = declared === from || declared.startsWith(`${from}.`)
    if (holds && (longest === undefined || from.length > longest[0].length)) longest = entry
  }
  if (longest === undefined) return declared
  const [from, to] = longest
  const rest = declared.slice(from.length)
  return to === "" ? rest.slice(1) : to + rest
}

/**
 * Adds to a file that a person owns what it lacks. Not a character of theirs changes, but for a comma that a last entry
 * lacks, and blanks before a brace that is no longer on its line.
 *
 * @internal
 */
import { closing, type Code, endOfShebang, keys, read } from "./code.ts"

/** @internal */
export interface Import {
  readonly binding: string
  readonly from: string
  /** `import * as binding`. */
  readonly isNamespace: boolean
}

/** @internal */
export interface Entry {
  /** The method that it is for. */
  readonly name: string
  /** Without indentation. */
  readonly text: string
  /** The class of the file that it uses. Where that is not there, a person has to add it: other lines go with it. */
  readonly uses?: Declaration
}

/** @internal */
export interface Declaration {
  readonly name: string
  readonly text: string
}

/**
 * Where entries go: into the braces at the end of what `anchor` matches. In an object an entry is known by its key, in
 * a block by the name of a test that begins with its name.
 *
 * @internal
 */
export interface Container {
  readonly kind: "object" | "block"
  readonly anchor: RegExp
  /** What a person looks for. */
  readonly description: string
}

/** @internal */
export interface Parts {
  readonly imports: ReadonlyArray<Import>
  readonly container: Container
  readonly entries: ReadonlyArray<Entry>
}

/**
 * What became of a file. `ByHand` is for a file that was changed beyond recognition: the text is what a person has to
 * add to it.
 *
 * @internal
 */
export type Merged =
  | { readonly _tag: "Unchanged" }
  | { readonly _tag: "Merged"; readonly text: string; readonly added: ReadonlyArray<string> }
  | { readonly _tag: "ByHand"; readonly text: string; readonly missing: ReadonlyArray<string>; readonly reason: string }

interface Edit {
  readonly at: number
  readonly text: string
  /** The end of blanks that the text stands for. */
  readonly until?: number
}

/** @internal */
export const usedImports = (imports: ReadonlyArray<Import>, texts: ReadonlyArray<string>): ReadonlyArray<Import> =>
  imports.filter(({ binding }) => {
    const use = new RegExp(`(?<![\\w$.])${binding}\\b`)
    return texts.some((text) => use.test(text))
  })

/** @internal */
export const importLines = (imports: ReadonlyArray<Import>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const [from, group] of Map.groupBy(imports, ({ from }) => from)) {
    const names = group.filter(({ isNamespace }) => !isNamespace).map(({ binding }) => binding)
    for (const { binding, isNamespace } of group) {
      if (isNamespace) lines.push(`import * as ${binding} from "${from}"`)
    }
    if (names.length > 0) lines.push(`import { ${names.toSorted().join(", ")} } from "${from}"`)
  }
  return lines
}

/** @internal */
export const indent = (text: string, by: string): string => text.replace(/^(?=.)/gm, by)

/** @internal */
export const merge = (existing: string, { container, entries, imports }: Parts): Merged => {
  const code = read(existing)
  const place = code === undefined ? undefined : find(code, container)
  if (code === undefined || place === undefined) {
    return byHand(container, entries, `there is no ${container.description} in it`)
  }
  const found = known(code, container, place)
  const missing = entries.filter(({ name }) => !found.names.has(name))
  if (missing.length === 0) return { _tag: "Unchanged" }
  if (!found.isComplete) {
    return byHand(container, missing, `it cannot be seen which entries its ${container.description} has`)
  }
  const undeclared = missing.find(({ uses }) => uses !== undefined && !isDeclared(code, uses))?.uses
  if (undeclared !== undefined) return byHand(container, missing, `it has no class ${undeclared.name}`, undeclared)
  const needed = usedImports(
    imports,
    missing.map(({ text }) => text)
  )
  const { end, types, values } = readImports(code)
  const typesOnly = needed.map(({ binding }) => binding).filter((binding) => types.has(binding) && !values.has(binding))
  if (typesOnly.length > 0) {
    return byHand(container, missing, `it imports ${typesOnly.join(", ")} as a type, and a value is needed`)
  }
  const lines = importLines(needed.filter(({ binding }) => !values.has(binding)))
  const edits = [...importEdits(existing, end, lines), ...entryEdits(existing, code, container, place, missing)]
  return { _tag: "Merged", text: apply(existing, edits), added: missing.map(({ name }) => name) }
}

const separated = ({ kind }: Container, text: string): string => (kind === "object" ? `${text},` : text)

interface Braces {
  readonly open: number
  readonly close: number
}

const find = (code: Code, { anchor }: Container): Braces | undefined => {
  const match = anchor.exec(code.text)
  if (match === null) return undefined
  const open = match.index + match[0].length - 1
  const close = closing(code, open)
  return close < 0 ? undefined : { open, close }
}

const known = (code: Code, { kind }: Container, { close, open }: Braces): ReturnType<typeof keys> =>
  kind === "object" ? keys(code, open, close) : { names: new Set(testNames(code, open, close)), isComplete: true }

const isDeclared = ({ text }: Code, { name }: Declaration): boolean => new RegExp(`\\bclass\\s+${name}\\b`).test(text)

const firstWord = (value: string): string => /^\w*/.exec(value)![0]

const testNames = (code: Code, open: number, close: number): ReadonlyArray<string> =>
  code.strings.flatMap(({ start, value }) => {
    if (start < open || start > close) return []
    const before = code.text.slice(Math.max(open, start - 100), start)
    return /\b(?:it|test)(?:\.\w+)*\(\s*$/.test(before) ? [firstWord(value)] : []
  })

/** All are said each time: what a file has that cannot be read is not known. */
const byHand = (
  container: Container,
  missing: ReadonlyArray<Entry>,
  reason: string,
  declaration?: Declaration
): Merged => ({
  _tag: "ByHand",
  text: [
    ...(declaration === undefined ? [] : [declaration.text]),
    ...missing.map((entry) => separated(container, entry.text))
  ].join("\n"),
  missing: missing.map(({ name }) => name),
  reason
})

const importStatement = /(?<![\w$.])import\s+(type\s+)?([^"';]*?)\s*from\s*(["'])\s*\3;?/g

interface Imports {
  readonly values: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** Where the last import ends, 0 when there is none. */
  readonly end: number
}

const readImports = (code: Code): Imports => {
  const values = new Set<string>()
  const types = new Set<string>()
  let end = 0
  for (const match of code.text.matchAll(importStatement)) {
    end = match.index + match[0].length
    for (const specifier of match[2]!.split(/[{},]/)) {
      const binding = /([\w$]+)\s*$/.exec(specifier)?.[1]
      const isType = match[1] !== undefined || /^\s*type\s+(?!as\b)\S/.test(specifier)
      if (binding !== undefined) (isType ? types : values).add(binding)
    }
  }
  return { values, types, end }
}

const importEdits = (existing: string, end: number, lines: ReadonlyArray<string>): ReadonlyArray<Edit> => {
  if (lines.length === 0) return []
  const text = lines.join("\n")
  return [end === 0 ? { at: endOfShebang(existing), text: `${text}\n` } : { at: end, text: `\n${text}` }]
}

const entryEdits = (
  existing: string,
  code: Code,
  container: Container,
  { close, open }: Braces,
  entries: ReadonlyArray<Entry>
): ReadonlyArray<Edit> => {
  const { kind } = container
  const inside = code.text.slice(open + 1, close)
  const last = open + 1 + inside.trimEnd().length
  const isEmpty = inside.trim() === ""
  const lineStart = existing.lastIndexOf("\n", close - 1) + 1
  const closeIndent = /^[ \t]*/.exec(existing.slice(lineStart))![0]
  const isCloseAlone = lineStart > open && existing.slice(lineStart, close).trim() === ""
  const by = /\n([ \t]+)\S/.exec(inside)?.[1] ?? `${closeIndent}  `
  const text = entries
    .map((entry) => `${separated(container, indent(entry.text, by))}\n`)
    .join(kind === "block" ? "\n" : "")
  const gap = kind === "block" && !isEmpty ? "\n" : ""
  const edits: Array<Edit> = []
  if (kind === "object" && !isEmpty && code.text[last - 1] !== ",") edits.push({ at: last, text: "," })
  const blanks = Math.max(last, existing.slice(0, close).trimEnd().length)
  edits.push(
    isCloseAlone
      ? { at: lineStart, text: gap + text }
      : { at: blanks, until: close, text: `\n${gap}${text}${closeIndent}` }
  )
  return edits
}

const apply = (text: string, edits: ReadonlyArray<Edit>): string => {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n"
  let result = ""
  let from = 0
  for (const edit of edits) {
    result += text.slice(from, edit.at) + edit.text.replaceAll("\n", lineEnd)
    from = edit.until ?? edit.at
  }
  return result + text.slice(from)
}

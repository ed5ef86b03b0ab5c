/**
 * Reads an IDL with all that it includes. Files come from a reader, so that the sources may be on a disk, in memory or
 * anywhere else.
 *
 * @since 0.1.0
 */
import type * as Ast from "./Ast.ts"
import * as Diagnostic from "./Diagnostic.ts"
import * as Path from "./internal/path.ts"
import * as Parser from "./Parser.ts"
import type { Source, Span } from "./Source.ts"

/**
 * What a reader says of a path. `Failed` is a file that is there and cannot be read. `canonical` is the same for all paths
 * of one file, where a file may have several: it is loaded once then.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadResult =
  | { readonly _tag: "Text"; readonly text: string; readonly canonical?: string | undefined }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Failed"; readonly reason: string }

/**
 * Gives the text of a path. A relative path is meant from the working directory.
 *
 * @since 0.1.0
 * @category models
 */
export type Reader = (path: string) => ReadResult

/**
 * How much is read before it is given up.
 *
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** Files in all: 4096. */
  readonly files: number
  /** UTF-16 units of all files: 256 Mi. */
  readonly characters: number
  /** How deep includes nest: 128. */
  readonly depth: number
}

/**
 * How files are found and read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly read: Reader
  /** Where the includes of the file at a path are looked for first, in this order; without it in the working directory. */
  readonly firstDirs?: ((path: string) => ReadonlyArray<string>) | undefined
  /** Where includes are looked for last, in this order. */
  readonly includeDirs?: ReadonlyArray<string> | undefined
  readonly compat?: "kitex" | "apache" | undefined
  readonly limits?: Partial<Limits> | undefined
  /** In place of `Parser.parse`, where parsed files are kept from one load to the next. */
  readonly parse?: typeof Parser.parse | undefined
}

/**
 * A file that was read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Parsed {
  readonly source: Source
  readonly document: Ast.Document
  /** Each included file once. What could not be loaded is missing. */
  readonly includes: ReadonlyArray<Include>
  readonly isEntry: boolean
}

/**
 * An include with the file that it stands for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Include {
  readonly node: Ast.Include
  readonly file: Parsed
}

/**
 * All files, included ones first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Loaded {
  readonly files: ReadonlyArray<Parsed>
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

const defaults: Limits = { files: 4096, characters: 256 * 1024 * 1024, depth: 128 }

/** A file on the way from an entry to the one that is being read. */
interface Open {
  readonly source: Source
  /** The include that is being followed. */
  include: Span
}

/**
 * A reader of texts that are in memory, by path.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromRecord = (files: Readonly<Record<string, string>>): Reader => {
  const texts = new Map(Object.entries(files).map(([path, text]) => [Path.normalise(path), text]))
  return (path) => {
    const text = texts.get(Path.normalise(path))
    return text === undefined ? { _tag: "Missing" } : { _tag: "Text", text }
  }
}

/**
 * Reads the entries and, at any depth, what they include. It never throws: what is missing, too much or in a circle is
 * said in a diagnostic, and the rest is there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const load = (entries: ReadonlyArray<string>, options: Options): Loaded => {
  const limits = { ...defaults, ...options.limits }
  const files: Array<Parsed> = []
  const diagnostics: Array<Diagnostic.Diagnostic> = []
  const known = new Map<string, Parsed>()
  /** By what a file is known by, from an entry down to the file that is being read. */
  const open = new Map<string, Open>()
  const results = new Map<string, ReadResult>()
  let characters = 0
  let opened = 0

  const read = (path: string): ReadResult => {
    const result = results.get(path) ?? options.read(path)
    results.set(path, result)
    return result
  }

  /** What the file at a path is known by. */
  const keyOf = (path: string): string => {
    const result = read(path)
    return (result._tag === "Text" ? result.canonical : undefined) ?? path
  }

  /** By what they are known by, the entries under the paths that they were given by, whoever includes them first. */
  const entryPaths = new Map<string, string>()
  for (const path of entries.map(Path.normalise)) {
    const key = keyOf(path)
    if (!entryPaths.has(key)) entryPaths.set(key, path)
  }

  /** The text of a file that was found, parsed, with what it includes. */
  const parse = (found: string, text: string, at: Source | undefined, span: Span): Parsed | undefined => {
    const key = keyOf(found)
    const path = entryPaths.get(key) ?? found
    const source: Source = { path, text }
    const exceeded =
      ++opened > limits.files
        ? `more than ${limits.files} files`
        : (characters += text.length) > limits.characters
          ? `more than ${limits.characters} characters in all`
          : open.size >= limits.depth
            ? `includes nest deeper than ${limits.depth}`
            : undefined
    if (exceeded !== undefined) {
      diagnostics.push(Diagnostic.make("E_LIMIT", at ?? { path, text: "" }, span, `${path} is not read: ${exceeded}`))
      return undefined
    }
    const parseText = options.parse ?? Parser.parse
    const parsed = parseText(source, { compat: options.compat })
    for (const each of parsed.diagnostics) diagnostics.push(each)
    const place: Open = { source, include: span }
    open.set(key, place)
    const includes = followAll(place, parsed.document)
    open.delete(key)
    const file: Parsed = { source, document: parsed.document, includes, isEntry: entryPaths.has(key) }
    known.set(key, file)
    files.push(file)
    return file
  }

  const followAll = (place: Open, document: Ast.Document): ReadonlyArray<Include> => {
    const includes: Array<Include> = []
    const literals = new Set<string>()
    const included = new Set<Parsed>()
    for (const node of document.headers) {
      if (node.tag !== "Include" || node.isCpp || literals.has(node.path.text)) continue
      literals.add(node.path.text)
      place.include = node.path
      const file = follow(place.source, node)
      if (file === undefined || included.has(file)) continue
      included.add(file)
      includes.push({ node, file })
    }
    return includes
  }

  const follow = (source: Source, node: Ast.Include): Parsed | undefined => {
    const literal = node.path.text
    const folders = [
      ...(options.firstDirs?.(source.path) ?? []),
      "",
      Path.folder(source.path),
      ...(options.includeDirs ?? [])
    ]
    const candidates = [...new Set(folders.map((folder) => Path.join(folder, literal)))]
    let failure: string | undefined
    for (const path of candidates) {
      const result = read(path)
      const key = keyOf(path)
      const loaded = known.get(key)
      if (loaded !== undefined) return loaded
      if (open.has(key)) {
        diagnostics.push(circle(source, node, key))
        return undefined
      }
      if (result._tag === "Text") return parse(path, result.text, source, node.path)
      // a folder of that name, say: the file may be elsewhere
      if (result._tag === "Failed") failure ??= `cannot read ${path}: ${result.reason}`
    }
    if (failure !== undefined) {
      diagnostics.push(Diagnostic.make("E_INCLUDE", source, node.path, failure))
      return undefined
    }
    diagnostics.push(
      Diagnostic.make("E_INCLUDE", source, node.path, `${literal} is not found, looked for ${candidates.join(", ")}`, {
        hint: "write the path from the including file, or name the folder that it starts from with --include"
      })
    )
    return undefined
  }

  const circle = (source: Source, node: Ast.Include, key: string): Diagnostic.Diagnostic => {
    const all = [...open.keys()]
    const places = all.slice(all.indexOf(key)).map((each) => open.get(each)!)
    const chain = places.map(({ source }) => source.path)
    const related = places.slice(0, -1).map(({ include, source }, i) => {
      return { source, span: include, message: `${source.path} includes ${chain[i + 1]} here` }
    })
    return Diagnostic.make(
      "E_INCLUDE_CYCLE",
      source,
      node.path,
      `found include circle: ${[...chain, chain[0]].join(" -> ")}`,
      { related }
    )
  }

  for (const entry of entries) {
    const path = Path.normalise(entry)
    if (known.has(keyOf(path))) continue
    const result = read(path)
    if (result._tag === "Text") {
      parse(path, result.text, undefined, { start: 0, end: 0 })
      continue
    }
    const message = result._tag === "Missing" ? `${entry} is not found` : `cannot read ${entry}: ${result.reason}`
    diagnostics.push(Diagnostic.make("E_INCLUDE", { path: entry, text: "" }, { start: 0, end: 0 }, message))
  }
  return { files, diagnostics }
}

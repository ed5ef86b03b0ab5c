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
 * What a reader says of a path. `Failed` is a file that is there and cannot be read.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadResult =
  | { readonly _tag: "Text"; readonly text: string }
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
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly read: Reader
  /** Where includes are looked for last, in this order. */
  readonly includeDirs?: ReadonlyArray<string>
  readonly compat?: "kitex" | "apache"
  readonly limits?: Partial<Limits>
  /** In place of `Parser.parse`, where parsed files are kept from one load to the next. */
  readonly parse?: typeof Parser.parse
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
  const entryPaths = new Set(entries.map(Path.normalise))
  const files: Array<Parsed> = []
  const diagnostics: Array<Diagnostic.Diagnostic> = []
  const known = new Map<string, Parsed>()
  /** By path, from an entry down to the file that is being read. */
  const open = new Map<string, Open>()
  let characters = 0
  let opened = 0

  /** The text of a file that was found, parsed, with what it includes. */
  const parse = (path: string, text: string, at: Source | undefined, span: Span): Parsed | undefined => {
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
    const parsed = parseText(source, options.compat === undefined ? {} : { compat: options.compat })
    for (const each of parsed.diagnostics) diagnostics.push(each)
    const place: Open = { source, include: span }
    open.set(path, place)
    const includes = followAll(place, parsed.document)
    open.delete(path)
    const file: Parsed = { source, document: parsed.document, includes, isEntry: entryPaths.has(path) }
    known.set(path, file)
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
    const folders = ["", Path.folder(source.path), ...(options.includeDirs ?? [])]
    const candidates = [...new Set(folders.map((folder) => Path.join(folder, literal)))]
    for (const path of candidates) {
      const loaded = known.get(path)
      if (loaded !== undefined) return loaded
      if (open.has(path)) {
        diagnostics.push(circle(source, node, path))
        return undefined
      }
      const result = options.read(path)
      if (result._tag === "Text") return parse(path, result.text, source, node.path)
      if (result._tag === "Failed") {
        diagnostics.push(Diagnostic.make("E_INCLUDE", source, node.path, `cannot read ${path}: ${result.reason}`))
        return undefined
      }
    }
    diagnostics.push(
      Diagnostic.make("E_INCLUDE", source, node.path, `${literal} is not found, looked for ${candidates.join(", ")}`, {
        hint: "write the path from the including file, or name the folder that it starts from with --include"
      })
    )
    return undefined
  }

  const circle = (source: Source, node: Ast.Include, path: string): Diagnostic.Diagnostic => {
    const all = [...open.keys()]
    const chain = all.slice(all.indexOf(path))
    const related = chain.slice(0, -1).map((from, i) => {
      const { source, include } = open.get(from)!
      return { source, span: include, message: `${from} includes ${chain[i + 1]} here` }
    })
    return Diagnostic.make(
      "E_INCLUDE_CYCLE",
      source,
      node.path,
      `found include circle: ${[...chain, path].join(" -> ")}`,
      { related }
    )
  }

  for (const entry of entries) {
    const path = Path.normalise(entry)
    if (known.has(path)) continue
    const result = options.read(path)
    if (result._tag === "Text") {
      parse(path, result.text, undefined, { start: 0, end: 0 })
      continue
    }
    const message = result._tag === "Missing" ? `${entry} is not found` : `cannot read ${entry}: ${result.reason}`
    diagnostics.push(Diagnostic.make("E_INCLUDE", { path: entry, text: "" }, { start: 0, end: 0 }, message))
  }
  return { files, diagnostics }
}

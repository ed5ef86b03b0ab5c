/**
 * TypeScript from a program: the text that a person would write schema-first with `@millrace/codec` and `@millrace/rpc`,
 * the same for the same IDL every time.
 *
 * **Example**
 *
 * ```ts
 * import { Checker, Diagnostic, Emitter, Loader } from "@millrace/idl"
 *
 * const read = Loader.fromRecord({ "echo.thrift": "namespace go echo struct Request { 1: optional string message }" })
 * const { diagnostics, program } = Checker.compile(["echo.thrift"], { read })
 * if (!Diagnostic.hasErrors(diagnostics)) {
 *   const { files } = Emitter.emit(program, { importExtension: ".ts" })
 *   files.map(({ path }) => path) // echo/echo.ts, echo/echo.codec.ts, echo/index.ts
 * }
 * ```
 *
 * @since 0.1.0
 */
import type * as Diagnostic from "./Diagnostic.ts"
import { codecText } from "./internal/emit/codec.ts"
import { exportConflicts, nameConflicts, pathConflicts } from "./internal/emit/conflicts.ts"
import { identities } from "./internal/emit/identity.ts"
import { type Memory as Remembered, remembering } from "./internal/emit/memory.ts"
import { hasHeader, header, moduleText } from "./internal/emit/module.ts"
import { indexOf, pathOf, type Place, placeOf, specifier } from "./internal/emit/places.ts"
import { reachable } from "./internal/emit/reach.ts"
import { valueErrors } from "./internal/emit/valueErrors.ts"
import { plans } from "./internal/plan.ts"
import * as Program from "./Program.ts"

/**
 * How the text is made.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** A folder for each namespace, with an index of its files; or all files in one folder. */
  readonly layout: "namespace" | "flat"
  /** How imports of generated files end. */
  readonly importExtension: ".js" | ".ts" | ""
  /** Which namespace of a file counts: that of the first of these scopes that it declares. */
  readonly namespaceScopes: ReadonlyArray<string>
  /** `old` to `new`, for a namespace and all below it, or for one file by its path. */
  readonly namespaceMap: ReadonlyArray<readonly [from: string, to: string]>
  /** Whether members are named as in the IDL or in camel case. */
  readonly case: "keep" | "camel"
  /** What an i64 is where no annotation says it. */
  readonly i64: "bigint" | "number"
  /** Whether encoders and decoders are generated ahead of time, in a module beside the schemas. */
  readonly codec: "aot" | "none"
  /** Whether included files are emitted too. */
  readonly recurse: boolean
  /** Whether types that no service and no constant of the entries leads to are left out. */
  readonly trim: boolean
}

/**
 * The options of `emit` where none are given.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults: Options = {
  layout: "namespace",
  importExtension: ".js",
  namespaceScopes: Program.namespaceScopes,
  namespaceMap: [],
  case: "keep",
  i64: "bigint",
  codec: "aot",
  recurse: true,
  trim: false
}

/**
 * Some of the options; one that is undefined is as one that is not given.
 *
 * @since 0.1.0
 * @category options
 */
export type SomeOptions = { readonly [name in keyof Options]?: Options[name] | undefined }

const complete = (options: SomeOptions): Options => {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...defaults, ...(given as Partial<Options>) }
}

/**
 * A generated file: its path below the output folder, with `/`, its text, and the path of the IDL it was made from.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutputFile {
  readonly path: string
  readonly text: string
  readonly source: string
}

/**
 * The files, or why there are none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly files: ReadonlyArray<OutputFile>
  /** Names and paths that collide in TypeScript alone, values that it cannot hold. There are no files when there are some. */
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** A file that is emitted, with the definitions that are. */
interface Unit {
  readonly file: Program.File
  readonly place: Place
  readonly definitions: ReadonlyArray<Program.Definition>
}

const unitsOf = (program: Program.Program, options: Options): ReadonlyArray<Unit> => {
  const wanted = options.trim ? reachable(program) : undefined
  const entries = new Set(program.entries)
  return program.files.flatMap((file) => {
    if (!options.recurse && !entries.has(file)) return []
    const definitions = wanted === undefined ? file.definitions : file.definitions.filter((each) => wanted.has(each))
    // a file of which nothing is needed is not there
    if (definitions.length === 0 && file.definitions.length > 0 && !entries.has(file)) return []
    return [{ file, place: placeOf(file, options), definitions }]
  })
}

const indexes = (units: ReadonlyArray<Unit>, options: Options): ReadonlyArray<OutputFile> => {
  const folders = new Map<string, Array<Unit>>()
  for (const unit of units) {
    const folder = unit.place.folders.join("/")
    const known = folders.get(folder)
    if (known === undefined) folders.set(folder, [unit])
    else known.push(unit)
  }
  return [...folders.values()].map((members) => {
    const { file, place } = members[0]!
    const modules = members.map((unit) => unit.place.base)
    const text = indexText(place.folders, modules, options.importExtension)
    return { path: pathOf(indexOf(place), ".ts"), text, source: file.source.path }
  })
}

/**
 * The index of a folder, `index.ts`: it exports what its modules do. `emit` gives the indexes of one program; this is for
 * folders that several programs share.
 *
 * @since 0.1.0
 * @category emission
 */
export const indexText = (
  folders: ReadonlyArray<string>,
  modules: Iterable<string>,
  importExtension: Options["importExtension"]
): string => {
  const lines = Array.from(modules, (module) => `export * from ${JSON.stringify(`./${module}${importExtension}`)}\n`)
  return header(`namespace ${folders.join(".")}`) + lines.sort().join("")
}

/**
 * Whether a text is that of a generated file, which its first line says.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isGenerated = (text: string): boolean => hasHeader(text)

/**
 * The folders of a file below the output folder in the layout `namespace`: the parts of its namespace.
 *
 * @since 0.1.0
 * @category getters
 */
export const folders = (file: Program.File, options: SomeOptions = {}): ReadonlyArray<string> =>
  placeOf(file, { ...complete(options), layout: "namespace" }).folders

/**
 * Texts that are kept from one emission to the next; see `memory`.
 *
 * @since 0.1.0
 * @category models
 */
export type Memory = Remembered<ReadonlyArray<OutputFile>>

/**
 * An empty memory, for programs that emit the same files again and again, as a watcher does: only files that depend on a
 * change are made again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const memory = (): Memory => new Map()

const hasCodecs = ({ definitions }: Unit, options: Options): boolean =>
  options.codec === "aot" && definitions.some(({ tag }) => tag === "Struct")

const check = (units: ReadonlyArray<Unit>, options: Options): ReadonlyArray<Diagnostic.Diagnostic> => {
  const paths = units.flatMap((unit) => {
    const endings = hasCodecs(unit, options) ? [".ts", ".codec.ts"] : [".ts"]
    return endings.map((ending) => [pathOf(unit.place, ending), unit.file] as const)
  })
  // a folder has one index, whatever the number of its files
  const indexes = new Map(units.map(({ file, place }) => [pathOf(indexOf(place), ".ts"), file]))
  const folders = units.map((unit) => [unit.place.folders.join("/"), unit.definitions] as const)
  const definitions = units.flatMap((unit) => unit.definitions)
  return [
    ...pathConflicts(options.layout === "namespace" ? [...paths, ...indexes] : paths),
    ...(options.layout === "namespace" ? exportConflicts(folders) : []),
    ...units.flatMap((unit) => nameConflicts(unit.definitions, options)),
    ...valueErrors(definitions, options)
  ]
}

/**
 * The files of a program that has no errors.
 *
 * @since 0.1.0
 * @category emission
 */
export const emit = (program: Program.Program, options: SomeOptions = {}, memory?: Memory): Result => {
  const all = complete(options)
  const units = unitsOf(program, all)
  const diagnostics = check(units, all)
  if (diagnostics.length > 0) return { files: [], diagnostics }
  const names = identities(program, all)
  const forms = plans({ ...all, identities: names })
  const place = (file: Program.File) => placeOf(file, all)
  const remember = remembering(memory, all, names)
  const files = units.flatMap((unit) => {
    const { definitions, file, place: own } = unit
    return remember(file, definitions, () => {
      const source = file.source.path
      const text = moduleText(file, definitions, all, names, place)
      const module: OutputFile = { path: pathOf(own, ".ts"), text, source }
      if (!hasCodecs(unit, all)) return [module]
      const structs = definitions.filter((each) => each.tag === "Struct")
      const moduleOf = (other: Program.File) => specifier(own, place(other), `.codec${all.importExtension}`)
      const codecs = header(source) + codecText(structs, forms, moduleOf)
      return [module, { path: pathOf(own, ".codec.ts"), text: codecs, source }]
    })
  })
  return { files: all.layout === "namespace" ? [...files, ...indexes(units, all)] : files, diagnostics }
}

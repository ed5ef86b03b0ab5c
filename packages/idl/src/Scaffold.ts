/**
 * A project around a service: server, handlers, client and tests, which a person goes on with. Made again after the IDL
 * has grown, it adds to their files what is missing.
 *
 * **Example** (A project in memory)
 *
 * ```ts
 * import { Checker, Loader, Scaffold } from "@millrace/idl"
 *
 * const read = Loader.fromRecord({
 *   "api.thrift": `
 *     struct Request { 1: optional string message }
 *     service Echo { Request Say(1: Request req) (streaming.mode="unary") }`
 * })
 * const { program } = Checker.compile(["api.thrift"], { read })
 * const { files } = Scaffold.scaffold(program, { name: "echo" })
 *
 * files.find(({ path }) => path === "src/handlers.ts")?.text
 * ```
 *
 * @since 0.1.0
 */
import * as Diagnostic from "./Diagnostic.ts"
import { pathOf, placeOf, type PlaceOptions } from "./internal/emit/places.ts"
import * as Context from "./internal/scaffold/context.ts"
import { merge, type Merged } from "./internal/scaffold/merge.ts"
import { type ProjectFile, projectFiles } from "./internal/scaffold/project.ts"
import { clientFile, handlersFile, type SourceFile, testFile } from "./internal/scaffold/sources.ts"
import * as Program from "./Program.ts"

/**
 * `layout`, `namespaceScopes`, `namespaceMap`, `case` and `i64` are those with which the emitter runs.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The name of the project. */
  readonly name: string
  /** The service; by default the last one of the last IDL, as Kitex takes it. */
  readonly service?: string | undefined
  /** Where the emitter's files are. Default: `src/gen`. */
  readonly out?: string | undefined
  readonly layout?: PlaceOptions["layout"] | undefined
  readonly namespaceScopes?: PlaceOptions["namespaceScopes"] | undefined
  readonly namespaceMap?: PlaceOptions["namespaceMap"] | undefined
  /** The folders of includes, relative to the project. */
  readonly includeDirs?: ReadonlyArray<string> | undefined
  readonly case?: "keep" | "camel" | undefined
  readonly i64?: "bigint" | "number" | undefined
  /** Versions that stand in `package.json` in place of those of this release, by the name of the package. */
  readonly versions?: Readonly<Record<string, string>> | undefined
}

/**
 * What became of a file of a person. `ByHand` is for a file that was changed beyond recognition: its text is what the
 * person has to add.
 *
 * @since 0.1.0
 * @category models
 */
export type { Merged }

/**
 * A file of the project; its path is relative, with `/`. `create`: it is written where there is none. `merge`: what it
 * lacks is added to the one that is there.
 *
 * @since 0.1.0
 * @category models
 */
export type File =
  | { readonly mode: "create"; readonly path: string; readonly text: string }
  | {
      readonly mode: "merge"
      readonly path: string
      readonly text: string
      readonly merge: (existing: string) => Merged
    }

const versions = {
  dependencies: {
    "@effect/platform-node": "4.1.0",
    "@millrace/codec": "^0.1.0",
    "@millrace/rpc": "^0.1.0",
    "@millrace/transport": "^0.1.0",
    effect: "4.1.0"
  },
  devDependencies: {
    "@effect/vitest": "4.0.5",
    "@millrace/cli": "^0.1.0",
    "@types/node": "^24.0.0",
    // npm scripts find it first, whatever the machine has
    node: "24.21.0",
    typescript: "7.0.2",
    vitest: "5.1.1"
  }
}

/**
 * The names of the packages that a project depends on, which `versions` may give others for.
 *
 * @since 0.1.0
 * @category constants
 */
export const packages: ReadonlyArray<string> = Object.values(versions).flatMap((each) => Object.keys(each))

const replaced = (
  packages: Readonly<Record<string, string>>,
  replacements: Readonly<Record<string, string>>
): Record<string, string> =>
  Object.fromEntries(Object.entries(packages).map(([name, version]) => [name, replacements[name] ?? version]))

/**
 * The files of a project that serves a service, besides those that the emitter gives. No files and E_NO_SERVICE when
 * there is no such service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const scaffold = (
  program: Program.Program,
  options: Options
): { readonly files: ReadonlyArray<File>; readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic> } => {
  const service = choose(program, options.service)
  if (service === undefined) return { files: [], diagnostics: noService(program, options.service) }
  const out = options.out ?? "src/gen"
  const places: PlaceOptions = {
    layout: options.layout ?? "namespace",
    importExtension: ".ts",
    namespaceScopes: options.namespaceScopes ?? Program.namespaceScopes,
    namespaceMap: options.namespaceMap ?? []
  }
  const context = Context.make(program, service, {
    name: options.name,
    module: (file) => `${out}/${pathOf(placeOf(file, places), ".ts")}`,
    case: options.case ?? "keep",
    i64: options.i64 ?? "bigint"
  })
  const project = projectFiles(context, {
    dependencies: replaced(versions.dependencies, options.versions ?? {}),
    devDependencies: replaced(versions.devDependencies, options.versions ?? {}),
    idls: program.entries.map(({ source }) => source.path),
    includeDirs: options.includeDirs ?? [],
    out
  })
  const sources = [handlersFile(context), clientFile(context)]
  // a block without a test is an error of the test runner
  if (context.methods.length > 0) sources.push(testFile(context))
  return { files: [...project.map(created), ...sources.map(merged)], diagnostics: [] }
}

const created = ({ path, text }: ProjectFile): File => ({ mode: "create", path, text })

const merged = ({ parts, path, text }: SourceFile): File => ({
  mode: "merge",
  path,
  text,
  merge: (existing) => merge(existing, parts)
})

const servicesOf = ({ entries }: Program.Program): ReadonlyArray<Program.Service> =>
  entries.flatMap(({ definitions }) => definitions.filter((each) => each.tag === "Service"))

const choose = (program: Program.Program, name: string | undefined): Program.Service | undefined =>
  servicesOf(program).findLast((service) => name === undefined || service.name === name)

const noService = (program: Program.Program, name: string | undefined): ReadonlyArray<Diagnostic.Diagnostic> => {
  const entry = program.entries.at(-1)
  if (entry === undefined) return []
  const names = servicesOf(program).map((service) => service.name)
  const message = name === undefined ? "no service defined in the IDL" : `there is no service ${name} in the IDL`
  const hint = names.length === 0 ? "declare one, as in service Echo { ... }" : `there is ${names.join(", ")}`
  return [Diagnostic.make("E_NO_SERVICE", entry.source, { start: 0, end: 0 }, message, { hint })]
}

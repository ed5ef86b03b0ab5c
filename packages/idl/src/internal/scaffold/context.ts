/**
 * What the files of a scaffold share: the service, and how they name what was generated.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { exportName } from "../emit/names.ts"
import type { Import } from "./merge.ts"

/** @internal */
export interface Options {
  /** The name of the project. */
  readonly name: string
  /** The module that was generated for a file, from the root of the project: `src/gen/echo/api.ts`. */
  readonly module: (file: Program.File) => string
  readonly case: "keep" | "camel"
  readonly i64: "bigint" | "number"
}

/** @internal */
export interface Context extends Pick<Options, "case" | "i64" | "name"> {
  readonly service: Program.Service
  readonly methods: ReadonlyArray<Program.Method>
  /** A definition as code names it: `api.Request`. */
  readonly reference: (definition: { readonly name: string; readonly file: Program.File }) => string
  /** The import of what was generated for a file, for a file in this folder of the project. */
  readonly importOf: (file: Program.File, folder: "src" | "test") => Import
  /** The imports of everything generated. */
  readonly generated: (folder: "src" | "test") => ReadonlyArray<Import>
}

// what the files of a scaffold import or declare besides
const taken =
  "Client ClientTest HandlersLive Command Console Effect Flag Layer NodeRuntime NodeServices NodeTransport PingPong Server " +
  "Stream StreamClient Streams Testing Map Object Set Uint8Array address announce args assert calls client describe host " +
  "it port request requests response responses"

/** By which each generated module is imported. */
const aliases = (program: Program.Program): ReadonlyMap<Program.File, string> => {
  const used = new Set(taken.split(" "))
  const names = new Map<Program.File, string>()
  for (const file of program.files) {
    const plain = file.prefix.replace(/\W/g, "_").replace(/^(?=\d|$)/, "_")
    let name = exportName(plain)
    while (used.has(name)) name += "_"
    used.add(name)
    names.set(file, name)
  }
  return names
}

/** @internal */
export const make = (program: Program.Program, service: Program.Service, options: Options): Context => {
  const names = aliases(program)
  const importOf = (file: Program.File, folder: "src" | "test"): Import => ({
    binding: names.get(file)!,
    from: folder === "src" ? options.module(file).replace(/^src\//, "./") : `../${options.module(file)}`,
    isNamespace: true
  })
  return {
    ...options,
    service,
    methods: Program.allMethods(service),
    reference: ({ file, name }) => `${names.get(file)!}.${exportName(name)}`,
    importOf,
    generated: (folder) => program.files.map((file) => importOf(file, folder))
  }
}

/**
 * Whether it is called on a stream, by a `StreamClient`; the others are by a `Client`.
 *
 * @internal
 */
export const isStreamed = ({ mode }: Program.Method): boolean => mode !== "pingPong" && mode !== "oneway"

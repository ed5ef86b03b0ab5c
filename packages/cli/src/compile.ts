/**
 * IDL files to a program.
 *
 * @since 0.1.0
 */
import * as Checker from "@millrace/idl/Checker"
import type * as Diagnostic from "@millrace/idl/Diagnostic"
import type * as Program from "@millrace/idl/Program"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.ts"
import type { Options } from "./options.ts"
import { fileOf, type Project, sourcePath } from "./project.ts"
import { type FileReader, readEntry } from "./reader.ts"

export interface SourceOptions extends Pick<Options, "include" | "compat" | "allowEnumAlias" | "allowWarnings"> {
  /** Folders in which the includes of a file are looked for before the working directory; all paths are absolute. */
  readonly foldersOf?: ((file: string) => ReadonlyArray<string>) | undefined
}

export interface Compiled {
  readonly program: Program.Program
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** Compiles IDLs, given by their absolute paths. Warnings that are allowed are not among the findings. */
export const compile = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  idls: ReadonlyArray<string>,
  options: SourceOptions
): Effect.fn.Return<Compiled, Failure> {
  const { foldersOf } = options
  const entries = yield* Effect.forEach(idls, (idl) => readEntry(project, reader, idl))
  const { diagnostics, program } = Checker.compile(
    entries.map(({ path }) => path),
    {
      read: reader.read,
      parse: reader.parse,
      firstDirs: foldersOf && ((path) => foldersOf(fileOf(project, path)).map((folder) => sourcePath(project, folder))),
      includeDirs: options.include.map((folder) => sourcePath(project, folder)),
      compat: options.compat,
      allowEnumAlias: options.allowEnumAlias
    }
  )
  const allowed = new Set(options.allowWarnings)
  return { program, diagnostics: diagnostics.filter(({ code }) => !allowed.has(code)) }
})

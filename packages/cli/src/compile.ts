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
import { type Project, sourcePath } from "./project.ts"
import { type FileReader, readEntry } from "./reader.ts"

export type SourceOptions = Pick<Options, "include" | "compat" | "allowEnumAlias">

export interface Compiled {
  readonly program: Program.Program
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** Compiles IDLs, given by their absolute paths. */
export const compile = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  idls: ReadonlyArray<string>,
  options: SourceOptions
): Effect.fn.Return<Compiled, Failure> {
  const entries = yield* Effect.forEach(idls, (idl) => readEntry(project, reader, idl))
  return Checker.compile(
    entries.map(({ path }) => path),
    {
      read: reader.read,
      parse: reader.parse,
      includeDirs: options.include.map((folder) => sourcePath(project, folder)),
      compat: options.compat,
      allowEnumAlias: options.allowEnumAlias
    }
  )
})

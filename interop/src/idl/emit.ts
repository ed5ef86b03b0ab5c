/**
 * The text that the compiler makes of the IDLs in `kitex-idl/idl`. It is kept in `generated`, for the tests to import; after a change of
 * the compiler `node interop/src/idl/emit.ts` writes it anew.
 *
 * @since 0.1.0
 */
import * as Checker from "@millrace/idl/Checker"
import * as Diagnostic from "@millrace/idl/Diagnostic"
import * as Emitter from "@millrace/idl/Emitter"
import type * as Program from "@millrace/idl/Program"
import * as Report from "@millrace/idl/Report"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const idl = fileURLToPath(new URL("../../kitex-idl/idl/", import.meta.url))

export const generated = fileURLToPath(new URL("generated/", import.meta.url))

/** The IDLs, resolved. */
export const compile = (): Program.Program => {
  const { diagnostics, program } = Checker.compile(["api.thrift", "user.api.thrift", "golden.thrift"], {
    read: (path) => ({ _tag: "Text", text: readFileSync(join(idl, path), "utf8") })
  })
  if (Diagnostic.hasErrors(diagnostics)) throw new Error(Report.pretty(diagnostics, { color: false, width: 120 }))
  return program
}

/** The emitted files. */
export const emit = (): ReadonlyArray<Emitter.OutputFile> => {
  const { diagnostics, files } = Emitter.emit(compile(), { importExtension: ".ts" })
  if (Diagnostic.hasErrors(diagnostics)) throw new Error(Report.pretty(diagnostics, { color: false, width: 120 }))
  return files
}

if (import.meta.main) {
  rmSync(generated, { recursive: true, force: true })
  for (const { path, text } of emit()) {
    mkdirSync(dirname(join(generated, path)), { recursive: true })
    writeFileSync(join(generated, path), text)
  }
}

/** Programs from texts, and emitted files on disk, where they are type-checked and imported. */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Checker from "../src/Checker.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Emitter from "../src/Emitter.ts"
import * as Loader from "../src/Loader.ts"
import type * as Program from "../src/Program.ts"

export type Files = Readonly<Record<string, string>>

/** The program of files, all of them entries unless it is said which. It throws where the IDL has errors. */
export const programOf = (files: Files, entries: ReadonlyArray<string> = Object.keys(files)): Program.Program => {
  const { diagnostics, program } = Checker.compile(entries, { read: Loader.fromRecord(files) })
  const errors = diagnostics.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new Error(errors.map(({ code, message }) => `${code}: ${message}`).join("\n"))
  return program
}

/** The texts by path. It throws where names collide. */
export const emitted = (
  files: Files,
  options?: Partial<Emitter.Options>,
  entries?: ReadonlyArray<string>
): Record<string, string> => {
  const result = Emitter.emit(programOf(files, entries), options)
  if (Diagnostic.hasErrors(result.diagnostics)) throw new Error(result.diagnostics[0]!.message)
  return Object.fromEntries(result.files.map(({ path, text }) => [path, text]))
}

/** The text of one file without namespace, without codecs, and without its first line. */
export const textOf = (idl: string, options?: Partial<Emitter.Options>): string => {
  const files = emitted({ "api.thrift": idl }, { layout: "flat", codec: "none", ...options })
  return files["api.ts"]!.slice(files["api.ts"]!.indexOf("\n") + 1)
}

/** An empty folder in the repository, which git does not see. */
export const emptyFolder = (name: string): string => {
  const folder = Path.join(import.meta.dirname, ".cache", name)
  Fs.rmSync(folder, { recursive: true, force: true })
  Fs.mkdirSync(folder, { recursive: true })
  return folder
}

export const write = (folder: string, files: Files): void => {
  for (const [path, text] of Object.entries(files)) {
    const at = Path.join(folder, path)
    Fs.mkdirSync(Path.dirname(at), { recursive: true })
    Fs.writeFileSync(at, text)
  }
}

const compilerOptions = {
  noEmit: true,
  target: "ES2024",
  lib: ["ES2024", "ESNext.Disposable"],
  module: "NodeNext",
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  skipLibCheck: true,
  types: ["node"]
}

/** What the TypeScript compiler says about a folder: nothing when all is well. */
export const typeErrors = (folder: string): string => {
  const config = Path.join(folder, "tsconfig.json")
  Fs.writeFileSync(config, JSON.stringify({ compilerOptions, include: ["**/*.ts"] }))
  const tsc = Path.join(import.meta.dirname, "../../../node_modules/.bin/tsc")
  try {
    execFileSync(tsc, ["-p", config], { encoding: "utf8" })
    return ""
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

/**
 * Reads and parses IDL files, each once until it changes, and remembers which were asked for.
 *
 * @since 0.1.0
 */
import type * as Loader from "@millrace/idl/Loader"
import * as Parser from "@millrace/idl/Parser"
import type { Source } from "@millrace/idl/Source"
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { codeOf, type Failure, reasonOf, usage } from "./failure.ts"
import { fileOf, type Project, shown, sourcePath } from "./project.ts"

export interface FileReader {
  readonly read: Loader.Reader
  /** As `Parser.parse`; a text that was parsed before is not parsed again. */
  readonly parse: typeof Parser.parse
  /** Every file that was asked for, absolute, those that do not exist too. */
  readonly asked: () => Iterable<string>
  /** Whether a file is as it was when it was read. */
  readonly isCurrent: (absolute: string) => boolean
  /** Reads a file again when it is asked for the next time. */
  readonly forget: (absolute: string) => void
}

/** One name for all paths of a file, but another one where a link gives it another name: that is what its types are named by. */
const canonicalOf = (absolute: string): string => {
  const real = NodeFs.realpathSync.native(absolute)
  const name = NodePath.basename(absolute)
  if (NodePath.basename(real) === name) return real
  return NodePath.join(NodeFs.realpathSync.native(NodePath.dirname(absolute)), name)
}

const readFile = (absolute: string): Loader.ReadResult => {
  try {
    const stat = NodeFs.statSync(absolute)
    if (stat.isDirectory()) return { _tag: "Failed", reason: "it is a directory" }
    if (!stat.isFile()) return { _tag: "Failed", reason: "it is not a regular file" }
    return { _tag: "Text", text: NodeFs.readFileSync(absolute, "utf8"), canonical: canonicalOf(absolute) }
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "ENOENT" || code === "ENOTDIR") return { _tag: "Missing" }
    return { _tag: "Failed", reason: reasonOf(cause) }
  }
}

/** Undefined for what is not there. */
const changeTime = (absolute: string): number | undefined => {
  try {
    return NodeFs.statSync(absolute).mtimeMs
  } catch {
    return undefined
  }
}

export const make = (project: Project): FileReader => {
  const results = new Map<string, Loader.ReadResult>()
  const times = new Map<string, number | undefined>()
  const parsed = new Map<string, { readonly text: string; readonly result: ReturnType<typeof Parser.parse> }>()
  return {
    read: (path) => {
      const absolute = fileOf(project, path)
      const known = results.get(absolute)
      if (known !== undefined) return known
      times.set(absolute, changeTime(absolute))
      const result = readFile(absolute)
      results.set(absolute, result)
      return result
    },
    parse: (source, options) => {
      const key = `${options?.compat}:${source.path}`
      const known = parsed.get(key)
      if (known?.text === source.text) return known.result
      const result = Parser.parse(source, options)
      parsed.set(key, { text: source.text, result })
      return result
    },
    asked: () => results.keys(),
    isCurrent: (absolute) => times.get(absolute) === changeTime(absolute),
    forget: (absolute) => {
      results.delete(absolute)
    }
  }
}

/** Reads an IDL that was asked for, given by its absolute path. */
export const readEntry = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  idl: string
): Effect.fn.Return<Source, Failure> {
  const path = sourcePath(project, idl)
  const result = reader.read(path)
  if (result._tag === "Missing") return yield* usage(`${shown(idl)} does not exist`)
  if (result._tag === "Failed") return yield* usage(`cannot read ${shown(idl)}: ${result.reason}`)
  return { path, text: result.text }
})

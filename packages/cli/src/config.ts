/**
 * The configuration of a project: which IDLs are generated, with which options.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { pathToFileURL } from "node:url"
import { type Failure, reasonOf, usage } from "./failure.ts"
import { fields, type Options, problemOf, resolve } from "./options.ts"
import { type Project, shown } from "./project.ts"

const Content = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({ idl: Schema.Union([Schema.String, Schema.NonEmptyArray(Schema.String)]), ...fields })
  )
})

/**
 * What `millrace.config.ts` exports as its default, and `millrace.config.json` holds. Paths are relative to its folder.
 *
 * **Example**
 *
 * ```ts
 * import type { Config } from "@millrace/cli"
 *
 * export default {
 *   entries: [{ idl: "idl/api.thrift", out: "src/gen", include: ["idl"], importExt: ".ts" }]
 * } satisfies Config
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type Config = typeof Content.Type

/** IDLs that are compiled together; paths are absolute. */
export interface Entry {
  readonly idls: ReadonlyArray<string>
  readonly options: Partial<Options>
}

export interface Found extends Project {
  /** The file, undefined when there is no configuration. */
  readonly path: string | undefined
  readonly entries: ReadonlyArray<Entry>
}

const names = ["millrace.config.json", "millrace.config.ts"]

const findUpward = (from: string): string | undefined => {
  for (let folder = from; ; folder = NodePath.dirname(folder)) {
    for (const name of names) {
      const path = NodePath.join(folder, name)
      if (NodeFs.existsSync(path)) return path
    }
    if (folder === NodePath.dirname(folder)) return undefined
  }
}

const checkName = (path: string): Effect.Effect<void, Failure> =>
  /\.(json|ts)$/.test(path)
    ? Effect.void
    : Effect.fail(usage(`${shown(path)} is no configuration: its name ends with .json or .ts`))

const read = (path: string): Effect.Effect<unknown, Failure> =>
  Effect.tryPromise({
    try: async () => {
      if (path.endsWith(".json")) return JSON.parse(NodeFs.readFileSync(path, "utf8"))
      return (await import(pathToFileURL(path).href)).default
    },
    catch: (cause) => usage(`cannot read the configuration ${shown(path)}: ${reasonOf(cause)}`)
  })

const decode = (path: string, content: unknown): Effect.Effect<Config, Failure> =>
  Schema.decodeUnknownEffect(Content)(content, { onExcessProperty: "error", errors: "all" }).pipe(
    Effect.mapError(({ message }) => usage(`${shown(path)} is wrong:\n${message.replaceAll(/\n +at /g, " at ")}`))
  )

/** Reads the configuration that is named, or the nearest one from the working directory upward. */
export const load = Effect.fnUntraced(function* (named: string | undefined): Effect.fn.Return<Found, Failure> {
  const path = named === undefined ? findUpward(process.cwd()) : NodePath.resolve(named)
  if (path === undefined) return { folder: process.cwd(), path, entries: [] }
  const folder = NodePath.dirname(path)
  yield* checkName(path)
  const { entries } = yield* decode(path, yield* read(path))
  for (const [i, entry] of entries.entries()) {
    const problem = problemOf(resolve(entry, folder))
    if (problem !== undefined) return yield* usage(`${shown(path)} is wrong:\n${problem} at ["entries"][${i}]`)
  }
  return {
    folder,
    path,
    entries: entries.map(({ idl, ...options }) => ({
      idls: (typeof idl === "string" ? [idl] : idl).map((each) => NodePath.resolve(folder, each)),
      options: resolve(options, folder)
    }))
  }
})

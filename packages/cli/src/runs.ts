/**
 * Which IDLs are compiled together, and with which options: the command line over the configuration over the defaults.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Found } from "./config.ts"
import { type Failure, usage } from "./failure.ts"
import { complete, type Options } from "./options.ts"
import { shown } from "./project.ts"

/** Paths are absolute. */
export interface Run {
  readonly idls: ReadonlyArray<string>
  readonly options: Options
}

/**
 * Without IDLs all entries of the configuration; an IDL that is an entry stands for that entry, with its options; the
 * others are compiled together.
 */
export const select = Effect.fnUntraced(function* (
  config: Found,
  idls: ReadonlyArray<string>,
  flags: Partial<Options>
): Effect.fn.Return<ReadonlyArray<Run>, Failure> {
  if (idls.length === 0 && config.entries.length === 0) {
    const where =
      config.path === undefined ? "there is no millrace.config.json" : `${shown(config.path)} has no entries`
    return yield* usage(`no IDL given, and ${where}: name the IDL, as in millrace gen idl/api.thrift`)
  }
  const isNamed = (idl: string) => idls.length === 0 || idls.includes(idl)
  const entries = config.entries.filter((entry) => entry.idls.some(isNamed))
  const others = idls.filter((idl) => !entries.some((entry) => entry.idls.includes(idl)))
  const runs = entries.map((entry) => ({
    idls: entry.idls,
    options: complete(config.folder, { ...entry.options, ...flags })
  }))
  if (others.length === 0) return runs
  return [...runs, { idls: [...new Set(others)], options: complete(process.cwd(), flags) }]
})

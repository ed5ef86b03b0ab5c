/**
 * One run of `millrace gen`: from IDLs to files that are written, listed or compared.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { type Failure, findings } from "./failure.ts"
import * as Manifest from "./manifest.ts"
import * as Output from "./output.ts"
import * as Produce from "./produce.ts"
import { type Project, shown } from "./project.ts"
import type { FileReader } from "./reader.ts"
import type { Run } from "./runs.ts"
import { Quiet, Verbose } from "./settings.ts"
import { count } from "./terminal.ts"

export interface Mode {
  readonly clean: boolean
  readonly checkOnly: boolean
  readonly dryRun: boolean
  readonly warningsAsErrors: boolean
}

interface Plan {
  readonly changes: ReadonlyArray<Output.Change>
  readonly manifests: ReadonlyArray<Output.OutputFile>
  /** Files that would be cleaned away, had not a person edited them. */
  readonly edited: ReadonlyArray<string>
}

const plan = Effect.fnUntraced(function* (
  folders: ReadonlyArray<Produce.Folder>,
  clean: boolean
): Effect.fn.Return<Plan, Failure> {
  const changes = Array.from(yield* Output.compare(yield* Produce.filesOf(folders)))
  const manifests: Array<Output.OutputFile> = []
  const edited: Array<string> = []
  for (const { path, produced } of folders) {
    const old = yield* Manifest.read(path)
    const own = Manifest.record(path, produced)
    if (clean) {
      const cleaning = yield* Manifest.clean(path, old, own)
      for (const path of cleaning.remove) changes.push({ kind: "remove", path })
      edited.push(...cleaning.edited)
      manifests.push(Manifest.toFile(path, cleaning.manifest))
    } else {
      manifests.push(Manifest.toFile(path, Manifest.merge(old, own)))
    }
  }
  return { changes, manifests, edited }
})

/** Compiles, and says what would change. Findings are printed; an error in one run fails them all. */
export const prepare = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  runs: ReadonlyArray<Run>,
  options: { readonly clean: boolean; readonly warningsAsErrors: boolean },
  memories?: Produce.Memories
) {
  return yield* plan(yield* Produce.produce(project, reader, runs, options, memories), options.clean)
})

export const isChange = ({ kind }: Output.Change): boolean => kind !== "unchanged"

/** Makes the changes, all or none. */
export const apply = Effect.fnUntraced(function* ({ changes, edited, manifests }: Plan) {
  yield* Output.apply(changes.filter(isChange), yield* Output.changed(manifests))
  for (const path of edited) yield* Console.error(`millrace: ${shown(path)} is obsolete and was edited: it stays`)
})

const staleWords = { create: "missing", update: "stale", unchanged: "unchanged", remove: "obsolete" } as const

export const generate = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  runs: ReadonlyArray<Run>,
  mode: Mode
) {
  const prepared = yield* prepare(project, reader, runs, mode)
  const { changes } = prepared
  const different = changes.filter(isChange)
  if (!mode.checkOnly && !mode.dryRun) yield* apply(prepared)
  const isVerbose = yield* Verbose
  if (!(yield* Quiet)) {
    if (isVerbose) for (const path of reader.asked()) yield* Console.log(`read ${shown(path)}`)
    for (const { kind, path } of isVerbose || mode.dryRun ? changes : different) {
      yield* Console.log(`${mode.checkOnly ? staleWords[kind] : kind} ${shown(path)}`)
    }
    if (different.length === 0) yield* Console.log(`${count(changes.length)} up to date`)
  }
  if (mode.checkOnly && different.length > 0) {
    return yield* findings(`${count(different.length)} out of date: run millrace gen`)
  }
})

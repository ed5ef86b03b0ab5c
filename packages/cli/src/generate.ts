/**
 * One run of `millrace gen`: from IDLs to files that are written, listed or compared.
 *
 * @since 0.1.0
 */
import type * as Program from "@millrace/idl/Program"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { type Failure, findings } from "./failure.ts"
import * as Indexes from "./indexes.ts"
import * as Manifest from "./manifest.ts"
import * as Message from "./message.ts"
import * as Output from "./output.ts"
import * as Produce from "./produce.ts"
import { type Project, shown } from "./project.ts"
import type { FileReader } from "./reader.ts"
import type { Run } from "./runs.ts"
import { Quiet, Verbose } from "./settings.ts"
import { count } from "./terminal.ts"
import { unmatched } from "./unmatched.ts"

export interface Mode {
  readonly clean: boolean
  readonly checkOnly: boolean
  readonly dryRun: boolean
  readonly warningsAsErrors: boolean
}

interface Plan {
  readonly programs: ReadonlyArray<Program.Program>
  readonly changes: ReadonlyArray<Output.Change>
  readonly manifests: ReadonlyArray<Output.OutputFile>
  /** Files that nothing produces any more, and that stay as nobody asked to clean. */
  readonly obsolete: ReadonlyArray<string>
  /** Files that would be cleaned away, had not a person edited them. */
  readonly edited: ReadonlyArray<string>
}

const plan = Effect.fnUntraced(function* (
  produced: ReadonlyArray<Produce.Folder>,
  clean: boolean
): Effect.fn.Return<Omit<Plan, "programs">, Failure> {
  const olds = yield* Effect.forEach(produced, ({ path }) => Manifest.read(path))
  const folders = produced.map((folder, i) => Indexes.complete(folder, olds[i]!))
  const isEdited = Effect.fnUntraced(function* (path: string) {
    const known = yield* Effect.forEach(folders, (folder, i) => Manifest.isEdited(folder.path, olds[i]!, path))
    return known.includes(true)
  })
  const compared = yield* Output.compare(yield* Produce.filesOf(folders))
  const changes = Array.from(
    yield* Effect.forEach(compared, (change) =>
      change.kind === "update"
        ? Effect.map(isEdited(change.path), (wasEdited) => ({ ...change, wasEdited }))
        : Effect.succeed(change)
    )
  )
  const obsolete: Array<string> = []
  const manifests: Array<Output.OutputFile> = []
  const edited: Array<string> = []
  for (const [i, { path, produced }] of folders.entries()) {
    const old = olds[i]!
    const own = Manifest.record(path, produced)
    const cleaning = yield* Manifest.clean(path, old, own)
    edited.push(...cleaning.edited)
    if (clean) {
      for (const path of cleaning.remove) changes.push({ kind: "remove", path })
      manifests.push(Manifest.toFile(path, cleaning.manifest))
    } else {
      obsolete.push(...cleaning.remove)
      manifests.push(Manifest.toFile(path, Manifest.merge(old, own)))
    }
  }
  return { changes, manifests, obsolete, edited }
})

/** Compiles, and says what would change. Findings are printed; an error in one run fails them all. */
export const prepare = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  runs: ReadonlyArray<Run>,
  options: { readonly clean: boolean; readonly warningsAsErrors: boolean },
  memories?: Produce.Memories
) {
  const { folders, programs } = yield* Produce.produce(project, reader, runs, options, memories)
  return { ...(yield* plan(folders, options.clean)), programs }
})

export const isChange = ({ kind }: Output.Change): boolean => kind !== "unchanged"

/** Makes the changes, all or none. */
export const apply = Effect.fnUntraced(function* ({ changes, manifests }: Pick<Plan, "changes" | "manifests">) {
  yield* Output.apply(changes.filter(isChange), yield* Output.changed(manifests))
})

/** Files that `--clean` leaves to a person. */
export const sayEdited = Effect.fnUntraced(function* (edited: ReadonlyArray<string>) {
  for (const path of edited) yield* Message.note("N_EDITED", `${shown(path)} is obsolete and was edited: it stays`)
})

const staleWords = { create: "missing", update: "stale", unchanged: "unchanged", remove: "obsolete" } as const

export const generate = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  runs: ReadonlyArray<Run>,
  mode: Mode
) {
  // What is obsolete is out of date too.
  const prepared = yield* prepare(project, reader, runs, { ...mode, clean: mode.clean || mode.checkOnly })
  const { changes, edited, obsolete } = prepared
  const different = changes.filter(isChange)
  if (!mode.checkOnly && !mode.dryRun) yield* apply(prepared)
  const isVerbose = yield* Verbose
  if (!(yield* Quiet)) {
    if (isVerbose) for (const path of reader.asked()) yield* Console.log(`read ${shown(path)}`)
    for (const change of isVerbose || mode.dryRun ? changes : different) {
      const word = mode.checkOnly ? staleWords[change.kind] : change.kind
      const isEdited = change.kind === "update" && change.wasEdited
      yield* Console.log(`${word} ${shown(change.path)}${isEdited ? " (was edited)" : ""}`)
    }
    if (different.length === 0) yield* Console.log(`${count(changes.length)} up to date`)
    if (obsolete.length > 0) {
      const files = obsolete.length === 1 ? "1 obsolete file is" : `${obsolete.length} obsolete files are`
      yield* Message.note("N_OBSOLETE", `${files} still there: run millrace gen --clean`)
    }
  }
  const programs = prepared.programs.map((program, i) => ({ program, options: runs[i]!.options }))
  for (const sentence of unmatched(programs)) yield* Message.note("N_NAMESPACE", sentence)
  yield* sayEdited(edited)
  if (mode.checkOnly && different.length > 0) {
    const advice = different.some(({ kind }) => kind === "remove") ? "millrace gen --clean" : "millrace gen"
    return yield* findings(`${count(different.length)} out of date: run ${advice}`)
  }
})

/**
 * `millrace gen --watch`: runs again whenever a file of the include graph changes, until it is interrupted.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { codeOf, type Failure, reasonOf } from "./failure.ts"
import { apply, isChange, prepare, sayEdited } from "./generate.ts"
import * as Message from "./message.ts"
import type { Memories } from "./produce.ts"
import { type Project, shown } from "./project.ts"
import * as Reader from "./reader.ts"
import type { Run } from "./runs.ts"
import { Format } from "./settings.ts"
import { count } from "./terminal.ts"

/** Editors write a file in several steps; what changes within this time is one change. */
const debounce = "50 millis"

/** The folders that lead to a file. */
const foldersOf = (path: string): ReadonlyArray<string> => {
  const folders = [NodePath.dirname(path)]
  for (let parent = NodePath.dirname(folders[0]!); parent !== folders.at(-1); parent = NodePath.dirname(parent)) {
    folders.push(parent)
  }
  return folders
}

/** What tells a folder from another one that takes its place. */
const identityOf = (folder: string): string => {
  const { dev, ino } = NodeFs.statSync(folder, { bigint: true })
  return `${dev}:${ino}`
}

const isPermission = (cause: unknown): boolean => codeOf(cause) === "EACCES" || codeOf(cause) === "EPERM"

const isMissing = (cause: unknown): boolean => codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR"

const problemOf = (folder: string, cause: unknown): string => {
  // That is how Linux says it, whatever space the disk has.
  if (codeOf(cause) === "ENOSPC") return "changes may be missed: the system watches as many folders as it may"
  if (codeOf(cause) === "EMFILE" || codeOf(cause) === "ENFILE") return `changes may be missed: ${reasonOf(cause)}`
  return `cannot watch ${shown(folder)}: ${reasonOf(cause)}`
}

interface Watchers {
  /** Watches the folders of all files that the reader was asked for, and gives what keeps it from that. */
  readonly update: () => ReadonlySet<string>
  readonly close: () => void
}

interface Watched {
  readonly identity: string
  readonly watcher: NodeFs.FSWatcher
}

/**
 * Folders are watched, as editors replace files; and all folders that lead to them, as a folder that was replaced tells
 * nothing any more: what stands in its place is watched anew.
 */
const makeWatchers = (reader: Reader.FileReader, onChange: (path: string) => void): Watchers => {
  const watchers = new Map<string, Watched>()
  const drop = (folder: string) => {
    watchers.get(folder)?.watcher.close()
    watchers.delete(folder)
  }
  const isBelow = (path: string, folder: string) => path === folder || path.startsWith(NodePath.join(folder, "/"))
  const changed = (path: string) => {
    for (const asked of Array.from(reader.asked())) if (isBelow(asked, path)) onChange(asked)
  }
  const replaced = (path: string) => {
    for (const folder of Array.from(watchers.keys())) if (isBelow(folder, path)) drop(folder)
  }
  const touched = (folder: string, event: string, name: string | null) => {
    const path = name === null ? folder : NodePath.join(folder, name)
    if (event === "rename") replaced(path)
    changed(path)
  }
  const open = (folder: string) => {
    const identity = identityOf(folder)
    if (watchers.get(folder)?.identity === identity) return
    drop(folder)
    const watcher = NodeFs.watch(folder, (event, name) => touched(folder, event, name))
    // The folder was removed; the next run watches what is in its place.
    watcher.on("error", () => drop(folder))
    watchers.set(folder, { identity, watcher })
  }
  return {
    update: () => {
      const files = Array.from(reader.asked())
      const near = new Set(files.map(NodePath.dirname))
      const folders = new Set(files.flatMap(foldersOf))
      for (const folder of Array.from(watchers.keys())) if (!folders.has(folder)) drop(folder)
      const problems = new Set<string>()
      for (const folder of folders) {
        try {
          open(folder)
        } catch (cause) {
          drop(folder)
          // The folder above says when it is there; and those far above are seldom replaced, and often not to be read.
          if (isMissing(cause) || (isPermission(cause) && !near.has(folder))) continue
          problems.add(problemOf(folder, cause))
        }
      }
      // What changed after it was read and before it was watched.
      for (const asked of files) if (!reader.isCurrent(asked)) onChange(asked)
      return problems
    },
    close: () => {
      for (const folder of Array.from(watchers.keys())) drop(folder)
    }
  }
}

/** A failed run says why. */
const sayFailure = Effect.fnUntraced(function* (failure: Failure, hasOutput: boolean) {
  if (failure.message !== "") yield* Console.error(Message.text(yield* Format, Message.ofFailure(failure)))
  return hasOutput ? "failed, the last good output stays" : "failed, nothing is written"
})

/** Runs once and then on every change, with a line on standard output for each run. */
export const watch = Effect.fnUntraced(function* (
  project: Project,
  runs: ReadonlyArray<Run>,
  options: { readonly clean: boolean; readonly warningsAsErrors: boolean }
) {
  const reader = Reader.make(project)
  const changed = new Set<string>()
  const latch = yield* Latch.make()
  const watchers = makeWatchers(reader, (path) => {
    reader.forget(path)
    changed.add(path)
    latch.openUnsafe()
  })
  yield* Effect.addFinalizer(() => Effect.sync(watchers.close))

  // One that is missing from the start is a slip in its name, and will not come.
  for (const { idls } of runs) for (const idl of idls) yield* Reader.readEntry(project, reader, idl)

  const memories: Memories = new Map()
  let hasOutput = false
  const once = Effect.gen(function* () {
    const prepared = yield* prepare(project, reader, runs, options, memories)
    yield* apply(prepared)
    hasOutput = true
    if (options.clean) yield* sayEdited(prepared.edited)
    return `${count(prepared.changes.filter(isChange).length)} written`
  })
  let problems: ReadonlySet<string> = new Set()
  const run = Effect.fnUntraced(function* (cause: string) {
    const start = performance.now()
    const status = yield* Effect.catch(once, (failure) => sayFailure(failure, hasOutput))
    const before = problems
    problems = watchers.update()
    for (const problem of problems) if (!before.has(problem)) yield* Console.error(`millrace: ${problem}`)
    yield* Console.log(`${cause}: ${status} in ${Math.round(performance.now() - start)} ms`)
  })

  // From here on an interrupt is the regular end.
  process.exitCode = 0
  yield* run("watching")
  while (true) {
    yield* latch.await
    yield* Effect.sleep(debounce)
    latch.closeUnsafe()
    const paths = Array.from(changed, shown).sort()
    changed.clear()
    yield* run(paths.length > 3 ? count(paths.length) : paths.join(", "))
  }
}, Effect.scoped)

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
import type { Failure } from "./failure.ts"
import { apply, isChange, prepare } from "./generate.ts"
import type { Memories } from "./produce.ts"
import { type Project, shown } from "./project.ts"
import * as Reader from "./reader.ts"
import type { Run } from "./runs.ts"
import { count } from "./terminal.ts"

/** Editors write a file in several steps; what changes within this time is one change. */
const debounce = "50 millis"

const nearestFolder = (path: string): string => {
  let folder = NodePath.dirname(path)
  while (!NodeFs.existsSync(folder) && folder !== NodePath.dirname(folder)) folder = NodePath.dirname(folder)
  return folder
}

interface Watchers {
  /** Watches the folders of all files that the reader was asked for, as editors replace files. */
  readonly update: () => void
  readonly close: () => void
}

const makeWatchers = (reader: Reader.FileReader, onChange: (path: string) => void): Watchers => {
  const watchers = new Map<string, NodeFs.FSWatcher>()
  const drop = (folder: string) => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const touched = (folder: string, name: string | null) => {
    const path = name === null ? folder : NodePath.join(folder, name)
    for (const asked of Array.from(reader.asked())) {
      if (asked === path || asked.startsWith(path + NodePath.sep)) onChange(asked)
    }
  }
  return {
    update: () => {
      const folders = new Set(Array.from(reader.asked(), nearestFolder))
      for (const folder of watchers.keys()) if (!folders.has(folder)) drop(folder)
      for (const folder of folders) {
        if (watchers.has(folder)) continue
        const watcher = NodeFs.watch(folder, (_, name) => touched(folder, name))
        // The folder was removed; the next run watches the one above it.
        watcher.on("error", () => drop(folder))
        watchers.set(folder, watcher)
      }
      // What changed after it was read and before it was watched.
      for (const asked of Array.from(reader.asked())) if (!reader.isCurrent(asked)) onChange(asked)
    },
    close: () => {
      for (const folder of watchers.keys()) drop(folder)
    }
  }
}

/** A failed run leaves the last good output and says why. */
const sayFailure = (failure: Failure): Effect.Effect<string> => {
  const status = Effect.succeed("failed, the last good output stays")
  return failure.message === "" ? status : Effect.andThen(Console.error(`millrace: ${failure.message}`), status)
}

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

  const memories: Memories = new Map()
  const once = Effect.gen(function* () {
    const prepared = yield* prepare(project, reader, runs, options, memories)
    yield* apply(prepared)
    return `${count(prepared.changes.filter(isChange).length)} written`
  })
  const run = Effect.fnUntraced(function* (cause: string) {
    const start = performance.now()
    const status = yield* Effect.catch(once, sayFailure)
    watchers.update()
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

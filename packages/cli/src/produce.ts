/**
 * Runs of the compiler to the files that they give, by output folder.
 *
 * @since 0.1.0
 */
import * as Diagnostic from "@millrace/idl/Diagnostic"
import * as Emitter from "@millrace/idl/Emitter"
import type * as Program from "@millrace/idl/Program"
import * as Effect from "effect/Effect"
import * as NodePath from "node:path"
import { compile } from "./compile.ts"
import { type Failure, usage } from "./failure.ts"
import { emitterOptions, fixedFolder, type Options, outputFolder } from "./options.ts"
import type { OutputFile } from "./output.ts"
import { fileOf, type Project, shown } from "./project.ts"
import type { FileReader } from "./reader.ts"
import { report } from "./report.ts"
import type { Run } from "./runs.ts"

export interface Folder {
  /** Absolute; files may be anywhere below. */
  readonly path: string
  /** How an index names its modules; undefined where the folders of namespaces have none. */
  readonly indexed: Emitter.Options["importExtension"] | undefined
  /** By absolute path of the IDL that was asked for, what it gives. */
  readonly produced: ReadonlyMap<string, ReadonlyArray<OutputFile>>
}

const folderOf = (file: Program.File, options: Options): string =>
  outputFolder(options.out, Emitter.folders(file, emitterOptions(options)))

/** A file and all that it includes, at any depth. */
const reachable = (entries: ReadonlyArray<Program.File>): ReadonlySet<Program.File> => {
  const found = new Set(entries)
  for (const file of found) for (const include of file.includes) found.add(include.file)
  return found
}

interface Emitted {
  readonly folders: ReadonlyArray<Folder>
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** Emitted texts of earlier rounds, for each run and output folder, so that only what changed is made again. */
export type Memories = Map<Run, Map<string, Emitter.Memory>>

const memoryOf = (memories: Memories, run: Run, folder: string): Emitter.Memory => {
  const folders = memories.get(run) ?? new Map<string, Emitter.Memory>()
  const memory = folders.get(folder) ?? Emitter.memory()
  memories.set(run, folders.set(folder, memory))
  return memory
}

/** Emits a program; entries whose output folders differ are emitted apart. */
const emit = (project: Project, program: Program.Program, run: Run, memories: Memories): Emitted => {
  const byFolder = Map.groupBy(program.entries, (entry) => folderOf(entry, run.options))
  const diagnostics: Array<Diagnostic.Diagnostic> = []
  const options = emitterOptions(run.options)
  const indexed = options.layout === "namespace" ? options.importExtension : undefined
  const folders = Array.from(byFolder, ([path, entries]): Folder => {
    const needed = reachable(entries)
    const part = { files: program.files.filter((file) => needed.has(file)), entries }
    const emitted = Emitter.emit(part, options, memoryOf(memories, run, path))
    diagnostics.push(...emitted.diagnostics)
    const produced = entries.map((entry) => {
      const sources = new Set(Array.from(reachable([entry]), ({ source }) => source.path))
      const files = emitted.files
        .filter(({ source }) => sources.has(source))
        .map((file) => ({ path: NodePath.join(path, file.path), text: file.text }))
      return [fileOf(project, entry.source.path), files] as const
    })
    return { path: fixedFolder(run.options.out), indexed, produced: new Map(produced) }
  })
  return { folders, diagnostics }
}

/** Joins what several runs give for the same folder. */
const joinFolders = (folders: ReadonlyArray<Folder>): ReadonlyArray<Folder> =>
  Array.from(
    Map.groupBy(folders, ({ path }) => path),
    ([path, same]) => {
      const produced = new Map<string, ReadonlyArray<OutputFile>>()
      for (const [idl, files] of same.flatMap((each) => Array.from(each.produced))) {
        produced.set(idl, [...(produced.get(idl) ?? []), ...files])
      }
      return { path, indexed: same.find(({ indexed }) => indexed !== undefined)?.indexed, produced }
    }
  )

/** The files of folders, each once. Two texts for one file are told, as one of them would be lost. */
export const filesOf = Effect.fnUntraced(function* (
  folders: ReadonlyArray<Folder>
): Effect.fn.Return<ReadonlyArray<OutputFile>, Failure> {
  const files = new Map<string, { readonly idl: string; readonly file: OutputFile }>()
  for (const { produced } of folders) {
    for (const [idl, own] of produced) {
      for (const file of own) {
        const other = files.get(file.path)
        if (other !== undefined && other.file.text !== file.text) {
          return yield* usage(
            `${shown(other.idl)} and ${shown(idl)} both give ${shown(file.path)}, with different text: compile them ` +
              "in one entry, or give them different output folders"
          )
        }
        files.set(file.path, { idl, file })
      }
    }
  }
  return Array.from(files.values(), ({ file }) => file).sort((a, b) => (a.path < b.path ? -1 : 1))
})

/** Compiles and emits all runs, and gives their programs too. Findings are printed; an error in one run fails them all. */
export const produce = Effect.fnUntraced(function* (
  project: Project,
  reader: FileReader,
  runs: ReadonlyArray<Run>,
  options: { readonly warningsAsErrors: boolean },
  memories: Memories = new Map()
) {
  const diagnostics: Array<Diagnostic.Diagnostic> = []
  const folders: Array<Folder> = []
  const programs: Array<Program.Program> = []
  for (const run of runs) {
    const compiled = yield* compile(project, reader, run.idls, run.options)
    diagnostics.push(...compiled.diagnostics)
    programs.push(compiled.program)
    if (Diagnostic.hasErrors(compiled.diagnostics)) continue
    const emitted = emit(project, compiled.program, run, memories)
    diagnostics.push(...emitted.diagnostics)
    folders.push(...emitted.folders)
  }
  yield* report(project, diagnostics, options)
  return { programs, folders: joinFolders(folders) }
})

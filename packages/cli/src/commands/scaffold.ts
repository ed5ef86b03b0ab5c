/**
 * `millrace scaffold`: a project that serves a service, or what the project lacks since the IDL has grown.
 *
 * @since 0.1.0
 */
import type * as Scaffold from "@millrace/idl/Scaffold"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Config from "../config.ts"
import { type Failure, findings, usage } from "../failure.ts"
import { complete, emitterOptions } from "../options.ts"
import type { Change } from "../output.ts"
import { portable, shown, sourcePath } from "../project.ts"
import type { Run } from "../runs.ts"
import { Quiet } from "../settings.ts"
import { checkIdls, isFolder, sourceFlags, sourceOptions } from "../sourceFlags.ts"

const flags = {
  idl: Argument.Path("idl", { pathType: "file", mustExist: false }).pipe(
    Argument.withDescription("The IDL of the service")
  ),
  ...sourceFlags,
  service: Flag.String("service").pipe(
    Flag.optional,
    Flag.withDescription("The service, by default the last one of the IDL")
  ),
  out: Flag.Directory("out", { mustExist: false }).pipe(
    Flag.withAlias("o"),
    Flag.withDefault("."),
    Flag.withDescription("The folder of the project, by default the working directory")
  ),
  link: Flag.Directory("link", { mustExist: false }).pipe(
    Flag.optional,
    Flag.withDescription("Take the packages that are installed for this folder, in place of those of the registry")
  )
}

/** A name that npm takes. */
const nameOf = (folder: string): string =>
  NodePath.basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .replace(/^[._-]+/, "") || "service"

/** The options of the project's own configuration, once it has one. */
const runOf = Effect.fnUntraced(function* (
  folder: string,
  idl: string,
  given: Partial<Run["options"]>
): Effect.fn.Return<Run, Failure> {
  const path = NodePath.join(folder, "millrace.config.json")
  const entries = NodeFs.existsSync(path) ? (yield* Config.load(path)).entries : []
  const entry = entries.find(({ idls }) => idls.includes(idl))
  const own = { out: NodePath.join(folder, "src", "gen"), importExt: ".ts" as const }
  return { idls: entry?.idls ?? [idl], options: complete(folder, { ...own, ...entry?.options, ...given }) }
})

/** By the name of a package, where Node finds it from a folder. */
const installed = (folder: string, names: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const find = (name: string): string | undefined => {
    for (let at = folder; ; at = NodePath.dirname(at)) {
      const path = NodePath.join(at, "node_modules", name)
      if (NodeFs.existsSync(path)) return NodeFs.realpathSync(path)
      if (at === NodePath.dirname(at)) return undefined
    }
  }
  return Object.fromEntries(
    names.flatMap((name) => {
      // its own install script fetches the program
      const path = name === "node" ? undefined : find(name)
      return path === undefined ? [] : [[name, `file:${path}`]]
    })
  )
}

interface Plan {
  readonly changes: ReadonlyArray<Change>
  /** What was added to files that were there. */
  readonly added: ReadonlyMap<string, ReadonlyArray<string>>
  /** What a person has to add. */
  readonly notes: ReadonlyArray<string>
}

const plan = Effect.fnUntraced(function* (
  folder: string,
  files: ReadonlyArray<Scaffold.File>,
  readIfThere: (path: string) => Effect.Effect<string | undefined, Failure>
): Effect.fn.Return<Plan, Failure> {
  const changes: Array<Change> = []
  const added = new Map<string, ReadonlyArray<string>>()
  const notes: Array<string> = []
  for (const file of files) {
    const path = NodePath.join(folder, file.path)
    const existing = yield* readIfThere(path)
    if (existing === undefined) {
      changes.push({ kind: "create", path, text: file.text })
      continue
    }
    if (file.mode === "create") continue
    const merged = file.merge(existing)
    if (merged._tag === "Merged") {
      changes.push({ kind: "update", path, text: merged.text })
      added.set(path, merged.added)
    }
    if (merged._tag === "ByHand") {
      notes.push(
        `millrace: ${shown(path)} stays as it is, since ${merged.reason}; add for ${merged.missing.join(", ")}:\n${merged.text}`
      )
    }
  }
  return { changes, added, notes }
})

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const [idl] = yield* checkIdls([input.idl])
  const given = yield* sourceOptions(input)
  const link = Option.getOrUndefined(input.link)
  if (link !== undefined && !isFolder(link)) return yield* usage(`--link: ${shown(link)} is not a folder`)
  const [Generate, Output, Reader, { report }, Scaffold] = yield* Effect.promise(() =>
    Promise.all([
      import("../generate.ts"),
      import("../output.ts"),
      import("../reader.ts"),
      import("../report.ts"),
      import("@millrace/idl/Scaffold")
    ])
  )
  const folder = NodePath.resolve(input.out)
  const project = { folder }
  const run = yield* runOf(folder, idl!, given)
  const { options } = run
  const reader = Reader.make(project)
  const generated = yield* Generate.prepare(project, reader, [run], { clean: false, warningsAsErrors: false })
  const scaffold = Scaffold.scaffold(generated.programs[0]!, {
    ...emitterOptions(options),
    name: nameOf(folder),
    service: Option.getOrUndefined(input.service),
    out: sourcePath(project, options.out),
    includeDirs: options.include.map((each) => sourcePath(project, each)),
    versions: link === undefined ? {} : installed(link, Scaffold.packages)
  })
  yield* report(project, scaffold.diagnostics, { warningsAsErrors: false })
  const { added, changes, notes } = yield* plan(folder, scaffold.files, Output.readIfThere)
  const all = [...generated.changes, ...changes]
  yield* Generate.apply({ ...generated, changes: all })

  for (const note of notes) yield* Console.error(note)
  if (!(yield* Quiet)) {
    const different = all.filter(Generate.isChange)
    for (const { kind, path } of different) {
      const names = added.get(path)
      yield* Console.log(`${kind} ${shown(path)}${names === undefined ? "" : `: ${names.join(", ")}`}`)
    }
    if (different.length === 0 && notes.length === 0) yield* Console.log("nothing is missing")
    if (changes.some(({ kind, path }) => kind === "create" && path.endsWith("package.json"))) {
      yield* Console.log(nextSteps(folder))
    }
  }
  if (notes.length > 0) return yield* findings()
})

const nextSteps = (folder: string): string => {
  const place = portable(NodePath.relative(process.cwd(), folder))
  return `
Now run${place === "" ? "" : ` in ${place}`}:
  npm install
  npm start            the server; then, in another terminal:
  npm run client       calls every method once
and npm test for the tests.`
}

export const scaffold = Command.make("scaffold", flags, run).pipe(
  Command.withDescription("Write a project that serves a service, or add to it what the IDL has since got")
)

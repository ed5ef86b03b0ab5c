/**
 * `millrace diff`: whether programs of two versions of an IDL understand each other.
 *
 * @since 0.1.0
 */
import type * as Program from "@millrace/idl/Program"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { findings } from "../failure.ts"
import * as Message from "../message.ts"
import { complete } from "../options.ts"
import type { FileReader } from "../reader.ts"
import { Color, Format, Quiet } from "../settings.ts"
import { checkFolders, checkIdls, sourceFlags, sourceOptions } from "../sourceFlags.ts"
import { hasColor, widthOf } from "../terminal.ts"
import { areApart, ownFolders } from "../trees.ts"

const version = (name: string, description: string) =>
  Argument.Path(name, { pathType: "file", mustExist: false }).pipe(Argument.withDescription(description))

const includeOf = (name: "old" | "new") =>
  Flag.Path(`${name}-include`, { pathType: "either", mustExist: false }).pipe(
    Flag.withDescription(`As --include, for the ${name} IDL alone; may be repeated`),
    Flag.atLeast(0)
  )

const flags = {
  old: version("old", "The IDL that is in use"),
  new: version("new", "The IDL that is to follow it"),
  ...sourceFlags,
  oldInclude: includeOf("old"),
  newInclude: includeOf("new")
}

/** The files that both versions include, though each may be meant to have its own. */
const shared = (reader: FileReader, before: Program.Program, after: Program.Program): ReadonlyArray<string> => {
  const identity = (file: Program.File) => {
    const result = reader.read(file.source.path)
    return (result._tag === "Text" ? result.canonical : undefined) ?? file.source.path
  }
  const known = new Set(before.files.map(identity))
  return after.files.filter((file) => known.has(identity(file))).map(({ source }) => source.path)
}

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  yield* checkIdls([input.old, input.new])
  const folder = process.cwd()
  yield* checkFolders([...input.oldInclude, ...input.newInclude])
  const options = complete(folder, yield* sourceOptions(input))
  const [ChangeReport, { compile }, Diff, Reader, { report }] = yield* Effect.promise(() =>
    Promise.all([
      import("@millrace/idl/ChangeReport"),
      import("../compile.ts"),
      import("@millrace/idl/Diff"),
      import("../reader.ts"),
      import("../report.ts")
    ])
  )
  const project = { folder }
  const reader = Reader.make(project)
  const read = (idl: string, other: string, include: ReadonlyArray<string>) =>
    compile(project, reader, [idl], {
      ...options,
      include: [...include, ...options.include],
      foldersOf: ownFolders(idl, other, folder)
    })
  const before = yield* read(input.old, input.new, input.oldInclude)
  const after = yield* read(input.new, input.old, input.newInclude)
  const errors = [...before.diagnostics, ...after.diagnostics].filter(({ severity }) => severity === "error")
  if (errors.length > 0) return yield* report(project, errors, { warningsAsErrors: false })

  const isQuiet = yield* Quiet
  if (areApart(input.old, input.new) && !isQuiet) {
    for (const path of shared(reader, before.program, after.program)) {
      yield* Message.note(
        "N_SHARED_INCLUDE",
        `both versions read ${path}, so that nothing in it differs: name their own with --old-include and --new-include`
      )
    }
  }
  const changes = Diff.diff(before.program, after.program)
  const shown = isQuiet ? changes.filter(({ severity }) => severity === "breaking") : changes
  const format = yield* Format
  if (format === "json") yield* Console.log(ChangeReport.json(shown))
  else if (shown.length > 0) {
    const color = hasColor(yield* Color, process.stdout, process.env)
    yield* Console.log(
      format === "github"
        ? ChangeReport.github(shown)
        : ChangeReport.pretty(shown, { color, width: widthOf(process.stdout) })
    )
  } else if (!isQuiet && format === "pretty") yield* Console.log("no changes")
  if (Diff.isBreaking(changes)) return yield* findings()
})

export const diff = Command.make("diff", flags, run).pipe(
  Command.withDescription("Say which changes from one version of an IDL to the next break programs that talk")
)

/**
 * `millrace diff`: whether programs of two versions of an IDL understand each other.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { findings } from "../failure.ts"
import { defaults } from "../options.ts"
import { Color, Format, Quiet } from "../settings.ts"
import { checkIdls, sourceFlags, sourceOptions } from "../sourceFlags.ts"
import { hasColor, widthOf } from "../terminal.ts"

const version = (name: string, description: string) =>
  Argument.Path(name, { pathType: "file", mustExist: false }).pipe(Argument.withDescription(description))

const flags = {
  old: version("old", "The IDL that is in use"),
  new: version("new", "The IDL that is to follow it"),
  ...sourceFlags
}

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const named = yield* checkIdls([input.old, input.new])
  const folder = process.cwd()
  const options = { ...defaults(folder), ...(yield* sourceOptions(input)) }
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
  const [before, after] = yield* Effect.forEach(named, (idl) => compile(project, reader, [idl], options))
  const errors = [...before!.diagnostics, ...after!.diagnostics].filter(({ severity }) => severity === "error")
  if (errors.length > 0) return yield* report(project, errors, { warningsAsErrors: false })

  const isQuiet = yield* Quiet
  const changes = Diff.diff(before!.program, after!.program)
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

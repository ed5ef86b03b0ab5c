/**
 * The commands, and how a run of one ends.
 *
 * @since 0.1.0
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as NodeFs from "node:fs"
import { check } from "./commands/check.ts"
import { diff } from "./commands/diff.ts"
import { fmt } from "./commands/fmt.ts"
import { gen, genAs } from "./commands/gen.ts"
import { print } from "./commands/print.ts"
import { scaffold } from "./commands/scaffold.ts"
import { exitCodes, Failure } from "./failure.ts"
import * as Message from "./message.ts"
import * as Settings from "./settings.ts"

const millrace = genAs("millrace").pipe(
  Command.withDescription("TypeScript from Thrift IDLs; without a command it is gen"),
  Command.withSubcommands([gen, check, fmt, print, diff, scaffold]),
  Command.withGlobalFlags(Settings.all)
)

const version: string = JSON.parse(NodeFs.readFileSync(new URL("../package.json", import.meta.url), "utf8")).version

/** As effect's own, without the alias `-v`, which is that of `--verbose`. */
const Version = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(
    Flag.withoutNegation,
    Flag.withDefault(false),
    Flag.withDescription("Show the version")
  ),
  run: () => Console.log(`millrace ${version}`)
})

/** Help on standard output when it was asked for; what is wrong with a command line in a line on standard error. */
const presenter = (format: Message.Format): CliOutput.Presenter => ({
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const lines = event.errors.map(({ message }) =>
      Message.text(format, { code: "E_USAGE", severity: "error", message })
    )
    const advice = `Run ${event.commandPath.join(" ")} --help to see what there is.`
    return Console.error([...lines, ...(format === "pretty" ? [advice] : [])].join("\n"))
  }
})

/** Effect looks at paths in arguments only where they exist: the commands look at them, and say what is wrong as they do elsewhere. */
const files = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (system) => ({ ...system, exists: () => Effect.succeed(false) }))
)

const layer = (format: Message.Format) =>
  Layer.mergeAll(
    Layer.provideMerge(files, NodeServices.layer),
    CliConfig.layer({ builtIns: [GlobalFlag.Help, Version, GlobalFlag.Completions] }),
    CliOutput.layerPresenter(presenter(format))
  )

const sayDefect = (format: Message.Format, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const message = `this is a bug in millrace, please report it:\n${Cause.pretty(cause)}`
  return Console.error(Message.text(format, { code: "E_INTERNAL", severity: "error", message }))
}

const say = (format: Message.Format, failure: Failure): Effect.Effect<void> =>
  failure.message === "" ? Effect.void : Console.error(Message.text(format, Message.ofFailure(failure)))

/** Runs the command. What went wrong has been said when it ends. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<void, Failure | CliError.CliError> => {
  const format = Message.formatOf(args)
  return Command.runWith(millrace, { version })(args).pipe(
    Effect.tapError((error) => (error._tag === "Failure" ? say(format, error) : Effect.void)),
    Effect.tapCause((cause) => (Cause.hasDies(cause) ? sayDefect(format, cause) : Effect.void)),
    Effect.provide(layer(format))
  )
}

/** The exit code of a run. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  // A command that only ends by a signal has set its exit code before.
  if (Cause.hasInterruptsOnly(exit.cause)) return Number(process.exitCode ?? 130)
  return Option.match(Cause.findErrorOption(exit.cause), {
    onNone: () => exitCodes.machine,
    onSome: (error) => (error instanceof Failure ? exitCodes[error.kind] : exitCodes.usage)
  })
}

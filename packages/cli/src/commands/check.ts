/**
 * `millrace check`: says what is wrong with IDLs, and writes nothing.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Config from "../config.ts"
import { checkIdls, configFlag, idls, sourceFlags, sourceOptions, warningsAsErrors } from "../sourceFlags.ts"
import * as Runs from "../runs.ts"
import { Quiet } from "../settings.ts"
import { count } from "../terminal.ts"

const flags = { idls, ...sourceFlags, warningsAsErrors, config: configFlag }

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const named = yield* checkIdls(input.idls)
  const options = yield* sourceOptions(input)
  const config = yield* Config.load(input.config)
  const runs = yield* Runs.select(config, named, options)
  const [{ compile }, Reader, { report }] = yield* Effect.promise(() =>
    Promise.all([import("../compile.ts"), import("../reader.ts"), import("../report.ts")])
  )
  const reader = Reader.make(config)
  const compiled = yield* Effect.forEach(runs, (run) => compile(config, reader, run.idls, run.options))
  yield* report(
    config,
    compiled.flatMap(({ diagnostics }) => diagnostics),
    input
  )
  if (yield* Quiet) return
  const files = compiled.flatMap(({ program }) => program.files.map(({ source }) => source.path))
  yield* Console.log(`${count(new Set(files).size)} checked`)
})

export const check = Command.make("check", flags, run).pipe(
  Command.withDescription("Say what is wrong with IDLs, those of the configuration when none is named")
)

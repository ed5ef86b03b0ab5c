/**
 * `millrace print`: an IDL in a form for other tools.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Config from "../config.ts"
import { usage } from "../failure.ts"
import * as Runs from "../runs.ts"
import { checkIdls, configFlag, idls, sourceFlags, sourceOptions } from "../sourceFlags.ts"

const flags = {
  idls,
  ...sourceFlags,
  as: Flag.Literals("as", ["json", "idl", "plan"]).pipe(
    Flag.withDefault("json" as const),
    Flag.withDescription(
      "json: the syntax tree, which is the default; idl: the canonical text; plan: what is on the wire"
    )
  ),
  config: configFlag
}

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const named = yield* checkIdls(input.idls)
  if (named.length !== 1) return yield* usage("print takes one IDL, as in millrace print --as plan idl/api.thrift")
  const options = yield* sourceOptions(input)
  const config = yield* Config.load(input.config)
  const [selected] = yield* Runs.select(config, named, options)
  const [{ compile }, Reader, { report }, View] = yield* Effect.promise(() =>
    Promise.all([import("../compile.ts"), import("../reader.ts"), import("../report.ts"), import("../view.ts")])
  )
  const { diagnostics, program } = yield* compile(config, Reader.make(config), named, selected!.options)
  yield* report(config, diagnostics, { warningsAsErrors: false })
  const [file] = program.entries
  yield* Console.log(View[input.as](file!, program, selected!.options).replace(/\n$/, ""))
})

export const print = Command.make("print", flags, run).pipe(
  Command.withDescription("Print an IDL in a form for other tools")
)

/**
 * `millrace gen`, which is what `millrace` does when no command is named: TypeScript from IDLs.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Config from "../config.ts"
import { usage } from "../failure.ts"
import { choices, type Options, problemOf } from "../options.ts"
import * as Runs from "../runs.ts"
import { checkIdls, configFlag, given, idls, sourceFlags, sourceOptions, warningsAsErrors } from "../sourceFlags.ts"

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDefault(false), Flag.withDescription(description))

const flags = {
  idls,
  ...sourceFlags,
  out: Flag.Path("out", { pathType: "either", mustExist: false }).pipe(
    Flag.withAlias("o"),
    Flag.optional,
    Flag.withDescription(
      "Output folder, gen by default; {namespace} and {namespaceUnderscore} stand for the namespace of the IDL"
    )
  ),
  recurse: Flag.Boolean("recurse").pipe(
    Flag.withAlias("r"),
    Flag.optional,
    Flag.withDescription("Generate for included files too, which is the default")
  ),
  layout: Flag.Literals("layout", choices.layout).pipe(
    Flag.optional,
    Flag.withDescription(
      "A folder for each part of a namespace (the default), or all files in the output folder (where its name has {namespace})"
    )
  ),
  namespaceScope: Flag.String("namespace-scope").pipe(
    Flag.optional,
    Flag.withMetavar("ts,js,*,go"),
    Flag.withDescription("Which namespace of an IDL counts, first to last")
  ),
  namespaceMap: Flag.String("namespace-map").pipe(
    Flag.atLeast(0),
    Flag.withMetavar("old=new"),
    Flag.withDescription("Replace a prefix of namespaces, or give the IDL at a path its namespace; may be repeated")
  ),
  case: Flag.Literals("case", choices.case).pipe(
    Flag.optional,
    Flag.withDescription("Names of properties: as in the IDL (the default), or in camel case")
  ),
  i64: Flag.Literals("i64", choices.i64).pipe(
    Flag.optional,
    Flag.withDescription("The type of an i64; a number that is no safe integer is an error then")
  ),
  importExt: Flag.Literals("import-ext", choices.importExt).pipe(
    Flag.optional,
    Flag.withDescription("The extension in imports between generated files")
  ),
  codec: Flag.Literals("codec", choices.codec).pipe(
    Flag.optional,
    Flag.withDescription("Generate encoders and decoders ahead of time (the default), or leave them to the run time")
  ),
  trim: Flag.Boolean("trim").pipe(Flag.optional, Flag.withDescription("Leave out types that no service reaches")),
  watch: toggle("watch", "Run again whenever an IDL changes"),
  dryRun: toggle("dry-run", "List what would be written, and write nothing"),
  clean: toggle("clean", "Remove files of earlier runs that are no longer generated"),
  checkOnly: toggle("check-only", "Fail when a generated file is not up to date, and write nothing"),
  warningsAsErrors,
  config: configFlag
}

type Input = Command.Command.Config.Infer<typeof flags>

const optionsOf = Effect.fnUntraced(function* (input: Input) {
  const pairs = input.namespaceMap.map((pair) => pair.split("="))
  const wrong = pairs.findIndex((pair) => pair.length !== 2 || pair[0] === "")
  if (wrong >= 0) {
    return yield* usage(`--namespace-map ${input.namespaceMap[wrong]} is not of the form old=new`)
  }
  const namespaceMap = Object.fromEntries(pairs)
  const problem = problemOf({ namespaceMap })
  if (problem !== undefined) return yield* usage(`--namespace-map: ${problem}`)
  const outProblem = problemOf(given({ out: input.out }))
  if (outProblem !== undefined) return yield* usage(`--out: ${outProblem}`)
  const { codec, i64, importExt, layout, out, recurse, trim } = input
  const options: Partial<Options> = {
    ...(yield* sourceOptions(input)),
    ...given({ case: input.case, codec, i64, importExt, layout, out, recurse, trim }),
    ...given({ namespaceScope: Option.map(input.namespaceScope, (scopes) => scopes.split(",")) }),
    ...(pairs.length === 0 ? {} : { namespaceMap })
  }
  return options
})

const modes = ["watch", "dryRun", "checkOnly"] as const

const modeFlags = { watch: "--watch", dryRun: "--dry-run", checkOnly: "--check-only" }

const run = Effect.fnUntraced(function* (input: Input) {
  const chosen = modes.filter((mode) => input[mode])
  if (chosen.length > 1) {
    return yield* usage(`${chosen.map((mode) => modeFlags[mode]).join(" and ")} cannot be used together`)
  }
  const named = yield* checkIdls(input.idls)
  const options = yield* optionsOf(input)
  const config = yield* Config.load(input.config)
  const runs = yield* Runs.select(config, named, options)
  if (input.watch) {
    const { watch } = yield* Effect.promise(() => import("../watch.ts"))
    return yield* watch(config, runs, input)
  }
  const [{ generate }, Reader] = yield* Effect.promise(() =>
    Promise.all([import("../generate.ts"), import("../reader.ts")])
  )
  yield* generate(config, Reader.make(config), runs, input)
})

/** The command under either of its names. */
export const genAs = <const Name extends string>(name: Name) => Command.make(name, flags, run)

export const gen = genAs("gen").pipe(
  Command.withDescription("Generate TypeScript from IDLs, those of the configuration when none is named")
)

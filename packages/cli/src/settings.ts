/**
 * The flags that every command has.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

export const Color = GlobalFlag.Setting("color")({
  flag: Flag.Literals("color", ["auto", "always", "never"]).pipe(
    Flag.withDefault("auto" as const),
    Flag.withDescription("Colors in diagnostics; auto: when the terminal can and NO_COLOR is not set")
  )
})

export const Format = GlobalFlag.Setting("format")({
  flag: Flag.Literals("format", ["pretty", "json", "github"]).pipe(
    Flag.withDefault("pretty" as const),
    Flag.withDescription("How diagnostics are printed; github: as annotations of a workflow run")
  )
})

export const Quiet = GlobalFlag.Setting("quiet")({
  flag: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withoutNegation,
    Flag.withDefault(false),
    Flag.withDescription("Print errors only")
  )
})

export const Verbose = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withAlias("v"),
    Flag.withoutNegation,
    Flag.withDefault(false),
    Flag.withDescription("Print unchanged files and the files that were read too")
  )
})

export const all = [Color, Format, Quiet, Verbose] as const

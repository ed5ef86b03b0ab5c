/**
 * Prints what is wrong with IDLs on standard error.
 *
 * @since 0.1.0
 */
import * as Diagnostic from "@millrace/idl/Diagnostic"
import * as Report from "@millrace/idl/Report"
import type { Source } from "@millrace/idl/Source"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { findings } from "./failure.ts"
import { fileOf, type Project, shown } from "./project.ts"
import { Color, Format, Quiet } from "./settings.ts"
import { hasColor, widthOf } from "./terminal.ts"

/** The same findings with paths from the working directory, where the person is. */
const fromWorkingDirectory = (
  project: Project,
  diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
): ReadonlyArray<Diagnostic.Diagnostic> => {
  if (project.folder === process.cwd()) return diagnostics
  const sources = new Map<Source, Source>()
  const moved = (source: Source): Source => {
    const known = sources.get(source) ?? { path: shown(fileOf(project, source.path)), text: source.text }
    sources.set(source, known)
    return known
  }
  return diagnostics.map((each) => ({
    ...each,
    source: moved(each.source),
    related: each.related.map((related) => ({ ...related, source: moved(related.source) }))
  }))
}

/** Prints findings. Fails when there is an error among them, or a warning where those count as errors. */
export const report = Effect.fnUntraced(function* (
  project: Project,
  diagnostics: ReadonlyArray<Diagnostic.Diagnostic>,
  options: { readonly warningsAsErrors: boolean }
) {
  const format = yield* Format
  const color = hasColor(yield* Color, process.stderr, process.env)
  const isFailure = Diagnostic.hasErrors(diagnostics) || (options.warningsAsErrors && diagnostics.length > 0)
  const isHidden = (yield* Quiet) && !options.warningsAsErrors
  const visible = diagnostics.filter(({ severity }) => severity === "error" || !isHidden)
  if (visible.length > 0 || format === "json") {
    const moved = fromWorkingDirectory(project, visible)
    const text =
      format === "pretty"
        ? Report.pretty(moved, { color, width: widthOf(process.stderr) })
        : format === "json"
          ? Report.json(moved)
          : Report.github(moved)
    yield* Console.error(text.replace(/\n$/, ""))
  }
  if (isFailure) return yield* findings()
})

/**
 * `millrace fmt`: IDLs in their canonical form.
 *
 * @since 0.1.0
 */
import * as Diagnostic from "@millrace/idl/Diagnostic"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { findings, usage } from "../failure.ts"
import type { Change } from "../output.ts"
import { shown } from "../project.ts"
import { Quiet, Verbose } from "../settings.ts"
import { checkIdls, given, idls, sourceFlags } from "../sourceFlags.ts"

const flags = {
  idls,
  compat: sourceFlags.compat,
  check: Flag.Boolean("check").pipe(
    Flag.withoutNegation,
    Flag.withDefault(false),
    Flag.withDescription("Fail when a file is not in canonical form, and write nothing")
  )
}

const run = Effect.fnUntraced(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const named = yield* checkIdls(input.idls)
  if (named.length === 0) return yield* usage("no IDL given: name the files, as in millrace fmt idl/*.thrift")
  const [Output, Printer, Reader, { report }] = yield* Effect.promise(() =>
    Promise.all([
      import("../output.ts"),
      import("@millrace/idl/Printer"),
      import("../reader.ts"),
      import("../report.ts")
    ])
  )
  const project = { folder: process.cwd() }
  const reader = Reader.make(project)
  const diagnostics: Array<Diagnostic.Diagnostic> = []
  const changes: Array<Change> = []
  for (const path of new Set(named)) {
    const source = yield* Reader.readEntry(project, reader, path)
    const parsed = reader.parse(source, given({ compat: input.compat }))
    diagnostics.push(...parsed.diagnostics)
    if (Diagnostic.hasErrors(parsed.diagnostics)) continue
    const text = Printer.print(source, parsed.document)
    changes.push({ kind: text === source.text ? "unchanged" : "update", path, text })
  }
  yield* report(project, diagnostics, { warningsAsErrors: false })
  if (!input.check) yield* Output.apply(changes)
  const different = changes.filter(({ kind }) => kind !== "unchanged")
  if (!(yield* Quiet)) {
    for (const { kind, path } of (yield* Verbose) ? changes : different) yield* Console.log(`${kind} ${shown(path)}`)
  }
  if (input.check && different.length > 0) {
    const files = different.length === 1 ? "1 file is" : `${different.length} files are`
    return yield* findings(`${files} not in canonical form: run millrace fmt`)
  }
})

export const fmt = Command.make("fmt", flags, run).pipe(Command.withDescription("Format IDLs in place"))

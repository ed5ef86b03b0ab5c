/** Whether two verdicts on an IDL differ in a way that the compiler does not document. */
import type * as Checker from "@millrace/idl/Checker"
import { deviations } from "@millrace/idl/Deviations"
import type * as Diagnostic from "@millrace/idl/Diagnostic"
import type { Span } from "@millrace/idl/Source"
import { type Idl, ours, type Verdict } from "./idl-verdicts.ts"

/** What we read otherwise than thriftgo, by the id of the deviation: whether a text has it. Such an IDL is not compared. */
const readOtherwise: Readonly<Record<string, (text: string) => boolean>> = {
  "empty-file": (text) => text.trim() === "",
  "byte-order-mark": (text) => text.startsWith("\uFEFF"),
  "paired-backslashes": (text) => /\\\\["']/.test(text),
  "word-bounded-requiredness": (text) => /\b(?:required|optional)\w/.test(text)
}

const isReadOtherwise = ({ files }: Idl): boolean =>
  Object.values(files).some((text) => Object.values(readOtherwise).some((has) => has(text)))

/** Those of the compiler's list that are not in the table above. */
export const unknown = deviations
  .filter(({ id, thriftgo }) => thriftgo === "rejects" && !Object.hasOwn(readOtherwise, id))
  .map(({ id }) => id)

/** Our codes where thriftgo accepts. */
const strict = new Set(
  deviations.filter(({ thriftgo }) => thriftgo === "accepts").flatMap(({ ours }) => ours.match(/E_[A-Z_]+/g) ?? [])
)

const within = (inner: Span, outer: Span | undefined): boolean =>
  outer !== undefined && outer.start <= inner.start && inner.end <= outer.end

/** Codes that thriftgo has too: where it accepts, ours are about the arguments and exceptions of methods only. */
const isAboutMembers = ({ code, source, span }: Diagnostic.Diagnostic, { program }: Checker.Result): boolean => {
  const functions = program.files
    .filter((file) => file.source === source)
    .flatMap(({ document }) => document.definitions)
    .flatMap((definition) => (definition.tag === "Service" ? definition.functions : []))
  return code === "E_UNDEFINED" || code === "E_AMBIGUOUS_VALUE"
    ? functions.some((each) => each.arguments.some((argument) => within(span, argument.default)))
    : functions.some(({ argumentsSpan, throwsSpan }) => within(span, argumentsSpan) || within(span, throwsSpan))
}

const membersOnly = new Set(["E_UNDEFINED", "E_AMBIGUOUS_VALUE", "E_DUP_FIELD_ID", "E_DUP_FIELD_NAME"])

const isDocumented = (error: Diagnostic.Diagnostic, result: Checker.Result): boolean => {
  // of what cannot be read, only numbers
  if (error.code === "E_SYNTAX") return /is not an? \w+ number|a number ends before/.test(error.message)
  return strict.has(error.code) && (!membersOnly.has(error.code) || isAboutMembers(error, result))
}

/** What is wrong with our verdict, in a sentence; undefined when nothing is. */
export const disagreement = (idl: Idl, verdict: Verdict): string | undefined => {
  if (isReadOtherwise(idl)) return undefined
  const result = ours(idl)
  const errors = result.diagnostics.filter(({ severity }) => severity === "error")
  const undocumented = errors.find((error) => !isDocumented(error, result))
  if (verdict.stage === "ok") {
    return undocumented && `thriftgo accepts, we say ${undocumented.code} "${undocumented.message}"`
  }
  const said = `thriftgo says ${verdict.stage} "${verdict.message}"`
  if (errors.length === 0) return `${said}, we accept`
  // an error of ours that is none could hide behind one of theirs
  const isRead = ["check", "resolve", "streaming"].includes(verdict.stage)
  return isRead && undocumented?.code === "E_SYNTAX" ? `${said}, we say E_SYNTAX "${undocumented.message}"` : undefined
}

/**
 * Diagnostics as text: for people, for programs, and for the checks of GitHub.
 *
 * @since 0.1.0
 */
import type { Diagnostic, Related } from "./Diagnostic.ts"
import { printable } from "./internal/report/columns.ts"
import { block, type Paint, painted, placeText, plain, range, workflowCommand } from "./internal/report/finding.ts"

/**
 * How diagnostics are shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrettyOptions {
  /** Whether to colour with ANSI escapes. */
  readonly color: boolean
  /** Columns of the terminal. */
  readonly width: number
}

const relatedText = ({ source, span, message }: Related): string => {
  const place = placeText(source, span)
  return message === "included from here" ? `included from ${place}` : `${printable(message)}: ${place}`
}

const one = (diagnostic: Diagnostic, paint: Paint, width: number): string => {
  const { code, hint, message, related, severity, source, span } = diagnostic
  const color = severity === "error" ? "red" : "yellow"
  const notes = [...related.map(relatedText), ...(hint === undefined ? [] : [`hint: ${printable(hint)}`])]
  return block({ color, title: `${severity} ${code}`, message, source, span, notes }, paint, width)
}

const count = (diagnostics: ReadonlyArray<Diagnostic>, severity: Diagnostic["severity"]): string => {
  const number = diagnostics.filter((each) => each.severity === severity).length
  return `${number} ${severity}${number === 1 ? "" : "s"}`
}

/**
 * For people: each with its line of code, and how many there are. Empty where there are none.
 *
 * **Example**
 *
 * ```ts
 * import { Checker, Loader, Report } from "@millrace/idl"
 *
 * const read = Loader.fromRecord({ "api.thrift": "struct Request { 1: Mesage message }" })
 * const { diagnostics } = Checker.compile(["api.thrift"], { read })
 *
 * Report.pretty(diagnostics, { color: false, width: 100 })
 * // api.thrift:1:21 - error E_UNDEFINED: undefined type: "Mesage"
 * //   |
 * // 1 | struct Request { 1: Mesage message }
 * //   |                     ^^^^^^
 * //
 * // 1 error, 0 warnings
 * ```
 *
 * @since 0.1.0
 * @category formatting
 */
export const pretty = (diagnostics: ReadonlyArray<Diagnostic>, options: PrettyOptions): string => {
  if (diagnostics.length === 0) return ""
  const paint = options.color ? painted : plain
  const blocks = diagnostics.map((each) => one(each, paint, options.width))
  return [...blocks, `${count(diagnostics, "error")}, ${count(diagnostics, "warning")}`].join("\n\n")
}

/**
 * For programs: an array of `{ code, severity, message, file, start, end, related, hint }`, places as `{ line, column }`
 * from 1.
 *
 * @since 0.1.0
 * @category formatting
 */
export const json = (diagnostics: ReadonlyArray<Diagnostic>): string => {
  const values = diagnostics.map(({ code, hint, message, related, severity, source, span }) => ({
    code,
    severity,
    message,
    ...range(source, span),
    related: related.map((each) => ({ message: each.message, ...range(each.source, each.span) })),
    hint
  }))
  return JSON.stringify(values, undefined, 2)
}

/**
 * For GitHub Actions: one workflow command a line, which shows it beside the code.
 *
 * @since 0.1.0
 * @category formatting
 */
export const github = (diagnostics: ReadonlyArray<Diagnostic>): string =>
  diagnostics
    .map(({ code, hint, message, related, severity, source, span }) => {
      const notes = [...related.map(relatedText), ...(hint === undefined ? [] : [`hint: ${hint}`])]
      return workflowCommand({ level: severity, title: code, source, span, text: [message, ...notes].join("\n") })
    })
    .join("\n")

/**
 * How one finding in a file is shown, a diagnostic or a change.
 *
 * @internal
 */
import { position, type Source, type Span } from "../../Source.ts"
import { printable } from "./columns.ts"
import { frame } from "./frame.ts"

const colors = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const

type Color = keyof typeof colors

/** @internal */
export type Paint = (color: Color, text: string) => string

/** @internal */
export const painted: Paint = (color, text) => `\x1b[${colors[color]}m${text}\x1b[0m`

/** @internal */
export const plain: Paint = (_, text) => text

/**
 * A file without text, as one that is missing, has no places.
 *
 * @internal
 */
export const placeText = (source: Source, { start }: Span): string => {
  if (source.text === "") return printable(source.path)
  const { line, column } = position(source, start)
  return `${printable(source.path)}:${line}:${column}`
}

/** @internal */
export const range = (source: Source, span: Span) => ({
  file: source.path,
  start: position(source, span.start),
  end: position(source, span.end)
})

/** @internal */
export interface Finding {
  readonly color: Color
  readonly title: string
  readonly message: string
  readonly source: Source
  readonly span: Span
  readonly notes: ReadonlyArray<string>
}

/**
 * The finding with its line of code.
 *
 * @internal
 */
export const block = ({ color, message, notes, source, span, title }: Finding, paint: Paint, width: number): string => {
  const place = paint("cyan", placeText(source, span))
  const lines = [`${place} - ${paint(color, title)}: ${printable(message)}`]
  let gutter = "   "
  if (source.text !== "") {
    const { line } = position(source, span.start)
    gutter = " ".repeat(`${line}`.length + 1)
    const { carets, indent, text } = frame(source, span, Math.max(width - gutter.length - 2, 20))
    const bar = paint("blue", `${gutter}|`)
    lines.push(bar, `${paint("blue", `${line} |`)} ${text}`, `${bar} ${indent}${paint(color, carets)}`)
  }
  for (const note of notes) lines.push(`${gutter}= ${note}`)
  return lines.join("\n")
}

const escapeData = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const escapeProperty = (text: string): string => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C")

/**
 * A workflow command of GitHub Actions.
 *
 * @internal
 */
export const workflowCommand = (finding: {
  readonly level: "error" | "warning" | "notice"
  readonly title: string
  readonly source: Source
  readonly span: Span
  readonly text: string
}): string => {
  const { file, start, end } = range(finding.source, finding.span)
  const properties = {
    file,
    line: `${start.line}`,
    col: `${start.column}`,
    endLine: `${end.line}`,
    endColumn: `${end.column}`,
    title: finding.title
  }
  const pairs = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`)
  return `::${finding.level} ${pairs.join(",")}::${escapeData(finding.text)}`
}

/**
 * The line that a diagnostic is about, with carets below its span.
 *
 * @internal
 */
import * as Source from "../../Source.ts"
import { columns, printable } from "./columns.ts"

/**
 * A line as it is shown, what stands before the carets, and the carets.
 *
 * @internal
 */
export interface Frame {
  readonly line: number
  readonly text: string
  readonly indent: string
  readonly carets: string
}

/** Characters without a width are shown too, so that only some of them are taken. */
const mostUnits = 4

/** As many whole characters from the start of the text as fit. */
const head = (text: string, width: number): string => {
  let taken = ""
  let left = width
  for (const character of text.slice(0, width * mostUnits)) {
    left -= columns(character)
    if (left < 0) break
    taken += character
  }
  return taken
}

/** As many whole characters from the end of the text as fit. */
const tail = (text: string, width: number): string => {
  let taken = ""
  let left = width
  for (const character of Array.from(text.slice(-width * mostUnits)).toReversed()) {
    left -= columns(character)
    if (left < 0) break
    taken = character + taken
  }
  return taken
}

const widthOf = (text: string): number => [...text].reduce((sum, character) => sum + columns(character), 0)

/** The same columns without ink; tabs stay, as only the terminal knows how wide they are. */
const blank = (text: string): string =>
  [...text].map((character) => (character === "\t" ? "\t" : " ".repeat(columns(character)))).join("")

/**
 * The first line of a span. A line that is wider than `width` is cut on both sides, so that the start of the span is
 * seen.
 *
 * @internal
 */
export const frame = (source: Source.Source, span: Source.Span, width: number): Frame => {
  const { line } = Source.position(source, span.start)
  const whole = Source.lineText(source, line)
  const start = Math.min(span.start - Source.lineStart(source, line), whole.length)
  const end = Math.max(start, Math.min(start + (span.end - span.start), whole.length))
  const before = whole.slice(0, start)
  const after = whole.slice(start)

  const fits = whole.length <= width * mostUnits && widthOf(whole) <= width
  const room = width - 2
  const wanted = head(after, room)
  const left = fits ? before : tail(before, Math.max(room - widthOf(wanted), Math.floor(room / 3)))
  const right = fits ? after : head(after, room - widthOf(left))
  const cutLeft = left.length < before.length ? "…" : ""
  const cutRight = right.length < after.length ? "…" : ""
  const marked = right.slice(0, end - start).replaceAll("\t", " ")
  return {
    line,
    text: printable(cutLeft + left + right + cutRight),
    indent: blank(cutLeft + printable(left)),
    carets: "^".repeat(Math.max(1, widthOf(printable(marked))))
  }
}

/**
 * The text of one IDL file, and places in it.
 *
 * @since 0.1.0
 */

/**
 * A file: its path as a person would name it, with `/`, and its text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly path: string
  readonly text: string
}

/**
 * A range of a text in UTF-16 offsets; `end` is the offset behind the last unit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * A place as a person counts: from 1, columns in code points.
 *
 * @since 0.1.0
 * @category models
 */
export interface Position {
  readonly line: number
  readonly column: number
}

const lineStarts = new WeakMap<Source, ReadonlyArray<number>>()

const startsOf = (source: Source): ReadonlyArray<number> => {
  const known = lineStarts.get(source)
  if (known !== undefined) return known
  const starts = [0]
  const { text } = source
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  lineStarts.set(source, starts)
  return starts
}

const lineAt = (starts: ReadonlyArray<number>, offset: number): number => {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Code points in a range of a text: a low surrogate behind a high one is none of its own. */
const codePoints = (text: string, start: number, end: number): number => {
  let count = end - start
  for (let i = start + 1; i < end; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}

const step = 1024

// a line may be very long and asked for often: the code points in front of each step of it
const steps = new WeakMap<Source, Map<number, ReadonlyArray<number>>>()

const stepsOf = (source: Source, line: number): ReadonlyArray<number> => {
  const lines = steps.get(source) ?? new Map<number, ReadonlyArray<number>>()
  steps.set(source, lines)
  const known = lines.get(line)
  if (known !== undefined) return known
  const start = lineStart(source, line)
  const end = lineStart(source, line + 1)
  const counts = [0]
  // each step shares a unit with the next, so that a pair of surrogates on the border counts once
  for (let at = start; at + step <= end; at += step) {
    counts.push(counts.at(-1)! + codePoints(source.text, at, at + step + 1) - 1)
  }
  lines.set(line, counts)
  return counts
}

/**
 * The place of an offset.
 *
 * @since 0.1.0
 * @category getters
 */
export const position = (source: Source, offset: number): Position => {
  const line = lineAt(startsOf(source), offset) + 1
  const start = lineStart(source, line)
  const whole = Math.floor((offset - start) / step)
  const before = whole === 0 ? 0 : stepsOf(source, line)[whole]!
  return { line, column: 1 + before + codePoints(source.text, start + whole * step, offset) }
}

/**
 * The offset at which a line starts, counted from 1.
 *
 * @since 0.1.0
 * @category getters
 */
export const lineStart = (source: Source, line: number): number => startsOf(source)[line - 1] ?? source.text.length

/**
 * The text of a line, counted from 1, without its end.
 *
 * @since 0.1.0
 * @category getters
 */
export const lineText = (source: Source, line: number): string => {
  const end = startsOf(source)[line] ?? source.text.length + 1
  const text = source.text.slice(lineStart(source, line), end - 1)
  return text.endsWith("\r") ? text.slice(0, -1) : text
}

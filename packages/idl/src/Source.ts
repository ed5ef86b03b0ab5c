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

/**
 * The place of an offset.
 *
 * @since 0.1.0
 * @category getters
 */
export const position = (source: Source, offset: number): Position => {
  const starts = startsOf(source)
  const line = lineAt(starts, offset)
  let column = 1
  for (const _ of source.text.slice(starts[line]!, offset)) column++
  return { line: line + 1, column }
}

/**
 * The text of a line, counted from 1, without its end.
 *
 * @since 0.1.0
 * @category getters
 */
export const lineText = (source: Source, line: number): string => {
  const starts = startsOf(source)
  const start = starts[line - 1] ?? source.text.length
  const end = starts[line] ?? source.text.length + 1
  return source.text.slice(start, end - 1).replace(/\r$/, "")
}

/**
 * Lines and comments between tokens.
 *
 * @internal
 */
import type * as Ast from "../Ast.ts"

/** How many lines end in a range. @internal */
export const lineEnds = (text: string, start: number, end: number): number => {
  let count = 0
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 10 || (unit === 13 && text.charCodeAt(at + 1) !== 10)) count++
  }
  return count
}

/** A node in its line: where it ends, where the separator behind it ends (or the node), and where the next token begins. */
interface Ends {
  readonly node: number
  readonly separator: number
  readonly next: number
}

/** Whether nothing follows in the line; a bracket that closes what the node is in may follow. */
const endsLine = (text: string, at: number, { node, next }: Ends): boolean => {
  if (next >= text.length || lineEnds(text, at, next) > 0) return true
  const isOpening = "{(".includes(text.charAt(node - 1))
  return !isOpening && "})".includes(text.charAt(next))
}

/**
 * How many comments, from the index `first` on, belong to a node as they stand behind it: those before its separator,
 * and those behind that in the same line, unless the next token is in this line too and they belong to it.
 *
 * @internal
 */
export const countBehind = (text: string, comments: ReadonlyArray<Ast.Comment>, first: number, ends: Ends): number => {
  let index = first
  while (index < comments.length && comments[index]!.start < ends.separator) index++
  const least = index - first
  let at = ends.separator
  while (index < comments.length && comments[index]!.start < ends.next) {
    const comment = comments[index]!
    if (lineEnds(text, at, comment.start) > 0) break
    at = comment.end
    index++
  }
  return endsLine(text, at, ends) ? index - first : least
}

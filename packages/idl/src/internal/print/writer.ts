/**
 * The text that is being printed, and the comments that are not in it yet.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import { countBehind, lineEnds } from "../trivia.ts"

/** @internal */
export interface Writer {
  readonly text: string
  readonly comments: ReadonlyArray<Ast.Comment>
  readonly lines: Array<string>
  /** The index of the next comment to print. */
  next: number
  /** What is printed of the text so far: blank lines are counted from here. */
  at: number
}

/** @internal */
export const make = (text: string, document: Ast.Document): Writer => ({
  text,
  comments: document.comments,
  lines: [],
  next: 0,
  at: 0
})

/** Longer lines are broken where they can be. @internal */
export const width = 100

const lineEnd = /\r\n|\r|\n/

/** A comment over more than one line: a column of stars is set in order, other text is left as it is. */
const blockText = (comment: string, indent: string): string => {
  const lines = comment.split(lineEnd)
  const rest = lines.slice(1)
  const isStarred = rest.every((line) => /^\s*(\*|$)/.test(line))
  const ordered = rest.map((line) => {
    const trimmed = line.trim()
    return !isStarred ? line.trimEnd() : trimmed === "" ? "" : `${indent} ${trimmed}`
  })
  return [lines[0]!.trimEnd(), ...ordered].join("\n")
}

const commentText = ({ text }: Writer, { end, kind, start }: Ast.Comment, indent: string): string => {
  const comment = text.slice(start, end)
  return kind === "/*" ? blockText(comment, indent) : comment.trimEnd()
}

/** A comment in a line that goes on behind it. */
const inlineText = (writer: Writer, comment: Ast.Comment): string => {
  if (comment.kind === "/*") return commentText(writer, comment, "")
  const content = commentText(writer, comment, "").replace(/^(\/+|#+)\s*/, "")
  return content.includes("*/") ? `/* ${content.replaceAll("*/", "* /")} */` : `/* ${content} */`
}

/** Whether a comment stands in a range that is not printed yet. @internal */
export const hasComment = ({ comments, next }: Writer, span: Span): boolean => {
  const comment = comments[next]
  return comment !== undefined && comment.start < span.end
}

/** The comments before an offset, for the midst of a line: each with a space behind. @internal */
export const inline = (writer: Writer, offset: number): string => {
  let printed = ""
  for (let comment = writer.comments[writer.next]; comment !== undefined && comment.start < offset;) {
    printed += `${inlineText(writer, comment)} `
    writer.next++
    comment = writer.comments[writer.next]
  }
  return printed
}

/** The same before a closing bracket: each with a space before. @internal */
export const inlineBefore = (writer: Writer, offset: number): string => {
  const printed = inline(writer, offset)
  return printed === "" ? "" : ` ${printed.trimEnd()}`
}

/** The offset of the next token behind an offset, over white space and comments. @internal */
export const tokenAt = ({ comments, next, text }: Writer, offset: number): number => {
  let at = offset
  let index = next
  while (at < text.length) {
    const comment = comments[index]
    if (comment !== undefined && comment.start <= at) {
      at = Math.max(at, comment.end)
      index++
    } else if (/\s/.test(text.charAt(at))) at++
    else break
  }
  return at
}

/** The offset behind an item that ends at an offset and the separator that may follow it. */
const separatorEnd = (writer: Writer, end: number): number => {
  const at = tokenAt(writer, end)
  const character = writer.text.charAt(at)
  return character === "," || character === ";" ? at + 1 : end
}

/** Prints comments before an offset on lines of their own; blank lines between are kept, but one in a row. */
const ownLines = (writer: Writer, start: number, indent: string, isApart: boolean): boolean => {
  const { comments, lines, text } = writer
  let mustBeApart = isApart
  for (let comment = comments[writer.next]; comment !== undefined && comment.start < start;) {
    if (lines.length > 0 && (mustBeApart || lineEnds(text, writer.at, comment.start) > 1)) lines.push("")
    lines.push(indent + commentText(writer, comment, indent))
    mustBeApart = false
    writer.at = comment.end
    writer.next++
    comment = comments[writer.next]
  }
  return mustBeApart
}

/** Prints an item from the begin of a line, after the comments before it. @internal */
export const item = (writer: Writer, start: number, indent: string, isApart: boolean, print: () => string): void => {
  const { lines, text } = writer
  const mustBeApart = ownLines(writer, start, indent, isApart)
  if (lines.length > 0 && (mustBeApart || lineEnds(text, writer.at, start) > 1)) lines.push("")
  lines.push(indent + print())
}

/** Prints the comments before a closing bracket. @internal */
export const closing = (writer: Writer, at: number, indent: string): void => {
  ownLines(writer, at, indent, false)
}

/** Prints the comments that stand behind what ends at an offset, to the line that was printed last. @internal */
export const trailing = (writer: Writer, end: number, indent: string): void => {
  const { comments, lines, text } = writer
  const separator = separatorEnd(writer, end)
  const next = tokenAt(writer, separator)
  const count = countBehind(text, comments, writer.next, { node: end, separator, next })
  const last = writer.next + count - 1
  let printed = ""
  for (; writer.next <= last; writer.next++) {
    const comment = comments[writer.next]!
    printed += ` ${writer.next === last ? commentText(writer, comment, indent) : inlineText(writer, comment)}`
    writer.at = comment.end
  }
  lines[lines.length - 1] += printed
  writer.at = Math.max(writer.at, separator)
}

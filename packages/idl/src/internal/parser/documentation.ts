/**
 * Which comments document what, and what they say without their leaders.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import * as Lexer from "../lexer.ts"
import { countBehind, lineEnds } from "../trivia.ts"
import type { Cursor } from "./cursor.ts"

const { code } = Lexer

const indentation = (line: string): number => {
  const length = line.trimStart().length
  return length === 0 ? Infinity : line.length - length
}

/** Lines without the indentation that all of them have. */
const dedented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const depth = lines.reduce((least, line) => Math.min(least, indentation(line)), Infinity)
  return lines.map((line) => line.slice(Math.min(depth, line.length)).trimEnd())
}

const withoutStars = (line: string): string => {
  let at = 0
  while (line.charCodeAt(at) === code.star) at++
  return line.slice(at)
}

const splitLines = (text: string): ReadonlyArray<string> =>
  text.includes("\r") ? text.split(/\r\n|\r|\n/) : text.split("\n")

const blockLines = (comment: string): ReadonlyArray<string> => {
  const isClosed = comment.endsWith("*/") && comment.length >= 4
  const [first = "", ...rest] = splitLines(withoutStars(comment.slice(1, isClosed ? -2 : undefined)))
  const trimmed = rest.map((line) => line.trimStart())
  const isStarred = trimmed.every((line) => line === "" || line.startsWith("*"))
  return [first.trim(), ...dedented(isStarred ? trimmed.map(withoutStars) : rest)]
}

const lineWithoutLeader = (comment: string): string => {
  const leader = comment.charCodeAt(0)
  let at = 1
  while (comment.charCodeAt(at) === leader) at++
  return comment.slice(at)
}

/** Line comments that follow each other are indented together. */
const linesOf = (text: string, comments: ReadonlyArray<Ast.Comment>): ReadonlyArray<string> => {
  const groups: Array<ReadonlyArray<string>> = []
  let lines: Array<string> = []
  for (const { end, kind, start } of comments) {
    const comment = text.slice(start, end)
    if (kind !== "/*") lines.push(lineWithoutLeader(comment))
    else {
      groups.push(dedented(lines), blockLines(comment))
      lines = []
    }
  }
  return [...groups, dedented(lines)].flat()
}

/** What comments say, leaders gone. @internal */
export const textOf = (text: string, comments: ReadonlyArray<Ast.Comment>): string | undefined => {
  const lines = linesOf(text, comments)
  const first = lines.findIndex((line) => line !== "")
  const last = lines.findLastIndex((line) => line !== "")
  return first < 0 ? undefined : lines.slice(first, last + 1).join("\n")
}

/** The index of the first comment behind an offset; those that looking ahead read are few. */
const firstBehind = (comments: ReadonlyArray<Ast.Comment>, offset: number): number => {
  let first = comments.length
  while (first > 0 && comments[first - 1]!.start >= offset) first--
  return first
}

/** The comments directly before the next token, without a blank line between. @internal */
export const before = (cursor: Cursor): string | undefined => {
  const { comments, end: previous, text } = cursor
  Lexer.skip(cursor)
  const start = cursor.at
  let least = firstBehind(comments, previous)
  if (least === comments.length) return undefined
  if (previous > 0) least += countBehind(text, comments, least, { node: previous, separator: previous, next: start })
  const last = firstBehind(comments, start)
  let first = last
  let next = start
  while (first > least && lineEnds(text, comments[first - 1]!.end, next) < 2) {
    first--
    next = comments[first]!.start
  }
  return first === last ? undefined : textOf(text, comments.slice(first, last))
}

/** The comments behind a node that ended at an offset, and behind the separator that was read since. @internal */
export const behind = (cursor: Cursor, node: number): string | undefined => {
  const { comments, end: separator, text } = cursor
  Lexer.skip(cursor)
  const first = firstBehind(comments, node)
  const count = countBehind(text, comments, first, { node, separator, next: cursor.at })
  return count === 0 ? undefined : textOf(text, comments.slice(first, first + count))
}

/** The comments at the head of a file, when a blank line follows them. @internal */
export const ofFile = (cursor: Cursor): string | undefined => {
  const { comments, text } = cursor
  Lexer.skip(cursor)
  let last = 0
  while (last + 1 < comments.length && lineEnds(text, comments[last]!.end, comments[last + 1]!.start) < 2) last++
  const comment = comments[last]
  if (comment === undefined || lineEnds(text, comment.end, comments[last + 1]?.start ?? cursor.at) < 2) return undefined
  return textOf(text, comments.slice(0, last + 1))
}

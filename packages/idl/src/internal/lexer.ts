/**
 * Reads the text of an IDL unit by unit: white space, comments, words, numbers and literals. There is no list of
 * tokens, as the grammar decides where a token ends (`A = 1e5` is a member and the member `e5` behind it in an enum,
 * but one number in a constant).
 *
 * @internal
 */
import type * as Ast from "../Ast.ts"
import type { Span } from "../Source.ts"
import type { Cursor } from "./parser/cursor.ts"
import { report } from "./parser/failure.ts"

/** @internal */
export const code = {
  hash: 0x23,
  openParenthesis: 0x28,
  closeParenthesis: 0x29,
  star: 0x2a,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  slash: 0x2f,
  zero: 0x30,
  colon: 0x3a,
  semicolon: 0x3b,
  less: 0x3c,
  equal: 0x3d,
  greater: 0x3e,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  doubleQuote: 0x22,
  singleQuote: 0x27,
  ampersand: 0x26
} as const

const letter = 1
const digit = 2
const dot = 4

const kinds = new Uint8Array(128)
for (let at = 0; at < 26; at++) kinds[0x41 + at] = kinds[0x61 + at] = letter
for (let at = 0; at < 10; at++) kinds[code.zero + at] = digit
kinds[0x5f] = letter
kinds[code.dot] = dot

/** @internal */
export const isLetter = (unit: number): boolean => kinds[unit] === letter

/** @internal */
export const isDigit = (unit: number): boolean => kinds[unit] === digit

const isWordUnit = (unit: number): boolean => (kinds[unit] ?? 0) > 0

const isLetterOrDigit = (unit: number): boolean => ((kinds[unit] ?? 0) & (letter | digit)) > 0

/** @internal */
export const isLineEnd = (unit: number): boolean => unit === 10 || unit === 13

/** Space, tab, vertical tab, carriage return and line feed; a form feed is none. @internal */
export const isSpace = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13 && unit !== 12)

/** The offset behind the digits at an offset. @internal */
export const digitsEnd = (text: string, at: number): number => {
  let end = at
  while (isDigit(text.charCodeAt(end))) end++
  return end
}

/** The offset behind the letters and digits at an offset. @internal */
export const lettersEnd = (text: string, at: number): number => {
  let end = at
  while (isLetterOrDigit(text.charCodeAt(end)) && text.charCodeAt(end) !== 0x5f) end++
  return end
}

/** The offset behind the word at an offset, dots included. @internal */
export const wordEnd = (text: string, at: number): number => {
  let end = at
  while (isWordUnit(text.charCodeAt(end))) end++
  return end
}

const lineEnd = (text: string, at: number): number => {
  let end = at
  while (end < text.length && !isLineEnd(text.charCodeAt(end))) end++
  return end
}

const gather = (cursor: Cursor, start: number, end: number, kind: Ast.Comment["kind"]): number => {
  if (start >= cursor.commentsEnd) {
    cursor.comments.push({ start, end, kind })
    cursor.commentsEnd = end
  }
  return end
}

/** Reads a comment; where there is none, the offset stays. */
const comment = (cursor: Cursor, start: number): number => {
  const { text } = cursor
  if (text.charCodeAt(start) === code.hash) return gather(cursor, start, lineEnd(text, start), "#")
  const second = text.charCodeAt(start + 1)
  if (second === code.slash) return gather(cursor, start, lineEnd(text, start), "//")
  if (second !== code.star) return start
  const close = text.indexOf("*/", start + 2)
  if (close >= 0) return gather(cursor, start, close + 2, "/*")
  if (start >= cursor.commentsEnd) {
    report(cursor, { start, end: start + 2 }, "this comment is never closed", "close it with `*/`")
  }
  return gather(cursor, start, text.length, "/*")
}

/** Goes to the next token over white space and comments. @internal */
export const skip = (cursor: Cursor): void => {
  const { text } = cursor
  let { at } = cursor
  if (text.charCodeAt(at) > code.slash) return
  for (;;) {
    const unit = text.charCodeAt(at)
    if (isSpace(unit)) at++
    else if (unit === code.hash || unit === code.slash) {
      const end = comment(cursor, at)
      if (end === at) break
      at = end
    } else break
  }
  cursor.at = at
}

/** The first unit of the next token; NaN at the end of the text. @internal */
export const peek = (cursor: Cursor): number => {
  skip(cursor)
  return cursor.text.charCodeAt(cursor.at)
}

/** Goes to an offset as the end of a token. @internal */
export const advance = (cursor: Cursor, end: number): void => {
  cursor.at = end
  cursor.end = end
}

/** Reads a unit, if it is the next token. @internal */
export const accept = (cursor: Cursor, unit: number): boolean => {
  if (cursor.text.charCodeAt(cursor.at) !== unit && peek(cursor) !== unit) return false
  advance(cursor, cursor.at + 1)
  return true
}

/** Whether a word stands at an offset; a dot may follow it, as in Kitex. @internal */
export const isKeywordAt = (text: string, at: number, word: string): boolean =>
  text.charCodeAt(at) === word.charCodeAt(0) &&
  text.startsWith(word, at) &&
  !isLetterOrDigit(text.charCodeAt(at + word.length))

/** Reads a word of the language, if it is the next token. @internal */
export const acceptKeyword = (cursor: Cursor, word: string): Span | undefined => {
  skip(cursor)
  const start = cursor.at
  if (!isKeywordAt(cursor.text, start, word)) return undefined
  advance(cursor, start + word.length)
  return { start, end: cursor.end }
}

/** The next token up to its first dot, when it is a word; else "". @internal */
export const peekWord = (cursor: Cursor): string => {
  skip(cursor)
  const { at, text } = cursor
  let end = at
  if (isLetter(text.charCodeAt(at))) while (isLetterOrDigit(text.charCodeAt(end))) end++
  return text.slice(at, end)
}

/** What a look ahead finds; the reader stays where it is. @internal */
export const ahead = <A>(cursor: Cursor, look: (cursor: Cursor) => A): A => {
  const { at, end } = cursor
  const found = look(cursor)
  cursor.at = at
  cursor.end = end
  return found
}

/** Reads a word with its dots, if it is the next token. @internal */
export const acceptName = (cursor: Cursor): Ast.Name | undefined => {
  if (!isLetter(peek(cursor))) return undefined
  const { at, text } = cursor
  advance(cursor, wordEnd(text, at))
  return { start: at, end: cursor.end, text: text.slice(at, cursor.end) }
}

/** The offset of the closing quote, or -1. A backslash keeps the unit behind it from closing. @internal */
export const closingQuote = (text: string, start: number): number => {
  const quote = text.charCodeAt(start)
  const first = text.indexOf(text.charAt(start), start + 1)
  if (first < 0 || !text.slice(start, first).includes("\\")) return first
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === quote) return at
    if (unit === code.backslash) at++
  }
  return -1
}

/** @internal */
export const isQuote = (unit: number): boolean => unit === code.doubleQuote || unit === code.singleQuote

/** Undoes the backslash before the quote that delimits a literal; pairs of backslashes stay. */
const withoutQuoteEscapes = (raw: string, quote: "'" | '"'): string => {
  let text = ""
  let from = 0
  for (let at = raw.indexOf("\\"); at >= 0; at = raw.indexOf("\\", at + 2)) {
    if (raw.charAt(at + 1) !== quote) continue
    text += raw.slice(from, at)
    from = at + 1
  }
  return from === 0 ? raw : text + raw.slice(from)
}

/** Whether a literal over more than one line took its closing quote from another literal: then none may follow it so. */
const tookQuote = (text: string, start: number, close: number, behind: RegExp): boolean => {
  let at = start
  while (at < close && !isLineEnd(text.charCodeAt(at))) at++
  if (at === close) return false
  behind.lastIndex = close + 1
  return !behind.test(text)
}

/**
 * Reads a literal, if it is the next token. One that is never closed is reported and reaches to the end of its line.
 * `behind`, a sticky pattern, matches all that may follow it.
 *
 * @internal
 */
export const acceptLiteral = (cursor: Cursor, behind?: RegExp): Ast.Literal | undefined => {
  if (!isQuote(peek(cursor))) return undefined
  const { at: start, text } = cursor
  const quote = text.charCodeAt(start) === code.doubleQuote ? '"' : "'"
  const close = closingQuote(text, start)
  if (close >= 0 && (behind === undefined || !tookQuote(text, start, close, behind))) {
    advance(cursor, close + 1)
    const inner = withoutQuoteEscapes(text.slice(start + 1, close), quote)
    return { tag: "Literal", start, end: cursor.end, quote, text: inner }
  }
  report(cursor, { start, end: start + 1 }, "unterminated string", `close it with ${quote}`)
  advance(cursor, lineEnd(text, start))
  return { tag: "Literal", start, end: cursor.end, quote, text: text.slice(start + 1, cursor.end) }
}

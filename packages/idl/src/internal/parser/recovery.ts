/**
 * Where the parser goes on behind an error, so that one mistake gives one diagnostic.
 *
 * @internal
 */
import type { Span } from "../../Source.ts"
import * as Lexer from "../lexer.ts"
import type { Cursor } from "./cursor.ts"
import { report } from "./failure.ts"

const { code } = Lexer

const headerWords: ReadonlySet<string> = new Set(["include", "cpp_include", "namespace"])
const bodyWords: ReadonlySet<string> = new Set(["struct", "union", "exception", "enum", "service", "senum"])
const definitionWords: ReadonlySet<string> = new Set([...headerWords, ...bodyWords, "const", "typedef"])

/** @internal */
export const isDefinitionWord = (word: string): boolean => definitionWords.has(word)

const isBlank = (unit: number): boolean => unit === 32 || unit === 9 || unit === 11

/** Whether an offset is the first thing in its line. @internal */
export const opensLine = (text: string, at: number): boolean => {
  let before = at - 1
  while (isBlank(text.charCodeAt(before))) before--
  return before < 0 || Lexer.isLineEnd(text.charCodeAt(before))
}

const blanksEnd = (text: string, at: number): number => {
  let end = at
  while (isBlank(text.charCodeAt(end))) end++
  return end
}

/** `struct`, a blank and something behind it. */
const beginsDefinition = (text: string, at: number): boolean => {
  const end = Lexer.wordEnd(text, at)
  if (end - at > 12 || !definitionWords.has(text.slice(at, end))) return false
  const next = blanksEnd(text, end)
  return next > end && next < text.length && !Lexer.isLineEnd(text.charCodeAt(next))
}

/** `struct Name {` or `service Name extends`: never the field of a struct. */
const beginsBody = (text: string, at: number): boolean => {
  const end = Lexer.wordEnd(text, at)
  if (end - at > 12 || !bodyWords.has(text.slice(at, end))) return false
  const name = blanksEnd(text, end)
  const nameEnd = Lexer.wordEnd(text, name)
  const next = blanksEnd(text, nameEnd)
  return nameEnd > name && (text.charCodeAt(next) === code.openBrace || Lexer.isKeywordAt(text, next, "extends"))
}

const isInComment = ({ comments }: Cursor, at: number): boolean => {
  let low = 0
  let high = comments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comments[middle]!.end <= at) low = middle + 1
    else high = middle
  }
  const comment = comments[low]
  return comment !== undefined && comment.start <= at
}

/** The first line between two offsets that begins a definition, by its indentation or by its brace; else -1. */
const definitionLine = (cursor: Cursor, from: number, to: number): number => {
  const { text } = cursor
  for (let at = from; at < to; at++) {
    if (!Lexer.isLineEnd(text.charCodeAt(at))) continue
    const start = blanksEnd(text, at + 1)
    const isDefinition = start === at + 1 ? beginsDefinition(text, start) : beginsBody(text, start)
    if (isDefinition && start < to && !isInComment(cursor, start)) return start
  }
  return -1
}

/** A body in braces while it is read. @internal */
export interface Body {
  readonly open: Span
  /** How many diagnostics there were before the item that is being read. */
  diagnostics: number
  syntaxErrors: number
  /** How far its lines are searched for the begin of a definition. */
  searched: number
}

/** @internal */
export const openBody = (cursor: Cursor, open: Span): Body => ({
  open,
  diagnostics: cursor.diagnostics.length,
  syntaxErrors: cursor.syntaxErrors,
  searched: open.end
})

/** Notes that everything before is read. @internal */
export const itemRead = (cursor: Cursor, body: Body): void => {
  body.diagnostics = cursor.diagnostics.length
  body.syntaxErrors = cursor.syntaxErrors
}

/**
 * After an error in a body: when a definition begins between its brace and the error, the brace was never closed.
 * That is reported in place of the error, and reading goes on at the definition. Gives the offset of the definition, else -1.
 *
 * @internal
 */
export const closeAtDefinition = (cursor: Cursor, body: Body): number => {
  const line = definitionLine(cursor, body.searched, cursor.at + 1)
  body.searched = Math.max(body.searched, cursor.at)
  if (line < 0) return -1
  cursor.diagnostics.length = body.diagnostics
  cursor.syntaxErrors = body.syntaxErrors
  cursor.at = line
  reportUnclosed(cursor, body.open)
  return line
}

const brackets: Record<string, readonly [name: string, closer: string]> = {
  "{": ["brace", "}"],
  "[": ["bracket", "]"],
  "(": ["parenthesis", ")"]
}

/** Says that what opens at a place is never closed. @internal */
export const reportUnclosed = (cursor: Cursor, open: Span): void => {
  const [name, closer] = brackets[cursor.text.charAt(open.start)]!
  report(cursor, open, `this ${name} is never closed`, `close it with \`${closer}\``)
}

/** Goes behind a string; a quote that is closed in no line or in a later one is left alone. */
const stringEnd = (text: string, start: number): number => {
  const quote = text.charCodeAt(start)
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === quote) return at + 1
    if (Lexer.isLineEnd(unit)) break
    if (unit === code.backslash) at++
  }
  return start + 1
}

const opens = (unit: number): boolean =>
  unit === code.openParenthesis || unit === code.openBracket || unit === code.openBrace

const closes = (unit: number): boolean =>
  unit === code.closeParenthesis || unit === code.closeBracket || unit === code.closeBrace

/** How far the closing bracket of a broken item is searched. */
const bracketReach = 2 ** 16

/** Where a bracket is closed; -1 when another definition comes before. */
const bracketEnd = (text: string, start: number): number => {
  const reach = Math.min(text.length, start + bracketReach)
  let depth = 0
  for (let at = start; at < reach; at++) {
    const unit = text.charCodeAt(at)
    if (Lexer.isQuote(unit)) at = stringEnd(text, at) - 1
    else if (opens(unit)) depth++
    else if (closes(unit)) {
      depth--
      if (depth === 0) return at + 1
    } else if (Lexer.isLineEnd(unit) && beginsDefinition(text, at + 1)) return -1
  }
  return -1
}

/**
 * Goes from an item that began at `failed` to where the next one may begin, or to what closes the list: behind a
 * separator or a line end, over brackets as a whole. False when the list ends without its closer.
 *
 * @internal
 */
export const skipToItem = (
  cursor: Cursor,
  closer: number,
  failed: number,
  beginsItem: (cursor: Cursor) => boolean
): boolean => {
  const { text } = cursor
  let bracketsMatch = true
  cursor.at = cursor.end
  for (;;) {
    const before = cursor.at
    const unit = Lexer.peek(cursor)
    const { at } = cursor
    if (at >= text.length || unit === closer) return unit === closer
    if (unit === code.closeBrace) return false
    const isNewLine = at > before && at > failed && opensLine(text, at)
    if (isNewLine && beginsItem(cursor)) return true
    if (unit === code.comma || unit === code.semicolon) {
      Lexer.advance(cursor, at + 1)
      if (beginsItem(cursor)) return true
      continue
    }
    const end = bracketsMatch && opens(unit) ? bracketEnd(text, at) : -1
    if (opens(unit) && end < 0) bracketsMatch = false
    cursor.at = end > 0 ? end : Lexer.isQuote(unit) ? stringEnd(text, at) : Math.max(Lexer.wordEnd(text, at), at + 1)
    cursor.end = cursor.at
  }
}

/** `1:`, or a type with a name behind it. @internal */
export const beginsField = (cursor: Cursor): boolean =>
  Lexer.ahead(cursor, () => {
    Lexer.skip(cursor)
    const { text } = cursor
    const unit = text.charCodeAt(cursor.at)
    if (Lexer.isDigit(unit) || unit === code.minus || unit === code.plus) {
      const end = Lexer.digitsEnd(text, cursor.at + 1)
      const hasDigits = Lexer.isDigit(text.charCodeAt(end - 1))
      cursor.at = end
      return hasDigits && Lexer.peek(cursor) === code.colon
    }
    return beginsFunction(cursor)
  })

/** A type with a name behind it. @internal */
export const beginsFunction = (cursor: Cursor): boolean =>
  Lexer.ahead(cursor, () => {
    if (Lexer.acceptName(cursor) === undefined) return false
    const unit = Lexer.peek(cursor)
    return Lexer.isLetter(unit) || unit === code.less
  })

/** A function with arguments, as no field can be: then the parenthesis before it was never closed. @internal */
export const beginsFullFunction = (cursor: Cursor): boolean =>
  opensLine(cursor.text, cursor.at) &&
  Lexer.ahead(cursor, () => {
    Lexer.acceptKeyword(cursor, "oneway")
    const hasNames = Lexer.acceptName(cursor) !== undefined && Lexer.acceptName(cursor) !== undefined
    return hasNames && Lexer.accept(cursor, code.openParenthesis) && beginsField(cursor)
  })

/** @internal */
export const beginsMember = (cursor: Cursor): boolean => Lexer.isLetter(Lexer.peek(cursor))

/** Goes to the bracket that closes a list within an item; false when the item seems to end before. @internal */
export const skipToCloser = (cursor: Cursor, closer: number): boolean => {
  const { text } = cursor
  for (;;) {
    const before = cursor.at
    const unit = Lexer.peek(cursor)
    const { at } = cursor
    if (unit === closer) return true
    if (at >= text.length || closes(unit) || unit === code.openBrace) return false
    if (at > before && opensLine(text, at) && beginsField(cursor)) return false
    Lexer.advance(cursor, Lexer.isQuote(unit) ? stringEnd(text, at) : Math.max(Lexer.wordEnd(text, at), at + 1))
  }
}

/** Goes to the next line that begins with the word of a definition. @internal */
export const skipToDefinition = (cursor: Cursor): void => {
  const { text } = cursor
  for (;;) {
    const unit = Lexer.peek(cursor)
    const { at } = cursor
    if (at >= text.length || (opensLine(text, at) && beginsDefinition(text, at))) return
    cursor.at = Lexer.isQuote(unit) ? stringEnd(text, at) : Math.max(Lexer.wordEnd(text, at), at + 1)
  }
}

/** Whether a definition begins at the next token, on a line of its own: then a name is missing before it. @internal */
export const isAtDefinition = (cursor: Cursor): boolean => {
  Lexer.skip(cursor)
  const { at, text } = cursor
  if (!opensLine(text, at) || !beginsDefinition(text, at)) return false
  // before these the word is itself the name
  const next = text.charCodeAt(blanksEnd(text, Lexer.wordEnd(text, at)))
  return next !== code.openBrace && next !== code.equal && next !== code.openParenthesis
}

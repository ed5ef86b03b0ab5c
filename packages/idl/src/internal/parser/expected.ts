/**
 * "Expected this, found that": at the end of the token before, where the missing part belongs, or at the token that has
 * no place.
 *
 * @internal
 */
import { digitsEnd, isDigit, isLetter, isQuote, isSpace, skip, wordEnd } from "../lexer.ts"
import type { Span } from "../../Source.ts"
import type { Cursor } from "./cursor.ts"
import { report } from "./failure.ts"
import * as Misspelled from "./misspelled.ts"

const shown = 40

const quoted = (text: string): string => `\`${text.length > shown ? `${text.slice(0, shown)}…` : text}\``

/** The next token, as a person would name it. */
const found = (text: string, at: number): string => {
  if (at >= text.length) return "the end of the file"
  const unit = text.charCodeAt(at)
  if (isLetter(unit)) return quoted(text.slice(at, Math.min(wordEnd(text, at), at + shown + 1)))
  if (isDigit(unit)) return quoted(text.slice(at, Math.min(digitsEnd(text, at), at + shown + 1)))
  return isQuote(unit) ? "a string" : quoted(text.charAt(at))
}

/** Units that begin a token somewhere in the grammar, besides words. */
const punctuation = "{}()[]<>,;:=*+-.&'\"#/"

const whiteSpaceNames: Record<string, string> = {
  "\f": "a form feed",
  "\u00a0": "a no-break space",
  "\u3000": "an ideographic space",
  "\ufeff": "a byte-order mark"
}

const visible = (character: string): string =>
  /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character)
    ? `\`${character}\``
    : (whiteSpaceNames[character] ?? `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`)

/** A character that Thrift has no use for outside of comments and strings. */
const foreign = (cursor: Cursor): boolean => {
  const { at, end, text } = cursor
  const unit = text.charCodeAt(at)
  if (at >= text.length || isLetter(unit) || isDigit(unit) || isSpace(unit)) return false
  const isInName = at === end && isLetter(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at + 1))
  return (isInName && (unit === 0x2d || unit === 0x2f)) || !punctuation.includes(text.charAt(at))
}

const reportForeign = (cursor: Cursor, what: string): void => {
  const { at, end, text } = cursor
  const [character = ""] = text.slice(at, at + 2)
  const span = { start: at, end: at + character.length }
  const shownCharacter = visible(character)
  const ascii = Misspelled.asciiOf(character)
  if (ascii !== undefined) {
    report(cursor, span, `${shownCharacter} means nothing to Thrift`, `write \`${ascii}\` in its place`)
    return
  }
  const isWhiteSpace = /\s|\ufeff/u.test(character)
  const inName = !isWhiteSpace && (at === end ? isLetter(text.charCodeAt(end - 1)) : /[\p{L}$]/u.test(character))
  if (inName) report(cursor, span, `${shownCharacter} cannot be part of a name`, "names are of A-Z, a-z, 0-9, _ and .")
  else if (isWhiteSpace)
    report(cursor, span, `${shownCharacter} is no white space in Thrift`, "put a space in its place")
  else report(cursor, span, `expected ${what}, found ${shownCharacter}`)
}

/** What the grammar has no place for, and what it wants in this place. */
const say = (cursor: Cursor, span: Span, what: string, hint: string | undefined): undefined => {
  const { at, end, text } = cursor
  const isGlued = at === end && at > 0 && isDigit(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at))
  if (foreign(cursor)) reportForeign(cursor, what)
  else if (isGlued) report(cursor, { start: at, end: wordEnd(text, at) }, `a number ends before ${found(text, at)}`)
  else report(cursor, span, `expected ${what}, found ${found(text, at)}`, hint)
  return undefined
}

/** Says what is missing before the next token. Gives undefined, for a node that there is not. @internal */
export const expected = (cursor: Cursor, what: string, hint?: string): undefined => {
  skip(cursor)
  return say(cursor, { start: cursor.end, end: cursor.end }, what, hint)
}

/** Says that the next token has no place here, at the token. Gives undefined, for a node that there is not. @internal */
export const unexpected = (cursor: Cursor, what: string, hint?: string): undefined => {
  skip(cursor)
  const { at, text } = cursor
  const end = Math.min(text.length, Math.max(wordEnd(text, at), at + 1))
  return say(cursor, { start: at, end }, what, hint)
}

/**
 * Fields of structs, arguments and entries of throws.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import * as Lexer from "../lexer.ts"
import type { Cursor } from "./cursor.ts"
import * as Documentation from "./documentation.ts"
import { expected, unexpected } from "./expected.ts"
import { report, reportApache } from "./failure.ts"
import * as Misspelled from "./misspelled.ts"
import { beginsFunction, opensLine } from "./recovery.ts"
import { readAnnotations, readType } from "./types.ts"
import { acceptIntegerSpan, readValue } from "./values.ts"

const { code } = Lexer

/** Reads `,` or `;`, where there is one. @internal */
export const acceptSeparator = (cursor: Cursor): boolean =>
  Lexer.accept(cursor, code.comma) || Lexer.accept(cursor, code.semicolon)

/** Reads a separator that has nothing before it, and says so. @internal */
export const acceptStraySeparator = (cursor: Cursor, what: string): boolean => {
  if (!acceptSeparator(cursor)) return false
  const start = cursor.end - 1
  report(cursor, { start, end: cursor.end }, `expected ${what} before this separator`, "remove the separator")
  return true
}

const isPrefixed = (text: string, start: number): boolean =>
  text.charCodeAt(start) === code.zero && !Lexer.isDigit(text.charCodeAt(start + 1))

/** In base 10; Apache reads `0x10` too. */
const idValue = ({ compat, text }: Cursor, { end, start }: Span): number => {
  if (end === start + 1) return text.charCodeAt(start) - code.zero
  return compat === "kitex" && isPrefixed(text, start) ? Number.NaN : Number(text.slice(start, end))
}

const beginsNumber = (unit: number): boolean => Lexer.isDigit(unit) || unit === code.plus || unit === code.minus

/** The id of a field; undefined where there is none, false where it is broken. */
const readId = (cursor: Cursor): (Span & { readonly value: number }) | undefined | false => {
  if (!beginsNumber(Lexer.peek(cursor))) return undefined
  const span = acceptIntegerSpan(cursor)
  if (span === undefined) return unexpected(cursor, "a field id") ?? false
  const value = idValue(cursor, span)
  if (!Lexer.accept(cursor, code.colon)) return expected(cursor, "`:` behind the field id") ?? false
  if (cursor.compat === "apache" && cursor.text.startsWith("0x", span.start)) {
    reportApache(cursor, span, "a hexadecimal field id", `write ${value}`)
  }
  return { start: span.start, end: span.end, value }
}

const readRequiredness = (cursor: Cursor): Ast.Field["requiredness"] => {
  Lexer.skip(cursor)
  const { at: start, text } = cursor
  const word = Lexer.isKeywordAt(text, start, "required") ? "required" : "optional"
  if (!Lexer.isKeywordAt(text, start, word)) return undefined
  Lexer.advance(cursor, start + word.length)
  return { start, end: cursor.end, text: word }
}

/** `required 1: string a`: read as what it means. */
const readLateId = (cursor: Cursor, requiredness: string): ReturnType<typeof readId> => {
  const id = readId(cursor)
  if (id) report(cursor, id, `the field id comes before \`${requiredness}\``, `write it as in \`1: ${requiredness}\``)
  return id
}

const acceptReference = (cursor: Cursor): void => {
  if (!Lexer.accept(cursor, code.ampersand)) return
  reportApache(cursor, { start: cursor.end - 1, end: cursor.end }, "a reference field (`&`)", "remove the `&`")
}

const xsdWords: ReadonlySet<string> = new Set(["xsd_optional", "xsd_nillable", "xsd_attrs"])

/** Whether the word that comes next is one of XML Schema and not the type of the next field. */
const isXsd = (cursor: Cursor): boolean =>
  Lexer.isLetter(Lexer.peek(cursor)) &&
  cursor.text.startsWith("xsd_", cursor.at) &&
  xsdWords.has(Lexer.peekWord(cursor)) &&
  (cursor.compat === "apache" ||
    Lexer.ahead(cursor, () => {
      Lexer.acceptName(cursor)
      return !Lexer.isLetter(Lexer.peek(cursor))
    }))

/** Reads over `xsd_optional xsd_nillable xsd_attrs { … }`, which means nothing on the wire. */
const skipXsd = (cursor: Cursor): boolean => {
  while (isXsd(cursor)) {
    const name = Lexer.acceptName(cursor)!
    reportApache(cursor, name, `\`${name.text}\``, "remove it")
    if (name.text === "xsd_attrs" && Lexer.accept(cursor, code.openBrace)) {
      while (!Lexer.accept(cursor, code.closeBrace)) if (readField(cursor) === undefined) return false
    }
  }
  return true
}

/**
 * `reqired string` of a field seems to be its type and its name, and then comes one word more in the same line. That is
 * right only where another field begins at this word, without an id.
 */
const reportRequiredness = (cursor: Cursor, type: Ast.Type): boolean => {
  if (type.tag !== "NamedType" || type.annotationsSpan !== undefined) return false
  const unit = Lexer.peek(cursor)
  const isWord = Lexer.isLetter(unit) && !opensLine(cursor.text, cursor.at) && !beginsFunction(cursor) && !isXsd(cursor)
  const meant = isWord || unit === code.less ? Misspelled.requiredness(type.name.text) : undefined
  if (meant === undefined) return false
  const message = `expected \`required\` or \`optional\`, found \`${type.name.text}\``
  report(cursor, type.name, message, `did you mean \`${meant}\`?`)
  return true
}

/** Reads a field with the separator behind it. @internal */
export const readField = (cursor: Cursor): Ast.Field | undefined => {
  const docBefore = Documentation.before(cursor)
  const start = cursor.at
  const firstId = readId(cursor)
  if (firstId === false) return undefined
  const requiredness = readRequiredness(cursor)
  const id = firstId ?? (requiredness && readLateId(cursor, requiredness.text))
  if (id === false) return undefined
  const isBare = id === undefined && requiredness === undefined
  if (isBare && !Lexer.isLetter(Lexer.peek(cursor))) return unexpected(cursor, "a field")
  const type = readType(cursor, "the type of the field")
  if (type === undefined) return undefined
  acceptReference(cursor)
  const name = Lexer.acceptName(cursor)
  if (name === undefined) {
    const isReversed = Lexer.peek(cursor) === code.colon
    return expected(cursor, "a field name", isReversed ? "the type comes before the name: `1: string name`" : undefined)
  }
  if (requiredness === undefined && reportRequiredness(cursor, type)) return undefined
  let value: Ast.Value | undefined
  if (Lexer.accept(cursor, code.equal)) {
    value = readValue(cursor, "a default value")
    if (value === undefined) return undefined
  }
  if (!skipXsd(cursor)) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptSeparator(cursor)
  const doc = docBefore ?? Documentation.behind(cursor, end)
  return { start, end, id, requiredness, type, name, default: value, annotations, annotationsSpan, doc }
}

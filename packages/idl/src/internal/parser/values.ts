/**
 * Numbers, and constant values.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import * as Lexer from "../lexer.ts"
import type { Cursor } from "./cursor.ts"
import { expected } from "./expected.ts"
import { report, reportApache, reportLimit } from "./failure.ts"
import { skipToCloser } from "./recovery.ts"

const { code } = Lexer

const signEnd = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return unit === code.plus || unit === code.minus ? at + 1 : at
}

/** The end of an integer, or where it would begin. */
const integerEnd = (text: string, start: number): number => {
  if (text.startsWith("0x", start)) {
    const end = Lexer.lettersEnd(text, start + 2)
    if (end > start + 2) return end
  }
  if (text.startsWith("0o", start)) {
    const end = Lexer.digitsEnd(text, start + 2)
    if (end > start + 2) return end
  }
  const sign = signEnd(text, start)
  const end = Lexer.digitsEnd(text, sign)
  return end > sign ? end : start
}

/** The end of a number with a point or an exponent, or where it would begin. */
const doubleEnd = (text: string, start: number): number => {
  const sign = signEnd(text, start)
  let end = Lexer.digitsEnd(text, sign)
  let isDouble = false
  if (text.charCodeAt(end) === code.dot) {
    const fraction = Lexer.digitsEnd(text, end + 1)
    if (fraction === end + 1) return start
    end = fraction
    isDouble = true
  } else if (end === sign) return start
  const unit = text.charCodeAt(end)
  if (unit === 0x65 || unit === 0x45) {
    const exponent = signEnd(text, end + 1)
    const exponentEnd = Lexer.digitsEnd(text, exponent)
    if (exponentEnd > exponent) return exponentEnd
  }
  return isDouble ? end : start
}

/** Apache reads a sign before a hexadecimal number; Kitex ends the number behind the zero. */
const signedHexadecimalEnd = (text: string, start: number): number => {
  const sign = signEnd(text, start)
  if (sign === start || !text.startsWith("0x", sign)) return start
  const end = Lexer.lettersEnd(text, sign + 2)
  return end > sign + 2 ? end : start
}

/** Where an integer as written is, when it is the next token. @internal */
export const acceptIntegerSpan = (cursor: Cursor): Span | undefined => {
  Lexer.skip(cursor)
  const start = cursor.at
  const end = integerEnd(cursor.text, start)
  if (end === start) return undefined
  Lexer.advance(cursor, end)
  return { start, end }
}

const least = -(2n ** 63n)
const greatest = 2n ** 63n - 1n
/** More digits than any number of 64 bits has, so that no time goes into a number of a million digits. */
const mostDigits = 24

const bases = {
  decimal: { digits: /^[0-9]+$/, prefix: "", kind: "a decimal number" },
  hexadecimal: { digits: /^[0-9a-fA-F]+$/, prefix: "0x", kind: "a hexadecimal number" },
  octal: { digits: /^[0-7]+$/, prefix: "0o", kind: "an octal number, as a leading 0 makes it" }
} as const

/** The value of an integer: `0x` is hexadecimal, `0o` and a leading zero are octal. */
const integerValue = (cursor: Cursor, { end, start }: Span): bigint => {
  const { text } = cursor
  const sign = signEnd(text, start)
  const isNegative = text.charCodeAt(start) === code.minus
  if (end - sign <= 15 && (text.charCodeAt(sign) !== code.zero || end === sign + 1)) {
    return BigInt(Number(text.slice(start, end)))
  }
  const isHexadecimal = text.startsWith("0x", sign)
  const base = isHexadecimal ? bases.hexadecimal : text.charCodeAt(sign) === code.zero ? bases.octal : bases.decimal
  let first = sign + (isHexadecimal || text.startsWith("0o", sign) ? 2 : 0)
  while (first < end - 1 && text.charCodeAt(first) === code.zero) first++
  const isShort = end - first <= mostDigits
  const digits = text.slice(first, end)
  if (!base.digits.test(digits)) {
    const hint = base === bases.octal ? "write it without the leading 0 if it is decimal" : undefined
    const written = text.slice(start, Math.min(end, start + mostDigits))
    report(cursor, { start, end }, `\`${written}\` is not ${base.kind}`, hint)
    return 0n
  }
  const magnitude = isShort ? BigInt(base.prefix + digits) : greatest + 2n
  const value = isNegative ? -magnitude : magnitude
  if (value >= least && value <= greatest) return value
  report(cursor, { start, end }, "the integer does not fit in 64 bits", `it must be from ${least} to ${greatest}`)
  return 0n
}

/** Reads an integer, if it is the next token. @internal */
export const acceptInteger = (cursor: Cursor): Ast.IntValue | undefined => {
  Lexer.skip(cursor)
  const start = cursor.at
  const signed = signedHexadecimalEnd(cursor.text, start)
  if (signed > start) {
    Lexer.advance(cursor, signed)
    reportApache(cursor, { start, end: signed }, "a hexadecimal number with a sign", "write it in decimal")
    return { tag: "IntValue", start, end: signed, value: integerValue(cursor, { start, end: signed }) }
  }
  const span = acceptIntegerSpan(cursor)
  if (span === undefined) return undefined
  return { tag: "IntValue", start: span.start, end: span.end, value: integerValue(cursor, span) }
}

const number = (cursor: Cursor): Ast.Value | undefined => {
  const { at: start, text } = cursor
  const end = doubleEnd(text, start)
  if (end > start) {
    Lexer.advance(cursor, end)
    return { tag: "DoubleValue", start, end, value: Number(text.slice(start, end)) }
  }
  const integer = acceptInteger(cursor)
  if (integer === undefined) return expected(cursor, "a value")
  if (text.charCodeAt(cursor.at) === code.dot && !Lexer.isDigit(text.charCodeAt(cursor.at + 1)))
    return expected(cursor, "a digit behind the point", "write `1.0` for `1.`")
  return integer
}

/** Values within values, and types within types: what is deeper is an attack, no IDL. */
const deepest = 64

/** Runs one level deeper, if it may. @internal */
export const nested = <A>(cursor: Cursor, what: string, read: (cursor: Cursor) => A): A | undefined => {
  if (cursor.depth >= deepest) {
    reportLimit(cursor, { start: cursor.at, end: cursor.at + 1 }, `${what} are nested more than ${deepest} deep`)
    return undefined
  }
  cursor.depth++
  const node = read(cursor)
  cursor.depth--
  return node
}

const separator = (cursor: Cursor): void => {
  if (!Lexer.accept(cursor, code.comma)) Lexer.accept(cursor, code.semicolon)
}

const listValue = (cursor: Cursor): Ast.ListValue | undefined => {
  const start = cursor.at
  Lexer.advance(cursor, start + 1)
  const items: Array<Ast.Value> = []
  while (!Lexer.accept(cursor, code.closeBracket)) {
    const item = readValue(cursor, "a value or `]`")
    if (item === undefined) {
      if (!skipToCloser(cursor, code.closeBracket)) return undefined
      continue
    }
    items.push(item)
    separator(cursor)
  }
  return { tag: "ListValue", start, end: cursor.end, items }
}

const mapValue = (cursor: Cursor): Ast.MapValue | undefined => {
  const start = cursor.at
  Lexer.advance(cursor, start + 1)
  const entries: Array<{ readonly key: Ast.Value; readonly value: Ast.Value }> = []
  while (!Lexer.accept(cursor, code.closeBrace)) {
    const entry = mapEntry(cursor)
    if (entry === undefined) {
      if (!skipToCloser(cursor, code.closeBrace)) return undefined
      continue
    }
    entries.push(entry)
    separator(cursor)
  }
  return { tag: "MapValue", start, end: cursor.end, entries }
}

const mapEntry = (cursor: Cursor): { readonly key: Ast.Value; readonly value: Ast.Value } | undefined => {
  const key = readValue(cursor, "a key or `}`")
  if (key === undefined) return undefined
  if (!Lexer.accept(cursor, code.colon)) return expected(cursor, "`:` and the value of this key")
  const value = readValue(cursor, "the value of this key")
  return value === undefined ? undefined : { key, value }
}

/** Reads a constant value; `what` names it in the error. @internal */
export const readValue = (cursor: Cursor, what: string): Ast.Value | undefined => {
  const unit = Lexer.peek(cursor)
  if (Lexer.isQuote(unit)) return Lexer.acceptLiteral(cursor)
  if (unit === code.openBracket) return nested(cursor, "values", listValue)
  if (unit === code.openBrace) return nested(cursor, "values", mapValue)
  if (Lexer.isDigit(unit) || unit === code.plus || unit === code.minus || unit === code.dot) return number(cursor)
  const name = Lexer.acceptName(cursor)
  return name === undefined ? expected(cursor, what) : { tag: "NameValue", start: name.start, end: name.end, name }
}

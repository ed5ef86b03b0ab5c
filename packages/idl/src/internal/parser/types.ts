/**
 * The use of a type, and annotations.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import * as Lexer from "../lexer.ts"
import type { Cursor } from "./cursor.ts"
import { expected, unexpected } from "./expected.ts"
import { report, reportApache } from "./failure.ts"
import * as Misspelled from "./misspelled.ts"
import { skipToCloser } from "./recovery.ts"
import { nested } from "./values.ts"

const { code } = Lexer

/** @internal */
export interface Annotations {
  readonly annotations: ReadonlyArray<Ast.Annotation>
  readonly annotationsSpan: Span | undefined
}

const none: Annotations = { annotations: [], annotationsSpan: undefined }

/** What may stand behind the value of an annotation: a separator, the end, a comment, or the next annotation. */
const behindAnnotation = {
  kitex: /\s*(?:$|[,;)#]|\/[/*]|[A-Za-z_][\w.]*\s*(?:=\s*["'#/]|#|\/[/*]))/y,
  apache: /\s*(?:$|[,;)#]|\/[/*]|[A-Za-z_][\w.]*(?:\s*[=,;)#/]|\s+[A-Za-z_]))/y
} as const

const annotation = (cursor: Cursor): Ast.Annotation | undefined => {
  const key = Lexer.acceptName(cursor)
  if (key === undefined) return unexpected(cursor, "the name of an annotation or `)`")
  const { start } = key
  if (!Lexer.accept(cursor, code.equal)) {
    const unit = Lexer.peek(cursor)
    const hasNoValue =
      unit === code.comma || unit === code.semicolon || unit === code.closeParenthesis || Lexer.isLetter(unit)
    if (!hasNoValue) return expected(cursor, "`=` and the value of this annotation")
    reportApache(cursor, key, "an annotation without a value", `write \`${key.text.slice(0, 40)} = "1"\``)
    const value: Ast.Literal = { tag: "Literal", start, end: key.end, quote: '"', text: "1" }
    return { start, end: key.end, key, value }
  }
  const errors = cursor.syntaxErrors
  const value = Lexer.acceptLiteral(cursor, behindAnnotation[cursor.compat])
  if (value === undefined) return expected(cursor, "a string, the value of this annotation", "put it in quotes")
  return cursor.syntaxErrors > errors ? undefined : { start, end: value.end, key, value }
}

/** Reads annotations in parentheses, where there are some. @internal */
export const readAnnotations = (cursor: Cursor): Annotations => {
  if (Lexer.peek(cursor) !== code.openParenthesis) return none
  const start = cursor.at
  Lexer.advance(cursor, start + 1)
  const annotations: Array<Ast.Annotation> = []
  while (!Lexer.accept(cursor, code.closeParenthesis)) {
    const one = annotation(cursor)
    if (one === undefined) {
      if (!skipToCloser(cursor, code.closeParenthesis)) break
      continue
    }
    annotations.push(one)
    if (!Lexer.accept(cursor, code.comma)) Lexer.accept(cursor, code.semicolon)
  }
  return { annotations, annotationsSpan: { start, end: cursor.end } }
}

/** By their first letters. */
const baseTypes: Record<number, ReadonlyArray<Ast.BaseTypeName>> = {
  0x62: ["bool", "binary", "byte"],
  0x64: ["double"],
  0x69: ["i32", "i64", "i16", "i8"],
  0x73: ["string"]
}

const baseTypeAt = (text: string, at: number): Ast.BaseTypeName | undefined => {
  const names = baseTypes[text.charCodeAt(at)]
  if (names !== undefined) for (const name of names) if (Lexer.isKeywordAt(text, at, name)) return name
  return undefined
}

/** A literal that ends, so that looking ahead finds no errors. */
const isLiteralNext = (cursor: Cursor): boolean =>
  Lexer.isQuote(Lexer.peek(cursor)) && Lexer.closingQuote(cursor.text, cursor.at) >= 0

/** `cpp_type "x"`; without the string it is a name like any other. */
const acceptCppType = (cursor: Cursor): Ast.Literal | undefined => {
  if (!Lexer.isKeywordAt(cursor.text, cursor.at, "cpp_type")) return undefined
  const { at, end } = cursor
  Lexer.acceptKeyword(cursor, "cpp_type")
  if (isLiteralNext(cursor)) return Lexer.acceptLiteral(cursor)
  cursor.at = at
  cursor.end = end
  return undefined
}

/** Whether the word that comes next is a container and no name: `<` must follow. */
const isContainer = (cursor: Cursor, word: string): boolean =>
  Lexer.isKeywordAt(cursor.text, cursor.at, word) &&
  Lexer.ahead(cursor, () => {
    openContainer(cursor, word)
    return cursor.text.charCodeAt(cursor.end - 1) === code.less
  })

/** Reads as far as the `<`. */
const openContainer = (cursor: Cursor, word: string): Ast.Literal | undefined => {
  Lexer.advance(cursor, cursor.at + word.length)
  Lexer.skip(cursor)
  const cppType = acceptCppType(cursor)
  Lexer.accept(cursor, code.less)
  return cppType
}

const closeContainer = (cursor: Cursor): boolean => {
  if (Lexer.accept(cursor, code.greater)) return true
  expected(cursor, "`>`")
  return false
}

const listType = (cursor: Cursor): Ast.ListType | undefined => {
  const start = cursor.at
  const before = openContainer(cursor, "list")
  if (before !== undefined) {
    reportApache(cursor, before, "cpp_type before the element of a list", "write it behind the `>`")
  }
  const element = readType(cursor, "the type of the elements")
  if (element === undefined || !closeContainer(cursor)) return undefined
  Lexer.skip(cursor)
  const cppType = acceptCppType(cursor) ?? before
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "ListType", start, end: cursor.end, element, cppType, annotations, annotationsSpan }
}

const setType = (cursor: Cursor): Ast.SetType | undefined => {
  const start = cursor.at
  const cppType = openContainer(cursor, "set")
  const element = readType(cursor, "the type of the elements")
  if (element === undefined || !closeContainer(cursor)) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "SetType", start, end: cursor.end, element, cppType, annotations, annotationsSpan }
}

const mapType = (cursor: Cursor): Ast.MapType | undefined => {
  const start = cursor.at
  const cppType = openContainer(cursor, "map")
  const key = readType(cursor, "the type of the keys")
  if (key === undefined) return undefined
  if (!Lexer.accept(cursor, code.comma)) return expected(cursor, "`,` and the type of the values")
  const value = readType(cursor, "the type of the values")
  if (value === undefined || !closeContainer(cursor)) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "MapType", start, end: cursor.end, key, value, cppType, annotations, annotationsSpan }
}

const containers = { list: listType, map: mapType, set: setType } as const

const baseType = (cursor: Cursor, name: Ast.BaseTypeName, length: number): Ast.BaseType | undefined => {
  const start = cursor.at
  Lexer.advance(cursor, start + length)
  if (cursor.text.charCodeAt(cursor.at) === code.dot) {
    const end = Lexer.wordEnd(cursor.text, start)
    return void report(cursor, { start, end }, `a name cannot begin with \`${name}.\`, the name of a base type`)
  }
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "BaseType", start, end: cursor.end, name, annotations, annotationsSpan }
}

/** Apache's `slist` is a string on the wire. */
const stringList = (cursor: Cursor): Ast.BaseType | undefined => {
  const start = cursor.at
  reportApache(cursor, { start, end: start + "slist".length }, "`slist`", "write `string`")
  return baseType(cursor, "string", "slist".length)
}

/** Reads `List<string>` as what it means. */
const misspelledContainer = (cursor: Cursor, name: Ast.Name, meant: keyof typeof containers): Ast.Type | undefined => {
  report(cursor, name, `expected a type, found \`${name.text}<\``, `did you mean \`${meant}<\`?`)
  cursor.at = name.start
  return nested<Ast.Type | undefined>(cursor, "types", containers[meant])
}

const namedType = (cursor: Cursor): Ast.Type | undefined => {
  const name = Lexer.acceptName(cursor)!
  const meant = Lexer.peek(cursor) === code.less ? Misspelled.container(name.text) : undefined
  if (meant !== undefined) return misspelledContainer(cursor, name, meant)
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "NamedType", start: name.start, end: cursor.end, name, annotations, annotationsSpan }
}

/** Reads a type; `what` names it in the error. @internal */
export const readType = (cursor: Cursor, what: string): Ast.Type | undefined => {
  if (!Lexer.isLetter(Lexer.peek(cursor))) return expected(cursor, what)
  const base = baseTypeAt(cursor.text, cursor.at)
  if (base !== undefined) return baseType(cursor, base, base.length)
  if (isContainer(cursor, "list")) return nested(cursor, "types", listType)
  if (isContainer(cursor, "map")) return nested(cursor, "types", mapType)
  if (isContainer(cursor, "set")) return nested(cursor, "types", setType)
  const isStringList = cursor.compat === "apache" && Lexer.isKeywordAt(cursor.text, cursor.at, "slist")
  return isStringList ? stringList(cursor) : namedType(cursor)
}

/**
 * Headers and definitions.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import * as Lexer from "../lexer.ts"
import { readFields, readFunctions, readMembers } from "./bodies.ts"
import type { Cursor } from "./cursor.ts"
import * as Documentation from "./documentation.ts"
import { expected, unexpected } from "./expected.ts"
import { report, reportApache } from "./failure.ts"
import { acceptSeparator } from "./fields.ts"
import * as Misspelled from "./misspelled.ts"
import { closeAtDefinition, isAtDefinition, openBody } from "./recovery.ts"
import { readAnnotations, readType } from "./types.ts"
import { readValue } from "./values.ts"

const { code } = Lexer

type Header = Ast.Include | Ast.Namespace

const readName = (cursor: Cursor, what: string): Ast.Name | undefined =>
  isAtDefinition(cursor) ? expected(cursor, what) : (Lexer.acceptName(cursor) ?? expected(cursor, what))

/** `include base.thrift`, and nothing behind it in its line. */
const unquotedPath = /[^\s"'#;,=]{1,80}(?=[ \t]*(?:[\r\n#;,]|\/\/|$))/y

const quotedPathHint = (cursor: Cursor, word: string): string | undefined => {
  Lexer.skip(cursor)
  unquotedPath.lastIndex = cursor.at
  const [path] = unquotedPath.exec(cursor.text) ?? []
  return path === undefined ? undefined : `put it in quotes: \`${word} "${path}"\``
}

const readInclude = (cursor: Cursor, word: "include" | "cpp_include"): Ast.Include | undefined => {
  const { start } = Lexer.acceptKeyword(cursor, word)!
  const path = Lexer.acceptLiteral(cursor)
  if (path === undefined) return expected(cursor, "the path of the file in quotes", quotedPathHint(cursor, word))
  return { tag: "Include", start, end: cursor.end, path, isCpp: word === "cpp_include" }
}

const readScope = (cursor: Cursor): Ast.Name | undefined => {
  // any word, `struct` too
  if (!Lexer.accept(cursor, code.star)) {
    return Lexer.acceptName(cursor) ?? expected(cursor, "the language of the namespace, or `*`")
  }
  return { start: cursor.end - 1, end: cursor.end, text: "*" }
}

/** The rest of a name with hyphens, as Apache has it in namespaces. */
const acceptHyphens = (cursor: Cursor, name: Ast.Name): Ast.Name => {
  const { text } = cursor
  let { end } = name
  while (text.charCodeAt(end) === code.minus && Lexer.isLetter(text.charCodeAt(end + 1))) {
    end = Lexer.wordEnd(text, end + 1)
  }
  if (end === name.end) return name
  Lexer.advance(cursor, end)
  const span = { start: name.start, end }
  reportApache(cursor, span, "a namespace with a hyphen", "write `_` for `-`")
  return { ...span, text: text.slice(name.start, end) }
}

const readNamespaceName = (cursor: Cursor): Ast.Name | undefined => {
  const literal = Lexer.acceptLiteral(cursor)
  if (literal !== undefined) {
    reportApache(cursor, literal, "a namespace in quotes", "write it without quotes")
    return { start: literal.start, end: literal.end, text: literal.text }
  }
  const name = readName(cursor, "the name of the namespace")
  return name === undefined ? undefined : acceptHyphens(cursor, name)
}

const readNamespace = (cursor: Cursor): Ast.Namespace | undefined => {
  const { start } = Lexer.acceptKeyword(cursor, "namespace")!
  const scope = readScope(cursor)
  const name = scope && readNamespaceName(cursor)
  if (scope === undefined || name === undefined) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  return { tag: "Namespace", start, end: cursor.end, scope, name, annotations, annotationsSpan }
}

/** Reads an include or a namespace; `word` is the next token. @internal */
export const readHeader = (cursor: Cursor, word: string): Header | undefined =>
  word === "namespace" ? readNamespace(cursor) : readInclude(cursor, word === "include" ? "include" : "cpp_include")

/** Apache takes a separator here; Kitex does not. */
const acceptApacheSeparator = (cursor: Cursor, what: string): void => {
  if (!acceptSeparator(cursor)) return
  reportApache(cursor, { start: cursor.end - 1, end: cursor.end }, `a separator behind ${what}`, "remove it")
}

const isBracket = ({ text }: Cursor, at: number): boolean => text.charAt(at) === "[" || text.charAt(at) === "{"

const readConst = (cursor: Cursor): Ast.Const | undefined => {
  const docBefore = Documentation.before(cursor)
  const { start } = Lexer.acceptKeyword(cursor, "const")!
  const type = readType(cursor, "the type of the constant")
  const name = type && readName(cursor, "the name of the constant")
  if (type === undefined || name === undefined) return undefined
  if (!Lexer.accept(cursor, code.equal)) return expected(cursor, "`=` and a value")
  if (isAtDefinition(cursor)) return expected(cursor, "a value")
  const body = openBody(cursor, { start: cursor.at, end: cursor.at + 1 })
  const value = readValue(cursor, "a value")
  if (value === undefined) {
    if (isBracket(cursor, body.open.start)) closeAtDefinition(cursor, body)
    return undefined
  }
  let { end } = cursor
  acceptSeparator(cursor)
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  if (annotationsSpan !== undefined) end = annotationsSpan.end
  const doc = docBefore ?? Documentation.behind(cursor, end)
  return { tag: "Const", start, end, type, name, value, annotations, annotationsSpan, doc }
}

const readTypedef = (cursor: Cursor): Ast.Typedef | undefined => {
  const docBefore = Documentation.before(cursor)
  const { start } = Lexer.acceptKeyword(cursor, "typedef")!
  const type = readType(cursor, "a type")
  const name = type && readName(cursor, "the new name of the type")
  if (type === undefined || name === undefined) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptApacheSeparator(cursor, "a typedef")
  const doc = docBefore ?? Documentation.behind(cursor, end)
  return { tag: "Typedef", start, end, type, name, annotations, annotationsSpan, doc }
}

const readEnum = (cursor: Cursor): Ast.Enum | undefined => {
  const doc = Documentation.before(cursor)
  const { start } = Lexer.acceptKeyword(cursor, "enum")!
  const name = readName(cursor, "the name of the enum")
  const members = isBodyNext(cursor, name) ? readMembers(cursor) : undefined
  if (name === undefined || members === undefined) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptApacheSeparator(cursor, "an enum")
  return { tag: "Enum", start, end, name, members, annotations, annotationsSpan, doc }
}

/** Without a name the body is read all the same, for the errors in it. */
const isBodyNext = (cursor: Cursor, name: Ast.Name | undefined): boolean =>
  name !== undefined || Lexer.peek(cursor) === code.openBrace

const skipExtends = (cursor: Cursor, kind: string): boolean => {
  const span = Lexer.acceptKeyword(cursor, "extends")
  if (span === undefined) return true
  report(cursor, span, `a ${kind} cannot extend another`, "only services can; repeat the fields")
  return Lexer.acceptName(cursor) !== undefined
}

const readStruct = (cursor: Cursor, kind: Ast.Struct["kind"]): Ast.Struct | undefined => {
  const doc = Documentation.before(cursor)
  const { start } = Lexer.acceptKeyword(cursor, kind)!
  const name = readName(cursor, `the name of the ${kind}`)
  const xsd = name && Lexer.acceptKeyword(cursor, "xsd_all")
  if (xsd) reportApache(cursor, xsd, "`xsd_all`", "remove it")
  if (!skipExtends(cursor, kind)) return undefined
  const fields = isBodyNext(cursor, name) ? readFields(cursor) : undefined
  if (name === undefined || fields === undefined) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptApacheSeparator(cursor, `a ${kind}`)
  return { tag: "Struct", start, end, kind, name, fields, annotations, annotationsSpan, doc }
}

const readService = (cursor: Cursor): Ast.Service | undefined => {
  const doc = Documentation.before(cursor)
  const { start } = Lexer.acceptKeyword(cursor, "service")!
  const name = readName(cursor, "the name of the service")
  let base: Ast.Name | undefined
  if (name !== undefined && Lexer.acceptKeyword(cursor, "extends")) {
    base = readName(cursor, "the name of the service that this one extends")
    if (base === undefined) return undefined
  }
  const functions = isBodyNext(cursor, name) ? readFunctions(cursor) : undefined
  if (name === undefined || functions === undefined) return undefined
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptApacheSeparator(cursor, "a service")
  return { tag: "Service", start, end, name, extends: base, functions, annotations, annotationsSpan, doc }
}

const reportSenum = (cursor: Cursor): undefined => {
  const span: Span = { start: cursor.at, end: cursor.at + "senum".length }
  report(
    cursor,
    span,
    "`senum` is Apache Thrift's, long deprecated, and means nothing to Kitex",
    "use `string`, or an enum"
  )
  Lexer.advance(cursor, span.end)
  return undefined
}

/** Reads a closing bracket or a separator that belongs to no definition, and says so. @internal */
export const acceptStray = (cursor: Cursor): boolean => {
  Lexer.skip(cursor)
  const start = cursor.at
  const character = cursor.text.charAt(start)
  if (character === "" || !"})]>,;".includes(character)) return false
  Lexer.advance(cursor, start + 1)
  report(cursor, { start, end: start + 1 }, `\`${character}\` has no place between definitions`, "remove it")
  return true
}

/** Reads a definition; `word` is the next token. @internal */
export const readDefinition = (cursor: Cursor, word: string): Ast.Definition | undefined => {
  switch (word) {
    case "const":
      return readConst(cursor)
    case "typedef":
      return readTypedef(cursor)
    case "enum":
      return readEnum(cursor)
    case "struct":
    case "union":
    case "exception":
      return readStruct(cursor, word)
    case "service":
      return readService(cursor)
    case "senum":
      return reportSenum(cursor)
    default: {
      const near = Misspelled.definitionWord(word)
      const hint =
        near === undefined
          ? "a definition begins with const, typedef, enum, struct, union, exception or service"
          : `did you mean \`${near}\`?`
      return unexpected(cursor, "a definition", hint)
    }
  }
}

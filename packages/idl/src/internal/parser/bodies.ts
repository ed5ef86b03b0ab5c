/**
 * What stands in braces or parentheses: fields, members, functions.
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
import { acceptSeparator, acceptStraySeparator, readField } from "./fields.ts"
import {
  beginsField,
  beginsFullFunction,
  beginsFunction,
  beginsMember,
  closeAtDefinition,
  itemRead,
  openBody,
  reportUnclosed,
  skipToItem
} from "./recovery.ts"
import { readAnnotations, readType } from "./types.ts"
import { acceptInteger } from "./values.ts"

const { code } = Lexer

interface Items<A> {
  readonly what: string
  readonly read: (cursor: Cursor) => A | undefined
  readonly beginsItem: (cursor: Cursor) => boolean
}

/** Reads from `{` to `}`, or as far as it goes. Undefined where there is no brace. */
const readBody = <A extends Span>(cursor: Cursor, items: Items<A>): ReadonlyArray<A> | undefined => {
  if (!Lexer.accept(cursor, code.openBrace)) return expected(cursor, "`{`")
  const body = openBody(cursor, { start: cursor.end - 1, end: cursor.end })
  const found: Array<A> = []
  const errors = cursor.syntaxErrors
  while (!Lexer.accept(cursor, code.closeBrace)) {
    const start = cursor.at
    const isAtEnd = start >= cursor.text.length
    const item = isAtEnd || acceptStraySeparator(cursor, items.what) ? undefined : items.read(cursor)
    if (item !== undefined) found.push(item)
    else {
      const definition = closeAtDefinition(cursor, body)
      if (definition >= 0) return found.filter(({ end }) => end <= definition)
      if (isAtEnd) {
        if (cursor.syntaxErrors === errors) reportUnclosed(cursor, body.open)
        return found
      }
      skipToItem(cursor, code.closeBrace, start, items.beginsItem)
    }
    itemRead(cursor, body)
  }
  return found
}

/** Reads from `(` to `)`, or as far as it goes; undefined after an error. */
const readParenthesized = (cursor: Cursor): ReadonlyArray<Ast.Field> | undefined => {
  if (!Lexer.accept(cursor, code.openParenthesis)) return expected(cursor, "`(`")
  const open = { start: cursor.end - 1, end: cursor.end }
  const fields: Array<Ast.Field> = []
  let isRight = true
  while (!Lexer.accept(cursor, code.closeParenthesis)) {
    const start = cursor.at
    const isUnclosed = cursor.text.charCodeAt(start) === code.closeBrace || beginsFullFunction(cursor)
    if (isUnclosed) return void (isRight && reportUnclosed(cursor, open))
    const field = acceptStraySeparator(cursor, "an argument") ? undefined : readField(cursor)
    if (field !== undefined) fields.push(field)
    else {
      isRight = false
      if (!skipToItem(cursor, code.closeParenthesis, start, beginsField)) return undefined
    }
  }
  return isRight ? fields : undefined
}

const member = (cursor: Cursor): Ast.EnumMember | undefined => {
  const docBefore = Documentation.before(cursor)
  const name = Lexer.acceptName(cursor)
  if (name === undefined) return unexpected(cursor, "a member of the enum or `}`")
  let value: Ast.IntValue | undefined
  if (Lexer.accept(cursor, code.equal)) {
    value = acceptInteger(cursor)
    if (value === undefined || cursor.text.charCodeAt(cursor.at) === code.dot) {
      return expected(cursor, "an integer", "the value of a member is a whole number")
    }
  }
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptSeparator(cursor)
  const doc = docBefore ?? Documentation.behind(cursor, end)
  return { start: name.start, end, name, value, annotations, annotationsSpan, doc }
}

/** `async void f(` of Apache: a word too many before the name. */
const acceptAsync = (cursor: Cursor): Span | undefined => {
  Lexer.skip(cursor)
  if (!Lexer.isKeywordAt(cursor.text, cursor.at, "async")) return undefined
  const isAsync = Lexer.ahead(cursor, () => {
    Lexer.acceptName(cursor)
    if (Lexer.acceptName(cursor) === undefined) return false
    const unit = Lexer.peek(cursor)
    return Lexer.isLetter(unit) || unit === code.less
  })
  if (!isAsync) return undefined
  const span = Lexer.acceptKeyword(cursor, "async")!
  reportApache(cursor, span, "`async`", "write `oneway`")
  return span
}

/** `name(1: …`: a function without its result type. */
const hasNoResult = (cursor: Cursor): boolean =>
  Lexer.ahead(
    cursor,
    () => Lexer.acceptName(cursor) !== undefined && Lexer.accept(cursor, code.openParenthesis) && beginsField(cursor)
  )

const reportNoResult = (cursor: Cursor, at: number): void =>
  report(cursor, { start: at, end: at }, "expected a result type before the function name", "write `void` for none")

const readResult = (cursor: Cursor): { readonly type: Ast.Type | undefined } | undefined => {
  if (!Lexer.isLetter(Lexer.peek(cursor))) return unexpected(cursor, "a function or `}`")
  if (hasNoResult(cursor)) {
    reportNoResult(cursor, cursor.at)
    return { type: undefined }
  }
  if (Lexer.acceptKeyword(cursor, "void")) return { type: undefined }
  const type = readType(cursor, "a result type")
  return type === undefined ? undefined : { type }
}

/** `throws (`; before a name it is the result type of the next function. */
const beginsThrows = (cursor: Cursor): boolean =>
  Lexer.peek(cursor) === 0x74 &&
  Lexer.isKeywordAt(cursor.text, cursor.at, "throws") &&
  Lexer.ahead(cursor, () => {
    Lexer.acceptKeyword(cursor, "throws")
    return !Lexer.isLetter(Lexer.peek(cursor))
  })

const readFunction = (cursor: Cursor): Ast.Function | undefined => {
  const docBefore = Documentation.before(cursor)
  const start = cursor.at
  const oneway = Lexer.acceptKeyword(cursor, "oneway") ?? acceptAsync(cursor)
  const result = readResult(cursor)
  if (result === undefined) return undefined
  const name = Lexer.acceptName(cursor)
  if (name === undefined) {
    return result.type?.annotationsSpan === undefined
      ? expected(cursor, "a function name")
      : void reportNoResult(cursor, result.type.start)
  }
  const argumentsStart = Lexer.peek(cursor) === code.openParenthesis ? cursor.at : cursor.end
  const arguments_ = readParenthesized(cursor)
  if (arguments_ === undefined) return undefined
  const argumentsSpan = { start: argumentsStart, end: cursor.end }
  let throws: ReadonlyArray<Ast.Field> = []
  let throwsSpan: Span | undefined
  if (beginsThrows(cursor)) {
    const { start } = Lexer.acceptKeyword(cursor, "throws")!
    const fields = readParenthesized(cursor)
    if (fields === undefined) return undefined
    throws = fields
    throwsSpan = { start, end: cursor.end }
  }
  const { annotations, annotationsSpan } = readAnnotations(cursor)
  const { end } = cursor
  acceptSeparator(cursor)
  const doc = docBefore ?? Documentation.behind(cursor, end)
  return {
    start,
    end,
    oneway,
    result: result.type,
    name,
    arguments: arguments_,
    argumentsSpan,
    throws,
    throwsSpan,
    annotations,
    annotationsSpan,
    doc
  }
}

/** @internal */
export const readFields = (cursor: Cursor): ReadonlyArray<Ast.Field> | undefined =>
  readBody(cursor, { what: "a field", read: readField, beginsItem: beginsField })

/** @internal */
export const readMembers = (cursor: Cursor): ReadonlyArray<Ast.EnumMember> | undefined =>
  readBody(cursor, { what: "a member", read: member, beginsItem: beginsMember })

/** @internal */
export const readFunctions = (cursor: Cursor): ReadonlyArray<Ast.Function> | undefined =>
  readBody(cursor, { what: "a function", read: readFunction, beginsItem: beginsFunction })

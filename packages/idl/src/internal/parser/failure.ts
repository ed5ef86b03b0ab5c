/**
 * How the parser says that something is wrong; bounded, so that a file that is no IDL at all stays readable.
 *
 * @internal
 */
import * as Diagnostic from "../../Diagnostic.ts"
import type { Span } from "../../Source.ts"
import type { Cursor } from "./cursor.ts"

/** Diagnostics of one kind in a file; one more says that the rest is left out. */
const limit = 100

/** Behind the last error that is shown, the parser goes to the end of the file. */
const add = (cursor: Cursor, diagnostic: Diagnostic.Diagnostic): void => {
  if (cursor.syntaxErrors > limit) return
  cursor.syntaxErrors++
  if (cursor.syntaxErrors <= limit) {
    cursor.diagnostics.push(diagnostic)
    return
  }
  const message = `the file has more than ${limit} syntax errors; the rest of it is not read`
  cursor.diagnostics.push(Diagnostic.make("E_LIMIT", cursor.source, diagnostic.span, message))
  cursor.at = cursor.text.length
  cursor.end = cursor.at
}

/** A syntax error. @internal */
export const report = (cursor: Cursor, span: Span, message: string, hint?: string): void =>
  add(cursor, Diagnostic.make("E_SYNTAX", cursor.source, span, message, { hint }))

/** Something goes beyond what a file may hold. @internal */
export const reportLimit = (cursor: Cursor, span: Span, message: string): void =>
  add(cursor, Diagnostic.make("E_LIMIT", cursor.source, span, message))

/**
 * A construct that Apache Thrift has and Kitex rejects: `what` names it, `remedy` says what Kitex takes in its place.
 * Either way the parser goes on as if it were right.
 *
 * @internal
 */
export const reportApache = (cursor: Cursor, span: Span, what: string, remedy: string): void => {
  if (cursor.compat === "kitex") {
    report(cursor, span, `${what} is Apache Thrift's syntax, which Kitex rejects`, `${remedy}, or use --compat apache`)
    return
  }
  cursor.apacheUses++
  if (cursor.apacheUses > limit + 1) return
  const message =
    cursor.apacheUses <= limit
      ? `${what} is Apache Thrift's syntax, which Kitex rejects`
      : `the file uses Apache Thrift's syntax more than ${limit} times; the other places are not shown`
  cursor.diagnostics.push(Diagnostic.make("W_APACHE", cursor.source, span, message, { hint: remedy }))
}

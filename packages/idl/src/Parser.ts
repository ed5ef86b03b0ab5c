/**
 * From the text of an IDL to its syntax tree, in the grammar of thriftgo, the compiler of Kitex. Whatever the text is,
 * parsing ends with a tree of what could be read, and a diagnostic for each thing that could not.
 *
 * Two things are read that thriftgo rejects, as it should not: an empty file, and a byte-order mark before the text.
 * Two are read in another way: a pair of backslashes in a literal is a pair, and a type whose name begins with
 * `required` or `optional` is that type.
 *
 * @since 0.1.0
 */
import type * as Ast from "./Ast.ts"
import type * as Diagnostic from "./Diagnostic.ts"
import * as Lexer from "./internal/lexer.ts"
import * as Cursor from "./internal/parser/cursor.ts"
import { acceptStray, readDefinition, readHeader } from "./internal/parser/definitions.ts"
import * as Documentation from "./internal/parser/documentation.ts"
import { report, reportLimit } from "./internal/parser/failure.ts"
import { isDefinitionWord, skipToDefinition } from "./internal/parser/recovery.ts"
import type { Source } from "./Source.ts"

/**
 * `apache` takes what Apache Thrift has and Kitex has not, with a warning for each place. The default is `kitex`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly compat?: "kitex" | "apache" | undefined
}

/**
 * A document, as far as the text could be read, and what is wrong with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Result {
  readonly document: Ast.Document
  readonly diagnostics: ReadonlyArray<Diagnostic.Diagnostic>
}

/** UTF-16 units of a file. */
const longest = 2 ** 27

const isHeader = (word: string): boolean => word === "include" || word === "cpp_include" || word === "namespace"

/** A header behind a definition is read, as nothing is unclear about it; only the first one is reported. */
const reportLateHeader = (cursor: Cursor.Cursor, word: string): void => {
  const span = { start: cursor.at, end: cursor.at + word.length }
  report(cursor, span, "includes and namespaces come before all definitions", "move it to the head of the file")
}

/**
 * Parses a file.
 *
 * **Example**
 *
 * ```ts
 * import { Parser } from "@millrace/idl"
 *
 * const { document, diagnostics } = Parser.parse({ path: "api.thrift", text: "struct Request { 1: string message }" })
 * console.log(document.definitions.length, diagnostics.length)
 * ```
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (source: Source, options: Options = {}): Result => {
  const { text } = source
  const cursor = Cursor.make(source, options.compat ?? "kitex")
  const headers: Array<Ast.Include | Ast.Namespace> = []
  const definitions: Array<Ast.Definition> = []
  if (text.length > longest) {
    reportLimit(cursor, { start: 0, end: 0 }, `the file is longer than ${longest} characters`)
    cursor.at = text.length
  }
  const doc = Documentation.ofFile(cursor)
  let hasDefinition = false
  let hasLateHeader = false
  while (!Number.isNaN(Lexer.peek(cursor))) {
    const word = Lexer.peekWord(cursor)
    if (isHeader(word)) {
      if (hasDefinition && !hasLateHeader) reportLateHeader(cursor, word)
      hasLateHeader = hasDefinition
      const header = readHeader(cursor, word)
      if (header !== undefined) headers.push(header)
      else skipToDefinition(cursor)
    } else if (!acceptStray(cursor)) {
      const definition = readDefinition(cursor, word)
      hasDefinition ||= definition !== undefined || isDefinitionWord(word)
      if (definition !== undefined) definitions.push(definition)
      else skipToDefinition(cursor)
    }
  }
  const { comments, diagnostics } = cursor
  return { document: { start: 0, end: text.length, headers, definitions, comments, doc }, diagnostics }
}

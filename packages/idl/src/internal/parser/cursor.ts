/**
 * Where the parser is in a text, and what it gathered on its way there.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Diagnostic from "../../Diagnostic.ts"
import type { Source } from "../../Source.ts"

/** @internal */
export interface Cursor {
  readonly source: Source
  readonly text: string
  readonly compat: "kitex" | "apache"
  readonly comments: Array<Ast.Comment>
  readonly diagnostics: Array<Diagnostic.Diagnostic>
  /** The next unit to read. */
  at: number
  /** The end of the token before it. */
  end: number
  /** How many types or values are open around it. */
  depth: number
  /** How far comments are gathered: looking ahead reads some of them twice. */
  commentsEnd: number
  syntaxErrors: number
  apacheUses: number
}

/** @internal */
export const make = (source: Source, compat: "kitex" | "apache"): Cursor => ({
  source,
  text: source.text,
  compat,
  comments: [],
  diagnostics: [],
  at: source.text.charCodeAt(0) === 0xfeff ? 1 : 0,
  end: 0,
  depth: 0,
  commentsEnd: 0,
  syntaxErrors: 0,
  apacheUses: 0
})

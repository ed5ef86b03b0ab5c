/**
 * What is wrong with an IDL: a code, a place, a sentence, and what to do about it.
 *
 * @since 0.1.0
 */
import { nearest } from "./internal/check/suggest.ts"
import type { Source, Span } from "./Source.ts"

/**
 * Errors keep a file from being compiled; warnings do not.
 *
 * @since 0.1.0
 * @category models
 */
export type Severity = "error" | "warning"

/**
 * Every code there is, with its severity.
 *
 * @since 0.1.0
 * @category constants
 */
export const codes = {
  E_SYNTAX: "error",
  E_INCLUDE: "error",
  E_INCLUDE_CYCLE: "error",
  E_LIMIT: "error",
  E_DUP_NAME: "error",
  E_DOTTED_NAME: "error",
  E_DUP_ENUM_NAME: "error",
  E_DUP_ENUM_VALUE: "error",
  E_ENUM_RANGE: "error",
  E_FIELD_ID: "error",
  E_FIELD_ID_RANGE: "error",
  E_DUP_FIELD_ID: "error",
  E_DUP_FIELD_NAME: "error",
  E_DUP_FUNCTION: "error",
  E_DUP_INHERITED: "error",
  E_ONEWAY_RESULT: "error",
  E_ONEWAY_THROWS: "error",
  E_UNDEFINED: "error",
  E_AMBIGUOUS_VALUE: "error",
  E_TYPEDEF_CYCLE: "error",
  E_CONST_CYCLE: "error",
  E_SERVICE_CYCLE: "error",
  E_REQUIRED_CYCLE: "error",
  E_VALUE_TYPE: "error",
  E_THROWS_TYPE: "error",
  E_UNION_DEFAULTS: "error",
  E_STREAM_MODE: "error",
  E_STREAM_MULTIPLE: "error",
  E_STREAM_ARGS: "error",
  E_STREAM_VOID: "error",
  E_STREAM_ONEWAY: "error",
  E_STREAM_TYPE: "error",
  E_OUTPUT_CONFLICT: "error",
  E_COMBINE_CONFLICT: "error",
  E_NO_SERVICE: "error",
  W_APACHE: "warning",
  W_IMPLICIT_ID: "warning",
  W_NON_POSITIVE_ID: "warning",
  W_LEADING_ZERO_ID: "warning",
  W_INCLUDE_PREFIX: "warning",
  W_UNUSED_INCLUDE: "warning",
  W_RESERVED_WORD: "warning",
  W_COMPLEX_KEY: "warning",
  W_UNION_REQ: "warning",
  W_ARG_OPTIONAL: "warning",
  W_THROW_REQ: "warning",
  W_UNDERSCORE_METHOD: "warning",
  W_STREAM_UNARY: "warning",
  W_STREAM_THROWS: "warning",
  W_STREAM_MISPLACED: "warning",
  W_STREAM_TYPO: "warning"
} as const satisfies Record<string, Severity>

/**
 * What tells kinds of findings apart: `E_` are errors, `W_` warnings.
 *
 * @since 0.1.0
 * @category models
 */
export type Code = keyof typeof codes

/**
 * The codes of warnings.
 *
 * @since 0.1.0
 * @category constants
 */
export const warnings: ReadonlyArray<Code> = (Object.keys(codes) as Array<Code>).filter(
  (code) => codes[code] === "warning"
)

/**
 * The warning that a person may have meant by a name that is none.
 *
 * @since 0.1.0
 * @category getters
 */
export const suggestWarning = (name: string): Code | undefined =>
  nearest(name, warnings, { comparisons: warnings.length }) as Code | undefined

/**
 * Another place that has to do with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Related {
  readonly source: Source
  readonly span: Span
  readonly message: string
}

/**
 * One finding. `message` is one sentence without a place; Kitex's own words are quoted where it has some.
 *
 * @since 0.1.0
 * @category models
 */
export interface Diagnostic {
  readonly code: Code
  readonly severity: Severity
  readonly message: string
  readonly source: Source
  readonly span: Span
  readonly related: ReadonlyArray<Related>
  readonly hint: string | undefined
}

/**
 * A finding at a place in a file; its code says how bad it is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  code: Code,
  source: Source,
  span: Span,
  message: string,
  more: { readonly related?: ReadonlyArray<Related>; readonly hint?: string | undefined } = {}
): Diagnostic => ({
  code,
  severity: codes[code],
  message,
  source,
  span: { start: span.start, end: span.end },
  related: more.related ?? [],
  hint: more.hint
})

/**
 * Whether there is an error among them.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasErrors = (diagnostics: ReadonlyArray<Diagnostic>): boolean =>
  diagnostics.some(({ severity }) => severity === "error")

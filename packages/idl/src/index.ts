/**
 * The Thrift IDL: parser, checker, emitter of TypeScript, and services made from an IDL at run time.
 *
 * @since 0.1.0
 */
export type * as Ast from "./Ast.ts"
export * as Diagnostic from "./Diagnostic.ts"
export * as Program from "./Program.ts"
export * as Source from "./Source.ts"

/**
 * The Thrift IDL: parser, checker, emitter of TypeScript, and services made from an IDL at run time.
 *
 * @since 0.1.0
 */
export type * as Ast from "./Ast.ts"
export type * as Change from "./Change.ts"
export * as ChangeReport from "./ChangeReport.ts"
export * as Checker from "./Checker.ts"
export * as Deviations from "./Deviations.ts"
export * as Diagnostic from "./Diagnostic.ts"
export * as Diff from "./Diff.ts"
export * as Emitter from "./Emitter.ts"
export * as Idl from "./Idl.ts"
export * as Loader from "./Loader.ts"
export * as Parser from "./Parser.ts"
export * as Plans from "./Plans.ts"
export * as Printer from "./Printer.ts"
export * as Program from "./Program.ts"
export * as Report from "./Report.ts"
export * as Scaffold from "./Scaffold.ts"
export * as Source from "./Source.ts"
export * as ToIdl from "./ToIdl.ts"

/**
 * A file of a program as text for other tools.
 *
 * @since 0.1.0
 */
import * as Plans from "@millrace/idl/Plans"
import * as Printer from "@millrace/idl/Printer"
import type * as Program from "@millrace/idl/Program"
import { emitterOptions, type Options } from "./options.ts"

/** Integers keep all their digits: those that JSON readers would round are strings. */
const integer = (value: bigint): number | string =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? integer(each) : each), 2)

/** The syntax tree, with the place of every node in UTF-16 offsets. */
export const json = (file: Program.File): string => toJson({ path: file.source.path, document: file.document })

/** The canonical text. */
export const idl = (file: Program.File): string => Printer.print(file.source, file.document)

/** What is on the wire. */
export const plan = (file: Program.File, program: Program.Program, options: Options): string =>
  Plans.describe(program, file, emitterOptions(options))

/**
 * The names that things of an IDL have in TypeScript: as in the IDL, with `_` behind those that TypeScript or the schemas
 * cannot carry.
 */
import type * as Program from "../../Program.ts"
import { scalarOf } from "../scalar.ts"

/** @internal */
export interface NameOptions {
  /** Whether members are written as in the IDL or in camel case. */
  readonly case: "keep" | "camel"
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "))

// also the names of types of the language, which no class may have, what stands before a type, and `then`, by which a module
// would be awaited
const bindings = words(
  "break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if import in instanceof new null return super switch this throw true try typeof var void while with " +
    "yield let static implements interface package private protected public await arguments eval undefined " +
    "globalThis then any bigint boolean never number object string symbol unknown as infer intrinsic keyof readonly unique"
)

const members = words("constructor __proto__ prototype toString valueOf hasOwnProperty toJSON then")

// what an Error and an Effect that fails already have
const exceptionMembers = words("name stack cause pipe _tag")

// what the schema of an enum already has
const enumMembers = words(
  "name parse is ast make makeEffect makeOption pipe annotate annotateKey check rebuild Type Encoded Iso " +
    "DecodingServices EncodingServices Rebuild"
)

/**
 * The name under which a definition is exported, also of the module of an included file.
 *
 * @internal
 */
export const exportName = (name: string): string => (bindings.has(name) ? `${name}_` : name)

/**
 * The name of a member of an enum.
 *
 * @internal
 */
export const enumMemberName = (name: string): string => (members.has(name) || enumMembers.has(name) ? `${name}_` : name)

// `user_id`, `UserId` and `USER_ID` become `userId`; leading and trailing underscores stay
const camel = (name: string): string => {
  const parts = /^(_*)(.*?)(_*)$/.exec(name)!
  const shouting = !/[a-z]/.test(name)
  const segments = parts[2]!.split(/_+/).map((segment, i) => {
    if (i === 0) return segment.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase())
    const rest = segment.slice(1)
    return segment.slice(0, 1).toUpperCase() + (shouting ? rest.toLowerCase() : rest)
  })
  return parts[1]! + segments.join("") + parts[3]!
}

/**
 * The property that a member has in objects, also the case of a union and the name of an argument or of a declared
 * exception.
 *
 * @internal
 */
export const memberName = (
  owner: Program.Struct["kind"] | "method",
  field: Program.Field,
  options: NameOptions
): string => {
  const name = options.case === "camel" ? camel(field.name) : field.name
  if (members.has(name)) return `${name}_`
  if (owner !== "exception") return name
  // the message of an Error is a text
  const isTaken =
    exceptionMembers.has(name) || (name === "message" && scalarOf(field.type, field, { i64: "bigint" }) !== "string")
  return isTaken ? `${name}_` : name
}

/**
 * The name of a member in the IDL, where the property of that member has another one.
 *
 * @internal
 */
export const thriftName = (field: Program.Field, property: string): string | undefined =>
  field.name === property ? undefined : field.name

/**
 * Uses of types, as schemas and as types of TypeScript.
 */
import type * as Program from "../../Program.ts"
import { type Holder, isComparable, type Scalar, scalarOf } from "../scalar.ts"
import type { Context } from "./context.ts"
import { arrow, call, type Node, text } from "./layout.ts"
import { unaliased } from "./needs.ts"

const schemas: Readonly<Record<Scalar, string>> = {
  bool: "Bool",
  i8: "I8",
  i16: "I16",
  i32: "I32",
  i64: "I64",
  i64number: "I64Number",
  i64string: "I64String",
  double: "Double",
  string: "String",
  binary: "Binary"
}

/**
 * What a scalar is in JavaScript.
 *
 * @internal
 */
export const forms = {
  bool: "boolean",
  i8: "number",
  i16: "number",
  i32: "number",
  i64: "bigint",
  i64number: "number",
  i64string: "string",
  double: "number",
  string: "string",
  binary: "Uint8Array"
} as const satisfies Readonly<Record<Scalar, string>>

// A typedef of a scalar is used by its name unless the use or what holds it says another form.
const scalarReference = (
  type: Program.Type,
  holder: Holder | undefined,
  context: Context
): Program.Typedef | undefined => {
  if (type.kind !== "reference" || type.to.tag !== "Typedef") return undefined
  const { options } = context
  return scalarOf(type.to.type, type.to, options) === scalarOf(type, holder, options) ? type.to : undefined
}

/**
 * The schema of a use of a type, which may be all of the type of a member or typedef.
 *
 * @internal
 */
export const schema = (type: Program.Type, holder: Holder | undefined, context: Context): Node => {
  const thrift = (name: string) => `${context.scope.library("Thrift")}.${name}`
  const scalar = scalarOf(type, holder, context.options)
  if (scalar !== undefined) {
    const typedef = scalarReference(type, holder, context)
    return text(typedef === undefined ? thrift(schemas[scalar]) : context.scope.definition(typedef))
  }
  switch (type.kind) {
    case "list":
      return call(thrift("list"), schema(type.element, undefined, context))
    case "set":
      return call(thrift("set"), schema(type.element, undefined, context))
    case "map":
      return call(thrift("map"), schema(type.key, undefined, context), schema(type.value, undefined, context))
    case "reference":
      return reference(type.to, hasDefault(holder), context)
    default:
      return text(thrift(schemas[type.kind]))
  }
}

const hasDefault = (holder: Holder | Program.Field | undefined): boolean =>
  holder !== undefined && "default" in holder && holder.default !== undefined

const reference = (to: Program.Reference["to"], isDefaulted: boolean, context: Context): Node => {
  const { current, isTyped, order, scope } = context
  const isSuspended = (type: Program.Definition) =>
    order.isLater(type, current) || (isTyped && order.isMutual(type, current))
  const target = unaliased(to)
  if (!isSuspended(target)) return text(scope.definition(order.isLater(to, current) ? target : to))
  const name = scope.definition(target)
  context.suspended.add(target)
  const schema = scope.library("Schema")
  // only a schema that is known to have no default of its own takes one
  const more = isDefaulted ? ` & ${schema}.WithoutConstructorDefault` : ""
  return call(`${schema}.suspend`, arrow("()", text(name), `${schema}.Codec<${name}, unknown>${more}`))
}

/**
 * The type of the values of a use of a type.
 *
 * @internal
 */
export const typeText = (type: Program.Type, holder: Holder | undefined, context: Context): string => {
  const { scope } = context
  const scalar = scalarOf(type, holder, context.options)
  if (scalar !== undefined) {
    const typedef = scalarReference(type, holder, context)
    if (typedef !== undefined) return scope.definition(typedef)
    return scalar === "binary" ? scope.global("Uint8Array") : forms[scalar]
  }
  const of = (part: Program.Type) => typeText(part, undefined, context)
  switch (type.kind) {
    case "list":
      return `${scope.global("ReadonlyArray")}<${of(type.element)}>`
    case "set":
      return `${scope.global(isComparable(type.element, context.options) ? "ReadonlySet" : "ReadonlyArray")}<${of(type.element)}>`
    case "map":
      return isComparable(type.key, context.options)
        ? `${scope.global("ReadonlyMap")}<${of(type.key)}, ${of(type.value)}>`
        : `${scope.global("ReadonlyArray")}<readonly [${of(type.key)}, ${of(type.value)}]>`
    case "reference":
      return scope.definition(type.to)
    default:
      return forms[type.kind]
  }
}

/**
 * Constants and default values as expressions.
 */
import * as Program from "../../Program.ts"
import { type Holder, isComparable, scalarOf } from "../scalar.ts"
import type { Context } from "./context.ts"
import { array, call, type Node, number, object, text } from "./layout.ts"
import { enumMemberName, memberName } from "./names.ts"
import { forms } from "./types.ts"

/**
 * A property of an object, as a key.
 *
 * @internal
 */
export const key = (name: string): string => (/^\w+$/.test(name) ? name : quoted(name))

/** A text in the quotes that need fewer escapes.
 *
 * @internal
 */
export const quoted = (value: string): string => {
  const double = JSON.stringify(value).replaceAll(/[\u2028\u2029]/g, (at) => `\\u${at.charCodeAt(0).toString(16)}`)
  const doubles = value.split('"').length
  if (doubles <= value.split("'").length) return double
  return `'${double.slice(1, -1).replaceAll("'", "\\'").replaceAll('\\"', '"')}'`
}

const double = (value: number, context: Context): Node => {
  if (Object.is(value, -0)) return number("-0")
  if (!Number.isFinite(value)) return text(`${value < 0 ? "-" : ""}${context.scope.global("Infinity")}`)
  return number(String(value).replace("e+", "e"))
}

const integer = (value: bigint, form: string | undefined): Node =>
  form === "bigint" ? text(`${value}n`) : form === "string" ? text(`"${value}"`) : number(`${value}`)

const bytes = (value: Uint8Array, context: Context): Node => {
  const items = Array.from(value, (byte) => ({ value: number(`${byte}`) }))
  return call(`new ${context.scope.global("Uint8Array")}`, ...(items.length === 0 ? [] : [array(items)]))
}

/**
 * A value of a type. `isFrozen` is for constants, whose arrays are shared; everything else is made anew.
 *
 * @internal
 */
export const valueNode = (
  value: Program.Value,
  type: Program.Type,
  holder: Holder | undefined,
  isFrozen: boolean,
  context: Context
): Node => {
  const { from } = value
  if (from !== undefined && isSameForm(from.type, type, holder, context)) return text(context.scope.definition(from))
  const { scope } = context
  const target = Program.target(type)
  const part = (of: Program.Type) => (item: Program.Value) => valueNode(item, of, undefined, isFrozen, context)
  const frozen = (node: Node) => (isFrozen ? call(`${scope.global("Object")}.freeze`, node) : node)
  switch (value.kind) {
    case "bool":
      return text(String(value.value))
    case "int": {
      const scalar = scalarOf(type, holder, context.options)
      return integer(value.value, scalar && forms[scalar])
    }
    case "double":
      return double(value.value, context)
    case "string":
      return scalarOf(type, holder, context.options) === "binary"
        ? bytes(new TextEncoder().encode(value.value), context)
        : text(quoted(value.value))
    case "binary":
      return bytes(value.value, context)
    case "enum":
      return value.member === undefined
        ? number(String(value.value))
        : text(scope.definition(value.enum) + property(enumMemberName(value.member.name)))
    case "list":
    case "set": {
      const of = "element" in target ? target.element : type
      const items = array(value.items.map(part(of)).map((item) => ({ value: item })))
      if (value.kind === "list" || !isComparable(of, context.options)) return frozen(items)
      return call(`new ${scope.global("Set")}`, ...(value.items.length === 0 ? [] : [items]))
    }
    case "map": {
      const [ofKey, ofValue] = "key" in target ? [target.key, target.value] : [type, type]
      const entries = value.entries.map(([left, right]) => ({
        value: array([{ value: part(ofKey)(left) }, { value: part(ofValue)(right) }])
      }))
      if (!isComparable(ofKey, context.options)) return frozen(array(entries))
      return call(`new ${scope.global("Map")}`, ...(entries.length === 0 ? [] : [array(entries)]))
    }
    case "struct":
      return structNode(value.struct, value.fields, isFrozen, context)
  }
}

/**
 * Whether a value is written with entries of a map in an array. Where no type is given, an entry is inferred as an array
 * too, not as a pair.
 *
 * @internal
 */
export const hasEntries = (value: Program.Value, type: Program.Type, context: Context): boolean => {
  const { from } = value
  if (from !== undefined && isSameForm(from.type, type, undefined, context)) return false
  const target = Program.target(type)
  switch (value.kind) {
    case "list":
    case "set":
      return "element" in target && value.items.some((item) => hasEntries(item, target.element, context))
    case "map": {
      if (!("key" in target) || value.entries.length === 0) return false
      return (
        !isComparable(target.key, context.options) ||
        value.entries.some(([, item]) => hasEntries(item, target.value, context))
      )
    }
    case "struct":
      // the constructor of a class gives the types
      return (
        value.struct.kind === "union" && value.fields.some(([field, item]) => hasEntries(item, field.type, context))
      )
    default:
      return false
  }
}

const property = (name: string): string => (/^\w+$/.test(name) ? `.${name}` : `[${quoted(name)}]`)

const structNode = (
  struct: Program.Struct,
  fields: ReadonlyArray<readonly [Program.Field, Program.Value]>,
  isFrozen: boolean,
  context: Context
): Node => {
  const entries = fields.map(([field, value]) => ({
    key: key(memberName(struct.kind, field, context.options)),
    value: valueNode(value, field.type, field, isFrozen, context)
  }))
  if (struct.kind !== "union") return call(`new ${context.scope.definition(struct)}`, object(entries))
  // A union has one member. The type of a default is inferred without regard to that of its member.
  const tag = (name: string) => text(isFrozen ? quoted(name) : `${quoted(name)} as const`)
  return object(
    entries.slice(0, 1).flatMap(({ key, value }) => [
      { key: "_tag", value: tag(key) },
      { key: "value", value }
    ])
  )
}

/** Whether a constant of one type can stand where another type is wanted. */
const isSameForm = (left: Program.Type, right: Program.Type, holder: Holder | undefined, context: Context): boolean => {
  const from = Program.target(left)
  const to = Program.target(right)
  if ("tag" in from || "tag" in to) return from === to
  if (from.kind === "list" || from.kind === "set" || from.kind === "map") {
    // two typedefs are not looked into: what they hold can be far longer than the IDL
    if (left.kind === "reference" && right.kind === "reference") return left.to === right.to
    if (from.kind !== to.kind) return false
    const parts = (type: typeof from) => (type.kind === "map" ? [type.key, type.value] : [type.element])
    const others = parts(to as typeof from)
    return parts(from).every((part, i) => isSameForm(part, others[i]!, undefined, context))
  }
  const have = scalarOf(left, undefined, context.options)
  const want = scalarOf(right, holder, context.options)
  return have !== undefined && want !== undefined && forms[have] === forms[want]
}

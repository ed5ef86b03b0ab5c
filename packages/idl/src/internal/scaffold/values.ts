/**
 * Values of Thrift types as TypeScript expressions: the least that compiles, and samples to send.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { enumMemberName, memberName } from "../emit/names.ts"
import { call, type Node, object, text } from "../emit/layout.ts"
import { isComparable, scalarOf } from "../scalar.ts"
import type { Context } from "./context.ts"

const scalars: Readonly<Record<NonNullable<ReturnType<typeof scalarOf>>, string>> = {
  bool: "false",
  i8: "0",
  i16: "0",
  i32: "0",
  i64: "0n",
  i64number: "0",
  i64string: '"0"',
  double: "0",
  string: '"hello"',
  binary: "new Uint8Array()"
}

/** How many more structs an expression may have: required members of required members can be exponentially many. */
interface Budget {
  structs: number
}

const noValue = text("undefined as never")

/**
 * An expression of the type.
 *
 * @internal
 */
export const valueOf = (
  context: Context,
  type: Program.Type,
  field?: Program.Field,
  budget: Budget = { structs: 500 }
): Node => {
  const target = Program.target(type)
  if ("tag" in target) {
    if (target.tag === "Enum") return enumValue(context, target)
    return budget.structs-- > 0 ? structValue(context, target, budget) : noValue
  }
  switch (target.kind) {
    case "list":
      return text("[]")
    case "set":
      return text(isComparable(target.element, context) ? "new Set()" : "[]")
    case "map":
      return text(isComparable(target.key, context) ? "new Map()" : "[]")
    default:
      return text(scalars[scalarOf(type, field, context)!])
  }
}

const enumValue = (context: Context, target: Program.Enum): Node => {
  const [first] = target.members
  return text(first === undefined ? "0" : `${context.reference(target)}.${enumMemberName(first.name)}`)
}

const isMandatory = (field: Program.Field): boolean => field.requiredness === "required" && field.default === undefined

const isPlainText = (context: Context, field: Program.Field): boolean =>
  field.default === undefined && scalarOf(field.type, field, context) === "string"

const structValue = (context: Context, target: Program.Struct, budget: Budget): Node => {
  if (target.kind === "union") return unionValue(context, target, budget)
  return construct(
    context,
    target,
    target.fields.filter(isMandatory).map((field) => [field, valueOf(context, field.type, field, budget)])
  )
}

const construct = (
  context: Context,
  target: Program.Struct,
  members: ReadonlyArray<readonly [field: Program.Field, value: Node]>
): Node => {
  const entries = members.map(([field, value]) => ({ key: memberName(target.kind, field, context), value }))
  return call(`new ${context.reference(target)}`, ...(entries.length === 0 ? [] : [object(entries)]))
}

/** By a member that holds no other union, so that it ends; a union without such a member has no values. */
const unionValue = (context: Context, target: Program.Struct, budget: Budget): Node => {
  const holdsStruct = ({ type }: Program.Field) => "tag" in Program.target(type)
  const field = target.fields.find((each) => !holdsStruct(each)) ?? target.fields.find((each) => isFinite(target, each))
  if (field === undefined) return noValue
  const name = memberName("union", field, context)
  return call(
    `${context.reference(target)}.cases.${name}.make`,
    object([{ key: "value", value: valueOf(context, field.type, field, budget) }])
  )
}

/** Whether the least value of a member does not hold a union. */
const isFinite = (union: Program.Struct, { type }: Program.Field): boolean => {
  const seen = new Set<Program.Struct>([union])
  const ends = (type: Program.Type): boolean => {
    const target = Program.target(type)
    if (!("tag" in target) || target.tag === "Enum") return true
    if (target.kind === "union" || seen.has(target)) return false
    seen.add(target)
    return target.fields.filter(isMandatory).every((field) => ends(field.type))
  }
  return ends(type)
}

/**
 * A value to send: its texts are filled in, so that there is something to see.
 *
 * @internal
 */
export const sampleOf = (context: Context, type: Program.Type, field?: Program.Field): Node => {
  const target = Program.target(type)
  if (!("tag" in target) || target.tag === "Enum" || target.kind === "union") return valueOf(context, type, field)
  const shown = target.fields.filter((field) => isMandatory(field) || isPlainText(context, field))
  return construct(
    context,
    target,
    shown.map((field) => [field, valueOf(context, field.type, field)])
  )
}

/**
 * An answer to a request.
 *
 * @internal
 */
export interface Answer {
  readonly value: Node
  readonly request: "unused" | "used" | "returned"
}

/**
 * The members that request and response both have, by their names and types, come back. `name` is the expression that
 * gives the request.
 *
 * @internal
 */
export const answerOf = (context: Context, name: string, request: Program.Type, response: Program.Type): Answer => {
  const from = Program.target(request)
  const to = Program.target(response)
  if (from === to) return { value: text(name), request: "returned" }
  if (!isPlainStruct(from) || !isPlainStruct(to)) return { value: valueOf(context, response), request: "unused" }
  const shared = (field: Program.Field) => from.fields.find((other) => isSame(context, from, other, to, field))
  const shown = to.fields.filter((field) => isMandatory(field) || shared(field) !== undefined)
  const members = shown.map((field) => {
    const same = shared(field)
    const value =
      same === undefined ? valueOf(context, field.type, field) : text(`${name}.${memberName(from.kind, same, context)}`)
    return [field, value] as const
  })
  const isUsed = shown.some((field) => shared(field) !== undefined)
  return { value: construct(context, to, members), request: isUsed ? "used" : "unused" }
}

const isPlainStruct = (target: ReturnType<typeof Program.target>): target is Program.Struct =>
  "tag" in target && target.tag === "Struct" && target.kind !== "union"

const isSame = (
  context: Context,
  from: Program.Struct,
  one: Program.Field,
  to: Program.Struct,
  other: Program.Field
): boolean => {
  if (memberName(from.kind, one, context) !== memberName(to.kind, other, context)) return false
  if (!isSameType(context, one, other)) return false
  return !isMandatory(other) || isMandatory(one) || one.default !== undefined || isZeroed(one)
}

/** Whether an absent member is its zero, so that it is always there. */
const isZeroed = (field: Program.Field): boolean => {
  const target = Program.target(field.type)
  return field.requiredness === "default" && !("tag" in target && target.tag === "Struct")
}

/** Containers are made anew: their elements may differ in ways that are not worth comparing. */
const isSameType = (context: Context, one: Program.Field, other: Program.Field): boolean => {
  const from = Program.target(one.type)
  const to = Program.target(other.type)
  if ("tag" in from || "tag" in to) return from === to
  const scalar = scalarOf(one.type, one, context)
  return scalar !== undefined && scalar === scalarOf(other.type, other, context)
}

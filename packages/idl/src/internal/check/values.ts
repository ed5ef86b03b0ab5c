/**
 * Values of constants and defaults: each is brought to its type, as Kitex does it.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { coerce, fits, isIntKind } from "./coerce.ts"
import { toBytes, toText, unescape } from "./escapes.ts"
import { fieldNamed, isDeclared, memberNumbered } from "./members.ts"
import { resolveReference } from "./references.ts"
import { sameType } from "./sameType.ts"
import { related, report, type Scope, shape } from "./scope.ts"
import { nearest } from "./suggest.ts"
import { quoted, short, typeText } from "./text.ts"

/** What a value is for: the type that it must have, and what a message calls it. */
interface Wanted {
  readonly type: Program.Type
  readonly what: string
}

/**
 * The value; undefined where it is wrong, which is reported.
 *
 * @internal
 */
export const evaluate = (scope: Scope, node: Ast.Value, wanted: Wanted): Program.Value | undefined => {
  if (node.tag === "NameValue" && node.name.text !== "true" && node.name.text !== "false") {
    return named(scope, node, wanted)
  }
  const to = shape(scope.run, wanted.type)
  if ("tag" in to) {
    if (to.tag === "Enum") return scalar(scope, node, to, wanted)
    return node.tag === "MapValue" ? struct(scope, node, to) : mismatch(scope, node, wanted)
  }
  switch (to.kind) {
    case "list":
    case "set":
      return elements(scope, node, to, wanted)
    case "map":
      return node.tag === "MapValue" ? entries(scope, node, to, wanted) : emptyOrMismatch(scope, node, to.kind, wanted)
    default:
      return scalar(scope, node, to.kind, wanted)
  }
}

/** What a node that is not of its type is, for a message. */
const described = (node: Ast.Value): string => {
  switch (node.tag) {
    case "IntValue":
      return `the integer ${short(`${node.value}`)}`
    case "DoubleValue":
      return `the number ${node.value}`
    case "Literal":
      return `the string ${quoted(node.text)}`
    case "NameValue":
      return short(node.name.text)
    case "ListValue":
      return "a list"
    case "MapValue":
      return "a map"
  }
}

const mismatch = (scope: Scope, node: Ast.Value, { type, what }: Wanted, got = described(node)): undefined => {
  report(
    scope,
    "E_VALUE_TYPE",
    node,
    `type error: '${short(what)}' was declared as type ${typeText(type.node)}, but got ${got}`
  )
  return undefined
}

const scalar = (
  scope: Scope,
  node: Ast.Value,
  to: Program.Base["kind"] | Program.Enum,
  wanted: Wanted
): Program.Value | undefined => {
  const literal = node.tag === "Literal" ? text(scope, node, to) : number(node)
  if (literal === "bad escape") return undefined
  const value = literal && coerce(literal, to)
  return value === undefined ? mismatch(scope, node, wanted) : inRange(scope, node, to, value, wanted)
}

const number = (node: Ast.Value): Program.Value | undefined => {
  if (node.tag === "IntValue") return { kind: "int", value: node.value, from: undefined }
  if (node.tag === "DoubleValue") return { kind: "double", value: node.value, from: undefined }
  if (node.tag === "NameValue") return { kind: "bool", value: node.name.text === "true", from: undefined }
  return undefined
}

const text = (
  scope: Scope,
  node: Ast.Literal,
  to: Program.Base["kind"] | Program.Enum
): Program.Value | "bad escape" => {
  const start = node.start + 1
  const result = unescape(scope.file.source.text.slice(start, node.end - 1))
  if (result.tag === "Bad") {
    const span = { start: start + result.span.start, end: start + result.span.end }
    report(
      scope,
      "E_VALUE_TYPE",
      span,
      `unknown escape sequence ${scope.file.source.text.slice(span.start, span.end)} in a value`,
      {
        hint: "values have the escapes of Go; write \\\\ for a backslash"
      }
    )
    return "bad escape"
  }
  return to === "binary"
    ? { kind: "binary", value: toBytes(result.pieces), from: undefined }
    : { kind: "string", value: toText(result.pieces), from: undefined }
}

const inRange = (
  scope: Scope,
  node: Ast.Value,
  to: Program.Base["kind"] | Program.Enum,
  value: Program.Value,
  { type, what }: Wanted
): Program.Value | undefined => {
  if (value.kind !== "int" || typeof to !== "string" || !isIntKind(to) || fits(to, value.value)) return value
  const number = short(`${value.value}`)
  report(
    scope,
    "E_VALUE_TYPE",
    node,
    `'${short(what)}' was declared as type ${typeText(type.node)}, and ${number} does not fit into it`
  )
  return undefined
}

const named = (scope: Scope, node: Ast.NameValue, wanted: Wanted): Program.Value | undefined => {
  const reference = resolveReference(scope, node.name)
  if (reference === undefined) return undefined
  const to = shape(scope.run, wanted.type)
  const scalarTarget = "tag" in to ? (to.tag === "Enum" ? to : undefined) : to.kind
  if (reference.tag === "Member") {
    const { enum: of, member } = reference
    const value: Program.Value = { kind: "enum", enum: of, value: member.value, member, from: undefined }
    const coerced = scalarTarget === undefined ? undefined : coerceScalar(value, scalarTarget)
    if (coerced !== undefined) return inRange(scope, node, scalarTarget as Program.Base["kind"], coerced, wanted)
    return mismatch(scope, node, wanted, `a member of the enum ${short(of.name)}`)
  }
  const constant = reference.scope.resolved.get(reference.node.name.text)
  if (constant?.tag !== "Const") return undefined
  const value = sameType(scope.run, constant.type, wanted.type)
    ? constant.value
    : scalarTarget && coerceScalar(constant.value, scalarTarget)
  if (value !== undefined) {
    return inRange(scope, node, scalarTarget as Program.Base["kind"], { ...value, from: constant }, wanted)
  }
  return mismatch(scope, node, wanted, `the constant ${short(constant.name)} of type ${typeText(constant.type.node)}`)
}

const coerceScalar = (value: Program.Value, to: string | Program.Enum): Program.Value | undefined =>
  to === "list" || to === "set" || to === "map" ? undefined : coerce(value, to as Program.Base["kind"] | Program.Enum)

/** Kitex takes an empty literal of the other form for an empty container. */
const emptyOrMismatch = (
  scope: Scope,
  node: Ast.Value,
  kind: "list" | "set" | "map",
  wanted: Wanted
): Program.Value | undefined => {
  const isEmpty =
    (node.tag === "ListValue" && node.items.length === 0) || (node.tag === "MapValue" && node.entries.length === 0)
  if (!isEmpty) return mismatch(scope, node, wanted)
  return kind === "map" ? { kind, entries: [], from: undefined } : { kind, items: [], from: undefined }
}

const elements = (
  scope: Scope,
  node: Ast.Value,
  { kind, element }: Program.List | Program.Set,
  wanted: Wanted
): Program.Value | undefined => {
  if (node.tag !== "ListValue") return emptyOrMismatch(scope, node, kind, wanted)
  const each: Wanted = { type: element, what: `element of ${short(wanted.what)}` }
  const items = node.items.map((item) => evaluate(scope, item, each))
  return items.every((item) => item !== undefined) ? { kind, items, from: undefined } : undefined
}

const entries = (
  scope: Scope,
  node: Ast.MapValue,
  { key: keyType, value: valueType }: Program.Map,
  { what }: Wanted
): Program.Value | undefined => {
  const wantedKey: Wanted = { type: keyType, what: `key of ${short(what)}` }
  const wantedValue: Wanted = { type: valueType, what: `value of ${short(what)}` }
  const seen = new Map<string, Ast.Value>()
  const result: Array<readonly [Program.Value, Program.Value]> = []
  for (const entry of node.entries) {
    const key = evaluate(scope, entry.key, wantedKey)
    const value = evaluate(scope, entry.value, wantedValue)
    const text = key && keyText(key)
    const same = text === undefined ? undefined : seen.get(text)
    if (same !== undefined) {
      report(scope, "E_VALUE_TYPE", entry.key, `${described(entry.key)} is twice a key of '${short(what)}'`, {
        related: [related(scope, same, "first here")]
      })
    } else if (text !== undefined) seen.set(text, entry.key)
    if (key !== undefined && value !== undefined && same === undefined) result.push([key, value])
  }
  return result.length === node.entries.length ? { kind: "map", entries: result, from: undefined } : undefined
}

/** Equal keys have equal texts; containers and structs are not compared. */
const keyText = (key: Program.Value): string | undefined =>
  "value" in key ? `${key.kind === "binary" ? key.value.join() : key.value}` : undefined

const struct = (scope: Scope, node: Ast.MapValue, of: Program.Struct): Program.Value | undefined => {
  const seen = new Map<string, Ast.Value>()
  const fields: Array<readonly [Program.Field, Program.Value]> = []
  for (const { key, value } of node.entries) {
    const field = memberOf(scope, key, of)
    if (field === undefined) continue
    const evaluated = evaluate(scope, value, { type: field.type, what: `${of.name}.${field.name}` })
    const same = seen.get(field.name)
    if (same !== undefined) {
      report(scope, "E_VALUE_TYPE", key, `field ${quoted(field.name)} of ${quoted(of.name)} is given twice`, {
        related: [related(scope, same, "first here")]
      })
      continue
    }
    seen.set(field.name, key)
    if (evaluated !== undefined) fields.push([field, evaluated])
  }
  if (of.kind === "union" && node.entries.length !== 1) {
    report(
      scope,
      "E_VALUE_TYPE",
      node,
      `a value of the union ${quoted(of.name)} has exactly one member, this has ${node.entries.length}`
    )
    return undefined
  }
  if (fields.length !== node.entries.length) return undefined
  // a literal of Go has zeros for what it does not name, not the defaults of its members
  for (const field of of.kind === "union" ? [] : of.fields) {
    if (seen.has(field.name) || (field.requiredness !== "required" && field.node.default === undefined)) continue
    const zero = zeroOf(shape(scope.run, field.type))
    if (zero !== undefined) fields.push([field, zero])
    else if (field.requiredness === "required") {
      report(
        scope,
        "E_VALUE_TYPE",
        node,
        `the required member ${quoted(field.name)} of ${quoted(of.name)} is missing`,
        {
          related: [{ source: of.file.source, span: field.node.name, message: "declared here" }]
        }
      )
    }
  }
  return { kind: "struct", struct: of, fields, from: undefined }
}

/** What Go has where nothing is given; a struct is nil there, which cannot be written. */
const zeroOf = (to: ReturnType<typeof shape>): Program.Value | undefined => {
  const from = undefined
  if ("tag" in to) {
    if (to.tag !== "Enum") return undefined
    return { kind: "enum", enum: to, value: 0, member: memberNumbered(to, 0), from }
  }
  switch (to.kind) {
    case "bool":
      return { kind: "bool", value: false, from }
    case "double":
      return { kind: "double", value: 0, from }
    case "string":
      return { kind: "string", value: "", from }
    case "binary":
      return { kind: "binary", value: new Uint8Array(0), from }
    case "list":
    case "set":
      return { kind: to.kind, items: [], from }
    case "map":
      return { kind: "map", entries: [], from }
    default:
      return { kind: "int", value: 0n, from }
  }
}

function* memberNames(of: Program.Struct): Iterable<string> {
  for (const { name } of of.fields) yield name
}

const memberOf = (scope: Scope, key: Ast.Value, of: Program.Struct): Program.Field | undefined => {
  if (key.tag !== "Literal") {
    report(
      scope,
      "E_VALUE_TYPE",
      key,
      `expect literals as keys in default value of struct type '${short(of.name)}', got ${described(key)}`,
      {
        hint: "write the name of the member in quotes"
      }
    )
    return undefined
  }
  const field = fieldNamed(of, key.text)
  // a member whose type is wrong is reported where it is declared
  if (field !== undefined || isDeclared(of, key.text)) return field
  const near = nearest(key.text, memberNames(of), scope.run.budget)
  report(scope, "E_VALUE_TYPE", key, `field ${quoted(key.text)} not found in ${quoted(of.name)}`, {
    related: [{ source: of.file.source, span: of.node.name, message: "declared here" }],
    hint: near === undefined ? undefined : `did you mean ${quoted(near)}?`
  })
  return undefined
}

/**
 * The small things that encoder and decoder text have in common.
 */
import type * as Runtime from "../Runtime.ts"
import type { Member, NamedPlan, Plan, TransformPlan } from "./plan.ts"
import { absentValue } from "./wire.ts"

/** What is said about the text of one module while it is written.
 *
 * @internal
 */
export interface Scope {
  /** Whether the text is TypeScript, not JavaScript. */
  readonly isTyped: boolean
  /** The name of a type of this module. */
  readonly name: (plan: NamedPlan) => string
  /** The functions of a type, of this module or of another one. */
  readonly encoder: (plan: NamedPlan) => string
  readonly decoder: (plan: NamedPlan) => string
  /** The functions of a transformation, which text refers to by number. */
  readonly transform: (plan: TransformPlan) => string
  /** Name something of `Runtime`, which the module then imports. */
  readonly use: (name: keyof typeof Runtime) => string
  readonly useType: (name: "Compiled" | "Constructor" | "Link") => string
}

/** @internal */
export const isIdentifier = (name: string): boolean => /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name)

/** @internal */
export const access = (object: string, name: string): string =>
  isIdentifier(name) ? `${object}.${name}` : `${object}[${quoted(name)}]`

const count = (text: string, character: string): number => text.split(character).length - 1

/** A string as formatters leave it: in double quotes unless these cost more escapes.
 *
 * @internal
 */
export const quoted = (text: string): string => {
  const json = JSON.stringify(text)
  if (count(text, '"') <= count(text, "'")) return json
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

const width = 120

/** `before` items `after`, on one line if it fits.
 *
 * @internal
 */
export const listed = (
  before: string,
  items: ReadonlyArray<string>,
  after: string,
  column = 0
): ReadonlyArray<string> => {
  const line = `${before}${items.join(", ")}${after}`
  if (column + line.length <= width) return [line]
  const last = items.length - 1
  // a formatter puts the items of `{ a }` apart and those of `(a)` next to the parentheses
  return [before.trimEnd(), ...items.map((item, i) => (i === last ? item : `${item},`)), after.trimStart()]
}

const indents = Array.from({ length: 64 }, (_, depth) => "  ".repeat(depth))

/** Lines with the indentation that their braces and parentheses ask for.
 *
 * @internal
 */
export const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  let depth = 0
  return lines.map((line) => {
    const first = line.charCodeAt(0)
    if (first === 0x7d || first === 0x29) depth--
    const text = line === "" ? line : (indents[depth] ?? "  ".repeat(depth)) + line
    const last = line.charCodeAt(line.length - 1)
    if (last === 0x7b || last === 0x28) depth++
    return text
  })
}

const number = (value: number): string => (Object.is(value, -0) ? "-0" : String(value).replace("e+", "e"))

// a value of the given type as text, where it is a scalar
const scalar = (plan: Plan, value: any): string | undefined => {
  switch (plan.kind) {
    case "bool":
      return String(value === true)
    case "i8":
    case "i16":
    case "i32":
    case "enum":
    case "i64number":
    case "double":
      return number(Number(value))
    case "i64":
      return `${BigInt(value)}n`
    case "string":
    case "i64string":
      return quoted(String(value))
    case "binary":
      return value.length === 0 ? "new Uint8Array(0)" : `new Uint8Array([${[...value].join(", ")}])`
    default:
      return undefined
  }
}

const empty = (plan: Plan): string | undefined => {
  switch (plan.kind) {
    case "list":
    case "set":
      return plan.collection === "set" ? "new Set()" : "[]"
    case "map":
      return plan.collection === "map" ? "new Map()" : "[]"
    default:
      return undefined
  }
}

/** The value of an absent member as text, unless it takes more than a literal.
 *
 * @internal
 */
export const absentText = (member: Member): string | undefined =>
  (member.default === undefined ? empty(member.plan) : undefined) ??
  (member.plan.kind in notLiteral ? undefined : scalar(member.plan, absentValue(member)))

const notLiteral = { list: true, set: true, map: true, struct: true, union: true, transform: true }

/** The type of decoded values in TypeScript.
 *
 * @internal
 */
export const typeText = (plan: Plan): string => {
  switch (plan.kind) {
    case "bool":
      return "boolean"
    case "i64":
      return "bigint"
    case "string":
    case "i64string":
      return "string"
    case "binary":
      return "Uint8Array"
    case "list":
      return `Array<${typeText(plan.element)}>`
    case "set":
      return `${plan.collection === "set" ? "Set" : "Array"}<${typeText(plan.element)}>`
    case "map":
      return plan.collection === "map"
        ? `Map<${typeText(plan.key)}, ${typeText(plan.value)}>`
        : `Array<[${typeText(plan.key)}, ${typeText(plan.value)}]>`
    case "struct":
    case "union":
    case "transform":
      return "unknown"
    default:
      return "number"
  }
}

/**
 * Default values of plans as IDL text, in the escapes of Go, which is what Kitex and the parser read them with.
 */
import * as CodecError from "@millrace/codec/CodecError"
import type * as Plan from "@millrace/codec/Plan"

const short: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escape = (character: string): string => short[character] ?? `\\u${hex(character.charCodeAt(0), 4)}`

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

// a lone surrogate is U+FFFD on the wire, and no escape says it
const string = (value: string): string => `"${value.toWellFormed().replaceAll(/["\\\p{Cc}\u2028\u2029]/gu, escape)}"`

const byte = (value: number): string => {
  const character = String.fromCharCode(value)
  return value < 0x20 || value > 0x7e ? `\\x${hex(value, 2)}` : (short[character] ?? character)
}

const binary = (value: Uint8Array): string => `"${Array.from(value, byte).join("")}"`

const double = (value: number, path: string): string => {
  if (!Number.isFinite(value)) throw CodecError.make("BadType", path, `no IDL can say the default ${value}`)
  const text = Object.is(value, -0) ? "-0" : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

const braced = (entries: ReadonlyArray<string>): string => `{${entries.join(", ")}}`

/** @internal */
export const literal = (
  plan: Plan.Plan,
  value: any,
  path: string,
  enumName: (plan: Plan.EnumPlan) => string
): string => {
  const inner = (plan: Plan.Plan, value: unknown): string => literal(plan, value, path, enumName)
  switch (plan.kind) {
    case "bool":
    case "i8":
    case "i16":
    case "i32":
    case "i64":
    case "i64number":
    case "i64string":
      return String(value)
    case "double":
      return double(value, path)
    case "string":
      return string(value)
    case "binary":
      return binary(value)
    case "enum": {
      const member = plan.members.find(([, number]) => number === value)
      return member === undefined ? String(value) : `${enumName(plan)}.${member[0]}`
    }
    case "list":
    case "set":
      return `[${Array.from(value, (item) => inner(plan.element, item)).join(", ")}]`
    case "map":
      return braced(
        Array.from(value, ([key, item]: [unknown, unknown]) => `${inner(plan.key, key)}: ${inner(plan.value, item)}`)
      )
    case "transform":
      return inner(plan.inner, plan.encode(value))
    case "union": {
      const set = plan.cases.find(({ tag }) => tag === value._tag)!
      return braced([`${string(set.thriftName ?? set.tag)}: ${inner(set.plan, value.value)}`])
    }
    case "struct":
      return braced(
        plan.members
          .filter(({ name }) => value[name] !== undefined)
          .map((member) => `${string(member.thriftName ?? member.name)}: ${inner(member.plan, value[member.name])}`)
      )
  }
}

/**
 * What a member means when a message does not have it.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { parts } from "../emit/needs.ts"
import { postorder } from "../emit/postorder.ts"
import type { ValueName } from "./comparison.ts"
import { structOf } from "./types.ts"

/** What a constant and the values that are made of it share; undefined where a value is not made of others. */
const holderOf = (value: Program.Value): object | undefined => {
  switch (value.kind) {
    case "binary":
      return value.value
    case "list":
    case "set":
      return value.items
    case "map":
      return value.entries
    case "struct":
      return value.fields
    default:
      return undefined
  }
}

/**
 * Constants may share parts, so that writing a value out may take for ever; numbering each part once does not.
 *
 * @internal
 */
export const valueNames = (): ValueName => {
  const strings = new Map<string, number>()
  const texts = new Map<string, number>()
  const names = new WeakMap<object, string>()

  const number = (numbers: Map<string, number>, text: string): number => {
    const found = numbers.get(text) ?? numbers.size
    numbers.set(text, found)
    return found
  }

  const braced = (parts: Iterable<string>): string => `{${[...parts].sort().join(",")}}`

  /** Of a value whose parts have names. */
  const textOf = (value: Program.Value): string => {
    switch (value.kind) {
      case "bool":
      case "int":
      case "enum":
        return `${value.value}`
      case "double":
        return Object.is(value.value, -0) ? "-0" : `${value.value}`
      case "string":
        return value.value === "" ? '""' : `"${number(strings, value.value)}"`
      case "binary":
        return `<${value.value.join(" ")}>`
      case "list":
        return `[${value.items.map(known).join(",")}]`
      case "set":
        return braced(new Set(value.items.map(known)))
      case "map":
        return braced(value.entries.map(([key, item]) => `${known(key)}:${known(item)}`))
      case "struct":
        return braced(value.fields.map(([field, item]) => `${field.id}:${known(item)}`))
    }
  }

  const known = (value: Program.Value): string => {
    const holder = holderOf(value)
    return (holder && names.get(holder)) ?? textOf(value)
  }

  return (value) => {
    const opened = new Set<object>()
    const unnamed = (value: Program.Value): ReadonlyArray<Program.Value> => {
      const holder = holderOf(value)
      if (holder === undefined || names.has(holder) || opened.has(holder)) return []
      opened.add(holder)
      return parts(value)
    }
    for (const part of postorder([value], unnamed)) {
      const holder = holderOf(part)
      if (holder === undefined || names.has(holder)) continue
      const text = textOf(part)
      // an empty one is the zero of its type
      names.set(holder, text.length === 2 ? text : `#${number(texts, text)}`)
    }
    return known(value)
  }
}

const absent = "absent"

const zero = (type: Program.Type): string => {
  const target = Program.target(type)
  if ("tag" in target) return target.tag === "Enum" ? "0" : absent
  switch (target.kind) {
    case "bool":
      return "false"
    case "string":
      return '""'
    case "binary":
      return "<>"
    case "list":
      return "[]"
    case "set":
    case "map":
      return "{}"
    default:
      return "0"
  }
}

const withoutDefault = (field: Program.Field): string => (field.requiredness === "optional" ? absent : zero(field.type))

/**
 * Whether a reader has nothing for the member when it is absent.
 *
 * @internal
 */
export const staysAbsent = (field: Program.Field): boolean =>
  field.default === undefined && withoutDefault(field) === absent

/**
 * A name for the value that a reader has for an absent member.
 *
 * @internal
 */
export const meaningOfAbsence = (nameOf: ValueName, field: Program.Field): string =>
  field.default === undefined ? withoutDefault(field) : nameOf(field.default)

/**
 * Whether writers leave the member out when its value is the default.
 *
 * @internal
 */
export const omitsDefault = (field: Program.Field): boolean => {
  if (field.requiredness !== "optional" || field.default === undefined || structOf(field.type) !== undefined) {
    return false
  }
  const target = Program.target(field.type)
  return "tag" in target || (target.kind !== "list" && target.kind !== "set" && target.kind !== "map")
}

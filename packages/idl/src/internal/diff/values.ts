/**
 * What a member means when a message does not have it.
 *
 * @internal
 */
import * as Program from "../../Program.ts"
import { structOf } from "./types.ts"

/** Equal for equal values, whatever constant they came from. */
const key = (value: Program.Value): string => {
  switch (value.kind) {
    case "bool":
    case "int":
    case "enum":
      return `${value.value}`
    case "double":
      return Object.is(value.value, -0) ? "-0" : `${value.value}`
    case "string":
      return JSON.stringify(value.value)
    case "binary":
      return `<${value.value.join(" ")}>`
    case "list":
    case "set":
      return `[${value.items.map(key).join(",")}]`
    case "map":
      return `{${value.entries.map(([name, item]) => `${key(name)}:${key(item)}`).join(",")}}`
    case "struct":
      return `{${value.fields.map(([field, item]) => `${field.id}:${key(item)}`).join(",")}}`
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
    case "set":
      return "[]"
    case "map":
      return "{}"
    default:
      return "0"
  }
}

/**
 * A name for the value that a reader has for an absent member.
 *
 * @internal
 */
export const meaningOfAbsence = (field: Program.Field): string => {
  if (field.default !== undefined) return key(field.default)
  return field.requiredness === "optional" ? absent : zero(field.type)
}

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

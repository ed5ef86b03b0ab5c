/**
 * Why writing failed: walks the value once more, slowly, and knows where it is.
 */
import * as CodecError from "../CodecError.ts"
import { isI64String } from "./bytes.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan, Plan } from "./plan.ts"
import { inOrder, isNilable, isStructLike, mayBeAbsent } from "./wire.ts"

const describe = (value: unknown): string => {
  if (value === null) return "null"
  switch (typeof value) {
    case "number":
    case "boolean":
      return String(value)
    case "bigint":
      return `${value}n`
    case "object": {
      const name = (value as object).constructor?.name
      return typeof name === "string" && name !== "" ? name : "object"
    }
    default:
      return typeof value
  }
}

const expected: Record<string, string> = {
  i64number: "a safe integer",
  i64string: "the decimal text of an i64",
  binary: "Uint8Array",
  enum: "an enum's i32",
  struct: "an object",
  union: "a case of the union"
}

const integerBits: Record<string, number> = { i8: 8, i16: 16, i32: 32, enum: 32 }

const isValid = (plan: Plan, value: any): boolean => {
  switch (plan.kind) {
    case "bool":
      return typeof value === "boolean"
    case "i8":
    case "i16":
    case "i32":
    case "enum": {
      const limit = 2 ** (integerBits[plan.kind]! - 1)
      return typeof value === "number" && Number.isInteger(value) && value >= -limit && value < limit
    }
    case "i64":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value
    case "i64string":
      return isI64String(value)
    case "i64number":
      return Number.isSafeInteger(value)
    case "double":
      return typeof value === "number"
    case "string":
      return typeof value === "string"
    case "binary":
      return value instanceof Uint8Array
    case "list":
    case "set":
      return plan.collection === "set" ? value instanceof Set : Array.isArray(value)
    case "map":
      return plan.collection === "map" ? value instanceof Map : Array.isArray(value)
    case "struct":
    case "union":
      return typeof value === "object" && value !== null
    case "transform":
      return true
  }
}

const wanted = (plan: Plan): string => {
  if (plan.kind === "list") return "Array"
  if (plan.kind === "set") return plan.collection === "set" ? "Set" : "Array"
  if (plan.kind === "map") return plan.collection === "map" ? "Map" : "Array of entries"
  return expected[plan.kind] ?? plan.kind
}

const attempt = (path: string, run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    throw CodecError.make("BadValue", path, String(error))
  }
}

const walk = (plan: Plan, value: any, path: string, depth: number, settings: Settings): void => {
  const isEmpty = settings.absentStruct === "empty"
  if (!isValid(plan, value)) {
    throw CodecError.make("BadValue", path, `expected ${wanted(plan)}, got ${describe(value)}`)
  }
  const inner = (plan: Plan, value: unknown, path: string): void => {
    if (value === undefined && isEmpty && isStructLike(plan)) return
    walk(plan, value, path, depth, settings)
  }
  switch (plan.kind) {
    case "list":
    case "set": {
      let i = 0
      for (const item of value) inner(plan.element, item, `${path}[${i++}]`)
      return
    }
    case "map": {
      let i = 0
      for (const entry of value) {
        if (!Array.isArray(entry) || entry.length !== 2) {
          throw CodecError.make("BadValue", `${path}[${i}]`, `expected an entry, got ${describe(entry)}`)
        }
        const [key, item] = entry
        inner(plan.key, key, `${path}.keys[${i}]`)
        inner(plan.value, item, `${path}[${typeof key === "string" ? JSON.stringify(key) : i}]`)
        i++
      }
      return
    }
    case "transform":
      return walk(
        plan.inner,
        attempt(path, () => plan.encode(value)),
        path,
        depth,
        settings
      )
    case "struct":
    case "union":
      if (depth === 0) {
        throw CodecError.make("DepthLimit", path, `depth limit exceeded, ${settings.maxDepth} levels are allowed`)
      }
      named(plan, value, path, depth - 1, settings)
  }
}

const named = (plan: NamedPlan, value: any, path: string, depth: number, settings: Settings): void => {
  if (plan.kind === "union") {
    const found = plan.cases.find(({ tag }) => tag === value._tag)
    if (found === undefined) {
      const tags = plan.cases.map(({ tag }) => tag).join(", ")
      throw CodecError.make("BadValue", path, `expected _tag to be one of ${tags}, got ${String(value._tag)}`)
    }
    if (value.value === undefined && settings.absentStruct === "empty" && isStructLike(found.plan)) return
    return walk(found.plan, value.value, `${path}.${found.tag}`, depth, settings)
  }
  for (const member of inOrder(plan.members, settings.fieldOrder)) {
    const item = value[member.name]
    if (item === undefined) {
      if (member.requiredness === "optional" || mayBeAbsent(member)) continue
      if (settings.absentStruct === "empty" && isNilable(member.plan)) continue
      if (member.requiredness === "required") {
        throw CodecError.make(
          "MissingRequired",
          `${path}.${member.name}`,
          `required field ${member.thriftName ?? member.name} is not set`
        )
      }
    }
    walk(member.plan, item, `${path}.${member.name}`, depth, settings)
  }
}

/** @internal */
export const explainEncode = (
  plan: NamedPlan,
  settings: Settings,
  value: unknown,
  cause: unknown
): CodecError.CodecError => {
  try {
    walk(plan, value, plan.label, settings.maxDepth, settings)
  } catch (error) {
    if (error instanceof CodecError.CodecError) return error
    return CodecError.make("BadValue", plan.label, String(error))
  }
  return CodecError.make("BadValue", plan.label, String(cause))
}

/**
 * Whether a value of one type is understood by readers of another.
 *
 * @internal
 */
import type { Severity } from "../../Change.ts"
import * as Program from "../../Program.ts"
import type { Comparison } from "./comparison.ts"

/**
 * How two types differ, apart from the members of their structs and enums.
 *
 * @internal
 */
export interface TypeChange {
  readonly severity: Severity
  /** Whether the wire has another type for it, so that readers skip the value. */
  readonly isSkipped: boolean
  /** Who breaks and how, to be put behind "is X, was Y: ". */
  readonly consequence: string
}

const written = (type: Program.Type): string => {
  switch (type.kind) {
    case "list":
    case "set":
      return `${type.kind}<${written(type.element)}>`
    case "map":
      return `map<${written(type.key)}, ${written(type.value)}>`
    case "reference":
      return type.to.name
    default:
      return type.kind
  }
}

/**
 * The type as the IDL spells it, a typedef with what it stands for.
 *
 * @internal
 */
export const typeText = (type: Program.Type): string => {
  if (type.kind !== "reference" || type.to.tag !== "Typedef") return written(type)
  const target = Program.target(type)
  return `${type.to.name} (${"tag" in target ? target.name : written(target)})`
}

type Target = ReturnType<typeof Program.target>

/**
 * Whether it is a struct, union or exception.
 *
 * @internal
 */
export const structOf = (type: Program.Type): Program.Struct | undefined => {
  const target = Program.target(type)
  return "tag" in target && target.tag === "Struct" ? target : undefined
}

/** Types that look alike on the wire have one name here. */
const wireType = (target: Target): string => {
  if ("tag" in target) return target.tag === "Enum" ? "i32" : "struct"
  return target.kind === "binary" ? "string" : target.kind
}

const skipped: TypeChange = {
  severity: "breaking",
  isSkipped: true,
  consequence:
    "readers skip a value of another wire type without an error, so old readers of new messages and new readers of old messages find it absent"
}

const inContainer: TypeChange = {
  severity: "breaking",
  isSkipped: false,
  consequence:
    "Kitex does not check the types of elements, so readers of the other version take the bytes for something else or fail in the middle of the message"
}

const text: TypeChange = {
  severity: "warning",
  isSkipped: false,
  consequence: "the bytes on the wire are the same; where they are not UTF-8, readers of the string may get U+FFFD"
}

const enumeration: TypeChange = {
  severity: "compatible",
  isSkipped: false,
  consequence: "the bytes on the wire are the same, an enum is an i32"
}

const order: ReadonlyArray<Severity> = ["compatible", "warning", "breaking"]

const worse = (one: TypeChange | undefined, other: TypeChange | undefined): TypeChange | undefined =>
  one === undefined || (other !== undefined && order.indexOf(other.severity) > order.indexOf(one.severity))
    ? other
    : one

/** Readers follow no value deeper than this. */
const maxDepth = 64

/**
 * Compares two types that stand in one place. Structs and enums in them are handed on to be compared by their members.
 *
 * @internal
 */
export const compareTypes = (
  { pair }: Pick<Comparison, "pair">,
  before: Program.Type,
  after: Program.Type
): TypeChange | undefined => {
  // a typedef of containers of typedefs can stand for exponentially many types, so each pair is compared once
  const known = new Map<Program.Typedef, Map<Program.Typedef, TypeChange | undefined>>()

  const compare = (
    before: Program.Type,
    after: Program.Type,
    depth: number,
    otherWireType: TypeChange
  ): TypeChange | undefined => {
    if (depth > maxDepth) return undefined
    if (before.kind !== "reference" || after.kind !== "reference") {
      return compareTargets(before, after, depth, otherWireType)
    }
    if (before.to.tag !== "Typedef" || after.to.tag !== "Typedef") {
      return compareTargets(before, after, depth, otherWireType)
    }
    const results = known.get(before.to) ?? new Map<Program.Typedef, TypeChange | undefined>()
    known.set(before.to, results)
    if (!results.has(after.to)) results.set(after.to, compareTargets(before, after, depth, otherWireType))
    return results.get(after.to)
  }

  const compareTargets = (
    before: Program.Type,
    after: Program.Type,
    depth: number,
    otherWireType: TypeChange
  ): TypeChange | undefined => {
    const old = Program.target(before)
    const now = Program.target(after)
    if (wireType(old) !== wireType(now)) return otherWireType
    if ("tag" in old && "tag" in now) {
      pair(old, now)
      return undefined
    }
    // an enum and an i32
    if ("tag" in old || "tag" in now) return enumeration
    switch (old.kind) {
      case "list":
      case "set":
        return compare(old.element, (now as Program.List | Program.Set).element, depth + 1, inContainer)
      case "map":
        return worse(
          compare(old.key, (now as Program.Map).key, depth + 1, inContainer),
          compare(old.value, (now as Program.Map).value, depth + 1, inContainer)
        )
      default:
        return old.kind === now.kind ? undefined : text
    }
  }

  return compare(before, after, 0, skipped)
}

/**
 * Constants and defaults of an IDL as the values that messages hold, made anew by each call.
 */
import * as Program from "../../Program.ts"
import { isComparable, type Scalar, scalarOf, type ScalarOptions } from "../scalar.ts"

/** What values are made with.
 *
 * @internal
 */
export interface Making {
  readonly options: ScalarOptions
  readonly property: (struct: Program.Struct, member: Program.Field) => string
  /** Finishes an array: as it is for defaults, frozen for constants, which are shared. */
  readonly array: (items: Array<unknown>) => ReadonlyArray<unknown>
  /** Makes a struct or an exception from its members by property. */
  readonly construct: (struct: Program.Struct, members: object) => unknown
}

/** What a container is of; a value that is checked has the kind of its type. */
interface Parts {
  readonly element: Program.Type
  readonly key: Program.Type
  readonly value: Program.Type
}

const integer = (value: bigint, scalar: Scalar | undefined): unknown =>
  scalar === "i64" ? value : scalar === "i64string" ? String(value) : Number(value)

/** @internal */
export const valueOf = (making: Making, type: Program.Type, value: Program.Value, member?: Program.Field): unknown => {
  const parts = Program.target(type) as unknown as Parts
  switch (value.kind) {
    case "int":
      return integer(value.value, scalarOf(type, member, making.options))
    case "string":
      return scalarOf(type, member, making.options) === "binary" ? new TextEncoder().encode(value.value) : value.value
    case "binary":
      return value.value.slice()
    case "list":
      return making.array(value.items.map((item) => valueOf(making, parts.element, item)))
    case "set": {
      const items = value.items.map((item) => valueOf(making, parts.element, item))
      return isComparable(parts.element, making.options) ? new Set(items) : making.array(items)
    }
    case "map": {
      const entries = value.entries.map(
        ([key, item]) => [valueOf(making, parts.key, key), valueOf(making, parts.value, item)] as const
      )
      return isComparable(parts.key, making.options) ? new Map(entries) : making.array(entries)
    }
    case "struct":
      return struct(making, value.struct, value.fields)
    default:
      return value.value
  }
}

const struct = (
  making: Making,
  struct: Program.Struct,
  fields: ReadonlyArray<readonly [field: Program.Field, value: Program.Value]>
): unknown => {
  const members = fields.map(
    ([field, value]) => [making.property(struct, field), valueOf(making, field.type, value, field)] as const
  )
  if (struct.kind !== "union") return making.construct(struct, Object.fromEntries(members))
  const [tag, payload] = members[0]!
  return { _tag: tag, value: payload }
}

/**
 * Members of enums and structs, found by a name or a number. There may be many of them, and many who look.
 *
 * @internal
 */
import type * as Program from "../../Program.ts"

/** A map of an enum or struct, made when it is asked for first. */
const index = <D extends object, V>(make: (definition: D) => V): ((definition: D) => V) => {
  const known = new WeakMap<D, V>()
  return (definition) => {
    const found = known.get(definition)
    if (found !== undefined) return found
    const made = make(definition)
    known.set(definition, made)
    return made
  }
}

const byName = index(({ members }: Program.Enum) => new Map(members.map((member) => [member.name, member])))

// of two with one number the first stays
const byNumber = index(
  ({ members }: Program.Enum) => new Map(members.toReversed().map((member) => [member.value, member]))
)

const fields = index((struct: Program.Struct) => new Map(struct.fields.map((field) => [field.name, field])))

const declared = index((struct: Program.Struct) => new Set(struct.node.fields.map(({ name }) => name.text)))

/**
 * @internal
 */
export const memberNamed = (definition: Program.Enum, name: string): Program.EnumMember | undefined =>
  byName(definition).get(name)

/**
 * @internal
 */
export const memberNumbered = (definition: Program.Enum, value: number): Program.EnumMember | undefined =>
  byNumber(definition).get(value)

/**
 * @internal
 */
export const fieldNamed = (struct: Program.Struct, name: string): Program.Field | undefined => fields(struct).get(name)

/**
 * Whether a struct has a member of that name, be it one whose type is wrong.
 *
 * @internal
 */
export const isDeclared = (struct: Program.Struct, name: string): boolean => declared(struct).has(name)

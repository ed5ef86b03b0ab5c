/**
 * Resolved types → the schemas that generated code would hold, built when they are asked for with all that they refer
 * to.
 */
import * as Thrift from "@millrace/codec/Thrift"
import * as Schema from "effect/Schema"
import * as Program from "../../Program.ts"
import type { Identities } from "../emit/identity.ts"
import { enumMemberName, memberName, type NameOptions, thriftName } from "../emit/names.ts"
import { type Scalar, type ScalarOptions, scalarOf } from "../scalar.ts"
import { type Making, valueOf } from "./values.ts"

/** What the types of a program depend on beside it. */
interface TypeOptions extends NameOptions, ScalarOptions {
  readonly identity: Identities
}

/** @internal */
export interface Types {
  /** A type where it is used: by a member, an argument, or as a result or typedef. */
  readonly of: (type: Program.Type, member?: Program.Field) => Schema.Top
  readonly named: (definition: Program.Struct | Program.Enum | Program.Typedef) => Schema.Top
  readonly property: (owner: Program.Struct["kind"] | "method", member: Program.Field) => string
  /** The value of a constant; its arrays are frozen. */
  readonly constant: (constant: Program.Const) => unknown
}

const scalars: { readonly [K in Scalar]: Schema.Top } = {
  bool: Thrift.Bool,
  i8: Thrift.I8,
  i16: Thrift.I16,
  i32: Thrift.I32,
  i64: Thrift.I64,
  i64number: Thrift.I64Number,
  i64string: Thrift.I64String,
  double: Thrift.Double,
  string: Thrift.String,
  binary: Thrift.Binary
}

type Make = (
  id: number,
  schema: Schema.Top,
  options: { readonly name: string | undefined; readonly default: (() => unknown) | undefined }
) => Schema.Top

// what their types promise to those who write schemas, the checker has seen to here
const makers: { readonly [R in Program.Field["requiredness"]]: Make } = {
  default: Thrift.field as Make,
  optional: Thrift.optional as Make,
  required: Thrift.required as Make
}

/** The structs that a type names. */
const structsIn = (type: Program.Type): ReadonlyArray<Program.Struct> => {
  const target = Program.target(type)
  if ("tag" in target) return target.tag === "Struct" ? [target] : []
  switch (target.kind) {
    case "list":
    case "set":
      return structsIn(target.element)
    case "map":
      return [...structsIn(target.key), ...structsIn(target.value)]
    default:
      return []
  }
}

/** @internal */
export const types = (options: TypeOptions): Types => {
  const enums = new Map<Program.Enum, Schema.Top>()
  const structs = new Map<Program.Struct, Schema.Top>()

  const of = (type: Program.Type, member?: Program.Field): Schema.Top => {
    const target = Program.target(type)
    if ("tag" in target) return target.tag === "Enum" ? enumOf(target) : reference(target)
    switch (target.kind) {
      case "list":
        return Thrift.list(of(target.element))
      case "set":
        return Thrift.set(of(target.element))
      case "map":
        return Thrift.map(of(target.key), of(target.value))
      default:
        return scalars[scalarOf(type, member, options)!]
    }
  }

  const enumOf = (definition: Program.Enum): Schema.Top => {
    let schema = enums.get(definition)
    if (schema === undefined) {
      const members: Record<string, number> = {}
      for (const { name, value } of definition.members) members[enumMemberName(name)] = value
      enums.set(definition, (schema = Thrift.Enum(options.identity(definition), members)))
    }
    return schema
  }

  // within a circle, a struct that is still to be built
  const reference = (struct: Program.Struct): Schema.Top =>
    structs.get(struct) ?? Schema.suspend((): Schema.Codec<unknown> => structOf(struct) as any)

  const property: Types["property"] = (owner, member) => memberName(owner, member, options)

  const making: Making = {
    options,
    property: (struct, member) => property(struct.kind, member),
    array: (items) => items,
    construct: (struct, members) => new (structOf(struct) as any)(members)
  }

  const member = (struct: Program.Struct, field: Program.Field): Schema.Top => {
    const schema = of(field.type, field)
    const name = thriftName(field, property(struct.kind, field))
    if (struct.kind === "union") return Thrift.field(field.id, schema, { name })
    const value = field.default
    return makers[field.requiredness](field.id, schema, {
      name,
      default: value === undefined ? undefined : () => valueOf(making, field.type, value, field)
    })
  }

  const build = (struct: Program.Struct): Schema.Top => {
    const members: Record<string, any> = {}
    for (const field of struct.fields) members[property(struct.kind, field)] = member(struct, field)
    const identity = options.identity(struct)
    if (struct.kind === "union") return Thrift.Union(identity, members)
    const Class =
      struct.kind === "struct"
        ? class extends Thrift.Struct<any>(identity)(members) {}
        : class extends Thrift.Exception<any>()(identity, members) {}
    return Object.defineProperty(Class, "name", { value: struct.name }) as any
  }

  // what a struct refers to is built before it, so that only circles are suspended; without recursion, since chains of
  // structs may be long
  const structOf = (root: Program.Struct): Schema.Top => {
    const open = [root]
    const entered = new Set<Program.Struct>()
    while (open.length > 0) {
      const struct = open[open.length - 1]!
      if (structs.has(struct)) {
        open.pop()
      } else if (entered.has(struct)) {
        structs.set(struct, build(struct))
      } else {
        entered.add(struct)
        for (const { type } of struct.fields) {
          for (const inner of structsIn(type)) if (!entered.has(inner) && !structs.has(inner)) open.push(inner)
        }
      }
    }
    return structs.get(root)!
  }

  const complete: Types["of"] = (type, member) => {
    structsIn(type).forEach(structOf)
    return of(type, member)
  }

  const named: Types["named"] = (definition) => {
    switch (definition.tag) {
      case "Enum":
        return enumOf(definition)
      case "Struct":
        return structOf(definition)
      case "Typedef":
        return complete({ kind: "reference", to: definition, node: definition.node.type })
    }
  }

  const constants: Making = { ...making, array: Object.freeze }

  return { of: complete, named, property, constant: ({ type, value }) => valueOf(constants, type, value) }
}

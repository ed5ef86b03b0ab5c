/**
 * Structs of a program → the plans that codecs are made from: those of the schemas that the emitter writes for them.
 */
import type * as Plan from "@millrace/codec/Plan"
import * as Program from "../Program.ts"
import type { Identities } from "./emit/identity.ts"
import { enumMemberName, memberName, type NameOptions, thriftName } from "./emit/names.ts"
import { isComparable, type ScalarOptions, scalarOf } from "./scalar.ts"
import { type Making, valueOf } from "./runtime/values.ts"

/** What plans depend on beside the program.
 *
 * @internal
 */
export interface PlanOptions extends NameOptions, ScalarOptions {
  readonly identities: Identities
}

/** The plans of one program; a struct has one plan, and plans of structs that hold each other have circles.
 *
 * @internal
 */
export interface Plans {
  readonly of: (struct: Program.Struct) => Plan.NamedPlan
  readonly ofType: (type: Program.Type, member?: Program.Field) => Plan.Plan
  readonly struct: (plan: Plan.NamedPlan) => Program.Struct
}

/** @internal */
export const plans = (options: PlanOptions): Plans => {
  const byStruct = new Map<Program.Struct, Plan.NamedPlan>()
  const byEnum = new Map<Program.Enum, Plan.EnumPlan>()
  const byPlan = new Map<Plan.NamedPlan, Program.Struct>()
  const unfilled: Array<readonly [Program.Struct, Plan.NamedPlan]> = []

  const making: Making = {
    options,
    property: (struct, member) => memberName(struct.kind, member, options),
    array: (items) => items,
    construct: (_, members) => members
  }

  const planOf = (type: Program.Type, member?: Program.Field): Plan.Plan => {
    const scalar = scalarOf(type, member, options)
    if (scalar !== undefined) return { kind: scalar }
    const target = Program.target(type)
    if ("tag" in target) return target.tag === "Enum" ? enumPlan(target) : of(target)
    switch (target.kind) {
      case "list":
        return { kind: "list", element: planOf(target.element), collection: "array" }
      case "set":
        return {
          kind: "set",
          element: planOf(target.element),
          collection: isComparable(target.element, options) ? "set" : "array"
        }
      case "map":
        return {
          kind: "map",
          key: planOf(target.key),
          value: planOf(target.value),
          collection: isComparable(target.key, options) ? "map" : "entries"
        }
      default:
        return { kind: target.kind }
    }
  }

  const enumPlan = (definition: Program.Enum): Plan.EnumPlan => {
    let plan = byEnum.get(definition)
    if (plan === undefined) {
      const members = definition.members.map(({ name, value }) => [enumMemberName(name), value] as const)
      byEnum.set(definition, (plan = { kind: "enum", name: options.identities(definition), members }))
    }
    return plan
  }

  const member = (struct: Program.Struct, field: Program.Field): Plan.Member => {
    const value = field.default
    const name = making.property(struct, field)
    return {
      id: field.id,
      name,
      thriftName: thriftName(field, name),
      plan: planOf(field.type, field),
      requiredness: field.requiredness,
      // the default of a required member is for the constructor only
      default:
        value === undefined || field.requiredness === "required"
          ? undefined
          : () => valueOf(making, field.type, value, field)
    }
  }

  const of = (struct: Program.Struct): Plan.NamedPlan => {
    const known = byStruct.get(struct)
    if (known !== undefined) return known
    const name = options.identities(struct)
    const label = name.slice(name.lastIndexOf(".") + 1)
    const plan: Plan.NamedPlan =
      struct.kind === "union"
        ? { kind: "union", name, label, cases: [], compiled: undefined }
        : {
            kind: "struct",
            name,
            label,
            members: [],
            constants: struct.kind === "exception" ? [["_tag", label]] : [],
            make: undefined,
            isException: struct.kind === "exception",
            isResult: false,
            compiled: undefined
          }
    // before the members, so that a struct that holds itself finds this plan
    byStruct.set(struct, plan)
    byPlan.set(plan, struct)
    unfilled.push([struct, plan])
    // structs in structs wait for their turn, as they can be nested deeper than calls
    if (unfilled.length === 1) fill()
    return plan
  }

  const fill = (): void => {
    for (const [struct, plan] of unfilled) {
      const members = struct.fields.map((field) => member(struct, field))
      if (plan.kind === "struct") plan.members = members
      else plan.cases = members.map(({ id, name, plan, thriftName }) => ({ id, tag: name, thriftName, plan }))
    }
    unfilled.length = 0
  }

  return { of, ofType: planOf, struct: (plan) => byPlan.get(plan)! }
}

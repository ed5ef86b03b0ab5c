/**
 * What follows from plans about the wire: types, order and what a message can hold.
 */
import { hasZero, type Member, type NamedPlan, type Plan, zeroOf } from "./plan.ts"
import { isFixedSize, leastSize, WireType } from "./wireType.ts"

/** All structs and unions that messages can hold, themselves first.
 *
 * @internal
 */
export const namedPlans = (roots: ReadonlyArray<NamedPlan>): ReadonlyArray<NamedPlan> => {
  const seen = new Set(roots)
  const visit = (plan: Plan): void => {
    switch (plan.kind) {
      case "list":
      case "set":
        return visit(plan.element)
      case "map":
        visit(plan.key)
        return visit(plan.value)
      case "transform":
        return visit(plan.inner)
      case "struct":
      case "union":
        seen.add(plan)
    }
  }
  // it grows while it is gone through
  for (const plan of seen) for (const inner of plan.kind === "struct" ? plan.members : plan.cases) visit(inner.plan)
  return [...seen]
}

/** Whether a message can hold binary values, which may be views of the bytes that it was read from.
 *
 * @internal
 */
export const holdsBinary = (root: NamedPlan): boolean => {
  const holds = (plan: Plan): boolean =>
    plan.kind === "list" || plan.kind === "set"
      ? holds(plan.element)
      : plan.kind === "map"
        ? holds(plan.key) || holds(plan.value)
        : plan.kind === "transform"
          ? holds(plan.inner)
          : plan.kind === "binary"
  return namedPlans([root]).some((plan) =>
    (plan.kind === "struct" ? plan.members : plan.cases).some((inner) => holds(inner.plan))
  )
}

/** The structs and unions that stand in containers, so that a message may have many of them.
 *
 * @internal
 */
export const elementPlans = (plans: ReadonlyArray<NamedPlan>): ReadonlySet<Plan> => {
  const found = new Set<NamedPlan>()
  const visit = (plan: Plan, isElement: boolean): void => {
    if (plan.kind === "list" || plan.kind === "set") return visit(plan.element, true)
    if (plan.kind === "map") {
      visit(plan.key, true)
      return visit(plan.value, true)
    }
    if (plan.kind === "transform") return visit(plan.inner, isElement)
    if ((plan.kind === "struct" || plan.kind === "union") && isElement) found.add(plan)
  }
  const look = (plan: NamedPlan, isElement: boolean): void => {
    for (const inner of plan.kind === "struct" ? plan.members : plan.cases) visit(inner.plan, isElement)
  }
  for (const plan of plans) look(plan, false)
  // it grows while it is gone through
  for (const plan of found) look(plan, true)
  return found
}

/** @internal */
export const wireType = (plan: Plan): number => {
  switch (plan.kind) {
    case "bool":
      return WireType.Bool
    case "i8":
      return WireType.I8
    case "double":
      return WireType.Double
    case "i16":
      return WireType.I16
    case "i32":
    case "enum":
      return WireType.I32
    case "i64":
    case "i64number":
    case "i64string":
      return WireType.I64
    case "string":
    case "binary":
      return WireType.String
    case "struct":
    case "union":
      return WireType.Struct
    case "map":
      return WireType.Map
    case "set":
      return WireType.Set
    case "list":
      return WireType.List
    case "transform":
      return wireType(plan.inner)
  }
}

/** The fewest bytes of a value of the type.
 *
 * @internal
 */
export const leastBytes = (plan: Plan): number => leastSize[wireType(plan)]!

/** Kitex writes members of fixed size first; enums, though of four bytes, are not among them.
 *
 * @internal
 */
export const inOrder = (members: ReadonlyArray<Member>, order: "declaration" | "kitex"): ReadonlyArray<Member> => {
  if (order === "declaration") return members
  const isFixed = ({ plan }: Member) => plan.kind !== "enum" && isFixedSize(wireType(plan))
  return [...members.filter(isFixed), ...members.filter((member) => !isFixed(member))]
}

/** Whether a member that is absent is an absent key.
 *
 * @internal
 */
export const mayBeAbsent = (member: Member): boolean =>
  member.default === undefined &&
  (member.requiredness === "optional" || (member.requiredness === "default" && !hasZero(member.plan)))

/** @internal */
export const isStructLike = (plan: Plan): plan is NamedPlan => plan.kind === "struct" || plan.kind === "union"

/** The value of an absent member that is not an absent key.
 *
 * @internal
 */
export const absentValue = (member: Member): unknown =>
  member.default !== undefined ? member.default() : zeroOf(member.plan)

/** Whether a value equal to its default is left out.
 *
 * @internal
 */
export const omitsDefault = (member: Member): boolean =>
  member.requiredness === "optional" &&
  member.default !== undefined &&
  !["list", "set", "map", "struct", "union", "transform"].includes(member.plan.kind)

/** Whether Go has a nil of this type, which Kitex writes as an empty value.
 *
 * @internal
 */
export const isNilable = (plan: Plan): boolean =>
  ["binary", "list", "set", "map", "struct", "union"].includes(plan.kind)

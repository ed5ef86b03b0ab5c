/**
 * The small things that encoder and decoder text have in common.
 */
import type { NamedPlan, Plan, TransformPlan } from "./plan.ts"

/** Names of the functions of the types of one text.
 *
 * @internal
 */
export interface Names {
  readonly of: (plan: NamedPlan) => string
  /** The functions of a transformation, which text refers to by number. */
  readonly transform: (plan: TransformPlan) => string
  readonly transforms: ReadonlyArray<TransformPlan>
}

/** @internal */
export const names = (plans: ReadonlyArray<NamedPlan>): Names => {
  const byPlan = new Map<NamedPlan, string>()
  const taken = new Set<string>()
  for (const plan of plans) {
    const label = plan.label.replace(/[^A-Za-z0-9]/g, "_")
    let name = label
    for (let i = 2; taken.has(name); i++) name = `${label}_${i}`
    taken.add(name)
    byPlan.set(plan, name)
  }
  const transforms: Array<TransformPlan> = []
  const transform = (plan: TransformPlan): string => {
    if (!transforms.includes(plan)) transforms.push(plan)
    return `transforms[${transforms.indexOf(plan)}]`
  }
  return { of: (plan) => byPlan.get(plan)!, transform, transforms }
}

/** @internal */
export const isIdentifier = (name: string): boolean => /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name)

/** @internal */
export const access = (object: string, name: string): string =>
  isIdentifier(name) ? `${object}.${name}` : `${object}[${JSON.stringify(name)}]`

/** The text of a value of the given type: text of defaults stands alone, without the values it was made from.
 *
 * @internal
 */
export const literal = (plan: Plan, value: any, types: Names): string => {
  switch (plan.kind) {
    case "i64":
      return `${BigInt(value)}n`
    case "string":
      return JSON.stringify(value)
    case "binary":
      return `new Uint8Array([${[...value]}])`
    case "list":
    case "set": {
      const items = `[${[...value].map((item) => literal(plan.element, item, types)).join(", ")}]`
      return plan.collection === "set" ? `new Set(${items})` : items
    }
    case "map": {
      const entries = [...value].map(
        ([key, item]) => `[${literal(plan.key, key, types)}, ${literal(plan.value, item, types)}]`
      )
      return plan.collection === "map" ? `new Map([${entries.join(", ")}])` : `[${entries.join(", ")}]`
    }
    case "union": {
      const found = plan.cases.find(({ tag }) => tag === value._tag)!
      return `{ _tag: ${JSON.stringify(found.tag)}, value: ${literal(found.plan, value.value, types)} }`
    }
    case "struct": {
      const args = plan.members.map(({ name, plan }) =>
        value[name] === undefined ? "undefined" : literal(plan, value[name], types)
      )
      return `new Construct${types.of(plan)}(${args.join(", ")})`
    }
    case "transform":
      return `${types.transform(plan)}.decode(${literal(plan.inner, plan.encode(value), types)})`
    case "bool":
      return String(value === true)
    default:
      return Object.is(value, -0) ? "-0" : String(Number(value))
  }
}

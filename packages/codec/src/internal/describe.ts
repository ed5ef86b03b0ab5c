/**
 * Plans as canonical text: two types have the same text if and only if they have the same form on the wire and the same
 * values in a program.
 */
import type { EnumPlan, Member, NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { absentText } from "./text.ts"
import { namedPlans } from "./wire.ts"

type NameOf = (plan: NamedPlan) => string

const typeText = (plan: Plan, nameOf: NameOf): string => {
  switch (plan.kind) {
    case "enum":
      return `enum ${plan.name}`
    case "list":
    case "set": {
      // what is usual for a kind is not said
      const collection = plan.collection === plan.kind || plan.kind === "list" ? "" : ` as ${plan.collection}`
      return `${plan.kind}<${typeText(plan.element, nameOf)}>${collection}`
    }
    case "map": {
      const collection = plan.collection === "map" ? "" : ` as ${plan.collection}`
      return `map<${typeText(plan.key, nameOf)}, ${typeText(plan.value, nameOf)}>${collection}`
    }
    case "transform":
      return `transformed ${typeText(plan.inner, nameOf)}`
    case "struct":
    case "union":
      return nameOf(plan)
    default:
      return plan.kind
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const valueText = (plan: Plan, value: any): string => {
  switch (plan.kind) {
    case "string":
    case "i64string":
      return JSON.stringify(value)
    case "binary":
      return `0x${hex(value)}`
    case "list":
    case "set":
      return `[${Array.from(value, (item) => valueText(plan.element, item)).join(", ")}]`
    case "map": {
      const entries = Array.from(value as Iterable<readonly [unknown, unknown]>)
      return `{${entries.map(([key, item]) => `${valueText(plan.key, key)}: ${valueText(plan.value, item)}`).join(", ")}}`
    }
    case "transform":
      return valueText(plan.inner, plan.encode(value))
    case "union": {
      const found = plan.cases.find(({ tag }) => tag === value._tag)
      return found === undefined ? "?" : `{${found.tag}: ${valueText(found.plan, value.value)}}`
    }
    case "struct": {
      const present = plan.members.filter(({ name }) => value[name] !== undefined)
      return `{${present.map(({ name, plan }) => `${name}: ${valueText(plan, value[name])}`).join(", ")}}`
    }
    default:
      return Object.is(value, -0) ? "-0" : String(value)
  }
}

type DefaultOf = (member: Member) => string | undefined

const memberText = (member: Member, nameOf: NameOf, defaultOf: DefaultOf): string => {
  const value = member.default === undefined ? "" : ` = ${defaultOf(member)}`
  return `  ${member.id}: ${member.requiredness} ${typeText(member.plan, nameOf)} ${member.name}${value}`
}

const structText = (plan: StructPlan, nameOf: NameOf, defaultOf: DefaultOf): ReadonlyArray<string> => [
  `${plan.isException ? "exception" : plan.isResult ? "result" : "struct"} ${nameOf(plan)}`,
  ...plan.constants.map(([name, value]) => `  ${name} is ${typeof value === "string" ? JSON.stringify(value) : value}`),
  ...plan.members.map((member) => memberText(member, nameOf, defaultOf))
]

const unionText = (plan: UnionPlan, nameOf: NameOf): ReadonlyArray<string> => [
  `union ${nameOf(plan)}`,
  ...plan.cases.map(({ id, plan, tag }) => `  ${id}: ${typeText(plan, nameOf)} ${tag}`)
]

const namedText = (plan: NamedPlan, nameOf: NameOf, defaultOf: DefaultOf): string =>
  (plan.kind === "struct" ? structText(plan, nameOf, defaultOf) : unionText(plan, nameOf)).join("\n")

const enumText = (plan: EnumPlan): string =>
  [`enum ${plan.name}`, ...plan.members.map(([name, value]) => `  ${name} = ${value}`)].join("\n")

// types that share a name, such as nameless ones, are told apart by their place
const distinct = (plans: ReadonlyArray<NamedPlan>): NameOf => {
  const names = new Map<NamedPlan, string>()
  const counts = new Map<string, number>()
  for (const plan of plans) {
    const count = (counts.get(plan.name) ?? 0) + 1
    counts.set(plan.name, count)
    names.set(plan, count === 1 ? plan.name : `${plan.name}#${count}`)
  }
  return (plan) => names.get(plan)!
}

const enumsOf = (plans: ReadonlyArray<NamedPlan>): ReadonlyArray<EnumPlan> => {
  const found = new Map<string, EnumPlan>()
  const visit = (plan: Plan): void => {
    if (plan.kind === "enum") found.set(`${plan.name} ${plan.members.join()}`, plan)
    else if (plan.kind === "list" || plan.kind === "set") visit(plan.element)
    else if (plan.kind === "transform") visit(plan.inner)
    else if (plan.kind === "map") {
      visit(plan.key)
      visit(plan.value)
    }
  }
  for (const plan of plans)
    for (const { plan: inner } of plan.kind === "struct" ? plan.members : plan.cases) visit(inner)
  return [...found.values()]
}

/** The types and all that they can hold, themselves first, then the enums.
 *
 * @internal
 */
export const describe = (roots: ReadonlyArray<NamedPlan>): string => {
  const plans = namedPlans(roots)
  const nameOf = distinct(plans)
  const defaultOf = (member: Member) => valueText(member.plan, member.default!())
  return [...plans.map((each) => namedText(each, nameOf, defaultOf)), ...enumsOf(plans).map(enumText)].join("\n")
}

// Two streams of 32 bits: short, and no two forms of one type meet by chance. Nobody is kept out by it.
const hash = (text: string): string => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x9e3779b1)
    b = Math.imul(b ^ unit, 0x5f356495)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return [b, a].map((half) => (half >>> 0).toString(36)).join("")
}

/** What the text of a codec of this type depends on, in short: its members with those defaults that the text writes out,
 * and of other types the names.
 *
 * @internal
 */
export const shapeOf = (plan: NamedPlan): string => hash(namedText(plan, (other) => other.name, absentText))

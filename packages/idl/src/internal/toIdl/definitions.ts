/**
 * Plans → definitions of an IDL. A definition stands behind those that it refers to, as far as circles allow.
 */
import * as CodecError from "@millrace/codec/CodecError"
import * as Plan from "@millrace/codec/Plan"
import { literal } from "./literal.ts"
import { checked, unique } from "./names.ts"

type Named = Plan.NamedPlan | Plan.EnumPlan

/** @internal */
export interface Definitions {
  /** How a type is spelled where it is used; defines it before. `path` says where, and names a type without a name. */
  readonly type: (plan: Plan.Plan, path: ReadonlyArray<string>) => string
  /** The text of all definitions so far. */
  readonly texts: ReadonlyArray<string>
}

const equals = (one: Named, other: Named): boolean => {
  if (one.kind === "enum") return other.kind === "enum" && one.members.join() === other.members.join()
  return other.kind !== "enum" && Plan.equals(one, other)
}

// what a plan is called when nobody gave it a name
const isNameless = ({ name }: Named): boolean => name === "Struct"

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

const lastSegment = (name: string): string => name.slice(name.lastIndexOf(".") + 1)

const keyword = (plan: Plan.NamedPlan): string =>
  plan.kind === "union" ? "union" : plan.isException ? "exception" : "struct"

const block = (head: string, lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? `${head} {}` : `${head} {\n${lines.map((line) => `  ${line}\n`).join("")}}`

/** `taken` are names that types may not have.
 *
 * @internal
 */
export const definitions = (taken: ReadonlyArray<string>): Definitions => {
  const nameFor = unique(taken)
  const names = new Map<Named, string>()
  // one type can have several plans, which are equal
  const plans = new Map<string, Array<Named>>()
  const texts: Array<string> = []

  const known = (plan: Named): string | undefined => {
    const found = names.get(plan)
    if (found !== undefined || isNameless(plan)) return found
    const twin = plans.get(plan.name)?.find((other) => equals(other, plan))
    return twin && names.get(twin)
  }

  const named = (plan: Named, path: ReadonlyArray<string>): string => {
    const found = known(plan)
    if (found !== undefined) return found
    const wanted = isNameless(plan) ? path.map(capitalized).join("") : lastSegment(plan.name)
    const name = nameFor(wanted)
    // before the members, so that a type that holds itself finds its name
    names.set(plan, name)
    plans.set(plan.name, [...(plans.get(plan.name) ?? []), plan])
    const text = plan.kind === "enum" ? enumText(plan, name) : structText(plan, name)
    texts.push(name === wanted || isNameless(plan) ? text : `// ${JSON.stringify(plan.name)} in the program.\n${text}`)
    return name
  }

  const enumText = (plan: Plan.EnumPlan, name: string): string => {
    const seen = new Map<number, string>()
    const lines = plan.members.map(([member, value]) => {
      const other = seen.get(value)
      if (other !== undefined) {
        throw CodecError.make(
          "BadType",
          plan.name,
          `${other} and ${member} are both ${value}, which no IDL of Kitex can say`
        )
      }
      seen.set(value, member)
      return `${checked(plan.name, member)} = ${value}`
    })
    return block(`enum ${name}`, lines)
  }

  const structText = (plan: Plan.NamedPlan, name: string): string => {
    const line = (id: number, requiredness: string, plan: Plan.Plan, member: string): string =>
      `${id}: ${requiredness}${type(plan, [name, member])} ${checked(`${name}.${member}`, member)}`
    const lines =
      plan.kind === "union"
        ? plan.cases.map((each) => line(each.id, "", each.plan, each.tag))
        : plan.members.map((member) => {
            const requiredness = member.requiredness === "default" ? "" : `${member.requiredness} `
            const text = line(member.id, requiredness, member.plan, member.name)
            if (member.default === undefined) return text
            const path = `${name}.${member.name}`
            return `${text} = ${literal(member.plan, member.default(), path, (plan) => named(plan, [name, member.name]))}`
          })
    return block(`${keyword(plan)} ${name}`, lines)
  }

  const type = (plan: Plan.Plan, path: ReadonlyArray<string>): string => {
    switch (plan.kind) {
      case "i64number":
        return `i64 (ts.type = "number")`
      case "i64string":
        return `i64 (ts.type = "string")`
      case "list":
      case "set":
        return `${plan.kind}<${type(plan.element, path)}>`
      case "map":
        return `map<${type(plan.key, [...path, "key"])}, ${type(plan.value, path)}>`
      case "transform":
        return type(plan.inner, path)
      case "enum":
      case "struct":
      case "union":
        return named(plan, path)
      default:
        return plan.kind
    }
  }

  return { type, texts }
}

/**
 * Plans → definitions of an IDL. A definition stands behind those that it refers to, as far as circles allow.
 */
import * as CodecError from "@millrace/codec/CodecError"
import * as Plan from "@millrace/codec/Plan"
import { postorder } from "../emit/postorder.ts"
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

  /** The types with a name that a use of a type is made of, each with where it is used. */
  function* inside(plan: Plan.Plan, path: ReadonlyArray<string>): Iterable<readonly [Named, ReadonlyArray<string>]> {
    switch (plan.kind) {
      case "list":
      case "set":
        return yield* inside(plan.element, path)
      case "map":
        yield* inside(plan.key, [...path, "key"])
        return yield* inside(plan.value, path)
      case "transform":
        return yield* inside(plan.inner, path)
      case "enum":
      case "struct":
      case "union":
        yield [plan, path]
    }
  }

  const known = (plan: Named): string | undefined => {
    const found = names.get(plan)
    if (found !== undefined || isNameless(plan)) return found
    const twin = plans.get(plan.name)?.find((other) => equals(other, plan))
    return twin && names.get(twin)
  }

  const name = (plan: Named, path: ReadonlyArray<string>): string => {
    const wanted = isNameless(plan) ? path.map(capitalized).join("") : lastSegment(plan.name)
    const given = nameFor(wanted)
    names.set(plan, given)
    const others = plans.get(plan.name)
    if (others === undefined) plans.set(plan.name, [plan])
    else others.push(plan)
    return given
  }

  const define = (plan: Plan.Plan, path: ReadonlyArray<string>): void => {
    const fresh = new Set<Named>()
    const paths = new Map<Named, ReadonlyArray<string>>()
    function* reached(plan: Plan.Plan, path: ReadonlyArray<string>): Iterable<Named> {
      for (const [found, place] of inside(plan, path)) {
        paths.set(found, place)
        yield found
      }
    }
    function* next(plan: Named): Iterable<Named> {
      if (known(plan) !== undefined) return
      fresh.add(plan)
      // before the members, so that a type that holds itself finds its name
      const given = name(plan, paths.get(plan)!)
      if (plan.kind === "struct") for (const each of plan.members) yield* reached(each.plan, [given, each.name])
      if (plan.kind === "union") for (const each of plan.cases) yield* reached(each.plan, [given, each.tag])
    }
    for (const each of postorder(reached(plan, path), next)) if (fresh.has(each)) texts.push(textOf(each))
  }

  const textOf = (plan: Named): string => {
    const given = names.get(plan)!
    const text = plan.kind === "enum" ? enumText(plan, given) : structText(plan, given)
    return isNameless(plan) || given === lastSegment(plan.name)
      ? text
      : `// ${JSON.stringify(plan.name)} in the program.\n${text}`
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
      `${id}: ${requiredness}${spelled(plan)} ${checked(`${name}.${member}`, member)}`
    const lines =
      plan.kind === "union"
        ? plan.cases.map((each) => line(each.id, "", each.plan, each.thriftName ?? each.tag))
        : plan.members.map((member) => {
            const requiredness = member.requiredness === "default" ? "" : `${member.requiredness} `
            const text = line(member.id, requiredness, member.plan, member.thriftName ?? member.name)
            if (member.default === undefined) return text
            const path = `${name}.${member.name}`
            return `${text} = ${literal(member.plan, member.default(), path, (plan) => known(plan)!)}`
          })
    return block(`${keyword(plan)} ${name}`, lines)
  }

  const spelled = (plan: Plan.Plan): string => {
    switch (plan.kind) {
      case "i64number":
        return `i64 (ts.type = "number")`
      case "i64string":
        return `i64 (ts.type = "string")`
      case "list":
      case "set":
        return `${plan.kind}<${spelled(plan.element)}>`
      case "map":
        return `map<${spelled(plan.key)}, ${spelled(plan.value)}>`
      case "transform":
        return spelled(plan.inner)
      case "enum":
      case "struct":
      case "union":
        return known(plan)!
      default:
        return plan.kind
    }
  }

  const type = (plan: Plan.Plan, path: ReadonlyArray<string>): string => {
    define(plan, path)
    return spelled(plan)
  }

  return { type, texts }
}

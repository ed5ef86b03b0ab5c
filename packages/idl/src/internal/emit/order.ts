/**
 * The order in which the definitions of a file are written: each behind those that it needs when it is evaluated, in the
 * order of the IDL otherwise.
 *
 * Types that hold each other have no such order. They are neighbours, and refer to those further down by
 * `Schema.suspend`; that can stand around a class or a union alone, so an alias of one never counts as a step.
 */
import type * as Program from "../../Program.ts"
import { components } from "../components.ts"
import { type Step, steps } from "./needs.ts"
import { postorder } from "./postorder.ts"

type Definition = Program.Definition

/** @internal */
export interface Order {
  readonly definitions: ReadonlyArray<Definition>
  /** Whether a definition stands behind another one, or is the other one, in the text. */
  readonly isLater: (definition: Definition, from: Definition) => boolean
  /** Whether two types hold each other. */
  readonly isMutual: (left: Definition, right: Definition) => boolean
}

type Next = (step: Step) => Iterable<Step>

/**
 * The order in a component. Typedefs come first, so that no type refers to one below it: an alias of a list cannot be
 * suspended, as the zero of a member depends on it.
 */
const within = (members: ReadonlyArray<Step>, next: Next): ReadonlyArray<Step> => {
  if (members.length === 1) return members
  const all = new Set(members)
  const inside = (at: Step) => [...next(at)].filter((to) => all.has(to))
  const isTypedef = ({ tag }: Step) => tag === "Typedef"
  const typedefs = postorder(members.filter(isTypedef), (at) => inside(at).filter(isTypedef))
  return [...typedefs, ...postorder(members, inside).filter((each) => !isTypedef(each))]
}

/**
 * The order of the definitions of one file.
 *
 * @internal
 */
export const order = (definitions: ReadonlyArray<Definition>): Order => {
  const here = new Set(definitions)
  const next = steps(here)
  const indices = new Map<Step, number>(definitions.map((each, i) => [each, i]))
  const places = new Map<Definition, number>()
  const groups = new Map<Step, number>()
  const ordered: Array<Definition> = []
  for (const [group, members] of components<Step>(definitions, (step) => [...next(step)]).entries()) {
    const declared = [...members].sort((left, right) => (indices.get(left) ?? 0) - (indices.get(right) ?? 0))
    for (const each of within(declared, next)) {
      groups.set(each, group)
      if (each.tag === "Construction") continue
      places.set(each, ordered.length)
      ordered.push(each)
    }
  }
  return {
    definitions: ordered,
    isLater: (definition, from) => (places.get(definition) ?? -1) >= places.get(from)!,
    isMutual: (left, right) => here.has(left) && groups.get(left) === groups.get(right)
  }
}

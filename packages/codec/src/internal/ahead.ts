/**
 * Which types have a codec that was generated ahead of time, and the guard against text that is older than its type.
 */
import * as CodecError from "../CodecError.ts"
import type { Link } from "../Runtime.ts"
import { shapeOf } from "./describe.ts"
import { type NamedPlan, prototypeOf } from "./plan.ts"
import { absentValue, namedPlans } from "./wire.ts"

const known = new WeakMap<NamedPlan, boolean>()

/** Whether a type and all that it holds have codecs: those of one text call each other.
 *
 * @internal
 */
export const isAhead = (plan: NamedPlan): boolean => {
  const found = known.get(plan)
  if (found !== undefined) return found
  const plans = plan.compiled === undefined ? [] : namedPlans([plan])
  const all = plans.length > 0 && plans.every(({ compiled }) => compiled !== undefined)
  if (all) for (const each of plans) known.set(each, true)
  else known.set(plan, false)
  return all
}

const bound = new WeakSet<NamedPlan>()

/** Joins the codecs with their types, once. Throws where one was generated from another form of its type.
 *
 * @internal
 */
export const bindAhead = (plans: ReadonlyArray<NamedPlan>): void => {
  for (const plan of plans) {
    if (bound.has(plan)) continue
    if (plan.compiled!.shape !== shapeOf(plan)) {
      throw CodecError.make(
        "BadType",
        plan.label,
        `the generated codec is not of this form of ${plan.name}: run \`millrace gen\` again, or take its option \`codec\` away`
      )
    }
    plan.compiled!.bind?.(linkOf(plan))
    bound.add(plan)
  }
}

/** What a codec gets of the class of its messages.
 *
 * @internal
 */
export const linkOf = (plan: NamedPlan): Link => {
  const make = plan.kind === "struct" ? plan.make : undefined
  return {
    // an exception is made by its constructor, from a plain object
    prototype: plan.kind === "struct" && plan.isException ? Object.prototype : prototypeOf(make),
    make: make ?? ((fields) => fields),
    defaults: plan.kind === "struct" ? plan.members.map((member) => () => absentValue(member)) : []
  }
}

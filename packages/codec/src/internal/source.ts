/**
 * Plans → codecs made of generated source, where code generation is allowed.
 */
import * as Runtime from "../Runtime.ts"
import { moduleText } from "./moduleText.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan } from "./plan.ts"

// a name for each type, from the last segment of its own
const namesOf = (plans: ReadonlyArray<NamedPlan>): ReadonlyMap<NamedPlan, string> => {
  const names = new Map<NamedPlan, string>()
  const taken = new Set<string>()
  for (const plan of plans) {
    const label = plan.label.replace(/[^A-Za-z0-9]/g, "_")
    let name = label
    for (let i = 2; taken.has(name); i++) name = `${label}_${i}`
    taken.add(name)
    names.set(plan, name)
  }
  return names
}

/** The codecs of the plans, in their order; what they hold beside was compiled ahead of time. Throws where code
 * generation is forbidden.
 *
 * @internal
 */
export const compile = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<Runtime.Functions> => {
  const ahead: Array<NamedPlan> = []
  const external = (plan: NamedPlan): string => {
    if (!ahead.includes(plan)) ahead.push(plan)
    return `external${ahead.indexOf(plan)}`
  }
  const text = moduleText(namesOf(plans), { isTyped: false, settings, external })
  const lines = [
    '"use strict"',
    `const { ${text.helpers.join(", ")} } = runtime`,
    `const [${ahead.map(external).join(", ")}] = externals`,
    ...text.lines,
    `return [${text.codecs.join(", ")}]`
  ]
  const externals = ahead.map((plan) => plan.compiled)
  // oxlint-disable-next-line no-new-func -- integers and quoted text are all that is interpolated
  const make = new Function("runtime", "transforms", "externals", lines.join("\n"))
  return make(Runtime, text.transforms, externals)
}

let allowed: boolean | undefined

/** Whether code generation is allowed here, found out once.
 *
 * @internal
 */
export const isAllowed = (): boolean => {
  if (allowed === undefined) {
    try {
      // oxlint-disable-next-line no-new-func -- the probe itself
      allowed = new Function("return true")() === true
    } catch {
      allowed = false
    }
  }
  return allowed
}

/**
 * Plan → text of a codec, and the codec from the text where code generation is allowed.
 *
 * The text is the body of a module without its import of `Runtime`: for each type a constant with `encodeInto`,
 * `decodeFrom` and `bind`, which is what the option `codec` of `Thrift.Struct` takes. It depends on the plan alone.
 */
import * as Runtime from "../Runtime.ts"
import { constructorText, decoderText } from "./decoderText.ts"
import { encoderText } from "./encoderText.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan, TransformPlan } from "./plan.ts"
import { names } from "./text.ts"
import { elementPlans } from "./wire.ts"

/** @internal */
export interface Text {
  readonly body: string
  /** The names of the constants, one for each plan. */
  readonly exports: ReadonlyArray<string>
  /** What the text calls `transforms`; text made ahead of time has none. */
  readonly transforms: ReadonlyArray<TransformPlan>
}

/** @internal */
export const print = (plans: ReadonlyArray<NamedPlan>, settings: Settings): Text => {
  const types = names(plans)
  const parts = ["let at = 0, view"]
  const elements = elementPlans(plans)
  for (const plan of plans) {
    const name = types.of(plan)
    const isStruct = plan.kind === "struct"
    parts.push(`let link${name}`)
    if (isStruct) parts.push(constructorText(plan, types))
    parts.push(encoderText(plan, types, settings), decoderText(plan, types, settings, elements.has(plan)))
    const prototype = isStruct ? `\nConstruct${name}.prototype = link.prototype` : ""
    parts.push(`const codec${name} = {
encodeInto(value, out) {
const position = out.position, segments = out.segments.length
try {
out.position = encode${name}(value, out, position, ${settings.maxDepth})
} catch (cause) {
out.rewind(position, segments)
throw link${name}.encodeFailure(value, cause)
}
},
decodeFrom(bytes, start, end) {
try {
view = undefined
const value = decode${name}(bytes, start, end, ${settings.maxDepth})
view = undefined
if (value === undefined) throw bad
return value
} catch (cause) {
view = undefined
throw link${name}.decodeFailure(bytes, start, end, cause)
}
},
bind(link) {
link${name} = link${prototype}
}
}`)
  }
  return {
    body: parts.join("\n"),
    exports: plans.map((plan) => `codec${types.of(plan)}`),
    transforms: types.transforms
  }
}

const helpers = Object.keys(Runtime)

/** The codecs of the plans, in their order; throws where code generation is forbidden.
 *
 * @internal
 */
export const compile = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<Runtime.Compiled<any>> => {
  const { body, exports, transforms } = print(plans, settings)
  const text = `"use strict"\nconst { ${helpers.join(", ")} } = runtime\n${body}\nreturn [${exports.join(", ")}]`
  // oxlint-disable-next-line no-new-func -- integers and quoted text are all that is interpolated
  return new Function("runtime", "transforms", text)(Runtime, transforms) as ReadonlyArray<Runtime.Compiled<any>>
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

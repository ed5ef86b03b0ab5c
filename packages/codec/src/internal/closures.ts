/**
 * Plan → codec of closures, where code generation is forbidden.
 */
import type { Functions, Link } from "../Runtime.ts"
import { readers } from "./closureDecoder.ts"
import { writers } from "./closureEncoder.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan } from "./plan.ts"

/** The codecs of the plans, in their order; what they hold beside was compiled ahead of time.
 *
 * @internal
 */
export const compile = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<Functions> => {
  const writing = writers(plans, settings)
  const reading = readers(plans, settings)
  return plans.map((_, i): Functions => {
    const reader = reading[i]!
    return {
      encode: writing[i]!.write,
      decode: reader.read,
      bind(link: Link) {
        reader.link = link
      }
    }
  })
}

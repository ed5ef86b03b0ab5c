/**
 * Plan → codec of closures, where code generation is forbidden.
 */
import type { Compiled, Link } from "../Runtime.ts"
import { bad } from "./bytes.ts"
import { readers } from "./closureDecoder.ts"
import { writers } from "./closureEncoder.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan } from "./plan.ts"

/** The codecs of the plans, in their order.
 *
 * @internal
 */
export const compile = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<Compiled<any>> => {
  const writing = writers(plans, settings)
  const reading = readers(plans, settings)
  const depth = settings.maxDepth
  return plans.map((_, i): Compiled<any> => {
    const { write } = writing[i]!
    const reader = reading[i]!
    return {
      encodeInto(value, out) {
        const { position } = out
        const segments = out.segments.length
        try {
          out.position = write(value, out, position, depth)
        } catch (cause) {
          out.rewind(position, segments)
          throw reader.link!.encodeFailure(value, cause)
        }
      },
      decodeFrom(bytes, start, end) {
        try {
          const value = reader.read(bytes, start, end, depth)
          if (value === undefined) throw bad
          return value
        } catch (cause) {
          throw reader.link!.decodeFailure(bytes, start, end, cause)
        }
      },
      bind(link: Link) {
        reader.link = link
      }
    }
  })
}

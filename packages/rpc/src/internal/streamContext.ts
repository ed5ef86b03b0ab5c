/**
 * The context that middleware around messages runs in: that of its stream, over that of the fiber that uses the stream.
 *
 * @internal
 */
import * as Context from "effect/Context"

type Any = Context.Context<never>

/** A merge that is done again only when another fiber comes: it costs more than a message. @internal */
export const mergeOver = (stream: Any): ((fiber: Any) => Any) => {
  let last: Any | undefined
  let merged = stream
  return (fiber) => {
    if (fiber !== last) {
      last = fiber
      merged = Context.merge(fiber, stream)
    }
    return merged
  }
}

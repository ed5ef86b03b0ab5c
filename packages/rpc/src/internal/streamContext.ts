/**
 * What middleware around messages sees of its stream, and the context that it runs in: that of its stream, over that of the fiber
 * that uses the stream.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type { StreamContext } from "../Middleware.ts"

type Any = Context.Context<never>

/** @internal */
export class StreamView implements StreamContext {
  readonly context: Any
  readonly #end: Omit<StreamContext, "context">

  constructor(end: Omit<StreamContext, "context">, context: Any) {
    this.#end = end
    this.context = context
  }

  get info() {
    return this.#end.info
  }

  get recvCount() {
    return this.#end.recvCount
  }

  get sendCount() {
    return this.#end.sendCount
  }

  get recvBytes() {
    return this.#end.recvBytes
  }

  get sendBytes() {
    return this.#end.sendBytes
  }

  readonly limitRecv = (most: number): void => this.#end.limitRecv(most)

  readonly unlessFailed: StreamContext["unlessFailed"] = (wait) => this.#end.unlessFailed(wait)
}

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

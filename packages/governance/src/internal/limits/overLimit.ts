/**
 * What callers over a limit get. A server over its limit has no time: errors that are equal are one value, and what
 * follows from a value can be kept with it.
 *
 * @internal
 */
import * as RpcError from "@millrace/rpc/RpcError"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/** Hints of more kinds than these are made anew. */
const mostKept = 1000

// Rules have no context: they count in the registry that every program has.
const everywhere = Context.empty()

/** @internal */
export class OverLimit {
  readonly #limit: string
  readonly #desc: string
  readonly #refusals: Metric.Counter<number>
  readonly #plain: RpcError.RpcError
  readonly #byMillis = new Map<number, RpcError.RpcError>()

  /** `text` goes on the wire, behind Kitex's `request over limit: `; `limit` names the limit on this side. */
  constructor(limit: string, text: string) {
    this.#limit = limit
    this.#desc = `request over limit: ${text}`
    this.#refusals = Metric.counter("kitex.limit.refusals", {
      description: "Calls, connections and messages that a limit refused",
      attributes: { unit: "1", limit },
      incremental: true
    })
    this.#plain = this.#error({})
  }

  /** One more is refused, with a hint when to try again. */
  refuse(retryAfterMillis?: number): RpcError.RpcError {
    this.#refusals.updateUnsafe(1, everywhere)
    if (retryAfterMillis === undefined) return this.#plain
    const millis = Math.ceil(retryAfterMillis)
    let error = this.#byMillis.get(millis)
    if (error === undefined) {
      error = this.#error({ retryAfterMillis: millis })
      if (this.#byMillis.size < mostKept) this.#byMillis.set(millis, error)
    }
    return error
  }

  #error(hint: { readonly retryAfterMillis?: number }): RpcError.RpcError {
    return new RpcError.RpcError({
      code: 8,
      desc: this.#desc,
      reason: new RpcError.Rejected({ limit: this.#limit, ...hint })
    })
  }
}

const adaptiveLimit = Metric.gauge("kitex.limit.adaptive", {
  description: "Calls at a time that the adaptive limit of a server allows",
  attributes: { unit: "1" }
})

/** @internal */
export const reportLimit = (limit: number): void => adaptiveLimit.updateUnsafe(limit, everywhere)

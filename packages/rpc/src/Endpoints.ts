/**
 * Where the streams of a client go. A client asks once a stream; governance has implementations that watch, weigh and
 * exclude.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * Picks the address (`HOST:PORT` or `unix:PATH`) of the next stream. Answer with a plain string when it is known at
 * once: a fast call stays free of effects.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoints {
  readonly pick: (info: RpcInfo) => string | Effect.Effect<string, RpcError>
}

/**
 * Round robin over a fixed list of addresses. Throws when the list is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHostPorts = (hostPorts: ReadonlyArray<string>): Endpoints => {
  if (hostPorts.length === 0) throw new Error("hostPorts is empty: name at least one HOST:PORT")
  let next = 0
  return {
    pick: () => {
      const address = hostPorts[next]!
      next = next + 1 === hostPorts.length ? 0 : next + 1
      return address
    }
  }
}

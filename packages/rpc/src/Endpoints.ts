/**
 * Where the calls of a client go. A client asks once a stream, or once an attempt of a call; governance has implementations
 * that discover, weigh, measure and exclude.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CallObserver } from "./CallObserver.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * The call that an instance is chosen for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Placing {
  readonly info: RpcInfo
  /** The request, a message or the arguments by name, of a method that has one when it is created; else undefined. */
  readonly request: unknown
  /** Addresses that this call could not be created at, in order; almost always empty. */
  readonly tried: ReadonlyArray<string>
  /** Milliseconds of the clock, when the question was asked. */
  readonly now: number
  /** A reference in the context of the fiber that calls. */
  getRef<A>(key: Context.Reference<A>): A
}

/**
 * A chosen instance, which hears how the attempt to reach it goes: `began` first, and then `ended`, each exactly once. One that
 * was chosen for a call that was interrupted meanwhile hears nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Picked extends CallObserver {
  /** `HOST:PORT` or `unix:PATH`. */
  readonly address: string
  /** The call goes there. Milliseconds of the clock. */
  readonly began?: (now: number) => void
}

/**
 * Picks the instance of the next stream or attempt: its address, where nobody wants to hear of the call. Answer at once
 * where it is known: a fast call stays free of effects. Undefined: there is none but those that were tried, and the call fails
 * with the error of the last.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoints {
  readonly pick: (placing: Placing) => Choice | Effect.Effect<Choice, RpcError>
  /**
   * Calls the listener with addresses that are gone for good, whose connections are of no use, and again where calls there may have
   * made others since; gives what ends that.
   */
  readonly onRemoved?: ((listener: (address: string) => void) => () => void) | undefined
}

/**
 * What {@link Endpoints} give.
 *
 * @since 0.1.0
 * @category models
 */
export type Choice = string | Picked | undefined

/**
 * Round robin over a fixed list of addresses. Throws when the list is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHostPorts = (hostPorts: ReadonlyArray<string>): Endpoints => {
  if (hostPorts.length === 0) throw new Error("hostPorts is empty: name at least one HOST:PORT")
  let next = 0
  const take = (): string => {
    const address = hostPorts[next]!
    next = next + 1 === hostPorts.length ? 0 : next + 1
    return address
  }
  return {
    pick: ({ tried }) => {
      for (let left = hostPorts.length; left > 0; left--) {
        const address = take()
        if (tried.length === 0 || !tried.includes(address)) return address
      }
      return undefined
    }
  }
}

/**
 * A map that the middleware of one call shares: for what flows from the inside to the outside. It is not there unless
 * somebody injects it. What only flows inward belongs into a service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The map of the current call; undefined where nobody has injected one.
 *
 * @since 0.1.0
 * @category services
 */
export const Current: Context.Reference<Map<unknown, unknown> | undefined> = Context.Reference<
  Map<unknown, unknown> | undefined
>("@millrace/rpc/ContextMap", { defaultValue: () => undefined })

/**
 * Gives everything inside a map of its own: a client middleware around `next`, or `onReadStream` of a server.
 *
 * @since 0.1.0
 * @category combinators
 */
export const inject = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(self, Current, new Map<unknown, unknown>()))

/**
 * A typed entry of a map. Both functions do nothing where there is no map.
 *
 * @since 0.1.0
 * @category models
 */
export interface Key<A> {
  readonly name: string
  readonly get: (map: Map<unknown, unknown> | undefined) => A | undefined
  readonly set: (map: Map<unknown, unknown> | undefined, value: A) => void
}

/**
 * Makes a typed entry; two keys of one name are the same entry.
 *
 * **Example** (A value that a middleware leaves for another)
 *
 * ```ts
 * import { ContextMap, Middleware } from "@millrace/rpc"
 * import { Context, Effect } from "effect"
 *
 * const seen = ContextMap.key<number>("seen")
 * const count = Middleware.recv((next, stream) => {
 *   const map = Context.get(stream.context, ContextMap.Current)
 *   return Effect.tap(next, () => Effect.sync(() => seen.set(map, (seen.get(map) ?? 0) + 1)))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const key = <A>(name: string): Key<A> => ({
  name,
  get: (map) => map?.get(name) as A | undefined,
  set: (map, value) => void map?.set(name, value)
})

/**
 * What the calls of a fiber are hashed by, where `LoadBalancer.consistentHash` chooses: calls with one key go to one instance.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"

/**
 * The key of the current fiber; empty where none was given.
 *
 * @since 0.1.0
 * @category references
 */
export const HashKey: Context.Reference<string> = Context.Reference<string>("@millrace/governance/HashKey", {
  defaultValue: () => ""
})

/**
 * Calls made inside have this key.
 *
 * **Example** (A user's calls at one instance)
 *
 * ```ts
 * import { HashKey } from "@millrace/governance"
 * import { Effect } from "effect"
 *
 * const call = Effect.succeed("two calls").pipe(HashKey.within("user-7"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (key: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, key: string): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, key: string) => Effect.provideService(self, HashKey, key))

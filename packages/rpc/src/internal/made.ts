/**
 * Options that may be effects.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Made } from "../StreamOptions.ts"

/** What an option is, once it is made. What the effect requires is in the context: its type asked for it. @internal */
export const made = <A extends object>(value: Made<A, unknown>): Effect.Effect<A, never, Scope.Scope> =>
  Effect.isEffect(value) ? (value as Effect.Effect<A, never, Scope.Scope>) : Effect.succeed(value)

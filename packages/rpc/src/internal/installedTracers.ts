/**
 * Where tracers lie in a context: each layer of them under a key of its own, since layers that provide one key hide each
 * other.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

const prefix = "@millrace/rpc/RpcTracer/installed/"

/** Layers of one name stand in for each other. @internal */
export const install = <T, E, R>(
  name: string,
  tracers: Effect.Effect<ReadonlyArray<T>, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(Context.Service<never, ReadonlyArray<T>>(`${prefix}${name}`), tracers)

/** All of them, in the order in which they were installed. @internal */
export const find = <T>(context: Context.Context<never>): ReadonlyArray<T> => {
  const tracers: Array<T> = []
  for (const [key, value] of context.mapUnsafe) if (key.startsWith(prefix)) tracers.push(...value)
  return tracers
}

/**
 * What the calls of a fiber are hashed by, where `LoadBalancer.consistentHash` chooses: calls with one key go to one instance.
 *
 * @since 0.1.0
 */
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import { forService as byMethod, type RequestedName, type RequestOf } from "./internal/forService.ts"

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

/**
 * Keys that are read from the requests of methods by their names, for the option `keyOf` of `LoadBalancer.consistentHash`. Calls of other
 * methods, and those for which it gives undefined, have the key of their fiber.
 *
 * **Example** (A user's sessions at one instance)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Discovery, HashKey, LoadBalancer } from "@millrace/governance"
 * import { Method, Service } from "@millrace/rpc"
 *
 * class Login extends Thrift.Struct<Login>("auth.Login")({ user: Thrift.required(1, Thrift.String) }) {}
 * class Sessions extends Service.make("Sessions", {
 *   methods: [Method.unary("Begin", { request: Login, response: Login })]
 * }) {}
 *
 * const endpoints = Discovery.endpoints({
 *   balancer: LoadBalancer.consistentHash({
 *     keyOf: HashKey.forService(Sessions, { Begin: (login) => login.user })
 *   })
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const forService = <S extends Service.Any>(
  service: S,
  methods: { readonly [N in RequestedName<S>]?: (request: RequestOf<S, N>) => string | undefined }
): ((request: unknown, info: RpcInfo) => string | undefined) => {
  const keyOf = byMethod<(request: unknown) => string | undefined>("HashKey.forService", service, methods)
  return (request, info) => keyOf(info)?.(request)
}

/**
 * Middleware as values in one list, first in the list outermost. What a middleware requires becomes a requirement of
 * the layer it is listed in.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { CallError } from "./ClientStream.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * Wraps the whole handler of a call on a server.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerMiddleware<out R = never> {
  readonly side: "server"
  readonly wrap: (next: Effect.Effect<void, CallError>, info: RpcInfo) => Effect.Effect<void, CallError, R>
}

/**
 * A middleware around the whole handler. `next` is the handler with its messages; fail with an `RpcError` (or a
 * business error) in its place to refuse the call.
 *
 * **Example** (Refusing without a word)
 *
 * ```ts
 * import { BizStatusError, Middleware } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const noEcho = Middleware.server((next, info) =>
 *   info.method === "Echo"
 *     ? Effect.fail(new BizStatusError.BizStatusError({ statusCode: 403, statusMessage: "not today" }))
 *     : next
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const server = <R = never>(
  wrap: (next: Effect.Effect<void, CallError>, info: RpcInfo) => Effect.Effect<void, CallError, R>
): ServerMiddleware<R> => ({ side: "server", wrap })

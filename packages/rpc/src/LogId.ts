/**
 * The log id of a request, which Kitex's services write beside every line: `stream-log-id` in the headers of a stream, int
 * key 2 in a TTHeader. Calls of a handler carry the one that came in.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as callContext from "./internal/callContext.ts"

/**
 * The log id of the current fiber: its own, or that of the call which it handles.
 *
 * @since 0.1.0
 * @category getters
 */
export const current: Effect.Effect<string | undefined> = Effect.withFiber((fiber) =>
  Effect.succeed(callContext.logId(fiber))
)

/**
 * Calls made inside carry this log id. A stream whose header cannot hold it fails with the reason `InvalidMetadata`; one
 * that came in a TTHeader and does not fit is left out of streams.
 *
 * **Example** (A log id for one request)
 *
 * ```ts
 * import { LogId } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const call = Effect.succeed("two calls").pipe(LogId.within("20261126-1"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (logId: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, logId: string): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, logId: string) =>
  callContext.update(self, (context) => ({ ...context, logId }))
)

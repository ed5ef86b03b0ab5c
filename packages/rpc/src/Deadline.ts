/**
 * The total deadline of a call. It lives in the fiber: calls made inside inherit it, the earlier one wins, and it goes
 * on the wire as `grpc-timeout`, or as the int key 12 of a TTHeader.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"

/**
 * The deadline of the current fiber in milliseconds of its `Clock`; undefined when there is none.
 *
 * @since 0.1.0
 * @category services
 */
export const Current: Context.Reference<number | undefined> = Context.Reference<number | undefined>(
  "@millrace/rpc/Deadline",
  { defaultValue: () => undefined }
)

/**
 * Bounds every call made inside the effect; an outer deadline that is earlier stays. It does not interrupt the effect
 * itself: add `Effect.timeout` for that.
 *
 * **Example** (One budget for two calls)
 *
 * ```ts
 * import { Deadline } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const both = Effect.succeed("two calls").pipe(Deadline.within("2 seconds"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const within: {
  (duration: Duration.Input): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, duration: Duration.Input): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, duration: Duration.Input) =>
  Effect.withFiber<A, E, R>((fiber) => {
    const outer = fiber.getRef(Current)
    const at = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe() + Duration.toMillis(duration)
    return Effect.provideService(self, Current, outer === undefined ? at : Math.min(outer, at))
  })
)

/**
 * What is left until the deadline, in milliseconds (zero or less: it has passed); undefined when there is none.
 *
 * @since 0.1.0
 * @category getters
 */
export const remaining: Effect.Effect<number | undefined> = Effect.withFiber((fiber) => {
  const at = fiber.getRef(Current)
  return Effect.succeed(at === undefined ? undefined : at - fiber.getRef(Clock.Clock).currentTimeMillisUnsafe())
})

/**
 * A stream of requests sent beside its call.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CallError } from "../ClientStream.ts"

/** The sending side of a call. @internal */
export interface SendingSide {
  readonly sendAll: (messages: ReadonlyArray<unknown>) => Effect.Effect<void, CallError>
  readonly closeSend: Effect.Effect<void, CallError>
  readonly cancel: Effect.Effect<void>
  /** True when nothing more can come of the call. */
  readonly over: boolean
}

/**
 * Sends in a fiber of the scope, half-closing behind the last. `wrap` makes the failure of the request stream the failure
 * of whoever reads the responses.
 *
 * @internal
 */
export const sendBeside = <R>(
  call: SendingSide,
  requests: Stream.Stream<unknown, unknown, R>
): Effect.Effect<
  { readonly wrap: <A, E>(self: Effect.Effect<A, E>) => Effect.Effect<A, E> },
  never,
  R | Scope.Scope
> => {
  let failure: Cause.Cause<unknown> | undefined
  const sending = Stream.runForEachArray(requests, (messages) => call.sendAll(messages)).pipe(
    Effect.andThen(call.closeSend),
    Effect.catchCause((cause) =>
      Effect.suspend(() => {
        if (call.over) return Effect.void
        failure = cause
        return call.cancel
      })
    )
  )
  return Effect.as(Effect.forkScoped(sending, { startImmediately: true }), {
    wrap: (self) => Effect.catchCause(self, (cause) => Effect.failCause((failure ?? cause) as typeof cause))
  })
}

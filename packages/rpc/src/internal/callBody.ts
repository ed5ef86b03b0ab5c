/**
 * The request of a call of single messages, where middleware for one method sees it and may put another in its place.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { OneMethod } from "./oneMethod.ts"

/** @internal */
export interface CallBody {
  readonly called: OneMethod
  /** The message of a unary call, the arguments by name of a PingPong call; undefined for streams. */
  readonly request: unknown
}

/**
 * In the context, and not in the body: attempts of one call may run side by side, each with a request of its own.
 *
 * @internal
 */
export const Replaced = Context.Reference<{ readonly body: CallBody; readonly request: unknown } | undefined>(
  "@millrace/rpc/internal/callBody/Replaced",
  { defaultValue: () => undefined }
)

/** The request that the current fiber sends or handles: that of the call, or what middleware put in its place. @internal */
export const requestOf = (body: CallBody): unknown => {
  const replaced = Fiber.getCurrent()?.getRef(Replaced)
  return replaced?.body === body ? replaced.request : body.request
}

/** Inside, the call has this request. @internal */
export const withRequest = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  body: CallBody,
  request: unknown
): Effect.Effect<A, E, R> => Effect.provideService(self, Replaced, { body, request })

/**
 * What stands between the choice of an instance and its stream: `onConnectStream` of meta handlers, and the error handler.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { CallError } from "../ClientStream.ts"
import type { MetaHandler } from "../MetaHandler.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as errors from "./errors.ts"

/** The hooks around the creation of a stream, first outermost. @internal */
export const connect = <A>(
  handlers: ReadonlyArray<MetaHandler>,
  open: Effect.Effect<A, CallError>,
  info: RpcInfo
): Effect.Effect<A, CallError> =>
  handlers.length === 0
    ? open
    : Effect.suspend(() => {
        let passed: CallError | undefined
        const told = Effect.mapError(open, (error) => (passed = error))
        const hooked = handlers.reduceRight<Effect.Effect<A, CallError>>(
          (inner, handler) => Effect.suspend(() => handler.onConnectStream?.(inner, info) ?? inner),
          told
        )
        return Effect.mapError(hooked, (error) => (error === passed ? error : ofHook(info, error)))
      })

// Kitex wraps what a hook fails with (`client/middlewares.go`).
const ofHook = (info: RpcInfo, error: CallError): RpcError.RpcError => {
  const head = "remote or network error: "
  return error instanceof RpcError.RpcError
    ? errors.error(info, error.code, head + error.desc, error.reason)
    : errors.error(info, errors.internal, head + error.message, new RpcError.Status())
}

/** @internal */
export const handleErrors = <A, R>(
  handler: ((error: RpcError.RpcError, info: RpcInfo) => CallError) | undefined,
  self: Effect.Effect<A, CallError, R>,
  info: RpcInfo
): Effect.Effect<A, CallError, R> =>
  handler === undefined
    ? self
    : Effect.mapError(self, (error) => (error instanceof RpcError.RpcError ? handler(error, info) : error))

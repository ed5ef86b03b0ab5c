/**
 * A call of one answer between its RPCStart and its RPCFinish.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import { RpcError } from "../RpcError.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"

/** @internal */
export const tracedCall = <A, E>(lifecycle: Lifecycle, call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  // Nothing comes between a start and the promise of its finish.
  Effect.uninterruptibleMask((restore) =>
    Effect.andThen(
      lifecycle.start(),
      Effect.onExit(restore(call), (exit) => {
        if (Exit.isSuccess(exit)) return lifecycle.finish("eof", Exit.void, undefined)
        if (Cause.hasInterruptsOnly(exit.cause)) return lifecycle.finish("interrupted", Exit.interrupt(), undefined)
        const failure = errors.causeFailure(exit.cause)
        if (failure?.value instanceof BizStatusError) return lifecycle.finish("error", Exit.void, failure.value)
        if (failure?.value instanceof RpcError || failure?.defect === true) {
          return lifecycle.finish("error", Exit.failCause(exit.cause as Cause.Cause<RpcError>), undefined)
        }
        // A declared exception is an answer.
        return lifecycle.finish("eof", Exit.void, undefined)
      })
    )
  )

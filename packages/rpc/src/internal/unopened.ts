/**
 * The RPCFinish of a call that has no stream.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { RpcError } from "../RpcError.ts"
import { ClientInfo } from "./clientInfo.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import { broken, completed, failed, interrupted } from "./outcome.ts"

/** @internal */
export const finishUnopened = (lifecycle: Lifecycle, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
  if (Exit.isSuccess(exit)) return lifecycle.finish({ ...completed, reason: "earlyEnd" })
  if (Cause.hasInterruptsOnly(exit.cause)) return lifecycle.finish(interrupted)
  const failure = errors.causeFailure(exit.cause)?.value
  if (!(failure instanceof BizStatusError)) {
    return lifecycle.finish(broken(exit.cause as Cause.Cause<RpcError>))
  }
  if (lifecycle.info instanceof ClientInfo) lifecycle.info.bizError = failure
  return lifecycle.finish(failed(failure))
}

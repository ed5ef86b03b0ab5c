/**
 * The RPCFinish of a call that has no stream.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import { ClientInfo } from "./clientInfo.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import { failed, ofScope } from "./outcome.ts"

/** @internal */
export const finishUnopened = (lifecycle: Lifecycle, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
  const failure = Exit.isSuccess(exit) ? undefined : errors.causeFailure(exit.cause)?.value
  if (!(failure instanceof BizStatusError)) return lifecycle.finish(ofScope(exit))
  if (lifecycle.info instanceof ClientInfo) lifecycle.info.bizError = failure
  return lifecycle.finish(failed(failure))
}

/**
 * How a call ended, as RPCFinish reports it.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { RpcError } from "../RpcError.ts"
import type { EndReason } from "../RpcTracer.ts"

/** @internal */
export interface Outcome {
  readonly reason: EndReason
  readonly exit: Exit.Exit<void, RpcError>
  readonly bizError: BizStatusError | undefined
}

/** @internal */
export const completed: Outcome = { reason: "eof", exit: Exit.void, bizError: undefined }

/** @internal */
export const interrupted: Outcome = { reason: "interrupted", exit: Exit.interrupt(), bizError: undefined }

/** Broken by anything: what it is belongs to the exit. @internal */
export const broken = (cause: Cause.Cause<RpcError>): Outcome => ({
  reason: "error",
  exit: Exit.failCause(cause),
  bizError: undefined
})

/** The scope of a call has closed before the call ended. @internal */
export const ofScope = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return { ...completed, reason: "earlyEnd" }
  return Cause.hasInterruptsOnly(exit.cause) ? interrupted : broken(exit.cause as Cause.Cause<RpcError>)
}

/** A business error is a success of the RPC. @internal */
export const failed = (error: CallError): Outcome =>
  error instanceof BizStatusError ? { reason: "error", exit: Exit.void, bizError: error } : broken(Cause.fail(error))

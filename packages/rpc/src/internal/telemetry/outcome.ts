/**
 * How a call ended, in the words of metrics and spans.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { RpcError } from "../../RpcError.ts"
import type { RpcFinish } from "../../RpcTracer.ts"
import * as errors from "../errors.ts"

/** A call that failed; undefined stands for one that did not, as one with a business error. @internal */
export interface Failure {
  /** The number that the wire has for it. */
  readonly code: number
  /** The reason of the error, `Panic` of a defect, `Interrupted`. */
  readonly type: string
}

const interrupted: Failure = { code: 1, type: "Interrupted" }
const panicked: Failure = { code: 13, type: "Panic" }

/** @internal */
export const failureOf = ({ exit }: RpcFinish): Failure | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const failure = errors.causeFailure(exit.cause)
  if (failure === undefined) return interrupted
  if (failure.defect || !(failure.value instanceof RpcError)) return panicked
  return { code: failure.value.code, type: failure.value.reason._tag }
}

/** Who ended a stream, or what. @internal */
export type StreamEnd =
  | "eof"
  | "cancel_local"
  | "cancel_remote"
  | "deadline"
  | "recv_timeout"
  | "send_timeout"
  | "reset"
  | "drain"
  | "error"

const ofReason = ({ reason }: RpcError): StreamEnd => {
  switch (reason._tag) {
    case "Cancelled":
      return reason.by === "local" ? "cancel_local" : "cancel_remote"
    case "DeadlineExceeded":
    case "RpcTimeout":
      return "deadline"
    case "RecvTimeout":
    case "FirstMessageTimeout":
      return "recv_timeout"
    case "SendTimeout":
      return "send_timeout"
    case "Unavailable":
      return reason.draining === true ? "drain" : "reset"
    default:
      return "error"
  }
}

/** @internal */
export const streamEnd = ({ exit, reason }: RpcFinish): StreamEnd => {
  if (reason === "eof") return "eof"
  if (reason === "error") {
    const failure = Exit.isSuccess(exit) ? undefined : Cause.squash(exit.cause)
    return failure instanceof RpcError ? ofReason(failure) : "error"
  }
  return "cancel_local"
}

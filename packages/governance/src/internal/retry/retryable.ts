/**
 * Which failures of an attempt are worth another.
 *
 * @internal
 */
import { BizStatusError } from "@millrace/rpc/BizStatusError"
import { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"

/** What a user adds to the rules. @internal */
export interface Rules {
  readonly retryable?: ((failure: unknown, info: RpcInfo) => boolean) | undefined
  readonly retryableResult?: ((result: unknown, info: RpcInfo) => boolean) | undefined
}

type Class = "safe" | "timeout" | "other" | "never"

/** Whether doing it again is safe, may help, or cannot help whatever anybody says. */
const classOf = (failure: unknown): Class => {
  if (!(failure instanceof RpcError)) return "other"
  const { reason } = failure
  switch (reason._tag) {
    case "ConnectTimeout":
      return "safe"
    case "Rejected":
      return reason.maybeRan === true ? "other" : "safe"
    case "Unavailable":
      return reason.neverSent ? "safe" : "other"
    case "RpcTimeout":
      return reason.neverSent === true ? "safe" : "timeout"
    case "RecvTimeout":
    case "FirstMessageTimeout":
      return "timeout"
    case "Cancelled":
      return reason.by === "local" ? "never" : "other"
    case "CircuitOpen":
      return reason.level === "service" ? "never" : "other"
    case "Forbidden":
    case "CodecError":
    case "InvalidMetadata":
      return "never"
    default:
      return "other"
  }
}

/** @internal */
export const isRetryable = (failure: unknown, timeouts: boolean, { retryable }: Rules, info: RpcInfo): boolean => {
  const found = classOf(failure)
  if (found === "safe" || (found === "timeout" && timeouts)) return true
  return found !== "never" && retryable !== undefined && retryable(failure, info)
}

/** Whether an attempt was refused on this side: it says nothing of those that run, the probe of an open breaker among them. @internal */
export const isRefusedHere = (failure: unknown): boolean => {
  if (!(failure instanceof RpcError)) return false
  const { _tag } = failure.reason
  return _tag === "CircuitOpen" || _tag === "DiscoveryFailed" || _tag === "NoInstance"
}

/** What the breaker of retries counts; undefined: nothing (Kitex's `ErrorTypeOnServiceLevel`). @internal */
export const countsAs = (failure: unknown): boolean | undefined => {
  if (failure instanceof BizStatusError || !(failure instanceof RpcError)) return true
  switch (failure.reason._tag) {
    case "Forbidden":
    case "CircuitOpen":
    case "DiscoveryFailed":
    case "NoInstance":
    case "InvalidMetadata":
      return undefined
    case "Cancelled":
      return failure.reason.by === "local" ? undefined : false
    default:
      return false
  }
}

/**
 * The statuses that end calls on their server: from what a handler or middleware came to, to what goes on the wire.
 *
 * @internal
 */
import type { RawStatus } from "@millrace/transport/RawStream"
import * as StatusDetails from "@millrace/transport/StatusDetails"
import { BizStatusError } from "../BizStatusError.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { internal, wordsOf } from "./errors.ts"
import { isFormatted } from "./ttstreamWords.ts"

/**
 * The status of a failure. `fromHandler` errors are business errors in Kitex's eyes, and say so; those of middleware and
 * admission do not.
 *
 * @internal
 */
export const toStatus = (info: RpcInfo, failure: unknown, fromHandler: boolean): RawStatus => {
  const worded = fromHandler ? wordsOf(info).ofHandler : asItIs
  const overTTStream = info.protocol === "ttheader-streaming"
  if (failure instanceof BizStatusError) {
    const { details, extra, rpcCode, statusCode, statusMessage } = failure
    const code = rpcCode ?? internal
    // Over TTHeader streaming Kitex makes no difference.
    if (fromHandler || overTTStream) return { code, message: statusMessage, biz: { code: statusCode, extra }, details }
    // Of the two kinds of Kitex only the one with a status of its own is more than its text here.
    const hasStatus = rpcCode !== undefined || details !== undefined
    return hasStatus ? { code, message: statusMessage, details } : { code, message: failure.message }
  }
  if (failure instanceof RpcError) {
    const { desc, reason } = failure
    const message = worded(desc)
    const passedOn = overTTStream && isFormatted(desc)
    const code = passedOn ? codeOf(failure) : failure.code
    if (reason._tag === "Rejected") return { code, message, retryAfterMillis: reason.retryAfterMillis }
    const details = reason._tag === "Status" ? reason.details : undefined
    const exceptionType = passedOn && !fromHandler ? failure.code : undefined
    return { code, message, details: details && reworded(details, worded), exceptionType }
  }
  return { code: internal, message: worded(textOf(failure)) }
}

const asItIs = (text: string): string => text

/** gRPC's code of an error of TTHeader streaming, which has another number: what it would have been over HTTP/2. */
const codeOf = ({ reason }: RpcError): number => {
  switch (reason._tag) {
    case "DeadlineExceeded":
    case "SendTimeout":
      return 4
    case "RecvTimeout":
    case "FirstMessageTimeout":
      return 17
    case "Cancelled":
      return 1
    case "Unavailable":
      return 14
    case "Forbidden":
      return 7
    case "Rejected":
      return 8
    default:
      return internal
  }
}

// Peers that read details take the message from there.
const reworded = (details: Uint8Array, worded: (text: string) => string): Uint8Array => {
  const status = worded === asItIs ? undefined : StatusDetails.decode(details)
  return status === undefined ? details : StatusDetails.encode({ ...status, message: worded(status.message) })
}

/** The status of a defect: Kitex's text for a panic in a handler. @internal */
export const panicStatus = (info: RpcInfo, defect: unknown): RawStatus => ({
  code: internal,
  message: `panic: [happened in biz handler, method=${info.service}.${info.method}, please check the panic at the server side] ${textOf(defect)}`
})

/** The text of whatever a handler failed with. @internal */
export const textOf = (failure: unknown): string => {
  if (failure instanceof RpcError) return failure.desc
  return failure instanceof Error ? failure.message || failure.name : String(failure)
}

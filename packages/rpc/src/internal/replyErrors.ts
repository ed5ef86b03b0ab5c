/**
 * What callers see of a PingPong call that has no result. Texts: Kitex `client/rpctimeout.go`, `pkg/remote/codec`.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import * as Pushback from "@millrace/transport/Pushback"
import type { CallHeader } from "@millrace/transport/RawCall"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { deadlineExceeded, error } from "./errors.ts"
import { goDuration } from "./goDuration.ts"
import { exceptionReason } from "./refusals.ts"

/** A `TApplicationException`: its type is the code. `millis` is what the call had. @internal */
export const exceptionError = (
  info: RpcInfo,
  { message, type }: ApplicationException,
  millis: number,
  header: CallHeader | undefined
) => {
  if (message.startsWith("rpc timeout:")) return error(info, type, message, new RpcError.RpcTimeout({ millis }))
  const retryAfterMillis = header === undefined ? undefined : Pushback.fromStrings(header.strings)
  return error(info, type, message, exceptionReason(type, message, retryAfterMillis))
}

/** How the time of a call ran out. @internal */
export interface Overdue {
  /** By its own timeout, and not by a deadline that its fiber inherited. */
  readonly ownTimeout: boolean
  /** The time that it had. */
  readonly millis: number
  /** Whether something of it may have reached a server. */
  readonly sent: boolean
}

/** The time of a call is over. @internal */
export const overdue = (info: RpcInfo, destService: string, timeout: number, { millis, ownTimeout, sent }: Overdue) => {
  if (!ownTimeout) {
    return timeout === Infinity ? deadlineExceeded(info) : deadlineBeforeTimeout(info, destService, timeout, millis)
  }
  const text = timeoutText(info, destService, timeout)
  return sent
    ? error(info, 4, text, new RpcError.RpcTimeout({ millis: timeout }))
    : error(
        info,
        4,
        `${text}, before a connection was there`,
        new RpcError.RpcTimeout({ millis: timeout, neverSent: true })
      )
}

// The deadline that the fiber inherited came before the call's own timeout.
const deadlineBeforeTimeout = (info: RpcInfo, destService: string, millis: number, actual: number) =>
  error(
    info,
    4,
    `${timeoutText(info, destService, millis)}, context deadline earlier than timeout, actual=${goDuration(actual)}`,
    new RpcError.DeadlineExceeded()
  )

const timeoutText = (info: RpcInfo, destService: string, millis: number): string => {
  const remote = info.address === "" ? "" : `, remote=${info.address}`
  return `rpc timeout: timeout=${goDuration(millis)}, to=${destService}, method=${info.method}, location=kitex.rpcTimeoutMW${remote}`
}

/** An answer with neither a success nor an exception. @internal */
export const missingResult = (info: RpcInfo) =>
  error(info, ExceptionType.MissingResult, "missing result", new RpcError.Status({}))

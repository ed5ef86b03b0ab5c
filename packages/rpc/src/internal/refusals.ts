/**
 * Calls that a limit or a rule of their server refused: Kitex's texts (`pkg/kerrors`), and what they are to a client.
 * The text alone tells, because PingPong calls have one type of exception for everything.
 *
 * @internal
 */
import { ExceptionType } from "@millrace/codec/Message"
import * as RpcError from "../RpcError.ts"

const overLimit = "request over limit"
const forbidden = "request forbidden"

/** The reason of a refusal; undefined where the text is no refusal's. @internal */
export const refusalOf = (
  text: string,
  retryAfterMillis: number | undefined
): RpcError.Rejected | RpcError.Forbidden | undefined => {
  const limit = behind(overLimit, text)
  if (limit !== undefined) {
    return new RpcError.Rejected({ limit, ...(retryAfterMillis === undefined ? undefined : { retryAfterMillis }) })
  }
  return behind(forbidden, text) === undefined ? undefined : new RpcError.Forbidden()
}

/**
 * The reason of a Thrift exception that a server answers a call of one message with: its type says little, so the text tells.
 *
 * @internal
 */
export const exceptionReason = (type: number, message: string, retryAfterMillis: number | undefined) => {
  if (type === 14) {
    // What our servers answer whose grace time is over. A handler may say 14 too, in other words.
    const draining = message === "graceful shutdown" ? ({ draining: true } as const) : undefined
    return new RpcError.Unavailable({ neverSent: false, ...draining })
  }
  // What a handler failed with has other types, or other words around it.
  const refusal = type === ExceptionType.InternalError ? refusalOf(message, retryAfterMillis) : undefined
  return refusal ?? new RpcError.Status({})
}

const behind = (kind: string, text: string): string | undefined => {
  if (text === kind) return ""
  return text.startsWith(`${kind}: `) ? text.slice(kind.length + 2) : undefined
}

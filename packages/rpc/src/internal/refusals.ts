/**
 * Calls that a limit or a rule of their server refused: Kitex's texts (`pkg/kerrors`), and what they are to a client.
 * The text alone tells, because PingPong calls have one type of exception for everything.
 *
 * @internal
 */
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

const behind = (kind: string, text: string): string | undefined => {
  if (text === kind) return ""
  return text.startsWith(`${kind}: `) ? text.slice(kind.length + 2) : undefined
}

/**
 * How long a server that refuses a call asks to be left alone.
 *
 * @internal
 */
import { RpcError } from "@millrace/rpc/RpcError"

// Longer than that nobody waits because a server says so.
const longest = 10_000

/** In milliseconds, 0 for no such wish; infinite where it is more than anybody waits for. @internal */
export const hint = (failure: unknown): number => {
  if (!(failure instanceof RpcError) || failure.reason._tag !== "Rejected") return 0
  const { retryAfterMillis = 0 } = failure.reason
  return retryAfterMillis > longest ? Infinity : Math.max(0, retryAfterMillis) || 0
}

/**
 * What stands around the whole of a PingPong or unary call, attempts and all: retry and fallback. Streams have neither.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * Runs a call once more: the whole of it, with admission, middleware, its own `rpcTimeout` and the choice of an instance. Its
 * number, counted from 0, is `info.attempt`, and from 1 on is told to the server. An attempt from 1 on goes to an instance that
 * no attempt before it went to, where there is one; with `sameInstance` to the one that the last before it went to.
 *
 * It succeeds with the answer; it fails with an `RpcError`, a `BizStatusError` or a declared exception. An attempt that is
 * interrupted is over.
 *
 * @since 0.1.0
 * @category models
 */
export type Attempt = (number: number, sameInstance?: boolean) => Effect.Effect<unknown, unknown>

/**
 * Runs a call, once or several times, also side by side, and gives what its caller gets. `Deadline.Current` of the fiber is the
 * end of all attempts together, a unary method's `timeout` too. A fallback is the same with one attempt, which is the call
 * with all its retries.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallPolicy {
  /** `info` is that of the call, `info.request` its request. */
  readonly run: (attempt: Attempt, info: RpcInfo) => Effect.Effect<unknown, unknown>
  /**
   * Of a fallback: whether RPCFinish reports what it came to, in place of the failure that it stands in for. Default false. A business
   * error is reported in any case.
   */
  readonly reportsAnswer?: boolean | undefined
}

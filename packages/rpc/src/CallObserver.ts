/**
 * Who hears how a call goes on: whatever admitted it, and the choice of its instance. Plain functions, because they run on
 * every call.
 *
 * @since 0.1.0
 */
import type { CallError } from "./ClientStream.ts"
import type { RpcInfo } from "./RpcInfo.ts"
import type { EndReason } from "./RpcTracer.ts"

/**
 * How a call, or an attempt to create it, has ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallEnd {
  readonly info: RpcInfo
  /** As RPCFinish reports it; a declared exception is `eof`. A defect is `error`, without an `error`. */
  readonly reason: EndReason
  /** What the call failed with, a business error too; undefined where it did not, was interrupted, or died. */
  readonly error: CallError | undefined
  /** Whether there was a stream, or a connection for the call: nothing of a call that has neither was sent. */
  readonly created: boolean
  /** Milliseconds since the call was admitted or its instance picked. */
  readonly millis: number
  /** Milliseconds of the clock. */
  readonly now: number
}

/**
 * Hears of one call, in this order: `created` and `answered` at most once, `ended` exactly once, whatever happens to the
 * call. None of them may throw.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallObserver {
  /** Client: the stream was created. Not called for unary and PingPong calls, which only end. */
  readonly created?: (now: number) => void
  /**
   * Client: the first headers or the first message of the answer are here, so many milliseconds after the beginning. Not called for
   * unary and PingPong calls.
   */
  readonly answered?: (millis: number, now: number) => void
  readonly ended: (end: CallEnd) => void
}

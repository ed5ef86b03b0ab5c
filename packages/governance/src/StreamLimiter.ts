/**
 * Limits of the messages of streams, on clients and servers, beyond Kitex. They stand around receiving and sending, where waiting is
 * what flow control is for. For limits of calls see `Limiter`.
 *
 * A stream that is refused fails with code 8, `request over limit: ...` and the reason `Rejected`, which may say when to try
 * again. Zero or less is no limit. Refusals are counted by the metric `kitex.limit.refusals`.
 *
 * @since 0.1.0
 */
import type * as Middleware from "@millrace/rpc/Middleware"
import * as bytesLimit from "./internal/limits/bytesLimit.ts"
import { limitOf } from "./internal/limits/limitOf.ts"
import * as messageLimit from "./internal/limits/messageLimit.ts"
import { MessageRate } from "./internal/limits/messageRate.ts"
import { OverLimit } from "./internal/limits/overLimit.ts"
import { Room } from "./internal/limits/room.ts"
import { type Options, streamLimit } from "./internal/limits/streamLimit.ts"
import type * as Policy from "./Policy.ts"

export type {
  /**
   * What all limits of messages may say.
   *
   * @since 0.1.0
   * @category options
   */
  Options,
  /**
   * What a limit of messages counts by: each stream by itself, or as `Limiter.CallKey`.
   *
   * @since 0.1.0
   * @category models
   */
  StreamKey
} from "./internal/limits/streamLimit.ts"

/**
 * Options of {@link messages}.
 *
 * @since 0.1.0
 * @category options
 */
export interface MessageOptions<Direction extends "recv" | "send"> extends Options {
  readonly perSecond: Policy.Policy<number>
  /** So many at once, after a while without any; at least one. Default: those of a second. */
  readonly burst?: Policy.Policy<number> | undefined
  readonly direction: Direction
}

/**
 * At most `perSecond` messages a second, that streams receive or send, as a middleware of clients or servers. Streams
 * that share a key take turns. Beyond Kitex. Not for unary and PingPong calls.
 *
 * **Example** (A thousand messages a second from one host)
 *
 * ```ts
 * import { StreamLimiter } from "@millrace/governance"
 *
 * const middleware = [StreamLimiter.messages({ perSecond: 1000, per: "peer", direction: "recv" })]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const messages = <const Direction extends "recv" | "send">(
  options: MessageOptions<Direction>
): Direction extends "recv" ? Middleware.RecvMiddleware : Middleware.SendMiddleware => {
  const perSecond = limitOf(options.perSecond)
  const burst = options.burst === undefined ? perSecond : limitOf(options.burst)
  const rate = () => ({ perSecond: perSecond(), burst: Math.max(1, burst()) })
  const limit = streamLimit(options, new OverLimit("messages", "too many messages"), () => new MessageRate(rate))
  return (options.direction === "recv" ? messageLimit.receiving(limit) : messageLimit.sending(limit)) as never
}

/**
 * At most `max` bytes of messages in flight: what handlers, or those who read streams of a client, have taken and not
 * yet asked past. A receive gives back what the one before it gave, the end of the call the rest. One receive that
 * alone brings more has all the room for itself. Beyond Kitex. Not for unary and PingPong calls, nor for the request of
 * server streaming that a server with `requestInInfo` reads before its middleware.
 *
 * **Example** (64 MiB for the streams of each method)
 *
 * ```ts
 * import { StreamLimiter } from "@millrace/governance"
 *
 * const middleware = [StreamLimiter.bytesInFlight({ max: 64 * 1024 * 1024, per: "method" })]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytesInFlight = (options: Options & { readonly max: Policy.Policy<number> }): Middleware.Builder => {
  const max = limitOf(options.max)
  const refusals = new OverLimit("bytesInFlight", "too many bytes in flight")
  return bytesLimit.inFlight(streamLimit(options, refusals, () => new Room(max)))
}

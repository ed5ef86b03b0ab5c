/**
 * RPCStart and RPCFinish: exactly one of each a side and call, whatever ends it. Kitex's tracer with the same moments;
 * events of single messages are plain functions, because a message is never an effect.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { BizStatusError } from "./BizStatusError.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * Why a call ended.
 *
 * - `eof`: to its natural end, also with a declared exception, which is an answer;
 * - `earlyEnd`: the consumer had enough (`Stream.take`, a scope that closed with success);
 * - `explicit`: `finish` or `cancel` of the handle;
 * - `interrupted`: its fiber was interrupted;
 * - `error`: everything else, business errors too.
 *
 * @since 0.1.0
 * @category models
 */
export type EndReason = "eof" | "earlyEnd" | "explicit" | "interrupted" | "error"

/**
 * What RPCFinish reports. A business error is a success of the RPC: its `reason` is `error`, `exit` a success, and it is
 * in `bizError`. A declared exception is an answer: its `reason` is `eof`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcFinish {
  readonly info: RpcInfo
  readonly reason: EndReason
  readonly exit: Exit.Exit<void, RpcError>
  readonly bizError: BizStatusError | undefined
  readonly durationMillis: number
  /** Messages given to the peer's side of the wire, and taken from it. */
  readonly sendCount: number
  readonly recvCount: number
  /**
   * Payload bytes, without the prefix of a message: after compression for what was sent, after inflation for what came.
   */
  readonly sendBytes: number
  readonly recvBytes: number
}

/**
 * A tracer. `start` and `finish` are effects, run in the fiber of the call, `finish` in reverse order of the tracers;
 * whatever they fail with never touches the call. `streamSend` and `streamRecv` are synchronous and count batches:
 * `count` messages of `bytes` payload together.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcTracer {
  readonly start?: (info: RpcInfo) => Effect.Effect<void>
  readonly streamSend?: (info: RpcInfo, count: number, bytes: number) => void
  readonly streamRecv?: (info: RpcInfo, count: number, bytes: number) => void
  readonly finish?: (event: RpcFinish) => Effect.Effect<void>
}

/**
 * The tracers of clients and servers that are built with this context.
 *
 * @since 0.1.0
 * @category services
 */
export const Tracers: Context.Reference<ReadonlyArray<RpcTracer>> = Context.Reference<ReadonlyArray<RpcTracer>>(
  "@millrace/rpc/RpcTracer/Tracers",
  { defaultValue: () => [] }
)

/**
 * Installs tracers, all of them in one call: two layers of tracers side by side would replace each other.
 *
 * **Example** (Counting calls)
 *
 * ```ts
 * import { RpcTracer } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * let calls = 0
 * const Counting = RpcTracer.layer({ finish: () => Effect.sync(() => { calls++ }) })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (...tracers: ReadonlyArray<RpcTracer>): Layer.Layer<never> => Layer.succeed(Tracers, tracers)

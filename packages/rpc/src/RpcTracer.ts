/**
 * RPCStart and RPCFinish: exactly one of each a side and call, whatever ends it; and the events of streams between them.
 * Kitex's tracer with the same moments; events of single messages are plain functions, because a message is never an effect.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { BizStatusError } from "./BizStatusError.ts"
import type { CallError } from "./ClientStream.ts"
import * as installedTracers from "./internal/installedTracers.ts"
import type { Metadata } from "./Metadata.ts"
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
  /** With fractions, as fine as the clock is. */
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
 * StreamSend or StreamRecv: messages that one operation moved, or the error that it failed with. Valid inside the hook only.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageEvent {
  readonly info: RpcInfo
  /** How many messages; 0 with an error. */
  readonly count: number
  /** Their payload bytes together, as in {@link RpcFinish}. */
  readonly bytes: number
  /** Those of the last of them: Kitex's `LastSendSize` and `LastRecvSize`. */
  readonly lastSize: number
  /** Bytes in the local buffer behind a send, which flow control holds back; 0 of a receive. */
  readonly buffered: number
  /** A failed operation; the end of a stream is none, a business error is one. */
  readonly error: CallError | undefined
}

/**
 * A tracer. Whatever its functions fail with or throw never touches the call: the log has a warning, once for each hook and
 * each client or server. `start` runs in the order of the tracers, everything that ends something in reverse.
 *
 * The hooks of streams are synchronous, and are not called for unary and PingPong calls, except `streamStart`,
 * `streamRecvHeader` and `streamFinish`, which unary calls have too. `statsLevel: "base"` leaves all of them away.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcTracer {
  /**
   * RPCStart, in the fiber of the call, before middleware. The context that it gives is added to that of the call: of the
   * handler on a server, of middleware and outgoing metadata on a client.
   */
  readonly start?: (info: RpcInfo) => Effect.Effect<Context.Context<never> | void>
  /** The request headers are on their way (client), or have come (server). */
  readonly streamStart?: (info: RpcInfo) => void
  /** The response headers came (client); not when the server sent trailers alone. */
  readonly streamRecvHeader?: (info: RpcInfo, header: Metadata) => void
  /** The handler begins, inside of all middleware (server). */
  readonly handlerStart?: (info: RpcInfo) => void
  /** The handler has returned (server). */
  readonly handlerFinish?: (info: RpcInfo) => void
  /** After a send, middleware included. */
  readonly streamSend?: (event: MessageEvent) => void
  /** After a receive, middleware included; several messages at once where they came in one read. */
  readonly streamRecv?: (event: MessageEvent) => void
  /** A send waited so long for room in the local buffer. */
  readonly sendBlocked?: (info: RpcInfo, millis: number) => void
  /** The stream is over on the wire; with the trailers (client), empty when there are none. */
  readonly streamFinish?: (info: RpcInfo, trailer: Metadata) => void
  /**
   * RPCFinish, in the fiber of the call, which cannot be interrupted meanwhile: one that never ends holds the call, and one
   * of a server its graceful stop too. Give what waits for others a fiber of its own, or a timeout.
   */
  readonly finish?: (event: RpcFinish) => Effect.Effect<void>
}

/**
 * How much tracers hear: nothing, RPCStart and RPCFinish, or everything. Kitex's stats level.
 *
 * @since 0.1.0
 * @category models
 */
export type StatsLevel = "disabled" | "base" | "detailed"

/**
 * The tracers that clients and servers use which are built with this context, in the order in which they were installed.
 *
 * @since 0.1.0
 * @category getters
 */
export const installed: (context: Context.Context<never>) => ReadonlyArray<RpcTracer> = installedTracers.find

let layers = 0

/**
 * Installs tracers for the clients and servers that the layer is provided to. Layers of tracers side by side, and one above
 * the other, add to each other: none drops another, and one that is provided twice runs once.
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
export const layer = (...tracers: ReadonlyArray<RpcTracer>): Layer.Layer<never> => layerEffect(Effect.succeed(tracers))

/**
 * The same for tracers that are made by an effect.
 *
 * **Example** (A tracer with a clock)
 *
 * ```ts
 * import { RpcTracer } from "@millrace/rpc"
 * import { Clock, Effect } from "effect"
 *
 * const Timed = RpcTracer.layerEffect(
 *   Effect.map(Clock.Clock, (clock) => [{
 *     streamFinish: (info) => console.log(info.method, clock.currentTimeMillisUnsafe())
 *   }])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEffect = <E, R>(
  tracers: Effect.Effect<ReadonlyArray<RpcTracer>, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope>> => installedTracers.install(`${layers++}`, tracers)

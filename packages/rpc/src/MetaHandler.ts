/**
 * Hooks where a call meets its headers: Kitex's `StreamingMetaHandler` and `MetaHandler` (`pkg/remote/trans_meta.go`). For
 * what middleware cannot do, because it stands too far out or sees no wire.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { CallError } from "./ClientStream.ts"
import type { Metadata } from "./Metadata.ts"
import type { RpcInfo, ServerInfo } from "./RpcInfo.ts"

/**
 * The string keys of a TTHeader on their way out. `set` throws for keys of the protocol and for what does not fit.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutgoingMeta {
  readonly set: (key: string, value: string) => void
}

/**
 * Hooks, all of them optional, in lists where the first runs first (wraps outermost).
 *
 * - `onConnectStream` (client, streams and unary): around the creation of the stream, behind all middleware and the choice
 *   of an instance. What it provides is in the context of the stream, where middleware of messages sees it. Its error fails
 *   the creation with `remote or network error: ` before its text.
 * - `onReadStream` (server, streams and unary): around the whole call, outside of tracers and middleware; its error is the
 *   status of the call, which tracers do not hear of.
 * - `writeMeta` and `readMeta` (PingPong alone): what is put into the TTHeader of a request (client) or an answer (server),
 *   and what is read from that of a request (server) or an answer (client); not called where there is none. Plain functions:
 *   what they throw fails the call, on a client with `remote or network error: ` before its text, an `RpcError` as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface MetaHandler {
  readonly onConnectStream?: <A>(next: Effect.Effect<A, CallError>, info: RpcInfo) => Effect.Effect<A, CallError>
  readonly onReadStream?: (next: Effect.Effect<void, CallError>, info: ServerInfo) => Effect.Effect<void, CallError>
  readonly writeMeta?: (meta: OutgoingMeta, info: RpcInfo) => void
  readonly readMeta?: (meta: Metadata, info: RpcInfo) => void
}

/**
 * A handler from its hooks; those that are not given do nothing.
 *
 * **Example** (A map that middleware of messages shares, on a server)
 *
 * ```ts
 * import { ContextMap, MetaHandler } from "@millrace/rpc"
 *
 * const shared = MetaHandler.make({ onReadStream: (next) => ContextMap.inject(next) })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (hooks: MetaHandler): MetaHandler => hooks

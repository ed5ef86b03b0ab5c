/**
 * What a handler knows of its call, and what it can say beside its messages.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Metadata, MetadataValue } from "./Metadata.ts"
import type { Metainfo } from "./Metainfo.ts"
import type { ServerInfo } from "./RpcInfo.ts"

/**
 * The second argument of every handler.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerCall {
  readonly info: ServerInfo
  /**
   * The other end of the socket: its address, and the subject of its certificate where TLS asked for one. Behind a proxy
   * `info.address` may be the client's.
   */
  readonly peer: { readonly address: string; readonly subject?: string }
  /** Request headers; of a PingPong call the string keys of its TTHeader, where it has one. */
  readonly metadata: Metadata
  /** Kitex metainfo that came with the request. */
  readonly metainfo: Metainfo
  /**
   * Adds a response header; a key may be added several times, and one that ends in `-bin` holds bytes. Reserved keys, over HTTP/2
   * those in upper case, and a call after the headers went out are refused (a defect: it is a mistake in the program).
   *
   * A PingPong call puts it into the TTHeader of the answer, also of an exception: text alone, upper case as well, and the
   * last value of a key counts; that of a unary method takes all values, and bytes, as streams do. It is dropped where the request had
   * no TTHeader.
   */
  readonly setHeader: (key: string, value: MetadataValue) => Effect.Effect<void>
  /** Sends the response headers now; the first message does it otherwise. Does nothing on a PingPong call. */
  readonly sendHeader: Effect.Effect<void>
  /** Adds a trailer, which goes out with the status. The same as `setHeader` on a PingPong call. */
  readonly setTrailer: (key: string, value: MetadataValue) => Effect.Effect<void>
  /** Done when the server starts to drain: a long stream can end at a message border. */
  readonly draining: Effect.Effect<void>
}

/**
 * Who interrupted a handler: its client went away (reset, cancel or connection loss), the deadline passed, a fiber that it
 * forked died of a defect, or the grace time of a stopping server is over.
 *
 * @since 0.1.0
 * @category models
 */
export type InterruptedBy = "clientAbort" | "deadline" | "defect" | "shutdown"

/**
 * The annotation on the interruption of a handler. {@link interruptedBy} reads it.
 *
 * @since 0.1.0
 * @category services
 */
export class Interruption extends Context.Service<Interruption, InterruptedBy>()(
  "@millrace/rpc/ServerCall/Interruption"
) {}

/**
 * Who interrupted the handler, for finalizers and logs that must tell one from another; undefined when it was not the
 * server.
 *
 * **Example** (Counting clients that left)
 *
 * ```ts
 * import { ServerCall } from "@millrace/rpc"
 * import { Effect, Exit } from "effect"
 *
 * let left = 0
 * const handler = Effect.never.pipe(
 *   Effect.onExit((exit) =>
 *     Effect.sync(() => {
 *       if (Exit.isFailure(exit) && ServerCall.interruptedBy(exit.cause) === "clientAbort") left++
 *     })
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const interruptedBy = (cause: Cause.Cause<unknown>): InterruptedBy | undefined =>
  Option.getOrUndefined(Context.getOption(Cause.annotations(cause), Interruption))

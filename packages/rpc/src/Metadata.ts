/**
 * Metadata of a call: request headers, response headers and trailers. See `@millrace/transport/Metadata`.
 *
 * @since 0.1.0
 */
import type { MetadataValue } from "@millrace/transport/Metadata"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as callContext from "./internal/callContext.ts"
import * as metadataEntries from "./internal/metadataEntries.ts"

export {
  /**
   * A read-only view of received metadata.
   *
   * @since 0.1.0
   * @category models
   */
  type Metadata,
  /**
   * Metadata on its way out.
   *
   * @since 0.1.0
   * @category models
   */
  type MetadataEntries,
  /**
   * A value on its way out: text, or the bytes of a key that ends in `-bin`.
   *
   * @since 0.1.0
   * @category models
   */
  type MetadataValue
} from "@millrace/transport/Metadata"

/**
 * Metadata by name: one value a key, or several. Over HTTP/2 keys are lower-cased on their way out, in a TTHeader they stay as they
 * are; one that ends in `-bin` holds bytes.
 *
 * @since 0.1.0
 * @category models
 */
export type MetadataRecord = Readonly<Record<string, MetadataValue | ReadonlyArray<MetadataValue>>>

/**
 * Streams and unary calls made inside carry these request headers, behind those of the call's own options; a key may come
 * several times. PingPong calls have no metadata: what is meant for both is metainfo. A call with an entry that
 * cannot be sent fails with the reason `InvalidMetadata`; names of HTTP/2 (`te`, `grpc-timeout`) are left out. Streams over TTHeader
 * and their unary calls have it as string keys; those of the protocol (`isn`, `RPC_PERSIST_`, `biz-status`) cannot be sent.
 *
 * **Example** (A token for all calls of a part of a program)
 *
 * ```ts
 * import { Metadata } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const calls = Effect.succeed("calls").pipe(Metadata.append({ authorization: "Bearer abc", tag: ["a", "b"] }))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const append: {
  (metadata: MetadataRecord): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, metadata: MetadataRecord): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, metadata: MetadataRecord) =>
  callContext.update(self, (context) => ({
    ...context,
    metadata: [...context.metadata, ...metadataEntries.fromRecord(metadata)]
  }))
)

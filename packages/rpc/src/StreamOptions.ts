/**
 * The options of stream clients and of single calls.
 *
 * @since 0.1.0
 */
import type { Metadata, MetadataValue } from "@millrace/transport/Metadata"
import type * as Duration from "effect/Duration"
import type { Endpoints } from "./Endpoints.ts"

declare const UnsupportedTypeId: unique symbol

/**
 * The type of an option that streams or calls do not have: whatever is assigned to it, the compiler shows `Message`.
 *
 * @since 0.1.0
 * @category utility types
 */
export interface Unsupported<Message extends string> {
  readonly [UnsupportedTypeId]: Message
}

/**
 * Options that exist for PingPong only.
 *
 * @since 0.1.0
 * @category options
 */
export interface NotForStreams {
  readonly rpcTimeout?: Unsupported<"streams have no RPC timeout: use timeout or recvTimeout">
  readonly connection?: Unsupported<"streams share HTTP/2 connections: use connectionsPerAddress of the transport">
  readonly retry?: Unsupported<"streams cannot be retried">
  readonly fallback?: Unsupported<"streams have no fallback">
}

/**
 * What a client says for all its streams, and a call for itself: the call's wins, an explicit `undefined` unsets.
 * Budgets are off unless set.
 *
 * @since 0.1.0
 * @category options
 */
export interface CommonOptions {
  /** Total deadline of a call, sent as `grpc-timeout`; the earlier of this and the fiber's own (`Deadline`) counts. */
  readonly timeout?: Duration.Input | undefined
  /** For one `recv`, and for the answer of a unary call: the stream is cancelled when it waits longer. */
  readonly recvTimeout?: Duration.Input | undefined
  /** For one `send` that waits for room in the local buffer: the stream is cancelled when it waits longer. */
  readonly sendTimeout?: Duration.Input | undefined
  /** For the first message of the response, in place of `recvTimeout`. */
  readonly firstMessageTimeout?: Duration.Input | undefined
  /** For making a connection, when the call needs a new one. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * Log once when an end of a stream has been parked longer than this. Default 1 minute; `Duration.infinity` is never.
   */
  readonly stallWarning?: Duration.Input | undefined
  /** Compress messages, and ask the server to. */
  readonly compressor?: "gzip" | undefined
}

/**
 * Options of one call.
 *
 * @since 0.1.0
 * @category options
 */
export interface CallOptions extends CommonOptions, NotForStreams {
  /** `HOST:PORT` to call in place of the client's choice. */
  readonly hostPort?: string | undefined
  /**
   * Request headers, beside those of the protocol: one value a key, or several. Keys are lower-cased; one that ends in
   * `-bin` holds bytes.
   */
  readonly metadata?: Readonly<Record<string, MetadataValue | ReadonlyArray<MetadataValue>>> | undefined
  /** Called with the response headers before the first message; empty when the server sent none. */
  readonly onHeader?: ((header: Metadata) => void) | undefined
  /** Called with the trailers when the stream has ended with a status. */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined
}

/**
 * Options of a client.
 *
 * @since 0.1.0
 * @category options
 */
export interface StreamClientOptions extends CommonOptions, NotForStreams {
  /**
   * Addresses, taken in turn: `HOST:PORT` or `unix:PATH`. With neither these nor `endpoints` the transport's `memory`
   * is called.
   */
  readonly hostPorts?: ReadonlyArray<string> | undefined
  /** Where streams go, in place of `hostPorts`. */
  readonly endpoints?: Endpoints | undefined
  /** The name of the service that is called, `:authority` on the wire. Default: the name of the service. */
  readonly destService?: string | undefined
}

/**
 * The options of stream clients and of single calls.
 *
 * @since 0.1.0
 */
import type { StreamTransport } from "@millrace/transport/Transport"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Admission } from "./Admission.ts"
import type { CallPolicy } from "./CallPolicy.ts"
import type { CallError } from "./ClientStream.ts"
import type { Endpoints } from "./Endpoints.ts"
import type { Metadata, MetadataRecord } from "./Metadata.ts"
import type { MetaHandler } from "./MetaHandler.ts"
import type { ClientMiddleware, ForClient } from "./Middleware.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"
import type { StatsLevel } from "./RpcTracer.ts"

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
  readonly connection?: Unsupported<"streams share connections: use connectionsPerAddress or streamConnections of the transport">
  readonly retry?: Unsupported<"streams cannot be retried: use resumable; for unary methods use the option unary">
  readonly fallback?: Unsupported<"streams have no fallback; for unary methods use the option unary">
}

/**
 * What a client says for all its streams, and a call for itself: the call's wins, an explicit `undefined` unsets.
 * Budgets are off unless set.
 *
 * @since 0.1.0
 * @category options
 */
export interface CommonOptions {
  /**
   * Total deadline of a call, sent as `grpc-timeout`, or as the int key 12 of a TTHeader; the earlier of this and the fiber's own
   * (`Deadline`) counts.
   */
  readonly timeout?: Duration.Input | undefined
  /** For one `recv`, and for the answer of a unary call: the stream is cancelled when it waits longer. */
  readonly recvTimeout?: Duration.Input | undefined
  /**
   * Whether a `recv` that waits longer than `recvTimeout` cancels the stream. With false it fails alone: the stream goes on, no
   * message is lost, and the server hears nothing. Not for unary calls. Kitex's `DisableCancelRemote`, inverted. Default true.
   */
  readonly recvTimeoutCancels?: boolean | undefined
  /** For one `send` that waits for room in the local buffer: the stream is cancelled when it waits longer. */
  readonly sendTimeout?: Duration.Input | undefined
  /** For the first message of the response, in place of `recvTimeout`. */
  readonly firstMessageTimeout?: Duration.Input | undefined
  /** For making a connection, when the call needs a new one: the dial, TLS and the server's first word together. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * Log once when an end of a stream has been parked longer than this. Default 1 minute; `Duration.infinity` is never.
   */
  readonly stallWarning?: Duration.Input | undefined
  /** Compress messages, and ask the server to. Over HTTP/2 alone. */
  readonly compressor?: "gzip" | undefined
}

/**
 * The budgets of streams.
 *
 * @since 0.1.0
 * @category options
 */
export type Timeouts = Pick<
  CommonOptions,
  | "timeout"
  | "recvTimeout"
  | "recvTimeoutCancels"
  | "sendTimeout"
  | "firstMessageTimeout"
  | "connectTimeout"
  | "stallWarning"
>

/**
 * What a client says for its unary methods, and a unary call for itself: the call's wins, an explicit `undefined` unsets.
 *
 * @since 0.1.0
 * @category options
 */
export interface UnaryPolicies {
  /**
   * Time for one attempt of a call, connecting and middleware too: `timeout` bounds all attempts together. Off unless set, and
   * zero has passed already. Kitex's `WithUnaryRPCTimeout`.
   */
  readonly rpcTimeout?: Duration.Input | undefined
  /** Calls again after a failure, or side by side: the policies of governance. Default: never. */
  readonly retry?: CallPolicy | undefined
  /** Answers in place of a call that failed, outside of all attempts. */
  readonly fallback?: CallPolicy | undefined
}

/**
 * Options of one unary call.
 *
 * @since 0.1.0
 * @category options
 */
export interface UnaryCallOptions extends Omit<CallOptions, keyof UnaryPolicies>, UnaryPolicies {}

/**
 * Something, or an effect that makes it once when its client or server is made.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Made<A, R = Scope.Scope> = A | Effect.Effect<A, never, R>

/**
 * What making something requires.
 *
 * @since 0.1.0
 * @category utility types
 */
export type MadeRequirements<M> = M extends Effect.Effect<unknown, never, infer R> ? Exclude<R, Scope.Scope> : never

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
   * Request headers, or string keys of a TTHeader, beside those of the protocol: one value a key, or several. Over HTTP/2 keys are
   * lower-cased; one that ends in `-bin` holds bytes. An entry that cannot be sent fails the call with the reason `InvalidMetadata`.
   */
  readonly metadata?: MetadataRecord | undefined
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
export interface StreamClientOptions<
  Ms extends ReadonlyArray<ForClient<unknown>> = ReadonlyArray<ForClient>,
  E extends Made<Endpoints, unknown> = Made<Endpoints>,
  As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
>
  extends CommonOptions, NotForStreams {
  /**
   * Addresses, taken in turn: `HOST:PORT` or `unix:PATH`. With neither these nor `endpoints` the transport's `memory`
   * is called.
   */
  readonly hostPorts?: ReadonlyArray<string> | undefined
  /**
   * Where streams go, in place of `hostPorts`: a value, or an effect that makes it, whose requirements making the client
   * requires. A stream that cannot be created at one instance is created at another, six at most.
   */
  readonly endpoints?: E | undefined
  /** Rules that may refuse a call before anything of it is done, a circuit breaker for one; all of them must admit it. */
  readonly admission?: As | undefined
  /**
   * Budgets that may change while the client is used, a `SubscriptionRef` for one: those of its `value` when a call begins win over
   * the client's own.
   */
  readonly timeouts?: { readonly value: Timeouts } | undefined
  /** Policies of the unary methods. */
  readonly unary?: UnaryPolicies | undefined
  /**
   * What carries the streams. `ttheader-streaming` is Kitex's TTHeader streaming, where unary calls go out as PingPong calls behind a
   * TTHeader; `auto` tries it first, and goes over HTTP/2 where a server closes the connection at once. What happens to a call is the
   * same `reason` over each; numbers and texts are those of Kitex there (`code = 12007` and so on). Default `grpc`.
   */
  readonly transport?: StreamTransport | undefined
  /** The name of the service that is called: `:authority`, or the int key 6 of a TTHeader. Default: the name of the service. */
  readonly destService?: string | undefined
  /**
   * The name by which servers know this client: sends the four headers of Kitex's `ClientHTTP2Handler`, `source-service` and
   * so on, or their int keys in a TTHeader. Default: none of them. Over TTHeader streaming it is in the path of a cancellation too, by
   * default as the name of the service whose handler calls.
   */
  readonly callerName?: string | undefined
  /**
   * What becomes of transient metainfo that a handler received, in the calls that it makes: `singleHop` ends it there,
   * `legacy` sends it on, as Kitex's streams do unless they are told otherwise. Default `singleHop`.
   */
  readonly propagation?: "singleHop" | "legacy" | undefined
  /**
   * Around calls and messages, first in the list is outermost. What a middleware requires, making the client requires.
   */
  readonly middleware?: Ms | undefined
  /**
   * Around each attempt to reach an instance, inside of the choice of it: `info.address` is known. Kitex's
   * `WithInstanceMW`.
   */
  readonly instanceMiddleware?: ReadonlyArray<ClientMiddleware> | undefined
  /** Hooks where a call meets its headers, behind all middleware. */
  readonly metaHandlers?: ReadonlyArray<MetaHandler> | undefined
  /**
   * Turns an error of the connection, of the creation of a stream, or of the answer of a unary call into another, inside of
   * all middleware. What ends a stream later is not its affair. Kitex's `WithErrorHandler`.
   */
  readonly errorHandler?: ((error: RpcError, info: RpcInfo) => CallError) | undefined
  /** Shows middleware the request, as `info.request`, where there is one. Default false, as in Kitex. */
  readonly requestInInfo?: boolean | undefined
  /** How much tracers hear of the calls. Default: everything, where there is a tracer. */
  readonly statsLevel?: StatsLevel | undefined
}

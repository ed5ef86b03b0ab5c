/**
 * The options of PingPong clients and of their calls.
 *
 * @since 0.1.0
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { ConnectionMode, Encoding } from "@millrace/transport/RawCall"
import type * as Duration from "effect/Duration"
import type { Admission } from "./Admission.ts"
import type { CallPolicy } from "./CallPolicy.ts"
import type { CallError } from "./ClientStream.ts"
import type { Endpoints } from "./Endpoints.ts"
import type { MetaHandler } from "./MetaHandler.ts"
import type { ClientMiddleware, ForClient } from "./Middleware.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"
import type { StatsLevel } from "./RpcTracer.ts"
import type { Made, Unsupported } from "./StreamOptions.ts"

/**
 * Options that exist for streams only.
 *
 * @since 0.1.0
 * @category options
 */
export interface NotForCalls {
  readonly timeout?: Unsupported<"PingPong has no stream to bound: use rpcTimeout">
  readonly recvTimeout?: Unsupported<"a call receives one answer: use rpcTimeout">
  readonly recvTimeoutCancels?: Unsupported<"a call receives one answer: use rpcTimeout">
  readonly sendTimeout?: Unsupported<"a call sends one message: use rpcTimeout">
  readonly firstMessageTimeout?: Unsupported<"a call receives one answer: use rpcTimeout">
  readonly stallWarning?: Unsupported<"only streams stall: use rpcTimeout">
  readonly compressor?: Unsupported<"PingPong messages are not compressed: use a stream">
}

/**
 * What a client says for all its calls, and a call for itself: the call's wins, an explicit `undefined` unsets.
 *
 * @since 0.1.0
 * @category options
 */
export interface CommonOptions {
  /**
   * Time for a whole call, connecting and middleware too; off unless set, and zero has passed already. Middleware that runs
   * the call again has no more of it; each attempt of a `retry` has it anew. It is sent to the server as it is set, in whole milliseconds, or what is left of an
   * earlier `Deadline` of the fiber, where there is a TTHeader.
   *
   * Under a timeout or deadline middleware runs in a fiber of its own, because only a fiber can be interrupted: what it forks
   * as a child ends with the call, not with the fiber that called.
   */
  readonly rpcTimeout?: Duration.Input | undefined
  /**
   * For making a connection, when the call needs a new one: the dial and TLS together. Sent to the server where there is a
   * TTHeader.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /** Calls again after a failure, or side by side: the policies of governance. Default: never. */
  readonly retry?: CallPolicy | undefined
  /** Answers in place of a call that failed, outside of all attempts. */
  readonly fallback?: CallPolicy | undefined
  /**
   * How messages lie on the wire. Default `ttheader-framed`. Only a TTHeader carries timeouts, metainfo, the log id and
   * business errors, and routes by service name; without one they are left away, as by Kitex.
   */
  readonly transport?: Encoding | undefined
  /**
   * How calls share connections. Default `auto`: pooled, and multiplexed as soon as the server says that it can. Clients
   * that mostly send oneway calls take `multiplexed`: the other modes close a connection behind each of them.
   */
  readonly connection?: ConnectionMode | undefined
}

/**
 * The budgets of calls.
 *
 * @since 0.1.0
 * @category options
 */
export type Timeouts = Pick<CommonOptions, "rpcTimeout" | "connectTimeout">

/**
 * Options of one call.
 *
 * @since 0.1.0
 * @category options
 */
export interface ClientCallOptions extends CommonOptions, NotForCalls {
  /** `HOST:PORT` to call in place of the client's choice. */
  readonly hostPort?: string | undefined
  /** Called with the string keys of the answer's TTHeader, without those of the protocol; empty where there is none. */
  readonly onHeader?: ((header: Metadata) => void) | undefined
  /** The same as `onHeader`, after it: an answer has one header. */
  readonly onTrailer?: ((trailer: Metadata) => void) | undefined
}

/**
 * Options of a client.
 *
 * @since 0.1.0
 * @category options
 */
export interface ClientOptions<
  Ms extends ReadonlyArray<ForClient<unknown>> = ReadonlyArray<ForClient>,
  E extends Made<Endpoints, unknown> = Made<Endpoints>,
  As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
>
  extends CommonOptions, NotForCalls {
  /**
   * Addresses, taken in turn: `HOST:PORT` or `unix:PATH`. With neither these nor `endpoints` the transport's `memory`
   * is called.
   */
  readonly hostPorts?: ReadonlyArray<string> | undefined
  /**
   * Where calls go, in place of `hostPorts`: a value, or an effect that makes it, whose requirements making the client
   * requires. A call that finds no connection to one instance goes to another, six at most.
   */
  readonly endpoints?: E | undefined
  /** Rules that may refuse a call before anything of it is done, a circuit breaker for one; all of them must admit it. */
  readonly admission?: As | undefined
  /**
   * Budgets that may change while the client is used, a `SubscriptionRef` for one: those of its `value` when a call begins win over
   * the client's own.
   */
  readonly timeouts?: { readonly value: Timeouts } | undefined
  /** The name of the service that is called, as registries know it. Default: the name of the service. */
  readonly destService?: string | undefined
  /** The name by which servers know this client. Default: none. */
  readonly callerName?: string | undefined
  /**
   * What becomes of an answer without a result, which a Kitex handler gives that returned nil. Default `undefined`: the
   * call succeeds with that. `fail`: it fails with an `RpcError` of code 5.
   */
  readonly missingResult?: "undefined" | "fail" | undefined
  /**
   * Around calls, first in the list is outermost; middleware of messages is for streams, and left away. What a middleware
   * requires, making the client requires.
   */
  readonly middleware?: Ms | undefined
  /**
   * Around each attempt to reach an instance, inside of the choice of it: `info.address` is known. Kitex's
   * `WithInstanceMW`.
   */
  readonly instanceMiddleware?: ReadonlyArray<ClientMiddleware> | undefined
  /**
   * Hooks where a call meets its TTHeader, behind all middleware: `writeMeta` and `readMeta`. They are not called where
   * there is none (`transport`).
   */
  readonly metaHandlers?: ReadonlyArray<MetaHandler> | undefined
  /**
   * Turns an error of the connection, of its creation, or of the answer into another, inside of all middleware: neither
   * business errors, nor declared exceptions, nor the end of `rpcTimeout`. Kitex's `WithErrorHandler`.
   */
  readonly errorHandler?: ((error: RpcError, info: RpcInfo) => CallError) | undefined
  /** Shows middleware the request, as `info.request`, where there is one. Default false, as in Kitex. */
  readonly requestInInfo?: boolean | undefined
  /** How much tracers hear of the calls. Default: everything, where there is a tracer. */
  readonly statsLevel?: StatsLevel | undefined
}

/**
 * The two services that carry raw streams and raw calls: `ClientTransport` makes them, `ServerTransport` accepts them.
 * `NodeTransport` (`@millrace/transport/node`) provides both over TCP, Unix sockets and TLS; `MemoryTransport` over
 * memory, through the same engines.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Metadata, MetadataEntries } from "./Metadata.ts"
import type { CallHeaderFields, CallLease, CallTarget, RawServerCall } from "./RawCall.ts"
import type { RawAdmitted, RawClientStream, RawPeer, RawRequest, RawServerStream, RawStatus } from "./RawStream.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * A message compressor. The platform's driver brings it (`NodeTransport` has gzip); functions are synchronous, as
 * messages are read and written in loops.
 *
 * @since 0.1.0
 * @category models
 */
export interface Compression {
  readonly gzip: (bytes: Uint8Array) => Uint8Array
  /** Undefined when the result would be larger than `maxSize` bytes: it stops there. Throws on malformed input. */
  readonly gunzip: (bytes: Uint8Array, maxSize: number) => Uint8Array | undefined
}

/**
 * What carries the streams of a client. `grpc`: HTTP/2. `ttheader-streaming`: Kitex's TTHeader streaming; unary calls go out as
 * PingPong calls behind a TTHeader, as Kitex's do. `auto`: TTHeader streaming, and HTTP/2 where a server closes the connection before it
 * has sent anything and before a message was sent to it; that is remembered for each address, and logged.
 *
 * @since 0.1.0
 * @category models
 */
export type StreamTransport = "grpc" | "ttheader-streaming" | "auto"

/**
 * What a client says in the Header frame of a stream, or in the TTHeader of a unary call, in place of path and HTTP/2 headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamHeader {
  readonly service: string
  readonly method: string
  /** The caller's own name, the last in the path of a cancellation; empty when it has none. */
  readonly caller: string
  /** Keys beside the service's name, the method and those of the protocol. The same object is encoded once. */
  readonly fields: CallHeaderFields
}

/**
 * What a client says when it opens a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenRequest {
  /** `HOST:PORT` or `unix:PATH`. */
  readonly address: string
  /** `/package.Service/Method`. */
  readonly path: string
  /** The destination service, `:authority` on HTTP/2. */
  readonly authority: string
  /** What is left of the deadline in milliseconds, sent as `grpc-timeout`; greater than zero. */
  readonly timeoutMillis?: number | undefined
  /** What goes over HTTP/2; over TTHeader `header` has all of it. A frozen list that comes again is encoded once. */
  readonly metadata?: MetadataEntries | undefined
  /** Compress the messages we send, and ask for the same. Only `gzip` exists, and over HTTP/2 alone. */
  readonly compressor?: "gzip" | undefined
  /** Default `grpc`. */
  readonly transport?: StreamTransport | undefined
  /** Needed where `transport` is not `grpc`. */
  readonly header?: StreamHeader | undefined
  /** One message each way: a PingPong call where `transport` is not `grpc`. */
  readonly unary?: boolean | undefined
  /** Milliseconds for all of connecting; where it is absent each step has the transport's own. */
  readonly connectTimeoutMillis?: number | undefined
}

/**
 * How much a client says in headers at most: options of the same names.
 *
 * @since 0.1.0
 * @category models
 */
export interface SentLimits {
  readonly maxSentHeaderFields: number
  readonly maxSentTTHeaderSize: number
}

/**
 * Opens raw streams and sends raw calls. Connections, their number, their dial and their end belong to the transport.
 *
 * @since 0.1.0
 * @category services
 */
export class ClientTransport extends Context.Service<
  ClientTransport,
  {
    /**
     * Opens a stream on a connection that is there; undefined when one must be dialled or has no free stream. Never
     * waits, never fails: the fast path.
     */
    readonly tryOpen: (request: OpenRequest) => RawClientStream | undefined
    /** Opens a stream, dialling (once for all who wait) when needed. Done when HEADERS are queued. */
    readonly open: (request: OpenRequest) => Effect.Effect<RawClientStream, TransportError>
    /** A connection for one call, if one is there; undefined when one must be dialled. Never waits, never fails. */
    readonly tryLease: (target: CallTarget) => CallLease | undefined
    /** A connection for one call, dialled when needed. */
    readonly lease: (target: CallTarget) => Effect.Effect<CallLease, TransportError>
    /**
     * An address is gone for good: its connections take nothing new, and each closes with its last stream or call, also those that are
     * being dialled. Who calls it all the same gets a new one. Absent where connections are not the transport's.
     */
    readonly retire?: (address: string) => void
    /** What it refuses to send; absent where it does not say. */
    readonly sentLimits?: SentLimits
  }
>()("@millrace/transport/Transport/ClientTransport") {}

/**
 * A server that listens.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listening {
  readonly address: { readonly hostname: string; readonly port: number }
  /**
   * Tell clients to go (a two-step GOAWAY, `crrst` in TTHeaders, a Meta frame over TTHeader streaming), and stop accepting when whoever
   * connects by then has been taken: over sockets about 50 ms later. Done when every stream and every call has ended and every
   * connection is closed. Idempotent.
   */
  readonly drain: Effect.Effect<void>
}

/**
 * Who takes what a server receives. None of its functions may throw.
 *
 * @since 0.1.0
 * @category models
 */
export interface Acceptor {
  /**
   * Asked for each stream as soon as its headers are here: a status refuses it. That goes out at once, and nothing more is made of
   * the stream, so that it costs next to nothing; a frozen status that comes again is encoded once. What admits it is given
   * on as `admitted` of the stream. Undefined leaves all to `onStream`.
   */
  readonly admit?:
    | ((request: RawRequest, metadata: Metadata, peer: RawPeer) => RawStatus | RawAdmitted | undefined)
    | undefined
  /** Once a request, after the socket read that brought its headers was parsed (messages may be there already). */
  onStream(stream: RawServerStream): void
  /** Once a PingPong request, inside the read that completed it. Its arguments can be read only then. */
  onCall(call: RawServerCall): void
}

/**
 * Accepts raw streams and raw calls.
 *
 * @since 0.1.0
 * @category services
 */
export class ServerTransport extends Context.Service<
  ServerTransport,
  {
    /**
     * Listens until the scope closes. The first bytes of a connection say which protocol it speaks. Closing the scope
     * closes the listener and every connection at once: drain first for a graceful stop.
     */
    readonly listen: (acceptor: Acceptor) => Effect.Effect<Listening, TransportError, Scope.Scope>
  }
>()("@millrace/transport/Transport/ServerTransport") {}

/**
 * Raw streams: bytes and metadata in and out, no schema. The layer above hands in an encoder and a decoder; what lies
 * between is a protocol engine, a socket and nothing that is Effect-shaped per message.
 *
 * Everything here is synchronous. A stream tells its one {@link RawListener} that something changed, at most once a
 * socket read and after that read was parsed to its end, so that a fiber resumed by it runs inside the read and its
 * answers leave with the same write.
 *
 * @since 0.1.0
 */
import type { Output } from "@millrace/codec/Output"
import type { Metadata, MetadataEntries } from "./Metadata.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * What carries a stream: HTTP/2 with gRPC's framing, or Kitex's TTHeader streaming (TTStream). `ttheader-framed` is a unary call of a
 * client of TTHeader streaming, which goes out as a PingPong call, as Kitex's do.
 *
 * @since 0.1.0
 * @category models
 */
export type StreamProtocol = "grpc" | "ttheader-streaming" | "ttheader-framed"

/**
 * The keys of a TTHeader that was received. Int keys are those of gopkg's `ttheader` package.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawHeader {
  readonly ints: ReadonlyMap<number, string>
  readonly strings: ReadonlyMap<string, string>
  /** All values of the string keys that came several times, of which `strings` has the last; absent where none did. */
  readonly repeated?: ReadonlyMap<string, ReadonlyArray<string>>
}

/**
 * Why a stream was cancelled, as TTHeader streaming says it to the peer (its Rst frame): a code of Kitex's (12007 and so on), a text, and
 * the names of the services that the cancellation went through, the first first. HTTP/2 has no place for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawCancellation {
  readonly code: number
  readonly text: string
  readonly path: ReadonlyArray<string>
}

/**
 * Writes one message into the output. It must be synchronous and may throw; what it wrote before it threw is dropped.
 *
 * @since 0.1.0
 * @category models
 */
export type Encode<in A> = (message: A, out: Output) => void

/**
 * Reads one message from `bytes[start, end)`. The bytes are valid during the call, and for ever unless `keepsBytes` is
 * false: large binary values may be views of them. A decoder that says false lets the buffer of a large message serve
 * the next.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decode<out A> {
  (bytes: Uint8Array, start: number, end: number): A
  readonly keepsBytes?: boolean
}

/**
 * The status that ends a stream, as the wire has it. `biz` is there only for a business error (`biz-status`).
 *
 * @since 0.1.0
 * @category models
 */
export interface RawStatus {
  readonly code: number
  readonly message: string
  readonly biz?: { readonly code: number; readonly extra: Readonly<Record<string, string>> } | undefined
  /** The bytes of `grpc-status-details-bin`. */
  readonly details?: Uint8Array | undefined
  /**
   * Milliseconds after which the caller may try again, not for a status that is OK: `grpc-retry-pushback-ms`. Whole ones, an
   * hour at most; what is no such number is not sent, and not there when it came.
   */
  readonly retryAfterMillis?: number | undefined
  /** The type of the exception that says this status over TTHeader streaming, where Kitex has another than 6. Not there in what came. */
  readonly exceptionType?: number | undefined
}

/**
 * How the receiving side ended: the peer half-closed (servers), it sent its status (clients), or the stream failed.
 *
 * @since 0.1.0
 * @category models
 */
export type RawEnd =
  | { readonly _tag: "HalfClosed" }
  | { readonly _tag: "Status"; readonly status: RawStatus }
  | { readonly _tag: "Failed"; readonly error: TransportError }

/**
 * The one listener of a raw stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawListener {
  /** Messages, headers or the end of the receiving side are there. At most once a socket read, after its parse. */
  onReadable(): void
  /** A `write` that stopped early may go on, or the stream has ended. */
  onWritable(): void
  /** The stream failed, or was reset by the peer. Comes before `onReadable` of the same read; at most once. */
  onAbort(error: TransportError): void
}

/**
 * What both sides of a raw stream can do.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawStream {
  readonly protocol: StreamProtocol
  readonly peer: RawPeer
  /** Set it when the stream is there: what came before is found in `available` and `end`. */
  listener: RawListener | undefined

  /** Whole messages that are here and not taken. */
  readonly available: number
  /**
   * How the receiving side ended; undefined while it is open. It may be set while messages are still `available`: they
   * come first.
   */
  readonly end: RawEnd | undefined
  /**
   * Takes up to `max` messages that are here, decodes each and pushes it. Gives the stream's window back. When `decode`
   * throws, the message it refused is gone, those before it were pushed, and the error passes through. A compressed
   * message that cannot be inflated throws a `TransportError`.
   */
  take<A>(decode: Decode<A>, max: number, into: Array<A>): void
  /** Payload sizes in bytes (after decompression, without prefix) of the messages of the last `take`, summed. */
  readonly lastTakenBytes: number
  /** The same of the last message of it alone, the one that `decode` refused where it did. */
  readonly lastTakenSize: number

  /**
   * Encodes messages from index `from` into the local buffer while it has room (`sendBufferLimit`, counted in bytes
   * that flow control has not let go). Gives the index of the first message that was not written: `messages.length`
   * when all are in the buffer, otherwise wait for `onWritable`. One message may exceed the limit. Nothing is written
   * after the stream has ended or its sending side is closed: check `writeEnded`.
   */
  write<A>(messages: ReadonlyArray<A>, from: number, encode: Encode<A>, endStream?: boolean): number
  /** Payload bytes (after compression, without prefix) that the last `write` put into the buffer, also when it threw. */
  readonly lastWrittenBytes: number
  /** The same of the last message of it alone. */
  readonly lastWrittenSize: number
  /** How many messages the last `write` put into the buffer. */
  readonly lastWrittenCount: number
  /** Bytes in the local buffer: written, and held back by the peer's flow control. 0 once the stream is over. */
  readonly buffered: number
  /** True while `write` would take a message. */
  readonly writable: boolean
  /** Why nothing can be written any more: we half-closed, the status went out, or the stream failed. */
  readonly writeEnded: "closed" | RawEnd | undefined
}

/**
 * Who is at the other end of a connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawPeer {
  /** `HOST:PORT`, `unix:PATH` or `memory`. */
  readonly address: string
  /** The subject of the peer's certificate, where TLS asked for one and trusts it. */
  readonly subject?: string
}

/**
 * The client's side of a raw stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawClientStream extends RawStream {
  /** The response headers, without those of the protocol; undefined until they came. Empty for trailers-only. */
  readonly header: Metadata | undefined
  /** The trailers, once `end` is a status. */
  readonly trailer: Metadata | undefined
  /** Half close: an empty DATA with END_STREAM. Idempotent. */
  closeSend(): void
  /**
   * Ends both directions now and drops what is buffered, in and out. `"cancel"` is RST_STREAM(CANCEL); `"shutdown"` is
   * Kitex's code 1000; `"done"` is the NO_ERROR that answers early trailers. Idempotent; nothing is sent when the peer
   * has already ended the stream. Afterwards `end` is a failure with the given error and the listener is not called
   * again. Over TTHeader streaming the peer hears `cancellation`, by default that a user cancelled (12007).
   */
  abort(reason: "cancel" | "shutdown" | "done", error: TransportError, cancellation?: RawCancellation): void
}

/**
 * What the headers of a request say of its stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawRequest {
  readonly protocol: StreamProtocol
  /** The TTHeader of the request; undefined over HTTP/2. */
  readonly header: RawHeader | undefined
  /**
   * From the path: the text after the last `.` before the method. Empty when the path is malformed. Over TTHeader streaming the key
   * `isn`, which may be empty: the method tells the service then.
   */
  readonly service: string
  readonly method: string
  /** What the path had before the service, never checked. Empty over TTHeader streaming. */
  readonly package: string
  readonly path: string
  /**
   * `grpc-timeout`, or the int key 12 of a TTHeader, in milliseconds as received (0 or less: it has passed); undefined when the caller
   * set none.
   */
  readonly timeoutMillis: number | undefined
  /** False when the content type names another payload codec than Thrift: answer status 13 `grpc invalid payload`. */
  readonly thrift: boolean
}

/**
 * Whoever admitted a stream by its headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawAdmitted {
  /** The stream was over before anybody was told of it. */
  gone(): void
}

/**
 * The server's side of a raw stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawServerStream extends RawStream, RawRequest {
  /** Who admitted it by its headers; that of whoever accepts it. */
  readonly admitted: RawAdmitted | undefined
  /** The request headers that a handler may see. */
  readonly metadata: Metadata
  /** Milliseconds (of the driver's clock) at which the headers arrived. */
  readonly arrivedAt: number
  /** Response headers sent yet? */
  readonly headersSent: boolean
  /**
   * Sends the response headers. The first `write` does it too. Does nothing once they were sent. Throws a `TransportError`
   * for metadata that cannot be sent, or is more than the client takes.
   */
  sendHeaders(metadata: MetadataEntries): void
  /** Metadata for the headers that the first `write` (or the trailers) will send. */
  pendingHeaders: MetadataEntries
  /**
   * Status and trailers behind all buffered messages; then RST_STREAM(NO_ERROR) if the client has not half-closed. Where that
   * cannot be sent, or is more than the client takes, a shorter status goes out alone, and the error says why.
   */
  finish(status: RawStatus, trailers: MetadataEntries): TransportError | undefined
  /** Ends both directions now. `"shutdown"` is Kitex's code 1000. */
  abort(reason: "cancel" | "refused" | "shutdown" | "internal", error: TransportError): void
  /**
   * The handler of this stream has ended. Its place in `maxConcurrentStreams` is free only now: while the handler of a stream
   * that the peer has reset still runs, the next stream waits.
   */
  release(): void
}

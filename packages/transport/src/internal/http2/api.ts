/**
 * What the HTTP/2 engine looks like from outside: plain objects, bytes in, calls out. No sockets, timers, promises or
 * Effects; time is an argument.
 *
 * @internal
 */

import type { ConnectionEnd, Engine } from "../engine.ts"

/** name, value, name, value; names lower case, values latin1 (one char a byte). @internal */
export type HeaderList = ReadonlyArray<string>

/** What is above one stream. Calls come only from inside `receive`, `end` and `pump`. @internal */
export interface StreamOwner {
  /** A header block: the response head on a client, or trailers (then `endStream`). */
  onHeaders(headers: HeaderList, endStream: boolean): void
  /** Payload without padding, valid as long as it is referenced. The engine never looks at it again. */
  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void
  /**
   * The stream ended otherwise than by END_STREAM in both directions: reset by the peer, reset by us because the peer
   * broke a rule (`detail` says which), refused by GOAWAY, or the connection is gone. At most once.
   */
  onAbort(cause: AbortCause): void
  /** `buffered` fell below the send buffer limit after it had been at or above it. */
  onWritable(): void
}

/** @internal */
export type AbortCause =
  | { readonly _tag: "PeerReset"; readonly code: number }
  | { readonly _tag: "StreamError"; readonly code: number; readonly detail: string; readonly limit?: string }
  | { readonly _tag: "Refused" } // its id is above the last one of a GOAWAY: the peer never saw it
  | { readonly _tag: "ConnectionClosed"; readonly end: ConnectionEnd }

/** One stream. The engine owns every field but `owner`. @internal */
export interface Http2Stream {
  readonly id: number
  owner: StreamOwner | undefined
  /** Bytes queued by `sendData` that flow control or the outbox has not let go. */
  readonly buffered: number
  /** True when END_STREAM was received, resp. sent or queued. */
  readonly remoteClosed: boolean
  readonly localClosed: boolean
  /** True once the stream is closed in both directions or reset. */
  readonly closed: boolean
}

/** What is above the connection. @internal */
export interface ConnectionOwner {
  /**
   * Server, before `onStream`: the list that refuses a request. It goes out at once, and nothing else is made of the stream; one
   * that comes again should be frozen. Undefined: `onStream` follows.
   */
  refuse?(headers: HeaderList): HeaderList | undefined
  /** Server: a well-formed request within all limits. Set `stream.owner` inside the call. */
  onStream(stream: Http2Stream, headers: HeaderList, endStream: boolean): void
  onGoaway(lastStreamId: number, code: number, debug: string): void
  onPong(payload: Uint8Array): void
  /** The peer's first or later SETTINGS were applied. */
  onSettings(): void
  /**
   * At most once. Every live stream got `onAbort` before. The driver writes what is left in the outbox, then closes.
   */
  onClose(end: ConnectionEnd): void
}

/** @internal */
export interface Connection extends Engine {
  readonly role: "client" | "server"
  /**
   * Streams that may be opened now: peer's MAX_CONCURRENT_STREAMS less ours in use; 0 when draining or closed. Client
   * only.
   */
  readonly openable: number
  /** The peer's MAX_HEADER_LIST_SIZE; infinite when it has not said any. */
  readonly maxHeaderListSize: number
  /** False for a list above it: it cannot be sent. */
  fits(headers: HeaderList): boolean
  /**
   * Ask `openable` and `fits` first: otherwise the stream that comes back has id 0, is `closed`, and nothing was sent.
   */
  openStream(headers: HeaderList, endStream: boolean, owner: StreamOwner): Http2Stream
  /**
   * False when nothing was sent: the local side is closed, or the list does not fit the peer's MAX_HEADER_LIST_SIZE,
   * for which the stream is reset with INTERNAL_ERROR, as in Kitex. The same for `sendTrailers`.
   */
  sendHeaders(stream: Http2Stream, headers: HeaderList, endStream: boolean): boolean
  /**
   * Queues payload. `owned`: the engine may keep a reference (the caller never writes to these bytes again); otherwise
   * it copies. Consecutive calls of one stream in one tick extend one DATA frame where they can. Ignored when the
   * stream's local side is closed.
   */
  sendData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, owned: boolean, endStream: boolean): void
  /**
   * The same for `buffer[0, end)` of a large buffer that the caller gives away. Once written it goes to a pool, from which
   * `takeLarge` gives it to a later message.
   */
  lendData(stream: Http2Stream, buffer: Uint8Array, end: number, endStream: boolean): void
  /**
   * Trailers: queued behind the stream's data. `thenReset`: follow them by RST_STREAM(NO_ERROR) if the peer has not
   * half-closed by then.
   */
  sendTrailers(stream: Http2Stream, headers: HeaderList, thenReset: boolean): boolean
  /** RST_STREAM, dropping what is queued. No `onAbort`. Nothing is sent for a closed stream. */
  reset(stream: Http2Stream, code: number): void
  /**
   * The application took `bytes` of a stream's payload (with prefix): give window back, growing it with the measured
   * need.
   */
  consume(stream: Http2Stream, bytes: number, now: number): void
  /** A message of `bytes` that the application waits for does not fit the window: let it in whole. */
  expect(stream: Http2Stream, bytes: number): void
  /** Server: the handler of the stream has ended; it counts no more in maxConcurrentStreams. */
  release(stream: Http2Stream): void
  ping(payload: Uint8Array): void
  goaway(lastStreamId: number, code: number, debug: string): void
  readonly lastPeerStreamId: number
  /** Milliseconds of the last received byte, for keepalive. */
  readonly lastReceived: number
  /** The peer stopped inside the preface, a frame or a header block: for a frame-progress timer. */
  readonly midFrame: boolean
}

/**
 * Raw PingPong calls: one message each way, in any of Thrift's wire forms. Bytes and headers, no schema: the layer above
 * hands in an encoder and a decoder.
 *
 * Everything here is synchronous. A request and a reply are handed over inside the socket read that completed them, so
 * that a fiber resumed by one runs inside the read and what it answers leaves with the same write.
 *
 * @since 0.1.0
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { Decode, Encode, RawHeader, RawPeer } from "./RawStream.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * How a Thrift message lies on the wire (Kitex's `PurePayload`, `Framed`, `TTHeader`, `TTHeaderFramed`): bare, behind its
 * length, behind a TTHeader, or behind both. Only a TTHeader carries what is not an argument: the service's name, timeouts,
 * metainfo, business errors.
 *
 * @since 0.1.0
 * @category models
 */
export type Encoding = "buffered" | "framed" | "ttheader" | "ttheader-framed"

/**
 * How calls share connections. `pooled`: one call at a time on a connection, which goes back to a pool (Kitex's long
 * connections). `short`: a connection for each call. `multiplexed`: many calls at once on one connection, told apart by
 * their sequence ids. `auto`: pooled, until a server answers that it handles calls of one connection side by side, as
 * servers of this package do; multiplexed from then on. With a TTHeader, few connections (16, and 16 more for
 * each 100 ms without an answer) explore a new address in that mode; other calls wait for what they learn.
 *
 * A oneway call uses up a connection that it has to itself, as in Kitex, where the next call would wait for the oneway
 * handler: clients that mostly send oneway calls take `multiplexed`.
 *
 * @since 0.1.0
 * @category models
 */
export type ConnectionMode = "auto" | "pooled" | "short" | "multiplexed"

/**
 * The TTHeader of a call that was received.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallHeader extends RawHeader {
  readonly flags: number
}

/**
 * String keys of a TTHeader on their way out, in the order in which they are sent.
 *
 * @since 0.1.0
 * @category models
 */
export type CallEntries = ReadonlyArray<readonly [key: string, value: string]>

/**
 * The keys of a TTHeader on their way out. The same object is the same bytes: it is encoded once.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallHeaderFields {
  readonly ints: ReadonlyArray<readonly [key: number, value: string]>
  readonly strings: CallEntries
}

// --- client ------------------------------------------------------------------------------------------------------------

/**
 * Where a call goes, and on what kind of connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallTarget {
  /** `HOST:PORT` or `unix:PATH`. */
  readonly address: string
  readonly encoding: Encoding
  readonly connection: ConnectionMode
  /** Milliseconds for all of connecting; where it is absent each step has the transport's own. */
  readonly connectTimeoutMillis?: number | undefined
}

/**
 * A call on its way out.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutgoingCall<A> {
  readonly method: string
  /** Nothing is answered: the listener hears of it when the bytes are the kernel's. */
  readonly oneway: boolean
  /** Left away where the encoding has no TTHeader. */
  readonly header: CallHeaderFields
  readonly args: A
  readonly encode: Encode<A>
  readonly listener: ReplyListener
}

/**
 * The right to send one call on a connection. It is used up by `send`, or given back by `release`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallLease {
  readonly peer: RawPeer
  /**
   * Writes the call, whose listener is called once from here on. Throws what `encode` throws, and a `TransportError` for a
   * header that is too large; it is given back then.
   */
  send<A>(call: OutgoingCall<A>): RawClientCall
  release(): void
}

/**
 * A call that was sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawClientCall {
  readonly peer: RawPeer
  readonly sequenceId: number
  /** Bytes of the arguments. */
  readonly sentBytes: number
  /**
   * Nobody waits any more. A connection that only this call uses is closed; on a shared one the answer is dropped when it
   * comes, and counted. The listener is not called again. Idempotent.
   */
  abandon(): void
}

/**
 * An answer: a result, or a `TApplicationException`. Valid inside `onReply` only.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawReply {
  readonly header: CallHeader | undefined
  /** In place of a result. */
  readonly exception: ApplicationException | undefined
  /** Bytes of the result or exception. */
  readonly size: number
  /** Reads the result. When it throws, the connection is not used again. */
  take<A>(decode: Decode<A>): A
}

/**
 * Who waits for an answer. Exactly one of its functions is called, once.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyListener {
  onReply(reply: RawReply): void
  /** A oneway call is the kernel's. */
  onSent(): void
  /** No answer will come. A `ConnectionLost` with `neverSent` is safe to send again. */
  onFailed(error: TransportError): void
}

// --- server ------------------------------------------------------------------------------------------------------------

/**
 * A request. It ends exactly once, by `reply`, `exception`, `finish` or `abort`, also when its connection is gone by
 * then: its place among the calls of the connection is free only afterwards.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawServerCall {
  readonly peer: RawPeer
  readonly encoding: Encoding
  /** The IDL name of the service (`isn`); empty where the request does not say. */
  readonly service: string
  readonly method: string
  readonly sequenceId: number
  /** The message type says that no answer is wanted. The method decides, not this. */
  readonly oneway: boolean
  readonly header: CallHeader | undefined
  /** The caller's RPC timeout in milliseconds; undefined where it sent none, or nonsense. */
  readonly timeoutMillis: number | undefined
  /** Milliseconds (of the driver's clock) at which the request was whole. */
  readonly arrivedAt: number
  /** Bytes of the arguments. */
  readonly size: number
  /** Reads the arguments; inside `onCall` only. Throws what `decode` throws. */
  take<A>(decode: Decode<A>): A
  /**
   * Called at most once, when the peer has gone or cancelled the call before its end. The client of a oneway call may
   * close the connection behind it: whoever does not mean to end with it sets none.
   */
  onAbort: ((error: TransportError) => void) | undefined
  /**
   * Answers with a result struct; `strings` go into the TTHeader where there is one. Gives the bytes of the result.
   * Throws what `encode` throws, and a `TransportError` for a header that is too large; then nothing was written, and the
   * call has not ended.
   */
  reply<A>(result: A, encode: Encode<A>, strings?: CallEntries): number
  /**
   * Answers with an exception. With `close` nothing else is read, and the connection ends behind the answer, unless it is
   * multiplexed: other calls are on it, and the end of each message is known.
   */
  exception(exception: ApplicationException, strings?: CallEntries, close?: boolean): void
  /** Ends the call without an answer. */
  finish(): void
  /** Ends the call without an answer, and its connection unless that is multiplexed. */
  abort(): void
}

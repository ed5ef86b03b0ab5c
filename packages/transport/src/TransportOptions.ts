/**
 * Options that every transport shares, whatever carries its bytes: limits, budgets of time, buffers. All have defaults
 * that are safe against a hostile peer.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { RawPeer } from "./RawStream.ts"
import type { Compression } from "./Transport.ts"

/**
 * A token bucket: `burst` at once, refilled by `perSecond`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  readonly burst: number
  readonly perSecond: number
}

/**
 * What a peer may do before its stream or its connection is ended, for which the error is a `LimitExceeded` that names
 * the limit.
 *
 * @since 0.1.0
 * @category options
 */
export interface Limits {
  /**
   * Server: open streams of a connection, of which more are refused (RST_STREAM REFUSED_STREAM, or a Trailer with an exception over
   * TTHeader), and handlers that run: a stream that comes in place of one that was reset waits until the handler of that has ended.
   * PingPong calls of a connection that run at once too: behind them nothing is read until one has ended, and a client that sends
   * more than 4 MiB meanwhile is cut off. Client: streams of a multiplexed connection of TTHeader streaming, which cannot tell its
   * client how many it takes; one more gets another connection. Default 256.
   */
  readonly maxConcurrentStreams?: number | undefined
  /** Bytes of the info of a TTHeader. Default 128 KiB; the format has up to 262140 bytes. */
  readonly maxTTHeaderSize?: number | undefined
  /** Bytes of a header list, 32 added for each field. Default 64 KiB. */
  readonly maxHeaderListSize?: number | undefined
  /** Fields of a header list, and entries of a TTHeader. Default 256. */
  readonly maxHeaderFields?: number | undefined
  /** Bytes of a header block before decompression. Default 256 KiB. */
  readonly maxHeaderBlockSize?: number | undefined
  /** CONTINUATION frames of one header block. Default 16. */
  readonly maxContinuationFrames?: number | undefined
  /** Our answers that wait because the peer does not read. Default 4096. */
  readonly maxControlFrames?: number | undefined
  /** Bytes of ours that wait because the peer does not read. Default 8 MiB. */
  readonly maxOutboxBytes?: number | undefined
  /** Entries of one SETTINGS frame. Default 32. */
  readonly maxSettingsEntries?: number | undefined
  /** SETTINGS frames. Default 100, 10 a second. */
  readonly settingsBudget?: Budget | undefined
  /** PINGs between frames of streams. Default 100, 5 a second. */
  readonly pingBudget?: Budget | undefined
  /** Empty DATA frames in a row. Default 100. */
  readonly maxEmptyDataFrames?: number | undefined
  /**
   * Server: streams reset before anything was answered, or reset by us because a rule was broken. Default 200, 100 a
   * second.
   */
  readonly resetBudget?: Budget | undefined
}

/**
 * Pings a silent peer, so that a dead one is noticed. Times and texts are those of Kitex's
 * `KeepaliveParams`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Keepalive {
  /** Silence after which a PING is sent. */
  readonly time: Duration.Input
  /** Silence after the PING that ends the connection. Default 20 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Ping without streams too. Default false. */
  readonly permitWithoutStream?: boolean | undefined
}

/**
 * Options of both sides.
 *
 * @since 0.1.0
 * @category options
 */
export interface ConnectionOptions {
  readonly limits?: Limits | undefined
  /**
   * Entries of a TTHeader that is sent, and fields of the headers of a request. A call with more fails with `LimitExceeded`
   * and nothing of it is sent: a peer that takes fewer would end the connection under all calls on it. An answer with more
   * is an exception in its place. Default 256, which is what `limits.maxHeaderFields` is at the peer by default.
   */
  readonly maxSentHeaderFields?: number | undefined
  /**
   * Bytes of the info of a TTHeader that is sent, with the same consequences. Default 128 KiB, which is what
   * `limits.maxTTHeaderSize` is at the peer by default.
   */
  readonly maxSentTTHeaderSize?: number | undefined
  /**
   * Bytes of one received message, compressed or not; a larger one is refused on its prefix with status 8. Default 4
   * MiB + 64 KiB.
   */
  readonly maxReceiveMessageSize?: number | undefined
  /**
   * Bytes of one PingPong message that is received, without its TTHeader; a larger one ends the connection. Default 64 MiB.
   */
  readonly maxCallSize?: number | undefined
  /**
   * Write a CRC-32C of each message into its TTHeader, and check those that come with one (Kitex's `CRC32Check`). A message
   * that fails ends the connection. Default false.
   */
  readonly checksum?: boolean | undefined
  /**
   * Bytes of one stream that wait for flow control, or for the socket over TTHeader, before `write` stops. Default 64 KiB, as
   * Kitex's write quota.
   */
  readonly sendBufferLimit?: number | undefined
  /**
   * Bytes that all streams of one connection may hold unread before it stands still until something is read or reset.
   * Messages larger than the windows of their streams come on top: on servers as much again, then in turn. Default 64
   * MiB, which 256 streams with full first windows hold.
   *
   * Server, PingPong calls: bytes of the requests of running calls, above which nothing is read until one has ended; one
   * alone may be larger. And bytes of answers: a client that takes nothing of more for a second is not served on.
   */
  readonly connectionBufferLimit?: number | undefined
  /**
   * Bytes that may be on their way to us on one connection: its receiving window (RFC 9113 5.2). For this and the
   * windows below, a value outside of 65535 to 2^31 - 1 counts as the nearer of these. Default 16 MiB.
   */
  readonly connectionWindow?: number | undefined
  /** Bytes of the receiving window that a stream begins with, announced as SETTINGS_INITIAL_WINDOW_SIZE. Default 256 KiB. */
  readonly initialStreamWindow?: number | undefined
  /**
   * Bytes that the window of a stream grows to while whole windows are used up fast; it does not grow when this is not
   * above `initialStreamWindow`. Default 4 MiB.
   */
  readonly maxStreamWindow?: number | undefined
  /**
   * TTHeader streaming, which has no windows: bytes of one stream that wait for whoever reads it, above which nothing more is read from
   * its connection. One message may be larger. Default 512 KiB.
   */
  readonly streamBufferLimit?: number | undefined
  /** The same, in messages. Default 8192. */
  readonly streamBufferMessages?: number | undefined
  /**
   * TTHeader streaming: how long a connection stands still for a stream whose buffer is full. One that is not below its bound again by
   * then, though a little may have been taken, is reset with the reason `LimitExceeded`, and reading goes on, so that its neighbours
   * get their messages and ends. Default 500 milliseconds: a cancel behind what waits arrives within a second.
   */
  readonly stallTimeout?: Duration.Input | undefined
  /**
   * Off by default on clients, two hours on servers. TTHeader streaming has no ping: beats between two ends of this package stand in
   * for it where a client sets this.
   */
  readonly keepalive?: Keepalive | undefined
  /** A socket that takes nothing for this long, or no MiB of a large message, is dead. Default 30 seconds. */
  readonly stalledWriteTimeout?: Duration.Input | undefined
  /**
   * A connection without streams is over after this time: a server drains it, a client closes it and dials again when a
   * call needs it. `Duration.infinity` keeps it for ever. Default 30 minutes.
   */
  readonly idleTimeout?: Duration.Input | undefined
  /**
   * A connection that is so old takes nothing new, and ends with its last stream or call: a server drains it, a client dials
   * another when a call needs it, so that names which lead to new servers by now are looked at again. Each connection is given
   * up to 10 % more or less, lest all go at once. Zero and `Duration.infinity` keep them for ever. Default: for ever. Kitex's
   * `MaxConnectionAge`, on servers alone and without the 10 %.
   */
  readonly maxConnectionAge?: Duration.Input | undefined
  /** gzip, where the platform does not bring it. */
  readonly compression?: Compression | undefined
}

/**
 * Options of servers.
 *
 * @since 0.1.0
 * @category options
 */
export interface ServerOptions extends ConnectionOptions {
  /**
   * Time for the TLS handshake, again for the first bytes, which tell the protocol, and again for HTTP/2's preface and
   * SETTINGS; for silence inside a frame of HTTP/2, and for each 16 KiB of a PingPong message or of a frame of TTHeader
   * streaming. Default 10 seconds.
   */
  readonly handshakeTimeout?: Duration.Input | undefined
  /**
   * Asked for each new connection, before TLS, so that nothing but the address is known of the peer. Undefined refuses it: the
   * socket is closed at once. A function is called once the connection has gone. What it throws is logged, and refuses too.
   */
  readonly acceptConnection?: ((peer: RawPeer) => (() => void) | undefined) | undefined
}

/**
 * Connections of PingPong calls, and apart from them those of pooled streams over TTHeader, that wait in a pool for the next one
 * (Kitex's `IdleConfig`).
 *
 * @since 0.1.0
 * @category options
 */
export interface PoolOptions {
  /** Default 10. */
  readonly maxIdlePerAddress?: number | undefined
  /** For all addresses together. Default 100. */
  readonly maxIdleGlobal?: number | undefined
  /** A connection that waited for so long is closed. Default 60 seconds. */
  readonly maxIdleTime?: Duration.Input | undefined
  /** So many are kept all the same. 0 to 5; default 0. */
  readonly minIdlePerAddress?: number | undefined
  /** Connections in use and idle; a call that needs one more is refused. Default 1024. */
  readonly maxPerAddress?: number | undefined
}

/**
 * Options of clients.
 *
 * @since 0.1.0
 * @category options
 */
export interface ClientOptions extends ConnectionOptions {
  /** Connections of PingPong calls, and of pooled streams over TTHeader. */
  readonly pool?: PoolOptions | undefined
  /**
   * Calls that share a multiplexed connection; one more gets another connection. Where servers of this package are called,
   * abandoned calls count until the server has ended them, so that this is best below its `limits.maxConcurrentStreams`.
   * Default 128.
   */
  readonly callsPerConnection?: number | undefined
  /** Connections kept for each address, by streams and by multiplexed calls. Default 1. */
  readonly connectionsPerAddress?: number | undefined
  /**
   * Connections of one address at most: more than are kept are made while streams run out. A call that needs one more
   * is refused. Default 256.
   */
  readonly maxConnectionsPerAddress?: number | undefined
  /**
   * Time for the dial. Default 1 second. `connectTimeoutMillis` of a call is for all that it waits for a connection, TLS and
   * SETTINGS too.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /** Time for the TLS handshake. Default 5 seconds. */
  readonly tlsTimeout?: Duration.Input | undefined
  /** Time until the server's SETTINGS are here. Default 5 seconds. */
  readonly settingsTimeout?: Duration.Input | undefined
  /**
   * How streams of TTHeader streaming share connections. `multiplexed`: all that there are, `connectionsPerAddress` of them. `pooled`: a
   * connection has one stream at a time, and goes back to a pool (`pool`) behind it. `short`: a connection for each stream. Default
   * `multiplexed`, as in Kitex.
   */
  readonly streamConnections?: "multiplexed" | "pooled" | "short" | undefined
  /**
   * Credit for streams of TTHeader streaming: each end says how much it takes, so that a reader that lags stops its writer alone, and
   * no neighbour ever waits for it. Servers of this package give it to whoever asks; Kitex ignores it. Default false.
   */
  readonly streamCredit?: boolean | undefined
}

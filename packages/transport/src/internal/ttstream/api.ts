/**
 * The engines of TTHeader streaming (Kitex's TTStream) as their drivers see them. Frames and rules: Kitex
 * `pkg/remote/trans/ttstream`.
 *
 * @internal
 */
import type { RawAdmitted, RawClientStream, RawPeer, RawRequest, RawServerStream, RawStatus } from "../../RawStream.ts"
import type { Metadata } from "../../Metadata.ts"
import type { OpenRequest } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { Budget } from "../../TransportOptions.ts"
import type { ConnectionEnd, Engine, Notified } from "../engine.ts"

/** Options with their defaults filled in. @internal */
export interface StreamingOptions {
  readonly maxReceiveMessageSize: number
  /** Bytes of the info of a TTHeader, and its entries. */
  readonly maxTTHeaderSize: number
  readonly maxHeaderFields: number
  /** The same of what we send. */
  readonly maxSentTTHeaderSize: number
  readonly maxSentHeaderFields: number
  /** Server: streams of one connection, and handlers that run. */
  readonly maxConcurrentStreams: number
  /** Server: streams that the client resets before anything was answered. */
  readonly resetBudget: Budget
  /** Bytes of answers that wait because the peer does not read; messages come on top, up to the buffers of their streams. */
  readonly maxOutboxBytes: number
  /** Bytes of one stream that wait for the socket before `write` stops. */
  readonly sendBufferLimit: number
  /** Bytes and messages of one stream that wait for whoever reads it. */
  readonly streamBufferLimit: number
  readonly streamBufferMessages: number
  /** Bytes that all streams of the connection may hold so. */
  readonly connectionBufferLimit: number
  /** Client: asks for credit, and gives it. */
  readonly credit: boolean
}

/** What an engine needs of the driver that carries it. @internal */
export interface StreamingCarrier {
  readonly peer: RawPeer
  /** Set by whoever keeps bytes of the chunk that is being read. */
  chunkKept: boolean
  now(): number
  /** Something waits to be written: flush in this tick. */
  wake(): void
  /** Call `notify` once after the parse of this read, or in this tick. */
  mark(stream: Notified): void
  /** `full` has changed: stop reading, or read on. */
  onFull(): void
  /** At most once, after every stream heard of it. The driver writes what is left in the outbox, then closes. */
  onClose(end: ConnectionEnd): void
}

/** What both engines show to drivers. @internal */
export interface StreamingConnection extends Engine {
  /** A stream holds more than it may, or all together do: nothing is to be read. What a chunk has beyond is still parsed. */
  readonly full: boolean
  /** Milliseconds since when what makes it so is above its bound, for `stallTimeout`; undefined when it is not full. */
  readonly fullSince: number | undefined
  /** `stallTimeout` is over: streams that fill their buffers since then are reset. It stays full for those that have time left. */
  stalled(): void
  /** The peer stopped inside a frame: for a progress timer. */
  readonly midFrame: boolean
  /** Bytes received since the beginning. */
  readonly received: number
  /** Frames that came to their ends since then. */
  readonly frames: number
  /** Milliseconds of the last received byte. */
  readonly lastReceived: number
  /** Asks the peer for a beat. */
  beat(): void
  /** The peer is of this package and answers beats: one that it does not answer is a sign that it is dead. */
  readonly beats: boolean
}

/** @internal */
export interface ClientCarrier extends StreamingCarrier {
  /** The same end, with what the server may be where it seems to be none of ours. Before the streams hear of it. */
  explain(end: ConnectionEnd): ConnectionEnd
  /** A stream has ended, its final frames are in the outbox: a connection with one owner is free, or over. */
  onStreamEnded(): void
  /** The server drains: `usable` is false from here on. */
  onDraining(): void
}

/** @internal */
export interface StreamingClientConnection extends StreamingConnection {
  /** False once nothing new may be opened on it: it ended, or the server drains. */
  readonly usable: boolean
  /** Credit was asked for, and the server has given none so far: a stream sends no more than this end would take. */
  readonly awaitsCredit: boolean
  /** The server gives none, it may be Kitex: streams send without a limit until it does. */
  goWithoutCredit(): void
  /** Writes the Header frame. Gives an error for what cannot be sent, and then nothing was written. */
  open(request: OpenRequest): RawClientStream | TransportError
}

/** @internal */
export interface ServerCarrier extends StreamingCarrier {
  /** Asked for each stream as soon as its Header frame is here, as `Acceptor.admit`. */
  admit(request: RawRequest, metadata: Metadata, peer: RawPeer): RawStatus | RawAdmitted | undefined
  /** Once a request, after the read that brought its Header frame was parsed, and when its handler may run. */
  accept(stream: RawServerStream): void
}

/** @internal */
export interface StreamingServerConnection extends StreamingConnection {
  /** Clients of this package hear that they are to go. Streams are still taken: some are on their way. */
  drain(): void
  /** From here on new streams are refused. */
  refuseStreams(): void
}

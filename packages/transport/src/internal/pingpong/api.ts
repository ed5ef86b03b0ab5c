/**
 * The engines of PingPong connections as their drivers see them. Encodings and rules: Kitex `pkg/remote/codec`.
 *
 * @internal
 */
import type { ConnectionMode, Encoding, OutgoingCall, RawClientCall, RawServerCall } from "../../RawCall.ts"
import type { RawPeer } from "../../RawStream.ts"
import type { ConnectionEnd, Engine } from "../engine.ts"

/** Options with their defaults filled in. @internal */
export interface CallOptions {
  readonly maxCallSize: number
  readonly maxTTHeaderSize: number
  /** Entries of a TTHeader. */
  readonly maxHeaderFields: number
  /** Bytes of the info of a TTHeader of ours. */
  readonly maxSentTTHeaderSize: number
  /** Entries of a TTHeader of ours. */
  readonly maxSentHeaderFields: number
  /** Server: calls of one connection that run at once (`maxConcurrentStreams`). */
  readonly maxConcurrentCalls: number
  /** Server: bytes of the requests of those calls, and of answers that a client does not read. */
  readonly connectionBufferLimit: number
  readonly checksum: boolean
}

/** What an engine needs of the driver that carries it. @internal */
export interface CallCarrier {
  readonly peer: RawPeer
  now(): number
  /** Set by whoever keeps bytes of the chunk that is being read. */
  chunkKept: boolean
  /** Something waits to be written: flush in this tick. Does nothing while the driver is in a read, which flushes itself. */
  wake(): void
  /** At most once, after every call heard of it. The driver writes what is left in the outbox, then closes. */
  onClose(end: ConnectionEnd): void
}

/** What both engines show to timers. @internal */
export interface CallConnection extends Engine {
  /** The peer stopped inside a message: for a progress timer. */
  readonly midMessage: boolean
  /** Bytes received since the beginning. */
  readonly received: number
  /** Milliseconds of the last received byte. */
  readonly lastReceived: number
}

/** @internal */
export interface ServerCarrier extends CallCarrier {
  /** Inside `receive` or `resume`, as soon as a request is whole. */
  onCall(call: RawServerCall): void
  /** `full` is false again as a call has ended: call `resume`, not from inside this call, and read on. */
  onRoom(): void
}

/** @internal */
export interface ServerConnection extends CallConnection {
  /**
   * As many calls run as may, by their number or by their bytes, or more answers wait than should: nothing more is
   * parsed, the driver stops reading. What a chunk has beyond is kept.
   */
  readonly full: boolean
  /** Something is kept: `resume` parses it once there is room, be it that calls have ended or that answers were taken. */
  readonly behind: boolean
  /** Bytes of it. Too many of them end the connection. */
  readonly kept: number
  /** Parses what was kept. */
  resume(now: number): void
  /** From here on every answer in a TTHeader says `crrst`. */
  drain(): void
  /** The client multiplexes: its requests had the flag for it. */
  readonly multiplexed: boolean
  /** The frame that asks a multiplexing client to go (`SEQ` 0, `crrst`). */
  sayGoodbye(): void
}

/** @internal */
export interface ClientConnection extends CallConnection {
  /** False once nothing more may be sent: it ended, the server said `crrst`, an answer is owed to nobody. */
  readonly usable: boolean
  /** What the last answer in a TTHeader said of multiplexing; undefined before the first. */
  readonly learned: boolean | undefined
  /**
   * Writes a call. Throws what `encode` throws, with nothing written. `mode`: an exclusive connection (`pooled`, `short`) whose call
   * is abandoned ends; `multiplexed` goes on. `auto` is exclusive and asks the server whether it multiplexes.
   */
  send<A>(call: OutgoingCall<A>, encoding: Encoding, mode: ConnectionMode): RawClientCall
  /** Answers that came after their call was abandoned. */
  readonly lateReplies: number
  /** Abandoned calls of which no answer has come: where the server multiplexes, it may still run them. */
  readonly owed: number
  /** A call was abandoned, whose answer may still come: no call may have the connection to itself. */
  readonly mayBeLate: boolean
}

/** @internal */
export interface ClientCarrier extends CallCarrier {
  /** The same end, with what the server may be where it seems to be none of ours. Before the calls hear of it. */
  explain(end: ConnectionEnd): ConnectionEnd
  /** A call has ended: with a good answer, sent (oneway), failed or abandoned. Look at `usable`. */
  onCallEnded(): void
  /** The answer to an abandoned call has come: the server has ended it. */
  onRoom(): void
}

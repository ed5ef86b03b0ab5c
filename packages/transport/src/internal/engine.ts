/**
 * A protocol engine as a driver sees it: a plain object, bytes in, calls out, bytes in an outbox. No sockets, timers, promises or
 * Effects; time is an argument.
 *
 * @internal
 */

/** Why a connection is over. @internal */
export type ConnectionEnd =
  | { readonly _tag: "PeerClosed"; readonly hint?: string } // TCP FIN with nothing wrong; why that may be
  | { readonly _tag: "Lost"; readonly detail: string } // the socket failed, or a timer of the driver
  | { readonly _tag: "Error"; readonly code: number; readonly detail: string; readonly limit?: string } // the peer broke the protocol or a limit
  | { readonly _tag: "PeerGoaway"; readonly code: number; readonly debug: string }
  | { readonly _tag: "Local"; readonly detail: string } // we closed it

/** Bytes on their way to the socket. @internal */
export interface Outbox {
  readonly length: number
  /** All chunks in order, or undefined when empty. Chunks stay untouched until `recycle` or forever. */
  take(): Array<Uint8Array> | undefined
  /** The kernel has taken everything of the last `take`: its buffer may be used again. */
  recycle(): void
}

/** @internal */
export interface Engine {
  readonly outbox: Outbox
  readonly closed: boolean
  /** Streams or calls that have not ended: without any the connection is idle. */
  readonly active: number
  /** Bytes from the peer, any split. Never throws, whatever the bytes. `now`: milliseconds of the driver's clock. */
  receive(chunk: Uint8Array, now: number): void
  /** The socket ended (FIN) or failed, or we end it. Whoever is above hears of it. What is in the outbox still goes. */
  end(cause: ConnectionEnd): void
  /** Moves what is queued into the outbox. The driver calls it before `take`. */
  pump(): void
}

/** Something that wants to be told once a read is parsed, or in this tick. @internal */
export interface Notified {
  notify(): void
}

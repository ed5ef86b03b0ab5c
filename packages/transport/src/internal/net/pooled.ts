/**
 * What a pool of connections and the connections in it see of each other.
 *
 * @internal
 */
import type { CallTarget, ConnectionMode, Encoding } from "../../RawCall.ts"

/** What travels on the connections of a pool: PingPong calls in one encoding, or streams. @internal */
export type Traffic = Encoding | "ttheader-streaming"

/** Where a connection is to lead, and how it is shared. @internal */
export interface PoolTarget extends Pick<CallTarget, "address" | "connection" | "connectTimeoutMillis"> {
  readonly encoding: Traffic
}

/**
 * Where a connection is: in the pool (`idle`), in use by one call or stream (`out`), by any (`shared`), or on its way out (`left`),
 * where some may still wait for their ends.
 *
 * @internal
 */
export type Place = "out" | "idle" | "shared" | "left"

/** A connection as its pool sees it: the lease on itself. @internal */
export interface Pooled<C> {
  place: Place
  readonly owner: PoolOwner<C>
  readonly connection: { readonly closed: boolean }
  /** Calls or streams on it, or about to be. */
  readonly load: number
  /** Nothing runs on it, or is about to. */
  readonly quiet: boolean
  /** Something new may go out on it. */
  readonly fit: boolean
  /** More bytes wait than something new should wait for. */
  readonly full: boolean
  /** What had it to itself left it so that nothing else may have it. */
  readonly spoilt: boolean
  /** What the server said of sharing; undefined when it said nothing yet. */
  readonly learned: boolean | undefined
  /** One thing more will be sent on it, or given back. */
  lease(): C
  /** Closes behind what was written. */
  finish(): void
}

/** Who keeps connections. @internal */
export interface PoolOwner<C> {
  readonly mode: ConnectionMode
  /** The connection whose read is being parsed: what ran on it may have ended, and the next be asked for, before `settle`. */
  reading: C | undefined
  /** A call, a stream or a lease has ended, or the connection is not usable any more: look where it belongs. */
  settle(connection: C): void
  /** It waited in the pool for `maxIdleTime`, again and again. */
  expire(connection: C): void
  /** Nothing new goes out on it; it closes when the last of what runs on it has ended. */
  retire(connection: C): void
  /** The connection is over. */
  leave(connection: C): void
}

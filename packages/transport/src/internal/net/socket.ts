/**
 * A byte pipe with a peer at its other end: the little that the driver needs of TCP, TLS, Unix sockets and memory.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RawPeer } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"

/** @internal */
export interface SocketEvents {
  /** The chunk is the driver's from here on: nobody else reads or writes it. */
  onData(chunk: Uint8Array): void
  /** Everything of the writes so far was taken. Comes only after a `write` that gave false. */
  onDrain(): void
  /** The peer sent its FIN. */
  onEnd(): void
  onError(detail: string): void
  /** The last event, always. */
  onClosed(): void
}

/** @internal */
export interface Socket {
  readonly peer: RawPeer
  readonly secure: boolean
  /** False once the peer ended, the socket failed or was destroyed: nothing that is written arrives. */
  readonly alive: boolean
  /** What was agreed on over TLS. */
  readonly protocol: Protocol
  /** Begins reading; called again, hands what comes from here on to other events. */
  start(events: SocketEvents): void
  /** True: taken, the chunks may be overwritten. False: they are referenced until `onDrain`. */
  write(chunks: Array<Uint8Array>): boolean
  pause(): void
  resume(): void
  /** FIN behind what was written; reading goes on. */
  end(): void
  /** Closes both directions now. */
  destroy(): void
}

/** A connection that is made but not secured. @internal */
export interface Dialled {
  /** TLS, where it is wanted. */
  readonly secure: Effect.Effect<Socket, TransportError>
  readonly destroy: () => void
}

/** What is agreed on over TLS (ALPN): HTTP/2, or nothing for PingPong calls. @internal */
export type Protocol = "h2" | undefined

/** @internal */
export type Dial = (address: string, protocol: Protocol) => Effect.Effect<Dialled, TransportError>

/** @internal */
export interface Bound {
  readonly address: { readonly hostname: string; readonly port: number }
  /** No new connections, but for those that clients have already. */
  readonly stop: Effect.Effect<void>
}

/** Undefined refuses a connection; else what is to run once it has gone. Neither throws. @internal */
export type Admit = (peer: RawPeer) => (() => void) | undefined

/** Accepts until the scope closes whom `admit`, where it is given, lets in. `onSocket` never throws. @internal */
export type Bind = (
  onSocket: (socket: Socket) => void,
  admit?: Admit
) => Effect.Effect<Bound, TransportError, Scope.Scope>

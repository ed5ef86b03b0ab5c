/**
 * Asks a silent peer whether it is there, and tells when it does not answer.
 *
 * @internal
 */
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface KeepaliveOptions {
  /** Silence before the peer is asked. */
  readonly time: number
  /** Silence from then on that ends the connection. */
  readonly timeout: number
  readonly permitWithoutStream: boolean
}

/** A connection whose peer can be asked. @internal */
export interface Askable {
  readonly connection: { readonly active: number; readonly closed: boolean; readonly lastReceived: number }
  /** The peer answers when it is asked. */
  readonly answers: boolean
  now(): number
  ask(): void
  /** It did not answer. */
  onSilent(): void
}

/** @internal */
export class Keepalive {
  private readonly options: KeepaliveOptions
  private readonly peer: Askable
  private askedAt: number | undefined = undefined

  constructor(options: KeepaliveOptions, peer: Askable) {
    this.options = options
    this.peer = peer
  }

  answered(): void {
    this.askedAt = undefined
  }

  timers(): ReadonlyArray<Timer> {
    const { peer } = this
    const { permitWithoutStream, time, timeout } = this.options
    return [
      {
        timeout: time,
        since: () => {
          const { active, closed, lastReceived } = peer.connection
          if (this.askedAt !== undefined && lastReceived > this.askedAt) this.askedAt = undefined
          const wanted = peer.answers && (active > 0 || permitWithoutStream)
          return wanted && this.askedAt === undefined && !closed ? lastReceived : undefined
        },
        expire: () => {
          this.askedAt = peer.now()
          peer.ask()
        }
      },
      { timeout, since: () => this.askedAt, expire: () => peer.onSilent() }
    ]
  }
}

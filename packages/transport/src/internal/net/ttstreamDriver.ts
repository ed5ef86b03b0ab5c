/**
 * A driver whose engine is a connection of TTHeader streaming: it stands still while streams hold more than they may, and asks a
 * silent peer for a beat.
 *
 * @internal
 */
import type { StreamingCarrier, StreamingConnection, StreamingOptions } from "../ttstream/api.ts"
import { Driver, type DriverOptions, Hold } from "./driver.ts"
import { type Askable, Keepalive, type KeepaliveOptions } from "./keepalive.ts"
import type { Socket } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface StreamingDriverOptions extends DriverOptions {
  readonly streaming: StreamingOptions
  /** How long the connection stands still for a stream that is full. */
  readonly stallTimeout: number
  readonly keepalive: KeepaliveOptions
  /** Runs a function so many milliseconds later: what seldom waits needs no timer that is looked at now and then. */
  readonly after: (millis: number, run: () => void) => void
}

/** @internal */
export abstract class StreamingDriver extends Driver implements Askable, StreamingCarrier {
  abstract override readonly connection: StreamingConnection

  // What a read makes us write is little, or bounded by each stream's buffer. Two ends that both waited for the other to read
  // would wait for ever.
  protected override readonly pauseAbove = Infinity
  protected readonly after: StreamingDriverOptions["after"]
  private readonly stallTimeout: number
  private awaitsStall = false
  private readonly keepalive: Keepalive
  private readonly silence: string

  constructor(socket: Socket, options: StreamingDriverOptions) {
    super(socket, options)
    this.after = options.after
    this.stallTimeout = options.stallTimeout
    this.keepalive = new Keepalive(options.keepalive, this)
    this.silence = `the peer answered no beat in ${options.keepalive.timeout}ms (keepalive)`
  }

  // ---- from the engine

  onFull(): void {
    if (!this.connection.full) return this.readOn(Hold.full)
    this.hold(Hold.full)
    this.awaitStall()
  }

  /** Looks at who keeps the connection full when that may be too long. */
  private awaitStall(): void {
    const since = this.connection.fullSince
    if (since === undefined || this.awaitsStall || this.connection.closed || !Number.isFinite(this.stallTimeout)) return
    this.awaitsStall = true
    this.after(Math.max(1, since + this.stallTimeout - this.now()), this.look)
  }

  private readonly look = (): void => {
    this.awaitsStall = false
    const since = this.connection.fullSince
    if (since !== undefined && since + this.stallTimeout <= this.now() && !this.connection.closed) {
      this.connection.stalled()
      this.wake()
    }
    this.awaitStall()
  }

  // ---- keepalive

  /** A peer that is not read is not heard. */
  get answers(): boolean {
    return this.connection.beats && this.held === 0
  }

  ask(): void {
    this.connection.beat()
    this.wake()
  }

  onSilent(): void {
    if (this.held !== 0) return this.keepalive.answered()
    this.close({ _tag: "Lost", detail: this.silence })
    this.socket.destroy()
  }

  override timers(): Array<Timer> {
    return [...super.timers(), ...this.keepalive.timers()]
  }
}

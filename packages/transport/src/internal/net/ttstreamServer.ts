/**
 * The server's end of a connection of TTHeader streaming.
 *
 * @internal
 */
import type { Metadata } from "../../Metadata.ts"
import type { RawAdmitted, RawPeer, RawRequest, RawServerStream, RawStatus } from "../../RawStream.ts"
import type { Acceptor } from "../../Transport.ts"
import type { ConnectionEnd } from "../engine.ts"
import type { ServerCarrier, StreamingServerConnection } from "../ttstream/api.ts"
import { ServerConnection } from "../ttstream/serverConnection.ts"
import { Progress, tooSlow } from "./progress.ts"
import { Silence } from "./silence.ts"
import type { Socket } from "./socket.ts"
import { StreamingDriver, type StreamingDriverOptions } from "./ttstreamDriver.ts"
import type { Timer } from "./watchdog.ts"

/** @internal */
export interface StreamingServerOptions extends StreamingDriverOptions {
  /** Milliseconds in which 16 KiB of a frame come, or its end. */
  readonly handshakeTimeout: number
  readonly log: (message: string) => void
  /** Runs a function when what the peer had sent by now has arrived. */
  readonly later: (run: () => void) => void
}

/** How long a client may go on with a server that drains and runs nothing. */
const drainMillis = 1000

/** @internal */
export class StreamingServer extends StreamingDriver implements ServerCarrier {
  readonly connection: StreamingServerConnection
  private readonly options: StreamingServerOptions
  private readonly acceptor: Pick<Acceptor, "admit" | "onStream">
  private readonly progress = new Progress()
  private draining = false
  /** Since when it drains and nothing runs. */
  private leftSince: number | undefined = undefined
  private readonly silent: Silence

  constructor(socket: Socket, options: StreamingServerOptions, acceptor: Pick<Acceptor, "admit" | "onStream">) {
    super(socket, options)
    this.options = options
    this.acceptor = acceptor
    this.silent = new Silence(options.later)
    this.connection = new ServerConnection(this, options.streaming)
  }

  // ---- from the engine

  admit(request: RawRequest, metadata: Metadata, peer: RawPeer): RawStatus | RawAdmitted | undefined {
    // A stream that ends inside the read is seen nowhere else.
    this.idleSince = undefined
    return this.acceptor.admit?.(request, metadata, peer)
  }

  accept(stream: RawServerStream): void {
    this.acceptor.onStream(stream)
  }

  override onClose(end: ConnectionEnd): void {
    super.onClose(end)
    if (end._tag === "Error") this.warn(end.detail)
  }

  private warn(detail: string): void {
    this.options.log(`TTHeader streaming connection of ${this.peer.address} closed: ${detail}`)
  }

  // ---- draining

  /**
   * Clients are told to go. Streams that were on their way by then are taken, later ones are refused, so that their clients may go
   * elsewhere. The connection closes when nothing runs on it and nothing has come for a while.
   */
  drain(): void {
    if (this.draining || this.connection.closed) return
    this.draining = true
    this.connection.drain()
    this.options.later(() => this.connection.refuseStreams())
    this.wake()
  }

  private leave(): void {
    if (!this.idle) {
      this.leftSince = undefined
      return
    }
    this.leftSince ??= this.now()
    this.silent.await(this.connection, (silent) => {
      if (silent && this.idle) this.close({ _tag: "Local", detail: "drained" })
      else this.leave()
    })
  }

  protected override flush(): void {
    super.flush()
    if (this.draining && !this.busy && !this.connection.closed) this.leave()
  }

  protected override onIdle(): void {
    this.drain()
  }

  protected onAged(): void {
    this.drain()
  }

  // ---- time

  /** Since when a frame has come too slowly, as far as can be seen now and then. */
  private slow(): number | undefined {
    const { closed, frames, lastReceived, midFrame, received } = this.connection
    // A peer that is not read cannot send.
    return this.progress.since(!closed && midFrame && this.held === 0, received, frames, lastReceived)
  }

  override timers(): Array<Timer> {
    const { handshakeTimeout } = this.options
    return [
      ...super.timers(),
      {
        timeout: handshakeTimeout,
        since: () => this.slow(),
        expire: () => {
          const detail = tooSlow("frame", handshakeTimeout)
          this.warn(detail)
          this.close({ _tag: "Lost", detail })
        }
      },
      {
        timeout: drainMillis,
        since: () => this.leftSince,
        expire: () => {
          this.leftSince = undefined
          this.closeWhenIdle = true
          this.wake()
        }
      }
    ]
  }
}

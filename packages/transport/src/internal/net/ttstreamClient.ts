/**
 * The client's end of a connection of TTHeader streaming. It is the lease on itself: whoever has it may open one stream.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ConnectionEnd } from "../engine.ts"
import { joined } from "../gather.ts"
import { sniffedSize } from "../pingpong/shape.ts"
import type { ClientCarrier, StreamingClientConnection } from "../ttstream/api.ts"
import { ClientConnection } from "../ttstream/clientConnection.ts"
import { speaksStreaming } from "./errors.ts"
import type { Place, Pooled, PoolOwner } from "./pooled.ts"
import type { Socket } from "./socket.ts"
import { cutByPeer, explained, isSettings, recognisedSize } from "./strangers.ts"
import { StreamingDriver, type StreamingDriverOptions } from "./ttstreamDriver.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. */
interface StreamingClientOptions extends StreamingDriverOptions {
  /** Time after which a connection that waits in the pool has waited enough. */
  readonly maxIdleTime: number
}

/** How long streams wait for a server's first credit: one that gives none may be Kitex. */
const creditMillis = 200

/** @internal */
export class StreamingClient extends StreamingDriver implements ClientCarrier, Pooled<StreamingClient> {
  readonly connection: StreamingClientConnection
  place: Place = "out"
  readonly owner: PoolOwner<StreamingClient>
  private readonly maxIdleTime: number
  private readonly maxUnsent: number
  private readonly asksFirst: boolean
  /** Leases whose stream was not opened yet. */
  private leases = 0
  private creditAwaited = false
  /** The first bytes from the server. */
  private first: Uint8Array | undefined = undefined
  private readonly onUnheard: () => void
  private onContact: (() => void) | undefined = undefined

  /** `onUnheard`: the server has closed the connection and never said anything. */
  constructor(
    socket: Socket,
    options: StreamingClientOptions,
    owner: PoolOwner<StreamingClient>,
    onUnheard: () => void
  ) {
    super(socket, options)
    this.onUnheard = onUnheard
    this.owner = owner
    this.maxIdleTime = options.maxIdleTime
    this.maxUnsent = options.streaming.maxOutboxBytes
    this.asksFirst = Number.isFinite(options.keepalive.time)
    this.connection = new ClientConnection(this, options.streaming)
  }

  override start(): void {
    if (this.asksFirst) this.connection.beat()
    super.start()
  }

  // ---- in the pool

  get load(): number {
    return this.leases + this.connection.active
  }

  get quiet(): boolean {
    return this.load === 0
  }

  get fit(): boolean {
    return this.connection.usable && this.socket.alive
  }

  /** Each stream writes up to its own buffer: more than that is left of those that were cancelled. */
  get full(): boolean {
    return this.unsent > this.maxUnsent
  }

  /** The server has stopped inside a frame, or takes nothing: the next stream would find it so. */
  get spoilt(): boolean {
    return this.connection.midFrame || this.blockedSince !== undefined
  }

  get learned(): undefined {
    return undefined
  }

  lease(): this {
    this.leases++
    return this
  }

  /** Opens the stream that the lease was for. */
  open(request: OpenRequest): RawClientStream | TransportError {
    this.leases--
    const stream = this.connection.open(request)
    if (this.connection.awaitsCredit && !this.creditAwaited) {
      this.creditAwaited = true
      this.after(creditMillis, () => this.connection.goWithoutCredit())
    }
    // It could not be sent, or the server had gone since the lease.
    if (this.connection.active === 0) this.owner.settle(this)
    return stream
  }

  release(): void {
    if (this.leases === 0) return
    this.leases--
    this.owner.settle(this)
  }

  /** Closes once what is being read was read, and behind what was written. */
  finish(): void {
    this.closeWhenIdle = true
    this.wake()
  }

  // ---- from the socket and the engine

  override onData(chunk: Uint8Array): void {
    const { first } = this
    if (first === undefined || first.length < recognisedSize) {
      // A copy: Buffer's own slice is none, and the chunk is freed behind its read.
      const begin = chunk.subarray(0, recognisedSize - (first?.length ?? 0))
      this.first = first === undefined ? new Uint8Array(begin) : joined(first, begin)
    }
    super.onData(chunk)
    this.onContact?.()
  }

  /**
   * What the server speaks, as soon as that is seen: TTHeader where bytes of it came, HTTP/2 where it closed the connection and has
   * said nothing, or began as an HTTP/2 server does.
   */
  readonly contact: Effect.Effect<"http2" | "ttheader"> = Effect.callback((resume) => {
    const look = (): void => {
      const spoken = this.spoken
      if (spoken !== undefined) resume(Effect.succeed(spoken))
    }
    this.onContact = look
    look()
    return Effect.sync(() => {
      this.onContact = undefined
    })
  })

  private get spoken(): "http2" | "ttheader" | undefined {
    const { ended, first } = this
    if (first === undefined) {
      if (ended === undefined) return undefined
      return cutByPeer(ended) ? "http2" : "ttheader"
    }
    if (first.length < sniffedSize) return ended === undefined ? undefined : "ttheader"
    return isSettings(first) ? "http2" : "ttheader"
  }

  explain(end: ConnectionEnd): ConnectionEnd {
    return explained(end, this.first, this.socket.secure, speaksStreaming)
  }

  onStreamEnded(): void {
    this.owner.settle(this)
  }

  onDraining(): void {
    this.owner.settle(this)
  }

  override onClose(end: ConnectionEnd): void {
    super.onClose(end)
    this.owner.leave(this)
    if (this.first === undefined && cutByPeer(end)) this.onUnheard()
    this.onContact?.()
    this.wake()
  }

  // ---- time

  protected override onIdle(): void {
    this.owner.retire(this)
  }

  protected onAged(): void {
    this.owner.retire(this)
  }

  override timers(): Array<Timer> {
    return [
      ...super.timers(),
      {
        timeout: this.maxIdleTime,
        since: () => (this.place === "idle" ? this.idleSince : undefined),
        expire: () => {
          this.idleSince = this.now()
          this.owner.expire(this)
        }
      }
    ]
  }
}

/**
 * Owns one socket and the HTTP/2 connection on it. Bytes of a read go through the engine, then the streams that changed
 * tell their listeners, then everything that all streams produced leaves in one write.
 *
 * @internal
 */
import type { RawPeer } from "../../RawStream.ts"
import type { Carrier, Notified, StreamOptions } from "../grpc/stream.ts"
import type { Connection, ConnectionEnd, ConnectionOwner, HeaderList, Http2Stream } from "../http2/api.ts"
import { keepaliveFailed } from "../grpc/errors.ts"
import type { FlowOptions } from "../http2/flow.ts"
import type { Given } from "../http2/limits.ts"
import type { Socket, SocketEvents } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface DriverOptions {
  readonly stream: StreamOptions
  readonly flow: Given<FlowOptions>
  readonly keepalive: { readonly time: number; readonly timeout: number; readonly permitWithoutStream: boolean }
  readonly stalledWriteTimeout: number
  readonly idleTimeout: number
  readonly now: () => number
  readonly defer: (run: () => void) => void
  /** A listener threw: a bug above the transport, to be logged. */
  readonly onDefect: (cause: unknown) => void
}

/** Control frames that wait behind a peer that does not read: no more of its bytes until they are gone. */
const pauseAbove = 1024 * 1024
/** How long a peer may take to close its side after we closed ours. */
const lingerMillis = 1000

const keepalivePayload = new Uint8Array(8)

/**
 * From this size on a chunk is freed as soon as it was read, as the middle of a large message is: garbage of that size
 * makes the collector run.
 */
const giveBackFrom = 32 * 1024

const giveBack = (chunk: Uint8Array): void => {
  const { buffer } = chunk
  if (chunk.length >= giveBackFrom && buffer.byteLength === chunk.length && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}

/** @internal */
export abstract class Driver implements Carrier, SocketEvents, ConnectionOwner {
  abstract readonly connection: Connection
  readonly streamOptions: StreamOptions
  chunkKept = false
  /** Set when the socket is closed for good. */
  socketClosed = false
  onSocketClosed: (() => void) | undefined = undefined
  /** Why the connection is over, once it is. */
  ended: ConnectionEnd | undefined = undefined

  protected readonly socket: Socket
  protected readonly options: DriverOptions
  /** Close as soon as no stream is left. */
  protected closeWhenIdle = false

  private readonly marked: Array<Notified> = []
  private busy = false
  private scheduled = false
  private paused = false
  private finSent = false
  private blockedSince: number | undefined = undefined
  private idleSince: number | undefined
  private closedSince: number | undefined = undefined
  private pingSince: number | undefined = undefined

  constructor(socket: Socket, options: DriverOptions) {
    this.socket = socket
    this.options = options
    this.streamOptions = options.stream
    this.idleSince = options.now()
  }

  get peer(): RawPeer {
    return this.socket.peer
  }

  now(): number {
    return this.options.now()
  }

  /** Begins to read and sends the preface. */
  start(): void {
    this.socket.start(this)
    this.flush()
  }

  // ---- from the socket

  onData(chunk: Uint8Array): void {
    if (this.connection.closed) return
    this.busy = true
    this.chunkKept = false
    this.connection.receive(chunk, this.now())
    if (!this.chunkKept) giveBack(chunk)
    this.deliver()
    this.busy = false
    this.flush()
    if (this.blockedSince !== undefined && this.connection.outbox.length > pauseAbove && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
  }

  onDrain(): void {
    this.blockedSince = undefined
    this.connection.outbox.recycle()
    if (this.paused) {
      this.paused = false
      this.socket.resume()
    }
    this.flush()
  }

  onEnd(): void {
    this.close({ _tag: "PeerClosed" })
  }

  onError(detail: string): void {
    this.close({ _tag: "Lost", detail })
  }

  onClosed(): void {
    if (this.socketClosed) return
    this.close({ _tag: "PeerClosed" })
    this.socketClosed = true
    this.onSocketClosed?.()
  }

  // ---- from the streams

  mark(stream: Notified): void {
    this.marked.push(stream)
    this.wake()
  }

  wake(): void {
    if (this.busy || this.scheduled) return
    this.scheduled = true
    this.options.defer(this.runScheduled)
  }

  private readonly runScheduled = (): void => {
    this.scheduled = false
    this.deliver()
    this.flush()
  }

  private deliver(): void {
    const marked = this.marked
    for (let i = 0; i < marked.length; i++) {
      try {
        marked[i]!.notify()
      } catch (cause) {
        this.options.onDefect(cause)
      }
    }
    marked.length = 0
  }

  /** Writes what is there, as far as the kernel takes it. */
  protected flush(): void {
    if (this.busy || this.socketClosed) return
    this.busy = true
    while (this.blockedSince === undefined) {
      this.connection.pump()
      const chunks = this.connection.outbox.take()
      if (chunks === undefined) break
      if (this.socket.write(chunks)) this.connection.outbox.recycle()
      else this.blockedSince = this.now()
    }
    this.busy = false
    if (this.marked.length > 0) this.wake()
    this.settle()
  }

  /** What follows when everything was written. */
  private settle(): void {
    const connection = this.connection
    if (!connection.closed) {
      if (connection.activeStreams > 0) this.idleSince = undefined
      else {
        if (this.closeWhenIdle && this.marked.length === 0) return this.close({ _tag: "Local", detail: "drained" })
        this.idleSince ??= this.now()
      }
    } else if (!this.finSent && this.blockedSince === undefined) {
      this.finSent = true
      if (this.ended?._tag === "Lost") this.socket.destroy()
      else this.socket.end()
    }
  }

  /** Ends the connection; every stream hears of it. What is in the outbox still goes. */
  close(end: ConnectionEnd): void {
    if (this.connection.closed) {
      if (end._tag === "Lost") this.socket.destroy()
      return
    }
    const outer = !this.busy
    this.busy = true
    this.connection.end(end)
    if (!outer) return
    this.deliver()
    this.busy = false
    this.flush()
  }

  /** Ends the connection and the socket now. */
  destroy(detail: string): void {
    this.close({ _tag: "Local", detail })
    this.socket.destroy()
  }

  // ---- from the engine

  abstract onStream(stream: Http2Stream, headers: HeaderList, endStream: boolean): void
  abstract onGoaway(lastStreamId: number, code: number, debug: string): void
  abstract onSettings(): void

  onPong(_payload: Uint8Array): void {
    this.pingSince = undefined
  }

  onClose(end: ConnectionEnd): void {
    this.ended = end
    this.closedSince = this.now()
  }

  // ---- time

  /** The connection is silent for too long. */
  protected onIdle(): void {
    this.close({ _tag: "Local", detail: "idle" })
  }

  timers(): Array<Timer> {
    const { idleTimeout, keepalive, stalledWriteTimeout } = this.options
    return [
      {
        timeout: stalledWriteTimeout,
        since: () => this.blockedSince,
        expire: () => {
          this.close({ _tag: "Lost", detail: `the peer took nothing for ${stalledWriteTimeout}ms` })
          this.socket.destroy()
        }
      },
      { timeout: lingerMillis, since: () => this.closedSince, expire: () => this.socket.destroy() },
      {
        timeout: idleTimeout,
        since: () => (this.connection.closed ? undefined : this.idleSince),
        expire: () => {
          this.idleSince = this.now()
          this.onIdle()
        }
      },
      {
        timeout: keepalive.time,
        since: () => {
          const wanted = this.connection.activeStreams > 0 || keepalive.permitWithoutStream
          if (this.pingSince !== undefined && this.connection.lastReceived > this.pingSince) this.pingSince = undefined
          return wanted && this.pingSince === undefined && !this.connection.closed
            ? this.connection.lastReceived
            : undefined
        },
        expire: () => {
          this.pingSince = this.now()
          this.connection.ping(keepalivePayload)
          this.wake()
        }
      },
      {
        timeout: keepalive.timeout,
        since: () => this.pingSince,
        expire: () => {
          this.close({ _tag: "Lost", detail: keepaliveFailed })
          this.socket.destroy()
        }
      }
    ]
  }
}

/**
 * Owns one socket and the protocol engine on it. Bytes of a read go through the engine, then whoever marked itself is
 * told, then everything that the engine produced leaves in one write.
 *
 * @internal
 */
import type { RawPeer } from "../../RawStream.ts"
import type { ConnectionEnd, Engine, Notified } from "../engine.ts"
import { Pieces } from "./pieces.ts"
import type { Reader } from "./run.ts"
import type { Socket, SocketEvents } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface DriverOptions {
  readonly stalledWriteTimeout: number
  readonly idleTimeout: number
  /** How old a connection may be: each is given an age of its own. */
  readonly maxAge: () => number
  readonly now: () => number
  readonly defer: (run: () => void) => void
  /** A listener threw: a bug above the transport, to be logged. */
  readonly onDefect: (cause: unknown) => void
}

/** Bytes that wait behind a peer that does not read: no more of its bytes until they are gone. @internal */
export const pauseAbove = 1024 * 1024
/** How long a peer may take to close its side after we closed ours. @internal */
export const lingerMillis = 1000

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

/** Why nothing is read: bytes wait behind a peer that does not read; the engine takes no more. @internal */
export const Hold = { unread: 1, full: 2 } as const

/** @internal */
export abstract class Driver implements Reader, SocketEvents {
  abstract readonly connection: Engine
  chunkKept = false
  /** The socket is closed for good. */
  over = false
  onOver: (() => void) | undefined = undefined
  /** Why the connection is over, once it is. */
  ended: ConnectionEnd | undefined = undefined

  protected readonly socket: Socket
  protected readonly pauseAbove: number = pauseAbove
  private readonly driverOptions: DriverOptions
  /** Close as soon as no stream is left. */
  protected closeWhenIdle = false

  private readonly marked: Array<Notified> = []
  protected busy = false
  private scheduled = false
  private started = false
  /** Bits of `Hold`: reading goes on when none is left. */
  protected held = 0
  private finSent = false
  /** Since when the kernel has taken no write, or piece of a large one. */
  protected blockedSince: number | undefined = undefined
  /** Bytes of the last write, which the kernel has not taken. */
  private blockedBytes = 0
  /** What is left of a large write. */
  private pieces: Pieces | undefined = undefined
  protected idleSince: number | undefined
  /** Until it is too old. */
  private bornAt: number | undefined
  private closedSince: number | undefined = undefined

  constructor(socket: Socket, options: DriverOptions) {
    this.socket = socket
    this.driverOptions = options
    this.idleSince = options.now()
    this.bornAt = this.idleSince
  }

  get peer(): RawPeer {
    return this.socket.peer
  }

  now(): number {
    return this.driverOptions.now()
  }

  /** Begins to read and sends the preface. */
  start(): void {
    this.started = true
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
    if (this.blockedSince !== undefined && this.connection.outbox.length > this.pauseAbove) this.hold(Hold.unread)
  }

  onDrain(): void {
    this.blockedSince = undefined
    this.blockedBytes = 0
    if (this.pieces === undefined) this.onTaken()
    this.flush()
  }

  /** The kernel has all that left the outbox. */
  private onTaken(): void {
    this.connection.outbox.recycle()
    this.readOn(Hold.unread)
  }

  onEnd(): void {
    this.close({ _tag: "PeerClosed" })
  }

  onError(detail: string): void {
    this.close({ _tag: "Lost", detail })
  }

  onClosed(): void {
    if (this.over) return
    this.close({ _tag: "PeerClosed" })
    this.over = true
    this.onOver?.()
  }

  /** Bytes that wait behind a peer that does not read. */
  protected get unsent(): number {
    return this.blockedBytes + (this.pieces?.left ?? 0) + this.connection.outbox.length
  }

  /** Stops reading, for one reason more. */
  protected hold(reason: number): void {
    if (this.connection.closed) return
    if (this.held === 0) this.socket.pause()
    this.held |= reason
  }

  /** The reason is gone; reading goes on when it was the last. */
  protected readOn(reason: number): void {
    if (this.held === 0) return
    this.held &= ~reason
    if (this.held === 0) this.socket.resume()
  }

  // ---- from above the engine

  mark(stream: Notified): void {
    this.marked.push(stream)
    this.wake()
  }

  wake(): void {
    if (this.busy || this.scheduled) return
    this.scheduled = true
    this.driverOptions.defer(this.runScheduled)
  }

  private readonly runScheduled = (): void => {
    this.scheduled = false
    this.busy = true
    this.deliver()
    this.busy = false
    this.flush()
  }

  private deliver(): void {
    const marked = this.marked
    for (let i = 0; i < marked.length; i++) {
      try {
        marked[i]!.notify()
      } catch (cause) {
        this.driverOptions.onDefect(cause)
      }
    }
    marked.length = 0
  }

  /** Writes what is there, as far as the kernel takes it. */
  protected flush(): void {
    if (this.busy || this.over) return
    this.busy = true
    // What is given to a dead socket counts as sent: it stays here, where the engine finds it unsent.
    while (this.blockedSince === undefined && this.socket.alive) {
      if (this.pieces !== undefined) {
        this.writePiece(this.pieces)
        continue
      }
      this.connection.pump()
      const size = this.connection.outbox.length
      const chunks = this.connection.outbox.take()
      if (chunks === undefined) break
      if (Pieces.needed(size)) this.pieces = new Pieces(chunks, size)
      else if (this.write(chunks, size)) this.connection.outbox.recycle()
    }
    this.busy = false
    if (this.marked.length > 0) this.wake()
    this.settle()
  }

  /** False: the kernel has yet to take it. */
  private write(chunks: Array<Uint8Array>, size: number): boolean {
    if (this.socket.write(chunks)) return true
    this.blockedSince = this.now()
    this.blockedBytes = size
    return false
  }

  private writePiece(pieces: Pieces): void {
    const { left } = pieces
    const piece = pieces.take()
    if (pieces.left === 0) this.pieces = undefined
    if (this.write(piece, left - pieces.left) && pieces.left === 0) this.onTaken()
  }

  /** Nothing is under way. */
  protected get idle(): boolean {
    return this.connection.active === 0
  }

  /** What follows when everything was written. */
  private settle(): void {
    const connection = this.connection
    if (!connection.closed) {
      if (!this.idle) this.idleSince = undefined
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

  /** Ends the connection; whoever is above the engine hears of it. What is in the outbox still goes. */
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
    // Of a socket that nobody reads, nobody hears that it is closed.
    if (!this.started) this.onClosed()
  }

  // ---- from the engine

  onClose(end: ConnectionEnd): void {
    this.ended = end
    this.closedSince = this.now()
    // The peer's FIN is behind what it has sent.
    if (this.held === 0) return
    this.held = 0
    this.socket.resume()
  }

  // ---- time

  /** The connection is silent for too long. */
  protected onIdle(): void {
    this.close({ _tag: "Local", detail: "idle" })
  }

  /** Nothing new is to come on it. */
  protected abstract onAged(): void

  timers(): Array<Timer> {
    const { idleTimeout, maxAge, stalledWriteTimeout } = this.driverOptions
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
        timeout: maxAge(),
        since: () => (this.connection.closed ? undefined : this.bornAt),
        expire: () => {
          this.bornAt = undefined
          this.onAged()
        }
      }
    ]
  }
}

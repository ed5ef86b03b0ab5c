/**
 * Flow control of what we receive (RFC 9113 5.2). The connection's window is given back on receipt, a stream's when the
 * application consumes: one slow reader stalls only itself. Windows grow while an application consumes whole windows
 * within a round trip, as long as the sum of all stays below `connectionBufferLimit`. Should many slow readers together
 * pass that limit anyway, the connection's window is held back until they read.
 *
 * @internal
 */
import { maxInt31 } from "./frames.ts"
import { defaultWindow } from "./settings.ts"

/** All in bytes. @internal */
export interface FlowOptions {
  /** Window of the connection: bytes on their way at one time. */
  readonly connectionWindow: number
  /** SETTINGS_INITIAL_WINDOW_SIZE of ours. */
  readonly initialStreamWindow: number
  /** What a stream's window may grow to. */
  readonly maxStreamWindow: number
  /** What all streams of the connection may hold unread; messages let in whole by `expect` come on top. */
  readonly connectionBufferLimit: number
}

/** @internal */
export const defaultFlow: FlowOptions = {
  connectionWindow: 16 * 1024 * 1024,
  initialStreamWindow: 256 * 1024,
  maxStreamWindow: 4 * 1024 * 1024,
  connectionBufferLimit: 64 * 1024 * 1024
}

/** The window of a stream that is opened when the limit is used up, if the initial one is not smaller. */
const smallWindow = 16 * 1024

/**
 * Bounds, in milliseconds, of the time in which a window must be used up to grow, and its value before a round trip was
 * measured.
 */
const minTurn = 100
const maxTurn = 1000
const unknownTurn = 100

/** The receiving window of one stream. @internal */
export class StreamInflow {
  /** What the peer may still send. */
  window: number
  /** What arrived and was not consumed. */
  unread = 0
  /** What `window + unread` is kept at. */
  target: number
  /** What `expect` let in above the target. */
  extra = 0
  /** Consumed since `mark`, in milliseconds. */
  consumed = 0
  mark: number

  constructor(window: number, target: number, now: number) {
    this.window = window
    this.target = target
    this.mark = now
  }
}

/** What the window of a stream lacks for a message of `bytes`, of which a part may be here. */
const missing = (stream: StreamInflow, bytes: number): number =>
  Math.min(bytes - stream.unread, maxInt31) - stream.window

/**
 * The receiving windows of a connection and of its streams. Increments that it returns are to be announced at once.
 *
 * @internal
 */
export class Inflow {
  /** What the peer may still send on the connection. */
  window = defaultWindow
  /** What all streams hold unread. */
  unread = 0
  private readonly options: FlowOptions
  /** Sum of the targets of open streams. */
  private granted = 0
  /** Sum of what `expect` let in. */
  private extra = 0
  private turn = unknownTurn
  /** What a new stream's window is to the peer. Until it has acknowledged our SETTINGS it may count on the default. */
  private initial: number

  constructor(options: FlowOptions) {
    this.options = options
    this.initial = Math.max(options.initialStreamWindow, defaultWindow)
  }

  /** The peer acknowledged our SETTINGS: `open` are the windows it had until then. */
  acknowledged(open: Iterable<{ readonly inflow: StreamInflow }>): void {
    const change = this.options.initialStreamWindow - this.initial
    if (change === 0) return
    this.initial = this.options.initialStreamWindow
    for (const stream of open) stream.inflow.window += change
  }

  /** A round trip took `millis`. */
  measured(millis: number): void {
    this.turn = Math.min(Math.max(2 * millis, minTurn), maxTurn)
  }

  open(now: number): StreamInflow {
    const initial = this.options.initialStreamWindow
    const left = this.options.connectionBufferLimit - this.granted
    const target = Math.min(initial, Math.max(left, smallWindow))
    this.granted += target
    return new StreamInflow(this.initial, target, now)
  }

  close(stream: StreamInflow): void {
    this.granted -= stream.target
    this.extra -= stream.extra
    this.unread -= stream.unread
    stream.target = 0
    stream.extra = 0
    stream.unread = 0
  }

  /** A DATA frame of `size` bytes, padding included, came in. False when it overruns the connection's window. */
  received(size: number): boolean {
    this.window -= size
    return this.window >= 0
  }

  /** The same for the stream of the frame. */
  receivedOn(stream: StreamInflow, size: number): boolean {
    stream.window -= size
    return stream.window >= 0
  }

  /** Payload for the application. */
  deliver(stream: StreamInflow, bytes: number): void {
    stream.unread += bytes
    this.unread += bytes
  }

  /** The increment of the connection's window that is due, or 0. */
  connectionIncrement(): number {
    const { connectionBufferLimit, connectionWindow } = this.options
    const increment = connectionWindow - this.window
    if (increment * 4 < connectionWindow) return 0
    if (this.unread > connectionBufferLimit + this.extra) return 0
    this.window += increment
    return increment
  }

  /** The application took `bytes`. Gives the stream's increment, or 0. */
  consume(stream: StreamInflow, bytes: number, now: number): number {
    const taken = Math.min(bytes, stream.unread)
    stream.unread -= taken
    this.unread -= taken
    if (stream.extra > 0) {
      const extra = Math.min(stream.extra, Math.max(0, stream.window + stream.unread - stream.target))
      this.extra -= stream.extra - extra
      stream.extra = extra
    }
    stream.consumed += taken
    if (stream.consumed >= stream.target) {
      if (now - stream.mark <= this.turn) this.grow(stream)
      stream.consumed = 0
      stream.mark = now
    }
    return this.increment(stream)
  }

  /** The increment of a stream's window that is due, or 0. */
  increment(stream: StreamInflow): number {
    const increment = stream.target - stream.window - stream.unread
    if (increment <= 0 || increment * 4 < stream.target) return 0
    stream.window += increment
    return increment
  }

  /** Whether a message of `bytes` may be let in whole now. One always may. */
  admits(stream: StreamInflow, bytes: number): boolean {
    const more = missing(stream, bytes)
    return more <= 0 || this.extra === 0 || this.extra + more <= this.options.connectionBufferLimit
  }

  /** Lets a message of `bytes` in whole. Gives the stream's increment, or 0. */
  expect(stream: StreamInflow, bytes: number): number {
    const increment = missing(stream, bytes)
    if (increment <= 0) return 0
    stream.window += increment
    stream.extra += increment
    this.extra += increment
    return increment
  }

  private grow(stream: StreamInflow): void {
    const { connectionBufferLimit, maxStreamWindow } = this.options
    const target = Math.min(stream.target * 2, maxStreamWindow, stream.target + connectionBufferLimit - this.granted)
    if (target <= stream.target) return
    this.granted += target - stream.target
    stream.target = target
  }
}

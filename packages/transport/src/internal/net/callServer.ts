/**
 * The server's end of a connection of PingPong calls.
 *
 * @internal
 */
import type { RawServerCall } from "../../RawCall.ts"
import type { ConnectionEnd, Notified } from "../engine.ts"
import { Code } from "../grpc/status.ts"
import type { ServerCarrier, ServerConnection } from "../pingpong/api.ts"
import { Driver, type DriverOptions, Hold, pauseAbove } from "./driver.ts"
import { Progress, tooSlow } from "./progress.ts"
import { Silence } from "./silence.ts"
import type { Socket } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

/** @internal */
export interface CallServerOptions extends DriverOptions {
  /** Milliseconds in which this much of a message comes, or its end. */
  readonly handshakeTimeout: number
  /** Bytes of answers that may wait for a client that does not read. */
  readonly connectionBufferLimit: number
  readonly log: (message: string) => void
  /** Runs a function when what the peer had sent by now has arrived. */
  readonly later: (run: () => void) => void
}

/** How often a connection that is not read is looked at: a socket that is not read does not tell that its peer is gone. */
const lookMillis = 1000
/** How long a client may take nothing of answers that are more than should wait. */
const unreadMillis = 1000
/** How long a client may go on with a server that drains, before it is cut off behind an answer. */
const drainMillis = 1000

/** @internal */
export class CallServer extends Driver implements ServerCarrier, Notified {
  readonly connection: ServerConnection
  private readonly options: CallServerOptions
  private readonly accept: (call: RawServerCall) => void
  /** Calls since the beginning. */
  private calls = 0

  private readonly progress = new Progress()

  /** Since when nothing is read, or when it was last looked at. */
  private unreadSince: number | undefined = undefined
  private unreadCalls = 0
  /** One chunk is let in. */
  private looking = false

  private draining = false
  private drainSince: number | undefined = undefined
  private saidGoodbye = false
  private readonly silent: Silence

  constructor(
    socket: Socket,
    options: CallServerOptions,
    connect: (carrier: ServerCarrier) => ServerConnection,
    accept: (call: RawServerCall) => void
  ) {
    super(socket, options)
    this.options = options
    this.accept = accept
    this.silent = new Silence(options.later)
    this.connection = connect(this)
  }

  protected override get idle(): boolean {
    const { active, behind, midMessage } = this.connection
    return active === 0 && !midMessage && !behind
  }

  // ---- from the engine

  onCall(call: RawServerCall): void {
    this.calls++
    // A call that is answered inside the read is seen nowhere else.
    this.idleSince = undefined
    try {
      this.accept(call)
    } catch (cause) {
      this.options.onDefect(cause)
    }
  }

  override onData(chunk: Uint8Array): void {
    if (this.looking) {
      this.looking = false
      if (this.held !== 0) this.socket.pause()
    }
    super.onData(chunk)
  }

  onRoom(): void {
    this.mark(this)
  }

  /** There is room for calls again. */
  notify(): void {
    this.connection.resume(this.now())
  }

  override onClose(end: ConnectionEnd): void {
    super.onClose(end)
    if (end._tag === "Error") this.warn(end.detail)
  }

  private warn(detail: string): void {
    this.options.log(`PingPong connection of ${this.peer.address} closed: ${detail}`)
  }

  // ---- draining

  /**
   * Answers say from here on that the connection ends. It does when the client has closed it, or nothing came for a while
   * and nothing runs: a call may be on its way.
   */
  drain(): void {
    if (this.draining || this.connection.closed) return
    this.draining = true
    this.drainSince = this.now()
    this.connection.drain()
    this.leave()
  }

  private leave(): void {
    if (!this.connection.multiplexed) {
      if (this.idle) this.awaitSilence()
    } else if (!this.saidGoodbye) {
      // The client closes the connection behind its last call.
      this.saidGoodbye = true
      this.connection.sayGoodbye()
      this.wake()
    }
  }

  private awaitSilence(): void {
    this.silent.await(this.connection, (silent) => {
      if (silent && this.idle) this.close({ _tag: "Local", detail: "drained" })
      else this.leave()
    })
  }

  protected override flush(): void {
    super.flush()
    const { behind, closed, full } = this.connection
    if (closed || this.busy) return
    if (full || this.unsent > pauseAbove) this.hold(Hold.full)
    else if (behind) this.mark(this)
    else this.readOn(Hold.full)
    if (this.draining) this.leave()
  }

  protected override onIdle(): void {
    this.drain()
  }

  protected onAged(): void {
    this.drain()
  }

  // ---- time

  private slow(): number | undefined {
    const { closed, lastReceived, midMessage, received } = this.connection
    // A peer that is not read cannot send.
    return this.progress.since(!closed && midMessage && this.held === 0, received, this.calls, lastReceived)
  }

  /** Since when calls keep the connection from being read, as far as can be seen now and then. */
  private full(): number | undefined {
    // A peer that takes no answers is another timer's.
    if (this.connection.closed || this.held !== Hold.full || this.unsent > pauseAbove) this.unreadSince = undefined
    else this.unreadSince ??= this.now()
    return this.unreadSince
  }

  /** Lets one chunk in, or the end of the peer behind all chunks. */
  private look(): void {
    this.unreadSince = this.now()
    const stuck = this.unreadCalls === this.calls
    this.unreadCalls = this.calls
    // Where calls end and others begin, what is kept gets less by itself.
    if (!stuck && this.connection.kept > pauseAbove) return
    this.looking = true
    this.socket.resume()
  }

  override timers(): Array<Timer> {
    const { connectionBufferLimit, handshakeTimeout } = this.options
    return [
      ...super.timers(),
      {
        timeout: handshakeTimeout,
        since: () => this.slow(),
        expire: () => {
          const detail = tooSlow("message", handshakeTimeout)
          this.warn(detail)
          this.close({ _tag: "Lost", detail })
        }
      },
      { timeout: lookMillis, since: () => this.full(), expire: () => this.look() },
      {
        timeout: unreadMillis,
        since: () => (this.unsent > connectionBufferLimit ? this.blockedSince : undefined),
        expire: () => {
          const detail = `the client does not read ${this.unsent} bytes of answers, more than connectionBufferLimit (${connectionBufferLimit})`
          this.close({ _tag: "Error", code: Code.ResourceExhausted, detail, limit: "connectionBufferLimit" })
          this.socket.destroy()
        }
      },
      {
        timeout: drainMillis,
        since: () => this.drainSince,
        expire: () => {
          this.drainSince = undefined
          this.closeWhenIdle = true
          this.wake()
        }
      }
    ]
  }
}

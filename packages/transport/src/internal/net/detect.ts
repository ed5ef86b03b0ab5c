/**
 * The protocol of a connection that was just accepted, found out from its first bytes, of which its driver then hears.
 *
 * @internal
 */
import { joined } from "../gather.ts"
import { detect, type Protocol, sniffedSize } from "../pingpong/shape.ts"
import { hex } from "../ttheader/text.ts"
import type { Driver } from "./driver.ts"
import { lingerMillis } from "./driver.ts"
import type { Reader } from "./run.ts"
import type { Socket, SocketEvents } from "./socket.ts"
import { recognise } from "./strangers.ts"
import type { Timer } from "./watchdog.ts"

/** A driver of a server, which can be asked to end its connection once nothing runs on it. @internal */
export interface ServerDriver extends Driver {
  drain(debug: string): void
}

type Served = Exclude<Protocol, "unknown">

/** @internal */
export interface DetectionOptions {
  /** Milliseconds until the protocol is known. */
  readonly timeout: number
  readonly now: () => number
  readonly log: (message: string) => void
  /** Runs a function when what the peer had sent by now has arrived. */
  readonly later: (run: () => void) => void
  readonly make: (protocol: Served, socket: Socket) => ServerDriver
}

const shownBytes = 16
/**
 * How often a silent connection of a server that drains is looked at: about a second. Its client has it for a call, which may be on
 * its way just then, and be lost.
 */
const silentLooks = 20
const noBytes = new Uint8Array(0)

/** @internal */
export class Detection implements Reader, SocketEvents {
  over = false
  onOver: (() => void) | undefined = undefined
  /** Has the socket, once the protocol is known. */
  driver: ServerDriver | undefined = undefined

  private readonly socket: Socket
  private readonly options: DetectionOptions
  private bytes: Uint8Array = noBytes
  private readonly acceptedAt: number
  private refusedAt: number | undefined = undefined
  private drainDebug: string | undefined = undefined

  constructor(socket: Socket, options: DetectionOptions) {
    this.socket = socket
    this.options = options
    this.acceptedAt = options.now()
  }

  start(): void {
    if (this.socket.protocol === "h2") this.handOver("http2")
    else this.socket.start(this)
  }

  now(): number {
    return this.options.now()
  }

  onData(chunk: Uint8Array): void {
    if (this.refusedAt !== undefined) return
    const bytes = this.bytes.length === 0 ? chunk : joined(this.bytes, chunk)
    this.bytes = bytes
    if (bytes.length < sniffedSize) return
    const protocol = detect(bytes)
    if (protocol !== "unknown") return this.handOver(protocol)
    const { peer, secure } = this.socket
    const { answer, hint } = recognise(bytes, secure)
    const shown = hex(bytes, 0, Math.min(bytes.length, shownBytes))
    const what = hint === undefined ? "" : ` (${hint})`
    this.refuse(`unknown protocol: connection of ${peer.address} closed, its first bytes are ${shown}${what}`, answer)
  }

  private refuse(message: string, answer: Uint8Array | undefined): void {
    this.options.log(message)
    this.refusedAt = this.now()
    if (answer === undefined) return this.socket.destroy()
    this.socket.write([answer])
    // What the client has sent is read until it closes too: bytes that nobody read would destroy the answer.
    this.socket.end()
  }

  private handOver(protocol: Served): void {
    const { bytes } = this
    this.bytes = noBytes
    const driver = this.options.make(protocol, this.socket)
    this.driver = driver
    driver.start()
    if (this.drainDebug !== undefined) driver.drain(this.drainDebug)
    if (bytes.length > 0) driver.onData(bytes)
    this.finish()
  }

  private finish(): void {
    if (this.over) return
    this.over = true
    this.onOver?.()
  }

  onDrain(): void {}

  onEnd(): void {
    this.socket.destroy()
  }

  onError(): void {
    this.socket.destroy()
  }

  onClosed(): void {
    this.finish()
  }

  destroy(detail: string): void {
    if (this.driver === undefined) this.socket.destroy()
    else this.driver.destroy(detail)
  }

  /** Closes a connection that is still silent a little later; the protocol's own way once it is known. */
  drain(debug: string): void {
    if (this.driver !== undefined) return this.driver.drain(debug)
    if (this.drainDebug !== undefined) return
    this.drainDebug = debug
    this.awaitSilence()
  }

  private awaitSilence(looks = silentLooks): void {
    const { length } = this.bytes
    this.options.later(() => {
      if (this.over || this.refusedAt !== undefined) return
      if (this.bytes.length !== length) this.awaitSilence()
      else if (looks > 1) this.awaitSilence(looks - 1)
      else this.socket.destroy()
    })
  }

  timers(): Array<Timer> {
    return [
      {
        timeout: this.options.timeout,
        since: () => (this.over || this.refusedAt !== undefined ? undefined : this.acceptedAt),
        expire: () => this.socket.destroy()
      },
      { timeout: lingerMillis, since: () => this.refusedAt, expire: () => this.socket.destroy() }
    ]
  }
}

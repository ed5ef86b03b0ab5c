/**
 * A driver whose engine is an HTTP/2 connection: streams, and PINGs to a silent peer.
 *
 * @internal
 */
import { keepaliveFailed } from "../grpc/errors.ts"
import type { Carrier, StreamOptions } from "../grpc/stream.ts"
import type { Connection, ConnectionOwner, HeaderList, Http2Stream } from "../http2/api.ts"
import type { FlowOptions } from "../http2/flow.ts"
import type { Given } from "../http2/limits.ts"
import { Driver, type DriverOptions } from "./driver.ts"
import { type Askable, Keepalive, type KeepaliveOptions } from "./keepalive.ts"
import type { Socket } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

/** Options with their defaults filled in; times in milliseconds. @internal */
export interface Http2Options extends DriverOptions {
  readonly stream: StreamOptions
  readonly flow: Given<FlowOptions>
  /** Client: fields of the headers of a request. */
  readonly maxSentHeaderFields: number
  readonly keepalive: KeepaliveOptions
}

const keepalivePayload = new Uint8Array(8)

/** @internal */
export abstract class Http2Driver extends Driver implements Askable, Carrier, ConnectionOwner {
  abstract override readonly connection: Connection
  readonly streamOptions: StreamOptions

  private readonly keepalive: Keepalive

  constructor(socket: Socket, options: Http2Options) {
    super(socket, options)
    this.streamOptions = options.stream
    this.keepalive = new Keepalive(options.keepalive, this)
  }

  abstract onStream(stream: Http2Stream, headers: HeaderList, endStream: boolean): void
  abstract onGoaway(lastStreamId: number, code: number, debug: string): void
  abstract onSettings(): void

  onPong(_payload: Uint8Array): void {
    this.keepalive.answered()
  }

  // ---- keepalive

  get answers(): boolean {
    return true
  }

  ask(): void {
    this.connection.ping(keepalivePayload)
    this.wake()
  }

  onSilent(): void {
    this.close({ _tag: "Lost", detail: keepaliveFailed })
    this.socket.destroy()
  }

  override timers(): Array<Timer> {
    return [...super.timers(), ...this.keepalive.timers()]
  }
}

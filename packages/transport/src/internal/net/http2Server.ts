/**
 * The server's end of an HTTP/2 connection, drained in the two steps of RFC 9113 6.8, with Kitex's PING between them.
 *
 * @internal
 */
import type { Metadata } from "../../Metadata.ts"
import type { RawAdmitted, RawServerStream } from "../../RawStream.ts"
import type { Acceptor } from "../../Transport.ts"
import { requestMetadata } from "../grpc/metadata.ts"
import { type RequestHead, requestHead } from "../grpc/requestHeaders.ts"
import { ServerStream } from "../grpc/serverStream.ts"
import { Turns } from "../turns.ts"
import { ResetCode } from "../grpc/status.ts"
import { encodeRefusal } from "../grpc/trailers.ts"
import type { Connection, HeaderList, Http2Stream } from "../http2/api.ts"
import { Http2Connection } from "../http2/connection.ts"
import { Http2Driver, type Http2Options } from "./http2Driver.ts"
import type { Socket } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

const drainPing = Uint8Array.of(1, 6, 1, 8, 0, 3, 3, 9)
const everyStream = 2 ** 31 - 1
/** How long the ACK of the drain's PING may take: streams that were on their way are lost after it. */
const drainPingMillis = 1000

/** @internal */
export class Http2Server extends Http2Driver {
  readonly connection: Connection
  private readonly turns: Turns
  private readonly handshakeTimeout: number
  private handshakeSince: number | undefined
  private drainSince: number | undefined = undefined
  private drainDebug: string | undefined = undefined

  private readonly admit: Acceptor["admit"]
  /** The request that is about to be a stream, and who admitted it. Most say what the one before said. */
  private headers: HeaderList | undefined = undefined
  private head: RequestHead | string = ""
  private metadata: Metadata | undefined = undefined
  private admitted: RawAdmitted | undefined = undefined

  constructor(
    socket: Socket,
    options: Http2Options,
    handshakeTimeout: number,
    accept: (stream: RawServerStream) => void,
    admit?: Acceptor["admit"]
  ) {
    super(socket, options)
    this.admit = admit
    this.turns = new Turns(options.stream.limits.maxConcurrentStreams, accept)
    this.handshakeTimeout = handshakeTimeout
    this.handshakeSince = options.now()
    this.connection = new Http2Connection(
      "server",
      {
        limits: options.stream.limits,
        sendBufferLimit: options.stream.sendBufferLimit,
        flow: options.flow,
        now: options.now()
      },
      this
    )
  }

  private headOf(headers: HeaderList): RequestHead | string {
    if (headers === this.headers) return this.head
    this.headers = headers
    this.metadata = undefined
    return (this.head = requestHead(headers))
  }

  refuse(headers: HeaderList): HeaderList | undefined {
    this.admitted = undefined
    if (this.admit === undefined) return undefined
    const head = this.headOf(headers)
    if (typeof head === "string") return undefined
    const verdict = this.admit(head, (this.metadata ??= requestMetadata(headers)), this.peer)
    if (verdict === undefined) return undefined
    if ("code" in verdict) {
      this.idleSince = undefined
      return encodeRefusal(head.contentType, verdict)
    }
    this.admitted = verdict
    return undefined
  }

  onStream(stream: Http2Stream, headers: HeaderList, endStream: boolean): void {
    // A stream that ends inside the read is seen nowhere else.
    this.idleSince = undefined
    const head = this.headOf(headers)
    if (typeof head === "string") {
      this.connection.reset(stream, ResetCode.InternalError)
      this.connection.release(stream)
      return
    }
    stream.owner = new ServerStream(this, stream, headers, head, endStream, this.turns, this.admitted)
  }

  onSettings(): void {
    this.handshakeSince = undefined
  }

  onGoaway(): void {}

  override onPong(payload: Uint8Array): void {
    super.onPong(payload)
    if (payload.every((byte, i) => byte === drainPing[i])) this.finishDrain()
  }

  /** GOAWAY for every stream and PING; what was sent before its ACK is still served. */
  drain(debug: string): void {
    if (this.drainDebug !== undefined || this.connection.closed) return
    this.drainDebug = debug
    this.drainSince = this.now()
    this.connection.goaway(everyStream, 0, debug)
    this.connection.ping(drainPing)
    this.wake()
  }

  private finishDrain(): void {
    if (this.drainSince === undefined) return
    this.drainSince = undefined
    this.closeWhenIdle = true
    this.connection.goaway(this.connection.lastPeerStreamId, 0, this.drainDebug!)
    this.wake()
  }

  protected override onIdle(): void {
    this.drain("idleTimeout")
  }

  protected onAged(): void {
    this.drain("ageTimeout")
  }

  override timers(): Array<Timer> {
    return [
      ...super.timers(),
      {
        timeout: this.handshakeTimeout,
        since: () => this.handshakeSince,
        expire: () => {
          this.handshakeSince = undefined
          this.destroy("no HTTP/2 preface in time")
        }
      },
      {
        timeout: this.handshakeTimeout,
        since: () => (this.connection.midFrame && !this.connection.closed ? this.connection.lastReceived : undefined),
        expire: () => this.destroy("the client stopped inside a frame")
      },
      { timeout: drainPingMillis, since: () => this.drainSince, expire: () => this.finishDrain() }
    ]
  }
}

/**
 * The client's end of an HTTP/2 connection.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { OpenRequest } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import { ClientStream } from "../grpc/clientStream.ts"
import { unknownCompressor } from "../grpc/compression.ts"
import { violation } from "../grpc/errors.ts"
import { encodeRequestHeaders } from "../grpc/requestHeaders.ts"
import { Code } from "../grpc/status.ts"
import type { Connection, HeaderList } from "../http2/api.ts"
import { Http2Connection } from "../http2/connection.ts"
import { Http2Driver, type Http2Options } from "./http2Driver.ts"
import type { Socket } from "./socket.ts"

const tooLarge = "header list size to send violates the maximum size set by server"

/** @internal */
export class Http2Client extends Http2Driver {
  readonly connection: Connection
  readonly address: string
  /** False once the server said goodbye or the connection ended: no new streams. */
  usable = true
  private readonly onUnusable: (driver: Http2Client) => void
  private settled: (() => void) | undefined = undefined
  /** Header lists of calls that differ in nothing but the path: the same array is the same bytes to HPACK. */
  private readonly plain = new Map<string, HeaderList>()

  constructor(address: string, socket: Socket, options: Http2Options, onUnusable: (driver: Http2Client) => void) {
    super(socket, options)
    this.address = address
    this.onUnusable = onUnusable
    this.connection = new Http2Connection(
      "client",
      {
        limits: options.stream.limits,
        sendBufferLimit: options.stream.sendBufferLimit,
        flow: options.flow,
        now: options.now()
      },
      this
    )
  }

  /** Opens a stream; the caller has seen that one is free. */
  open(request: OpenRequest): ClientStream | TransportError {
    const { compressor } = request
    if (compressor !== undefined && this.streamOptions.compression === undefined) return unknownCompressor(compressor)
    const headers = this.headers(request)
    if (typeof headers === "string") return violation(Code.Internal, headers)
    if (!this.connection.fits(headers)) return violation(Code.Internal, tooLarge)
    return new ClientStream(this, headers, request.timeoutMillis, request.compressor)
  }

  private headers(request: OpenRequest): HeaderList | string {
    const scheme = this.socket.secure ? "https" : "http"
    const common =
      request.timeoutMillis === undefined && request.compressor === undefined && !(request.metadata?.length ?? 0)
    if (!common) return encodeRequestHeaders({ ...request, scheme })
    const key = `${request.path} ${request.authority}`
    let list = this.plain.get(key)
    if (list === undefined) {
      list = Object.freeze(
        encodeRequestHeaders({ scheme, path: request.path, authority: request.authority }) as HeaderList
      )
      if (this.plain.size < 1024) this.plain.set(key, list)
    }
    return list
  }

  onStream(): void {}

  onSettings(): void {
    this.settled?.()
  }

  onGoaway(): void {
    this.retire()
  }

  /** Leaves the pool; the connection closes when its last stream has ended. */
  retire(): void {
    this.closeWhenIdle = true
    this.unusable()
    this.wake()
  }

  override onClose(end: Parameters<Http2Driver["onClose"]>[0]): void {
    super.onClose(end)
    this.unusable()
    this.settled?.()
  }

  private unusable(): void {
    if (!this.usable) return
    this.usable = false
    this.onUnusable(this)
  }

  protected override onIdle(): void {
    this.retire()
  }

  /** Starts; done at the server's first SETTINGS, or at the end. */
  readonly handshake: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.settled = () => {
      this.settled = undefined
      resume(Effect.void)
    }
    this.start()
    return Effect.sync(() => {
      this.settled = undefined
    })
  })
}

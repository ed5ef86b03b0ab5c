/**
 * From an address to a connection that has the server's SETTINGS, each step with its own limit.
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
import { Driver, type DriverOptions } from "./driver.ts"
import { connectFailed, connectTimeout } from "./errors.ts"
import type { Dial, Socket } from "./socket.ts"

const tooLarge = "header list size to send violates the maximum size set by server"

/** @internal */
export class ClientDriver extends Driver {
  readonly connection: Connection
  readonly address: string
  /** False once the server said goodbye or the connection ended: no new streams. */
  usable = true
  private readonly onUnusable: (driver: ClientDriver) => void
  private settled: (() => void) | undefined = undefined
  /** Header lists of calls that differ in nothing but the path: the same array is the same bytes to HPACK. */
  private readonly plain = new Map<string, HeaderList>()

  constructor(address: string, socket: Socket, options: DriverOptions, onUnusable: (driver: ClientDriver) => void) {
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

  override onClose(end: Parameters<Driver["onClose"]>[0]): void {
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

/** @internal */
export interface DialTimeouts {
  readonly dial: number
  readonly tls: number
  readonly settings: number
}

/**
 * Dials and hands the driver to `supervise` before the first byte is read. Interruption and failure leave no socket.
 *
 * @internal
 */
export const connect = Effect.fnUntraced(function* (
  dial: Dial,
  address: string,
  timeouts: DialTimeouts,
  make: (socket: Socket) => ClientDriver,
  supervise: (driver: ClientDriver) => Effect.Effect<void>
): Effect.fn.Return<ClientDriver, TransportError> {
  const limit = <A>(step: keyof DialTimeouts, effect: Effect.Effect<A, TransportError>) =>
    Number.isFinite(timeouts[step])
      ? Effect.timeoutOrElse(effect, {
          duration: timeouts[step],
          orElse: () => Effect.fail(connectTimeout(address, step, timeouts[step]))
        })
      : effect
  const dialled = yield* limit("dial", dial(address))
  const socket = yield* limit("tls", dialled.secure).pipe(Effect.onError(() => Effect.sync(dialled.destroy)))
  const driver = make(socket)
  yield* supervise(driver)
  yield* limit(
    "settings",
    Effect.flatMap(driver.handshake, () => {
      const end = driver.ended
      if (end === undefined) return Effect.void
      const why = "detail" in end ? end.detail : "the server closed the connection before its SETTINGS"
      return Effect.fail(connectFailed(address, `${why}; does it speak HTTP/2, and TLS only where this client does?`))
    })
  ).pipe(Effect.onError(() => Effect.sync(() => driver.destroy("not connected"))))
  return driver
})

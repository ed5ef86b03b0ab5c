/**
 * The client's end of an HTTP/2 connection.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { MetadataEntries } from "../../Metadata.ts"
import type { OpenRequest } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import { ClientStream } from "../grpc/clientStream.ts"
import { unknownCompressor } from "../grpc/compression.ts"
import { headersTooLarge, invalidMetadata, tooManyHeaders } from "../grpc/errors.ts"
import { encodeRequestHeaders } from "../grpc/requestHeaders.ts"
import type { Connection, HeaderList } from "../http2/api.ts"
import { Http2Connection } from "../http2/connection.ts"
import { Http2Driver, type Http2Options } from "./http2Driver.ts"
import type { Socket } from "./socket.ts"

const maxLists = 1024

/** @internal */
export class Http2Client extends Http2Driver {
  readonly connection: Connection
  readonly address: string
  /** False once the server said goodbye or the connection ended: no new streams. */
  usable = true
  private readonly onUnusable: (driver: Http2Client) => void
  private readonly maxFields: number
  private settled: (() => void) | undefined = undefined
  /** Header lists of calls that differ in nothing but the path: the same array is the same bytes to HPACK. */
  private readonly plain = new Map<string, HeaderList>()
  /** The same for calls with the same metadata, frozen. */
  private readonly withMetadata = new WeakMap<MetadataEntries, Map<string, HeaderList>>()

  constructor(address: string, socket: Socket, options: Http2Options, onUnusable: (driver: Http2Client) => void) {
    super(socket, options)
    this.address = address
    this.onUnusable = onUnusable
    this.maxFields = options.maxSentHeaderFields
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
    if (typeof headers === "string") return invalidMetadata(headers)
    if (!this.connection.fits(headers)) return headersTooLarge(this.connection.maxHeaderListSize)
    const fields = headers.length / 2
    if (fields > this.maxFields) return tooManyHeaders(this.maxFields, fields)
    return new ClientStream(this, headers, request.timeoutMillis, request.compressor)
  }

  private headers(request: OpenRequest): HeaderList | string {
    const scheme = this.socket.secure ? "https" : "http"
    const lists = this.listsFor(request)
    if (lists === undefined) return encodeRequestHeaders({ ...request, scheme })
    const key = `${request.path} ${request.authority}`
    let list: HeaderList | string | undefined = lists.get(key)
    if (list !== undefined) return list
    list = encodeRequestHeaders({ ...request, scheme })
    if (typeof list === "string") return list
    if (lists.size < maxLists) lists.set(key, Object.freeze(list))
    return list
  }

  /** Where the list of a call is kept, which differs from others in path and authority alone; undefined for no such call. */
  private listsFor({ compressor, metadata, timeoutMillis }: OpenRequest): Map<string, HeaderList> | undefined {
    if (timeoutMillis !== undefined || compressor !== undefined) return undefined
    if (metadata === undefined || metadata.length === 0) return this.plain
    if (!Object.isFrozen(metadata)) return undefined
    let lists = this.withMetadata.get(metadata)
    if (lists === undefined) this.withMetadata.set(metadata, (lists = new Map()))
    return lists
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

  protected onAged(): void {
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

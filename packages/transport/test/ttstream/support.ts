/** Two engines and the bytes between them; time stands still unless it is set. */
import { empty, type Metadata } from "../../src/Metadata.ts"
import type {
  RawAdmitted,
  RawClientStream,
  RawListener,
  RawRequest,
  RawServerStream,
  RawStatus,
  RawStream
} from "../../src/RawStream.ts"
import type { OpenRequest } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import type { ConnectionEnd, Notified } from "../../src/internal/engine.ts"
import type {
  ClientCarrier,
  ServerCarrier,
  StreamingCarrier,
  StreamingConnection,
  StreamingOptions
} from "../../src/internal/ttstream/api.ts"
import { ClientConnection } from "../../src/internal/ttstream/clientConnection.ts"
import { ServerConnection } from "../../src/internal/ttstream/serverConnection.ts"
import { decodeText } from "../support/raw.ts"

export const defaults: StreamingOptions = {
  maxReceiveMessageSize: 4 * 1024 * 1024,
  maxTTHeaderSize: 128 * 1024,
  maxHeaderFields: 256,
  maxSentTTHeaderSize: 128 * 1024,
  maxSentHeaderFields: 256,
  maxConcurrentStreams: 256,
  resetBudget: { burst: 200, perSecond: 100 },
  maxOutboxBytes: 8 * 1024 * 1024,
  sendBufferLimit: 64 * 1024,
  streamBufferLimit: 512 * 1024,
  streamBufferMessages: 8192,
  connectionBufferLimit: 64 * 1024 * 1024,
  credit: false
}

class Carrier implements StreamingCarrier {
  readonly peer = { address: "peer:1" }
  chunkKept = false
  time = 0
  woken = false
  closed: ConnectionEnd | undefined = undefined
  /** Values of `full`, as they changed. */
  readonly fulls: Array<boolean> = []
  /** What listeners threw. */
  readonly defects: Array<unknown> = []
  protected engine!: StreamingConnection
  private readonly marked: Array<Notified> = []

  now(): number {
    return this.time
  }

  wake(): void {
    this.woken = true
  }

  mark(stream: Notified): void {
    this.marked.push(stream)
  }

  onFull(): void {
    this.fulls.push(this.engine.full)
  }

  onClose(end: ConnectionEnd): void {
    if (this.closed !== undefined) throw new Error("closed twice")
    this.closed = end
  }

  /** Tells who is marked. */
  deliver(): void {
    for (let i = 0; i < this.marked.length; i++) {
      try {
        this.marked[i]!.notify()
      } catch (defect) {
        this.defects.push(defect)
      }
    }
    this.marked.length = 0
  }
}

/** An engine with a socket of which the test takes, and to which it gives, bytes. */
abstract class Side<E extends StreamingConnection> extends Carrier {
  abstract readonly connection: E

  receive(bytes: Uint8Array): void {
    this.chunkKept = false
    this.connection.receive(bytes, this.time)
    this.deliver()
  }

  /** What would be written; `kept`: the kernel has not taken it until `recycle` of the outbox. */
  taken(kept = false): Buffer {
    this.deliver()
    this.connection.pump()
    const bytes = Buffer.concat(this.connection.outbox.take() ?? [])
    if (!kept) this.connection.outbox.recycle()
    this.deliver()
    return bytes
  }
}

export class ClientSide extends Side<ClientConnection> implements ClientCarrier {
  readonly connection: ClientConnection
  streamsEnded = 0
  drainings = 0

  constructor(options: Partial<StreamingOptions> = {}) {
    super()
    this.connection = this.engine = new ClientConnection(this, { ...defaults, ...options })
  }

  explain(end: ConnectionEnd): ConnectionEnd {
    return end
  }

  onStreamEnded(): void {
    this.streamsEnded++
  }

  onDraining(): void {
    this.drainings++
  }

  open(method = "Echo", request: Partial<OpenRequest> = {}, caller = ""): RawClientStream {
    const stream = this.connection.open({
      address: "peer:1",
      path: `/EchoService/${method}`,
      authority: "",
      header: { service: "EchoService", method, caller, fields: { ints: [], strings: [] } },
      ...request
    })
    if (stream instanceof TransportError) throw stream
    return stream
  }
}

export class ServerSide extends Side<ServerConnection> implements ServerCarrier {
  readonly connection: ServerConnection
  readonly accepted: Array<RawServerStream> = []
  onStream: ((stream: RawServerStream) => void) | undefined = undefined
  verdict: ((request: RawRequest, metadata: Metadata) => RawStatus | RawAdmitted | undefined) | undefined = undefined

  constructor(options: Partial<StreamingOptions> = {}) {
    super()
    this.connection = this.engine = new ServerConnection(this, { ...defaults, ...options })
  }

  admit(request: RawRequest, metadata: Metadata): RawStatus | RawAdmitted | undefined {
    return this.verdict?.(request, metadata)
  }

  accept(stream: RawServerStream): void {
    this.accepted.push(stream)
    this.onStream?.(stream)
  }
}

/** Both, joined. */
export class Pair {
  readonly client: ClientSide
  readonly server: ServerSide

  constructor(clientOptions: Partial<StreamingOptions> = {}, serverOptions: Partial<StreamingOptions> = clientOptions) {
    this.client = new ClientSide(clientOptions)
    this.server = new ServerSide(serverOptions)
  }

  /** Carries bytes until nobody has any. A side that is full reads nothing. */
  run(): void {
    for (;;) {
      const up = this.server.connection.full ? Buffer.alloc(0) : this.client.taken()
      if (up.length > 0) this.server.receive(up)
      const down = this.client.connection.full ? Buffer.alloc(0) : this.server.taken()
      if (down.length > 0) this.client.receive(down)
      if (up.length === 0 && down.length === 0) return
    }
  }

  /** A stream at both ends. */
  open(method = "Echo", request: Partial<OpenRequest> = {}): readonly [RawClientStream, RawServerStream] {
    const before = this.server.accepted.length
    const client = this.client.open(method, request)
    this.run()
    const server = this.server.accepted[before]
    if (server === undefined) throw new Error("no stream was accepted")
    return [client, server]
  }
}

export const takeAll = (stream: RawStream): Array<string> => {
  const messages: Array<string> = []
  stream.take(decodeText, Infinity, messages)
  return messages
}

/** A listener that writes down what it hears. */
export class Heard implements RawListener {
  readonly calls: Array<string> = []
  abort: TransportError | undefined = undefined
  onReadable(): void {
    this.calls.push("readable")
  }
  onWritable(): void {
    this.calls.push("writable")
  }
  onAbort(error: TransportError): void {
    this.calls.push("abort")
    this.abort = error
  }
}

export const listen = (stream: RawStream): Heard => {
  const heard = new Heard()
  stream.listener = heard
  return heard
}

export const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled" })

/** The members of a reason, without what errors have. */
export const reasonOf = (error: TransportError | undefined): Record<string, unknown> => ({ ...error?.reason })

export const ok: RawStatus = { code: 0, message: "" }

/** Keys and values of metadata. */
export const entriesOf = (metadata: Metadata = empty): Array<readonly [string, ReadonlyArray<string | Uint8Array>]> =>
  [...metadata.keys()].map((key) => [key, metadata.getAll(key)] as const)

/** Both engines without a driver: carriers that record what they are told, and hand-made messages. */
import type { Output } from "@millrace/codec/Output"
import type { ConnectionEnd } from "../../src/internal/engine.ts"
import type { CallOptions, ClientCarrier, ServerCarrier } from "../../src/internal/pingpong/api.ts"
import { ClientConnection } from "../../src/internal/pingpong/clientConnection.ts"
import { ServerConnection } from "../../src/internal/pingpong/serverConnection.ts"
import type {
  CallHeaderFields,
  Encoding,
  OutgoingCall,
  RawReply,
  RawServerCall,
  ReplyListener
} from "../../src/RawCall.ts"
import type { Decode, Encode } from "../../src/RawStream.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { concat, fromHex } from "../http2/raw.ts"

export const options: CallOptions = {
  maxCallSize: 1024 * 1024,
  maxTTHeaderSize: 262_140,
  maxHeaderFields: 256,
  maxSentTTHeaderSize: 262_140,
  maxSentHeaderFields: 256,
  maxConcurrentCalls: 256,
  connectionBufferLimit: 64 * 1024 * 1024,
  checksum: false
}

export const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]

/** A body as it is. */
export const encodeBytes: Encode<Uint8Array> = (bytes: Uint8Array, out: Output) => {
  out.ensure(bytes.length)
  out.buffer.set(bytes, out.position)
  out.position += bytes.length
}

const copyOf = (bytes: Uint8Array, start: number, end: number) => bytes.slice(start, end)
export const decodeBytes: Decode<Uint8Array> = Object.assign(copyOf, { keepsBytes: false })
export const decodeHex: Decode<string> = (bytes, start, end) => Buffer.from(bytes.subarray(start, end)).toString("hex")

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** All that waits in an outbox; the kernel takes it. */
export const drain = (engine: ClientConnection | ServerConnection): Uint8Array => {
  const bytes = concat(engine.outbox.take() ?? [])
  const copy = bytes.slice()
  engine.outbox.recycle()
  return copy
}

class Carrier {
  readonly peer = { address: "1.2.3.4:80" }
  chunkKept = false
  wakes = 0
  ended: ConnectionEnd | undefined = undefined
  time = 1000
  now(): number {
    return this.time
  }
  wake(): void {
    this.wakes++
  }
  onClose(end: ConnectionEnd): void {
    if (this.ended !== undefined) throw new Error("closed twice")
    this.ended = end
  }
}

/** A server of which every call is shown to `handle`, then kept in `calls`. */
export class TestServer extends Carrier implements ServerCarrier {
  readonly engine: ServerConnection
  readonly calls: Array<RawServerCall> = []
  readonly aborts: Array<TransportError> = []
  rooms = 0
  handle: (call: RawServerCall) => void

  constructor(handle: (call: RawServerCall) => void = () => {}, changes: Partial<CallOptions> = {}) {
    super()
    this.handle = handle
    this.engine = new ServerConnection(this, { ...options, ...changes })
  }
  onCall(call: RawServerCall): void {
    this.calls.push(call)
    call.onAbort = (error) => void this.aborts.push(error)
    this.handle(call)
  }
  onRoom(): void {
    this.rooms++
  }
  receive(bytes: Uint8Array | string): void {
    this.chunkKept = false
    this.engine.receive(typeof bytes === "string" ? fromHex(bytes.replaceAll(/\s/g, "")) : bytes, this.time)
  }
  sent(): string {
    return hex(drain(this.engine))
  }
}

export class TestClient extends Carrier implements ClientCarrier {
  readonly engine: ClientConnection
  callsEnded = 0
  rooms = 0
  /** `usable` at each end of a call. */
  readonly usable: Array<boolean> = []

  constructor(changes: Partial<CallOptions> = {}) {
    super()
    this.engine = new ClientConnection(this, { ...options, ...changes })
  }
  explain(end: ConnectionEnd): ConnectionEnd {
    return end
  }
  onCallEnded(): void {
    this.callsEnded++
    this.usable.push(this.engine.usable)
  }
  onRoom(): void {
    this.rooms++
  }
  receive(bytes: Uint8Array | string): void {
    this.chunkKept = false
    this.engine.receive(typeof bytes === "string" ? fromHex(bytes.replaceAll(/\s/g, "")) : bytes, this.time)
  }
  sent(): string {
    return hex(drain(this.engine))
  }
}

/** What a call came to. */
export class Outcome implements ReplyListener {
  result: string | undefined = undefined
  exception: RawReply["exception"] = undefined
  header: RawReply["header"] = undefined
  size = 0
  sent = 0
  replies = 0
  failed: TransportError | undefined = undefined
  decodeError: unknown = undefined
  decode: Decode<string>
  whenEnded: (() => void) | undefined = undefined

  constructor(decode: Decode<string> = decodeHex) {
    this.decode = decode
  }
  /** How many of the listener's functions were called. */
  get ends(): number {
    return this.replies + this.sent + (this.failed === undefined ? 0 : 1)
  }
  onReply(reply: RawReply): void {
    this.replies++
    this.header = reply.header
    this.exception = reply.exception
    this.size = reply.size
    if (reply.exception === undefined) {
      try {
        this.result = reply.take(this.decode)
      } catch (error) {
        this.decodeError = error
      }
    }
    this.whenEnded?.()
  }
  onSent(): void {
    this.sent++
    this.whenEnded?.()
  }
  onFailed(error: TransportError): void {
    if (this.failed !== undefined) throw new Error("failed twice")
    this.failed = error
    this.whenEnded?.()
  }
}

export const noFields: CallHeaderFields = { ints: [], strings: [] }
export const hi = fromHex("0c00010b0001000000026869 00 00".replaceAll(" ", ""))

export const outgoing = (
  listener: ReplyListener,
  changes: Partial<OutgoingCall<Uint8Array>> = {}
): OutgoingCall<Uint8Array> => ({
  method: "Echo",
  oneway: false,
  header: noFields,
  args: hi,
  encode: encodeBytes,
  listener,
  ...changes
})

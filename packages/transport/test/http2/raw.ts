/** Raw HTTP/2 frames for tests: a builder, a parser, and recorders for what an engine tells. */
import type { ConnectionEnd } from "../../src/internal/engine.ts"
import type { AbortCause, ConnectionOwner, HeaderList, Http2Stream, StreamOwner } from "../../src/internal/http2/api.ts"
import { Http2Connection, type Http2Options } from "../../src/internal/http2/connection.ts"
import { Flag, FrameType, preface, readUint31, readUint32, writeFrameHeader } from "../../src/internal/http2/frames.ts"
import { HpackDecoder } from "../../src/internal/http2/hpackDecoder.ts"
import { HpackEncoder } from "../../src/internal/http2/hpackEncoder.ts"

export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const uint32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))

const none = new Uint8Array(0)

/** Any frame, however wrong. */
export const frame = (type: number, flags: number, streamId: number, payload: Uint8Array = none): Uint8Array => {
  const bytes = new Uint8Array(9 + payload.length)
  writeFrameHeader(bytes, 0, payload.length, type, flags, streamId)
  bytes.set(payload, 9)
  return bytes
}

export type Entry = readonly [id: number, value: number]

export const settings = (...entries: Array<Entry>): Uint8Array =>
  frame(
    FrameType.Settings,
    0,
    0,
    concat(entries.map(([id, value]) => concat([Uint8Array.of(id >>> 8, id & 255), uint32(value)])))
  )
export const settingsAck = frame(FrameType.Settings, Flag.Ack, 0)
export const ping = (payload: Uint8Array = new Uint8Array(8), ack = false): Uint8Array =>
  frame(FrameType.Ping, ack ? Flag.Ack : 0, 0, payload)
export const goaway = (last: number, code: number, debug = ""): Uint8Array =>
  frame(FrameType.Goaway, 0, 0, concat([uint32(last), uint32(code), text(debug)]))
export const rst = (streamId: number, code: number): Uint8Array => frame(FrameType.RstStream, 0, streamId, uint32(code))
export const windowUpdate = (streamId: number, increment: number): Uint8Array =>
  frame(FrameType.WindowUpdate, 0, streamId, uint32(increment))
export const priority = (streamId: number, dependency: number, weight = 15): Uint8Array =>
  frame(FrameType.Priority, 0, streamId, concat([uint32(dependency), Uint8Array.of(weight)]))
export const data = (streamId: number, payload: Uint8Array, endStream = false, padding?: number): Uint8Array =>
  frame(
    FrameType.Data,
    (endStream ? Flag.EndStream : 0) | (padding === undefined ? 0 : Flag.Padded),
    streamId,
    padding === undefined ? payload : concat([Uint8Array.of(padding), payload, new Uint8Array(padding)])
  )
export const block = (streamId: number, fragment: Uint8Array, endStream = false, endHeaders = true): Uint8Array =>
  frame(FrameType.Headers, (endStream ? Flag.EndStream : 0) | (endHeaders ? Flag.EndHeaders : 0), streamId, fragment)
export const continuation = (streamId: number, fragment: Uint8Array, endHeaders = true): Uint8Array =>
  frame(FrameType.Continuation, endHeaders ? Flag.EndHeaders : 0, streamId, fragment)

export const requestHeaders: HeaderList = [":method", "POST", ":scheme", "http", ":path", "/a", ":authority", "b"]
export const responseHeaders: HeaderList = [":status", "200", "content-type", "application/grpc+thrift"]
export const trailers: HeaderList = ["grpc-status", "0", "grpc-message", ""]

/** A peer's HPACK encoder with the HEADERS frames it makes. */
export class RawPeer {
  readonly encoder = new HpackEncoder()
  headers(streamId: number, headers: HeaderList, endStream = false): Uint8Array {
    return block(streamId, this.encoder.encode(headers), endStream)
  }
}

export interface RawFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Uint8Array
}

/** The whole frames of some bytes, without a preface. */
export const parse = (bytes: Uint8Array): Array<RawFrame> => {
  const frames: Array<RawFrame> = []
  let at = 0
  if (bytes.length >= preface.length && preface.every((byte, i) => bytes[i] === byte)) at = preface.length
  while (at + 9 <= bytes.length) {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    const payload = bytes.slice(at + 9, at + 9 + length)
    if (payload.length < length) throw new Error("a frame is cut off")
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, streamId: readUint31(bytes, at + 5), payload })
    at += 9 + length
  }
  if (at !== bytes.length) throw new Error("a frame header is cut off")
  return frames
}

const typeNames = Object.keys(FrameType)

/** Frames as short texts: `Headers(1) end`, `RstStream(3) 8`, `WindowUpdate(0) 19`, `Data(1) 5 end`. */
export const describe = (frames: ReadonlyArray<RawFrame>): Array<string> =>
  frames.map(({ flags, payload, streamId, type }) => {
    const name = `${typeNames[type] ?? type}(${streamId})`
    switch (type) {
      case FrameType.Data:
        return `${name} ${payload.length}${flags & Flag.EndStream ? " end" : ""}`
      case FrameType.Headers:
        return `${name}${flags & Flag.EndStream ? " end" : ""}`
      case FrameType.Settings:
      case FrameType.Ping:
        return `${name}${flags & Flag.Ack ? " ack" : ""}`
      case FrameType.Goaway:
        return `${name} ${readUint31(payload, 0)} ${readUint32(payload, 4)}`
      case FrameType.RstStream:
      case FrameType.WindowUpdate:
        return `${name} ${readUint32(payload, 0)}`
      default:
        return name
    }
  })

/** What was told about one stream. */
export class StreamRecord implements StreamOwner {
  readonly headers: Array<{ readonly list: HeaderList; readonly endStream: boolean }> = []
  readonly pieces: Array<Uint8Array> = []
  ended = false
  abort: AbortCause | undefined = undefined
  writable = 0
  stream: Http2Stream | undefined = undefined

  get payload(): Uint8Array {
    return concat(this.pieces)
  }
  get received(): number {
    return this.pieces.reduce((size, piece) => size + piece.length, 0)
  }
  onHeaders(list: HeaderList, endStream: boolean): void {
    this.check()
    this.headers.push({ list, endStream })
    this.ended = endStream
  }
  onData(bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.check()
    this.pieces.push(bytes.slice(start, end))
    this.ended = endStream
  }
  onAbort(cause: AbortCause): void {
    if (this.abort !== undefined) throw new Error("aborted twice")
    this.abort = cause
  }
  onWritable(): void {
    this.writable++
  }
  private check(): void {
    if (this.ended) throw new Error("an event behind the end")
    if (this.abort !== undefined) throw new Error("an event behind the abort")
  }
}

/** An engine and what it told. */
export class Recorder implements ConnectionOwner {
  readonly connection: Http2Connection
  /** By stream id. */
  readonly records = new Map<number, StreamRecord>()
  readonly goaways: Array<{ readonly last: number; readonly code: number; readonly debug: string }> = []
  readonly pongs: Array<Uint8Array> = []
  settings = 0
  end: ConnectionEnd | undefined = undefined
  /** Called for each request, after it was recorded. */
  handler: ((record: StreamRecord, stream: Http2Stream) => void) | undefined = undefined
  /** Servers: false leaves streams without an owner. */
  accept = true

  constructor(role: "client" | "server", options: Http2Options = {}) {
    this.connection = new Http2Connection(role, options, this)
  }

  open(headers: HeaderList = requestHeaders, endStream = false): StreamRecord {
    const record = new StreamRecord()
    record.stream = this.connection.openStream(headers, endStream, record)
    this.records.set(record.stream.id, record)
    return record
  }
  record(id: number): StreamRecord {
    const record = this.records.get(id)
    if (record === undefined) throw new Error(`no stream ${id}`)
    return record
  }
  /** The bytes that a driver would write now. */
  bytes(): Uint8Array {
    const parts: Array<Uint8Array> = []
    for (;;) {
      this.connection.pump()
      const chunks = this.connection.outbox.take()
      if (chunks === undefined) break
      parts.push(...chunks.map((chunk) => chunk.slice()))
      this.connection.outbox.recycle()
    }
    return concat(parts)
  }
  /** The frames of those bytes, as texts. */
  sent(): Array<string> {
    return describe(parse(this.bytes()))
  }

  onStream(stream: Http2Stream, list: HeaderList, endStream: boolean): void {
    if (!this.accept) return
    const record = new StreamRecord()
    record.stream = stream
    record.onHeaders(list, endStream)
    stream.owner = record
    this.records.set(stream.id, record)
    this.handler?.(record, stream)
  }
  onGoaway(last: number, code: number, debug: string): void {
    this.goaways.push({ last, code, debug })
  }
  onPong(payload: Uint8Array): void {
    this.pongs.push(payload)
  }
  onSettings(): void {
    this.settings++
  }
  onClose(end: ConnectionEnd): void {
    if (this.end !== undefined) throw new Error("closed twice")
    this.end = end
  }
}

/** A server whose peer has said its preface and SETTINGS; what it sent so far is dropped. */
export const startedServer = (options: Http2Options = {}, ...entries: Array<Entry>): Recorder => {
  const server = new Recorder("server", options)
  server.connection.receive(concat([preface, settings(...entries)]), 0)
  server.bytes()
  return server
}

/** A client whose peer has sent its SETTINGS; what it sent so far is dropped. */
export const startedClient = (options: Http2Options = {}, ...entries: Array<Entry>): Recorder => {
  const client = new Recorder("client", options)
  client.connection.receive(settings(...entries), 0)
  client.bytes()
  return client
}

/** Header lists of the HEADERS frames among these, which must not be continued. */
export const decodeHeaders = (frames: ReadonlyArray<RawFrame>): Array<HeaderList> => {
  const decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxHeaders: 1000 })
  return frames
    .filter((one) => one.type === FrameType.Headers)
    .map((one) => {
      const result = decoder.decode(one.payload, 0, one.payload.length)
      if (result.kind !== "headers") throw new Error(result.kind)
      return result.headers
    })
}

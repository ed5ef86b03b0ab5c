/**
 * Bytes, cut anywhere, to whole messages. Each message says by itself in which encoding it is. One that lies whole in a
 * chunk is read where it is; one that spans chunks is gathered.
 *
 * @internal
 */
import * as Message from "@millrace/codec/Message"
import type { CallHeader, Encoding } from "../../RawCall.ts"
import type { Decode } from "../../RawStream.ts"
import { Gathering, giveBack } from "../gather.ts"
import { checksumText, update } from "../ttheader/checksum.ts"
import {
  fixedSize,
  HeaderReader,
  infoSizeAt,
  lengthAt,
  maxKnownSize,
  maxLength,
  sequenceIdAt
} from "../ttheader/header.ts"
import { StringKey } from "../ttheader/keys.ts"
import { meshSizeAt, readMeshHeader } from "../ttheader/mesh.ts"
import { shown } from "../ttheader/text.ts"
import type { CallOptions } from "./api.ts"
import { headerShape, invalidPayload, payloadShape, sniffedSize } from "./shape.ts"
import { StructWalker, WalkError } from "./walker.ts"

/** Who is told. @internal */
export interface MessageSink {
  /** Set when a decoder keeps bytes of the chunk. */
  chunkKept: boolean
  /** A message is whole, and its parts are fields of the reader. False: nothing else is read. */
  onMessage(): boolean
  /** The peer broke a rule, or exceeded the limit of that name. Nothing else is read. */
  onViolation(detail: string, limit: keyof CallOptions | undefined): void
}

class Violation extends Error {
  readonly limit: keyof CallOptions | undefined
  constructor(detail: string, limit?: keyof CallOptions) {
    super(detail)
    this.limit = limit
  }
}

/** What is awaited: `need` bytes from the beginning of the message, then it goes on from there. */
const Step = {
  /** Enough to tell the header. */
  Shape: 0,
  /** The fixed part of a TTHeader. */
  Fixed: 1,
  Header: 2,
  MeshHeader: 3,
  /** Enough to tell whether there is a frame. */
  Payload: 4,
  /** Up to the length of the method's name. */
  NameLength: 5,
  /** Up to the body, whose end is to be found. */
  Envelope: 6,
  /** The next bytes of such a body. */
  Body: 7,
  /** All. */
  Whole: 8
} as const

// What stands in front of and behind the method's name in an envelope.
const envelopeSize = 12
const checksumDigits = 8
const noBytes = new Uint8Array(0)

/** @internal */
export class MessageReader {
  encoding: Encoding = "buffered"
  header: CallHeader | undefined = undefined
  /** SEQ of the TTHeader. */
  headerSequenceId = 0
  /** The message that is being read has a TTHeader, whose SEQ is known. */
  hasTTHeader = false
  type = 0
  method = ""
  sequenceId = 0
  /** Bytes of the body. */
  size = 0
  /** Bytes of the message, its header included. */
  total = 0
  /** Bytes behind this message that came with it. */
  behind = 0

  private readonly sink: MessageSink
  private readonly options: CallOptions
  private readonly headers: HeaderReader
  /** Made for the first message without a length. */
  private walker: StructWalker | undefined = undefined
  private readonly gathering = new Gathering()
  private failed = false

  // The message that is being read; places are counted from its beginning.
  private step: number = Step.Shape
  private need = sniffedSize
  /** Bytes behind the TTHeader, by its LENGTH. */
  private announced = 0
  private headerEnd = 0
  /** Where the envelope begins. */
  private messageAt = 0
  /** Where the body begins, if its end is to be found. */
  private bodyAt = 0

  // Where the last one lies.
  private bytes: Uint8Array = noBytes
  private bodyStart = 0
  private bodyEnd = 0
  private kept = false

  constructor(sink: MessageSink, options: CallOptions) {
    this.sink = sink
    this.options = options
    this.headers = new HeaderReader(options.maxHeaderFields)
  }

  /** The header of the message is larger than what a connection keeps between messages. */
  get hasLargeHeader(): boolean {
    return this.headerEnd > fixedSize + maxKnownSize
  }

  /** A message has begun and is not whole. */
  get midMessage(): boolean {
    return this.gathering.length > 0
  }

  /** Reads `[start, end)` and gives where it stopped: at the end, unless the sink wanted no more. */
  read(chunk: Uint8Array, start: number, end: number): number {
    const { gathering } = this
    let at = start
    while (at < end && !this.failed) {
      const gathered = gathering.length > 0
      let whole: boolean
      try {
        if (gathered) {
          const before = gathering.length
          whole = this.gather(chunk, at, end)
          at += gathering.length - before
        } else {
          whole = this.advance(chunk, at, end)
          if (!whole) gathering.add(chunk, at, end, this.expected(end - at))
          else at += this.need
        }
        if (!whole) {
          if (gathered) continue
          return end
        }
        if (gathered) this.finish(gathering.release(), 0)
        else this.finish(chunk, at - this.need)
      } catch (error) {
        this.fail(error as Error)
        return end
      }
      this.behind = end - at
      const goOn = this.sink.onMessage()
      if (gathered && !this.kept) giveBack(this.bytes)
      else if (!gathered && this.kept) this.sink.chunkKept = true
      this.bytes = noBytes
      if (this.hasLargeHeader) this.header = undefined
      if (this.method.length > maxKnownSize) this.method = ""
      if (!goOn) return at
    }
    return at
  }

  /** Reads the body of the message that the sink was told of. */
  take<A>(decode: Decode<A>): A {
    if (decode.keepsBytes !== false) this.kept = true
    return decode(this.bytes, this.bodyStart, this.bodyEnd)
  }

  /** Reads it as an exception. */
  takeException(): Message.ApplicationException {
    return Message.readException(this.bytes, this.bodyStart, this.bodyEnd)
  }

  private fail(error: Error): void {
    this.failed = true
    this.gathering.release()
    const limit = error instanceof WalkError ? (error.tooLarge ? "maxCallSize" : undefined) : (error as Violation).limit
    this.sink.onViolation(error.message, limit)
  }

  /** Adds what the message still needs. True when it is whole. */
  private gather(chunk: Uint8Array, start: number, end: number): boolean {
    const { gathering } = this
    let at = start
    while (this.step !== Step.Body) {
      const to = at + Math.min(this.need - gathering.length, end - at)
      gathering.add(chunk, at, to, this.need)
      at = to
      if (gathering.length < this.need) return false
      if (this.advance(gathering.bytes, 0, gathering.length)) return true
      if (at === end) return false
    }
    const stop = this.walker!.feed(chunk, at, end)
    const to = stop < 0 ? end : stop
    gathering.add(chunk, at, to, this.expected(gathering.length + to - at))
    this.need = stop < 0 ? gathering.length + 1 : gathering.length
    return stop >= 0
  }

  /** How long the message will be, of which `length` bytes are here, as far as is known. */
  private expected(length: number): number {
    return this.step === Step.Body ? length * 2 : this.need
  }

  /** Goes on with what is here of a message. True when it is whole: it has `need` bytes then. */
  private advance(bytes: Uint8Array, start: number, end: number): boolean {
    const have = end - start
    while (have >= this.need) {
      switch (this.step) {
        case Step.Shape:
          this.readShape(bytes, start)
          break
        case Step.Fixed:
          this.readFixed(bytes, start)
          break
        case Step.Header:
          this.header = this.headers.read(bytes, start, start + this.need)
          this.expectPayload()
          break
        case Step.MeshHeader:
          this.header = readMeshHeader(bytes, start, start + this.need, this.options.maxHeaderFields)
          this.expectPayload()
          break
        case Step.Payload:
          this.readPayload(bytes, start)
          break
        case Step.NameLength:
          this.readNameLength(bytes, start)
          break
        case Step.Envelope:
          this.walker ??= new StructWalker(this.options.maxCallSize)
          this.walker.reset(this.bodyAt - this.messageAt)
          this.step = Step.Body
          break
        case Step.Body: {
          // Asked for the first time only: the rest is walked as it is gathered.
          const stop = this.walker!.feed(bytes, start + this.bodyAt, end)
          this.need = stop < 0 ? have + 1 : stop - start
          return stop >= 0
        }
        default:
          return true
      }
    }
    return false
  }

  private readShape(bytes: Uint8Array, start: number): void {
    const shape = headerShape(bytes, start)
    this.hasTTHeader = false
    this.header = undefined
    this.headerEnd = 0
    this.announced = 0
    if (shape === "ttheader") {
      this.step = Step.Fixed
      this.need = fixedSize
    } else if (shape === "mesh") {
      this.step = Step.MeshHeader
      this.need = meshSizeAt(bytes, start)
      this.checkHeaderSize(this.need)
    } else this.step = Step.Payload
  }

  private readFixed(bytes: Uint8Array, start: number): void {
    const length = lengthAt(bytes, start)
    const infoSize = infoSizeAt(bytes, start)
    this.headerSequenceId = sequenceIdAt(bytes, start)
    this.hasTTHeader = true
    if (length > maxLength) throw new Violation(`invalid data: LENGTH(${length}) larger than the limit(${maxLength})`)
    this.checkHeaderSize(infoSize)
    this.step = Step.Header
    this.need = fixedSize + infoSize
    this.announced = length + 4 - this.need
  }

  private checkHeaderSize(size: number): void {
    const max = this.options.maxTTHeaderSize
    if (size > max)
      throw new Violation(`invalid header: size(${size}) larger than the limit(${max})`, "maxTTHeaderSize")
  }

  private expectPayload(): void {
    this.headerEnd = this.need
    this.step = Step.Payload
    this.need += sniffedSize
  }

  private readPayload(bytes: Uint8Array, start: number): void {
    const { hasTTHeader, headerEnd } = this
    const at = start + headerEnd
    const shape = payloadShape(bytes, at)
    if (shape === undefined) throw new Violation(invalidPayload(bytes, at))
    const framed = shape === "framed"
    if (framed) this.announced = lengthAt(bytes, at)
    this.checkSize(this.announced)
    this.encoding = hasTTHeader ? (framed ? "ttheader-framed" : "ttheader") : shape
    this.messageAt = framed ? headerEnd + 4 : headerEnd
    this.step = Step.NameLength
    this.need = this.messageAt + 8
  }

  private checkSize(size: number): void {
    const max = this.options.maxCallSize
    if (size > max)
      throw new Violation(`invalid data: payload size(${size}) larger than the limit(${max})`, "maxCallSize")
  }

  private readNameLength(bytes: Uint8Array, start: number): void {
    const length = lengthAt(bytes, start + this.messageAt + 4)
    if (length === 0) throw new Violation("method name that receive is empty")
    if (length > 0x7fffffff) throw new Violation("invalid data length")
    this.checkSize(envelopeSize + length)
    // A length that does not reach the body says nothing: Kitex looks for the end itself then, as it does without one.
    if (this.announced > envelopeSize + length) {
      this.step = Step.Whole
      this.need = this.messageAt + this.announced
    } else {
      this.step = Step.Envelope
      this.bodyAt = this.need = this.messageAt + envelopeSize + length
    }
  }

  /** Takes a whole message of `need` bytes apart, and is ready for the next. */
  private finish(bytes: Uint8Array, start: number): void {
    const end = start + this.need
    const { bodyAt, method, sequenceId, type } = Message.read(bytes, start + this.messageAt, end)
    this.total = this.need
    this.step = Step.Shape
    this.need = sniffedSize
    if (this.hasTTHeader && this.options.checksum) this.verify(bytes, start + this.headerEnd, end)
    this.type = type
    this.method = method
    this.sequenceId = sequenceId
    this.size = end - bodyAt
    this.bytes = bytes
    this.bodyStart = bodyAt
    this.bodyEnd = end
    this.kept = false
  }

  private verify(bytes: Uint8Array, start: number, end: number): void {
    const expected = this.header!.strings.get(StringKey.Checksum)
    if (expected === undefined || expected === "" || expected === checksumText(update(0, bytes, start, end))) return
    throw new Violation(`payload validation error: validation failed, err=${shown(expected, checksumDigits)}`)
  }
}

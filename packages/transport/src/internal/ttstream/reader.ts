/**
 * Bytes, cut anywhere, to frames. A frame that lies whole in a chunk is read where it is; one that spans chunks is gathered. Most
 * frames are Data, and say the same in front of their payload again and again: such a header is known by its bytes, and not read.
 *
 * @internal
 */
import type { CallHeader } from "../../RawCall.ts"
import { Gathering, giveBack } from "../gather.ts"
import {
  fixedSize,
  flagsAt,
  HeaderError,
  HeaderReader,
  infoSizeAt,
  lengthAt,
  magic,
  maxKnownSize,
  maxLength,
  sequenceIdAt
} from "../ttheader/header.ts"
import { Flag, IntKey } from "../ttheader/keys.ts"
import { hex, readU16, shown } from "../ttheader/text.ts"
import type { StreamingOptions } from "./api.ts"
import { FrameType, frameTypeOf } from "./frames.ts"

/** Data frames of one stream, one behind the other. @internal */
export interface DataRun {
  count: number
  /** Bytes of their payloads. */
  size: number
  /** Bytes of the last payload. */
  newest: number
}

/** Who is told of frames. @internal */
export interface FrameSink {
  /** Set when bytes of the chunk are kept. */
  chunkKept: boolean
  /**
   * Data frames lie in `[start, end)`, headers and payloads. `gathered`: it is one, and these bytes are its alone. `run` is valid during
   * the call. True when the bytes are kept.
   */
  onData(streamId: number, bytes: Uint8Array, start: number, end: number, run: DataRun, gathered: boolean): boolean
  /** Any other frame, its payload in `[start, end)`: valid during the call. */
  onFrame(type: number, streamId: number, header: CallHeader, bytes: Uint8Array, start: number, end: number): void
  /** The payload of a frame is over `maxReceiveMessageSize`, and is read past. */
  onTooLarge(streamId: number, size: number): void
  /** The peer broke a rule, or exceeded the limit of that name. Nothing else is read. */
  onViolation(detail: string, limit: ReaderLimit | undefined): void
}

/** @internal */
export type ReaderLimit = "maxTTHeaderSize" | "maxHeaderFields"

type ReaderOptions = Pick<StreamingOptions, "maxReceiveMessageSize" | ReaderLimit>

/** Bytes of the payload of the frame at `start`, whose header was checked. @internal */
export const payloadAt = (bytes: Uint8Array, start: number): number => start + fixedSize + infoSizeAt(bytes, start)

/** Where the frame at `start` ends. @internal */
export const frameEnd = (bytes: Uint8Array, start: number): number => start + 4 + lengthAt(bytes, start)

class Violation extends Error {
  readonly limit: ReaderLimit | undefined
  constructor(detail: string, limit?: ReaderLimit) {
    super(detail)
    this.limit = limit
  }
}

/** Infos of Data frames that a connection remembers: Go writes the two keys of each in any order. */
const maxKnownInfos = 8

/** What is awaited of a frame that is being gathered. */
const Step = { Fixed: 0, Header: 1, Whole: 2 } as const

/** @internal */
export class FrameReader {
  private readonly sink: FrameSink
  private readonly options: ReaderOptions
  private readonly headers: HeaderReader
  private readonly gathering = new Gathering()
  private failed = false

  private readonly known: Array<Uint8Array> = []
  private readonly run: DataRun = { count: 0, size: 0, newest: 0 }
  /** Where the info of the last Data frame is among them. */
  private recent = 0
  private oldest = 0

  // The frame that is being gathered.
  private step: number = Step.Fixed
  private need = fixedSize
  private type = 0
  private header: CallHeader | undefined = undefined
  /** Bytes of a payload that are still to be read past. */
  private skipped = 0

  constructor(sink: FrameSink, options: ReaderOptions) {
    this.sink = sink
    this.options = options
    this.headers = new HeaderReader(options.maxHeaderFields)
  }

  /** A frame has begun and is not whole. */
  get midFrame(): boolean {
    return this.gathering.length > 0 || this.skipped > 0
  }

  /** Nothing more is read. */
  stop(): void {
    this.failed = true
    this.gathering.release()
  }

  read(chunk: Uint8Array): void {
    const end = chunk.length
    let at = 0
    try {
      while (at < end && !this.failed) {
        if (this.skipped > 0) {
          const size = Math.min(this.skipped, end - at)
          this.skipped -= size
          at += size
        } else if (this.gathering.length > 0) at = this.gather(chunk, at, end)
        else at = this.readAt(chunk, at, end)
      }
    } catch (error) {
      if (!(error instanceof HeaderError) && !(error instanceof Violation)) throw error
      this.stop()
      this.sink.onViolation(error.message, error.limit)
    }
  }

  /** Reads a frame where it lies, or begins to gather it. Gives where the next one begins. */
  private readAt(chunk: Uint8Array, start: number, end: number): number {
    const known = this.known[this.recent]
    const next = known === undefined ? start : this.readRun(known, chunk, start, end)
    return next > start ? next : this.readOther(chunk, start, end)
  }

  /** Reads Data frames of one stream whose headers say the same, and gives where they end. */
  private readRun(known: Uint8Array, chunk: Uint8Array, start: number, end: number): number {
    const { run } = this
    const max = this.options.maxReceiveMessageSize
    const headerSize = fixedSize + known.length
    let at = start
    run.count = 0
    run.size = 0
    while (startsLike(known, chunk, at, end)) {
      if (at > start && sequenceIdAt(chunk, at) !== sequenceIdAt(chunk, start)) break
      const next = frameEnd(chunk, at)
      const size = next - at - headerSize
      if (next > end || size < 0 || size > max) break
      run.count++
      run.size += size
      run.newest = size
      at = next
    }
    if (at > start && this.sink.onData(sequenceIdAt(chunk, start), chunk, start, at, run, false)) {
      this.sink.chunkKept = true
    }
    return at
  }

  private single(size: number): DataRun {
    const { run } = this
    run.count = 1
    run.size = size
    run.newest = size
    return run
  }

  private readOther(chunk: Uint8Array, start: number, end: number): number {
    if (end - start < fixedSize) return this.begin(chunk, start, end)
    const headerEnd = this.checkFixed(chunk, start)
    if (headerEnd > end) return this.begin(chunk, start, end)
    const next = frameEnd(chunk, start)
    const tooLarge = next - headerEnd > this.options.maxReceiveMessageSize
    // Its header is read when it is whole.
    if (next > end && !tooLarge) return this.begin(chunk, start, end)
    const type = this.typeOf(chunk, start, headerEnd)
    if (tooLarge) return this.skip(chunk, start, headerEnd, next, end)
    if (type === FrameType.Data) return this.onData(chunk, start, next, next - headerEnd)
    this.onFrame(type, chunk, start, headerEnd, next)
    return next
  }

  private onData(chunk: Uint8Array, start: number, end: number, size: number): number {
    const run = this.single(size)
    if (this.sink.onData(sequenceIdAt(chunk, start), chunk, start, end, run, false)) this.sink.chunkKept = true
    return end
  }

  private onFrame(type: number, bytes: Uint8Array, start: number, payload: number, end: number): void {
    const header = this.header!
    this.header = undefined
    this.sink.onFrame(type, sequenceIdAt(bytes, start), header, bytes, payload, end)
  }

  /** Reads past a payload that is too large, of which some may be here. */
  private skip(bytes: Uint8Array, start: number, headerEnd: number, next: number, end: number): number {
    const at = Math.min(next, end)
    this.header = undefined
    // First: a stream that ends for it must not leave the connection as if nothing of it were to come.
    this.skipped = next - at
    this.sink.onTooLarge(sequenceIdAt(bytes, start), next - headerEnd)
    return at
  }

  /** Checks the fixed part, and gives where the header ends. */
  private checkFixed(bytes: Uint8Array, start: number): number {
    if (readU16(bytes, start + 4) !== magic) {
      const first = hex(bytes, start, start + 4)
      throw new Violation(
        `not TTHeader protocol (first4Bytes=0x${first}, second4Bytes=0x${hex(bytes, start + 4, start + 8)})`
      )
    }
    const flags = flagsAt(bytes, start)
    if ((flags & Flag.Streaming) === 0) throw new Violation(`unexpected header flags: ${flags}`)
    const size = infoSizeAt(bytes, start)
    if (size < 2) throw new Violation(`invalid header length[${size}]`)
    const max = this.options.maxTTHeaderSize
    if (size > max) {
      throw new Violation(`invalid header: size(${size}) larger than the limit(${max})`, "maxTTHeaderSize")
    }
    const length = lengthAt(bytes, start)
    if (length > maxLength) throw new Violation(`invalid data: LENGTH(${length}) larger than the limit(${maxLength})`)
    if (length + 4 < fixedSize + size) {
      throw new Violation(`invalid data: LENGTH(${length}) ends before the header of ${size} bytes does`)
    }
    return start + fixedSize + size
  }

  // ---- headers

  /** The type of the frame whose header is in `[start, end)`. */
  private typeOf(bytes: Uint8Array, start: number, end: number): number {
    const { known } = this
    for (let i = 0; i < known.length; i++) {
      if (!startsLike(known[i]!, bytes, start, end)) continue
      this.recent = i
      return FrameType.Data
    }
    return this.readHeader(bytes, start, end)
  }

  /** Reads the header in `[start, end)` and gives the type of its frame. */
  private readHeader(bytes: Uint8Array, start: number, end: number): number {
    const header = this.headers.read(bytes, start, end)
    const type = frameTypeOf(header)
    if (type === undefined)
      throw new Violation(`unexpected frame type: ${shown(header.ints.get(IntKey.FrameType) ?? "", 32)}`)
    if (type !== FrameType.Data) this.header = header
    else if (end - start <= maxKnownSize) this.remember(bytes, start + fixedSize, end)
    return type
  }

  private remember(bytes: Uint8Array, start: number, end: number): void {
    // A copy: Buffer's own slice is none.
    const info = new Uint8Array(bytes.subarray(start, end))
    if (this.known.length < maxKnownInfos) this.recent = this.known.push(info) - 1
    else {
      this.known[this.oldest] = info
      this.recent = this.oldest
      this.oldest = (this.oldest + 1) % maxKnownInfos
    }
  }

  // ---- frames in pieces

  private begin(chunk: Uint8Array, start: number, end: number): number {
    this.step = Step.Fixed
    this.need = fixedSize
    return this.gather(chunk, start, end)
  }

  /** Adds what the frame still needs, and gives where it stopped. */
  private gather(chunk: Uint8Array, start: number, end: number): number {
    const { gathering } = this
    let at = start
    while (at < end || gathering.length === this.need) {
      const to = at + Math.min(this.need - gathering.length, end - at)
      if (to > at) gathering.add(chunk, at, to, this.need)
      at = to
      if (gathering.length < this.need) return at
      if (this.step === Step.Fixed) {
        this.need = this.checkFixed(gathering.bytes, 0)
        this.step = Step.Header
      } else if (this.step === Step.Header) {
        this.gathered(this.need)
        if (gathering.length === 0) return at
      } else {
        this.finish()
        return at
      }
    }
    return at
  }

  /** The header is here. */
  private gathered(headerEnd: number): void {
    const { bytes } = this.gathering
    const next = frameEnd(bytes, 0)
    this.type = this.typeOf(bytes, 0, headerEnd)
    if (next - headerEnd > this.options.maxReceiveMessageSize) {
      this.gathering.release()
      this.skip(bytes, 0, headerEnd, next, headerEnd)
      return
    }
    this.step = Step.Whole
    this.need = next
  }

  private finish(): void {
    const end = this.need
    const bytes = this.gathering.release()
    if (this.type === FrameType.Data) {
      const run = this.single(end - payloadAt(bytes, 0))
      if (!this.sink.onData(sequenceIdAt(bytes, 0), bytes, 0, end, run, true)) giveBack(bytes)
      return
    }
    this.onFrame(this.type, bytes, 0, payloadAt(bytes, 0), end)
    giveBack(bytes)
  }
}

/** The header at `start` is that of a Data frame with the given info. */
const startsLike = (info: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  const size = info.length
  const infoAt = start + fixedSize
  if (infoAt + size > end || infoSizeAt(bytes, start) !== size) return false
  // MAGIC and FLAGS
  if (bytes[start + 4] !== 0x10 || bytes[start + 5] !== 0 || bytes[start + 6] !== 0 || bytes[start + 7] !== 2)
    return false
  // The last bytes tell apart what begins alike.
  for (let i = size - 1; i >= 0; i--) if (info[i] !== bytes[infoAt + i]) return false
  return true
}

/**
 * Cuts the peer's bytes into frames, wherever the socket split them. DATA is handed on as it arrives; only the other
 * frames are gathered, and only when they are split.
 *
 * @internal
 */
import { copyBytes } from "./outbox.ts"
import { Flag, frameHeaderSize, preface, readUint31 } from "./frames.ts"

/** What to do with the payload of a frame whose header was read. @internal */
export const Payload = { Gather: 0, Data: 1, Skip: 2 } as const

/** Who is told. When one of its methods makes it `closed`, nothing else is read. @internal */
export interface FrameSink {
  readonly closed: boolean
  onBadPreface(): void
  /** The header of a frame: one of {@link Payload}. */
  onFrameHeader(type: number, flags: number, streamId: number, length: number): number
  /** A frame other than DATA, whole. */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void
  /**
   * DATA begins: `size` bytes of payload follow, `padding` more are not for the application (its length byte among
   * them).
   */
  onDataStart(streamId: number, size: number, padding: number, endStream: boolean): void
  /** Payload of that frame. `last`: nothing of it is missing. */
  onData(bytes: Uint8Array, start: number, end: number, last: boolean): void
  onBadPadding(): void
}

const Step = { Preface: 0, Header: 1, Gather: 2, Skip: 3, PadLength: 4, Data: 5 } as const

const noBytes = new Uint8Array(0)

/** @internal */
export class FrameReader {
  private readonly sink: FrameSink
  private step: number
  /** Bytes of the preface, the header or the gathered payload that are here. */
  private got = 0
  private readonly header = new Uint8Array(frameHeaderSize)
  private gathered = noBytes
  /** Bytes of payload that are missing, then of padding. */
  private left = 0
  private padding = 0
  private type = 0
  private flags = 0
  private streamId = 0

  constructor(sink: FrameSink, expectPreface: boolean) {
    this.sink = sink
    this.step = expectPreface ? Step.Preface : Step.Header
  }

  /** In the middle of the preface or of a frame: a peer that stops here is broken. */
  get midFrame(): boolean {
    return this.step !== Step.Header || this.got > 0
  }

  read(chunk: Uint8Array): void {
    const end = chunk.length
    let at = 0
    while (at < end && !this.sink.closed) {
      switch (this.step) {
        case Step.Header:
          at = this.readHeader(chunk, at, end)
          break
        case Step.Data: {
          const to = Math.min(end, at + this.left)
          this.left -= to - at
          const start = at
          at = to
          const last = this.left === 0
          if (last) this.endData()
          this.sink.onData(chunk, start, to, last)
          break
        }
        case Step.Gather:
          at = this.gather(chunk, at, end)
          break
        case Step.Skip: {
          const to = Math.min(end, at + this.left)
          this.left -= to - at
          at = to
          if (this.left === 0) this.step = Step.Header
          break
        }
        case Step.PadLength:
          this.startData(chunk[at++]!)
          break
        default:
          at = this.readPreface(chunk, at, end)
      }
    }
  }

  private readPreface(chunk: Uint8Array, at: number, end: number): number {
    while (at < end) {
      if (chunk[at++] !== preface[this.got++]) {
        this.sink.onBadPreface()
        return end
      }
      if (this.got < preface.length) continue
      this.got = 0
      this.step = Step.Header
      break
    }
    return at
  }

  private readHeader(chunk: Uint8Array, at: number, end: number): number {
    let source = chunk
    let from = at
    if (this.got > 0 || end - at < frameHeaderSize) {
      while (this.got < frameHeaderSize) {
        if (at === end) return at
        this.header[this.got++] = chunk[at++]!
      }
      this.got = 0
      source = this.header
      from = 0
    } else {
      at += frameHeaderSize
    }
    const length = (source[from]! << 16) | (source[from + 1]! << 8) | source[from + 2]!
    const type = source[from + 3]!
    const flags = source[from + 4]!
    const streamId = readUint31(source, from + 5)
    const payload = this.sink.onFrameHeader(type, flags, streamId, length)
    if (this.sink.closed) return end
    if (payload === Payload.Data) {
      this.left = length
      this.flags = flags
      this.streamId = streamId
      if ((flags & Flag.Padded) === 0) this.startData(-1)
      else this.step = Step.PadLength
      return at
    }
    if (payload === Payload.Skip) {
      this.left = length
      if (length > 0) this.step = Step.Skip
      return at
    }
    if (end - at >= length) {
      this.sink.onFrame(type, flags, streamId, chunk, at, at + length)
      return at + length
    }
    this.type = type
    this.flags = flags
    this.streamId = streamId
    this.gathered = new Uint8Array(length)
    this.step = Step.Gather
    return at
  }

  private gather(chunk: Uint8Array, at: number, end: number): number {
    const to = Math.min(end, at + this.gathered.length - this.got)
    copyBytes(this.gathered, this.got, chunk, at, to)
    this.got += to - at
    if (this.got < this.gathered.length) return to
    const bytes = this.gathered
    this.gathered = noBytes
    this.got = 0
    this.step = Step.Header
    this.sink.onFrame(this.type, this.flags, this.streamId, bytes, 0, bytes.length)
    return to
  }

  /** The sizes of a DATA frame are known. `padLength`: -1 when it has none. */
  private startData(padLength: number): void {
    this.padding = Math.max(0, padLength)
    if (padLength >= this.left) {
      this.sink.onBadPadding()
      return
    }
    const overhead = padLength + 1
    this.left -= overhead
    this.sink.onDataStart(this.streamId, this.left, overhead, (this.flags & Flag.EndStream) !== 0)
    if (this.left > 0) {
      this.step = Step.Data
      return
    }
    this.endData()
    if (!this.sink.closed) this.sink.onData(noBytes, 0, 0, true)
  }

  /** The payload of a DATA frame is complete: its padding, then the next frame. Called before the sink is told. */
  private endData(): void {
    this.step = this.padding > 0 ? Step.Skip : Step.Header
    if (this.padding > 0) this.left = this.padding
  }
}

/**
 * Bytes on their way to the socket. Small frames are copied into a 64 KiB buffer; large payloads that nobody writes to
 * any more go by reference between them. Buffers come from a pool that all connections share: a connection that has
 * nothing to send holds none.
 *
 * @internal
 */
import type { Outbox as OutboxShape } from "../engine.ts"
import { Flag, frameHeaderSize, FrameType, writeFrameHeader } from "./frames.ts"

/** @internal */
export const bufferSize = 64 * 1024

/**
 * Buffers kept for the next connection that writes, and full ones that one connection keeps until the kernel took them.
 */
const maxPooled = 32
const maxSpent = 32
const pool: Array<Uint8Array> = []

/** Large buffers that were lent to the engine and may be written to again, and how large each may be. */
const maxLarge = 4
const maxLargeSize = 4 * 1024 * 1024
const largePool: Array<Uint8Array> = []

const giveBack = (buffer: Uint8Array): void => {
  if (buffer.length === bufferSize) {
    if (pool.length < maxPooled) pool.push(buffer)
  } else if (largePool.length < maxLarge && buffer.length <= maxLargeSize) largePool.push(buffer)
}

/** A buffer that was lent before (see `Connection.lendData`), if there is one. @internal */
export const takeLarge = (): Uint8Array | undefined => largePool.pop()

/** A buffer of 64 KiB; whoever is done with it gives it to `Outbox.spend`, or forgets it. @internal */
export const takeBuffer = (): Uint8Array => pool.pop() ?? new Uint8Array(bufferSize)

const noBuffer = new Uint8Array(0)

const nodeCopy: typeof Buffer.prototype.copy | undefined =
  typeof Buffer === "function" ? Buffer.prototype.copy : undefined

/** Node's `copy` takes a third of the time of `set(subarray)` on the small pieces that frames are made of. @internal */
export const copyBytes = (target: Uint8Array, at: number, source: Uint8Array, start: number, end: number): void => {
  if (nodeCopy !== undefined) nodeCopy.call(source as Buffer, target, at, start, end)
  else target.set(source.subarray(start, end), at)
}

/** @internal */
export class Outbox implements OutboxShape {
  length = 0
  /** Answers to the peer's frames since the last `take` (see `Limits.maxControlFrames`). */
  controlFrames = 0
  private buffer: Uint8Array = noBuffer
  /** Where the next byte goes; what is before `sealed` was taken, or is in `chunks`. */
  private at = 0
  private sealed = 0
  private chunks: Array<Uint8Array> = []
  /** Full buffers that chunks refer to. */
  private spent: Array<Uint8Array> = []
  /** The DATA frame that the next write of its stream may extend: its header's place, or -1. */
  private openAt = -1
  private openStream = 0
  private openLength = 0

  take(): Array<Uint8Array> | undefined {
    if (this.length === 0) return undefined
    this.seal()
    const chunks = this.chunks
    this.chunks = []
    this.length = 0
    this.controlFrames = 0
    return chunks
  }

  recycle(): void {
    if (this.length > 0) return
    if (this.buffer.length > 0) giveBack(this.buffer)
    for (const buffer of this.spent) giveBack(buffer)
    this.spent.length = 0
    this.buffer = noBuffer
    this.at = 0
    this.sealed = 0
  }

  /** A whole frame; the payload is copied. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.reserve(frameHeaderSize + Math.min(size, bufferSize - frameHeaderSize))
    writeFrameHeader(this.buffer, this.at, size, type, flags, streamId)
    this.advance(frameHeaderSize)
    this.bytes(payload, start, end)
  }

  /** A frame of one 32-bit number: RST_STREAM, WINDOW_UPDATE. */
  frame32(type: number, streamId: number, value: number): void {
    this.reserve(frameHeaderSize + 4)
    writeFrameHeader(this.buffer, this.at, 4, type, 0, streamId)
    const at = this.at + frameHeaderSize
    this.buffer[at] = value >>> 24
    this.buffer[at + 1] = value >>> 16
    this.buffer[at + 2] = value >>> 8
    this.buffer[at + 3] = value
    this.advance(frameHeaderSize + 4)
  }

  /** Bytes as they are, copied. */
  bytes(source: Uint8Array, start: number, end: number): void {
    while (start < end) {
      this.reserve(1)
      const size = Math.min(end - start, this.buffer.length - this.at)
      copyBytes(this.buffer, this.at, source, start, start + size)
      this.advance(size)
      start += size
    }
  }

  /** A DATA frame whose payload is copied; later writes of the stream may extend it. */
  data(streamId: number, source: Uint8Array, start: number, end: number, endStream: boolean): void {
    const size = end - start
    if (frameHeaderSize + size > bufferSize) {
      this.frame(FrameType.Data, endStream ? Flag.EndStream : 0, streamId, source, start, end)
      return
    }
    this.reserve(frameHeaderSize + size)
    const at = this.at
    writeFrameHeader(this.buffer, at, size, FrameType.Data, endStream ? Flag.EndStream : 0, streamId)
    if (size > 0) copyBytes(this.buffer, at + frameHeaderSize, source, start, end)
    this.advance(frameHeaderSize + size)
    if (endStream) return
    this.openAt = at
    this.openStream = streamId
    this.openLength = size
  }

  /** The header of a DATA frame whose payload follows by `bytes` and `reference`. */
  dataHeader(streamId: number, size: number, endStream: boolean): void {
    this.reserve(frameHeaderSize)
    writeFrameHeader(this.buffer, this.at, size, FrameType.Data, endStream ? Flag.EndStream : 0, streamId)
    this.advance(frameHeaderSize)
  }

  /** Bytes as they are, not copied: nobody may write to them again. */
  reference(source: Uint8Array, start: number, end: number): void {
    this.seal()
    this.chunks.push(source.subarray(start, end))
    this.length += end - start
  }

  /** Bytes of payload in the last frame when it is DATA of this stream that may grow, else -1. */
  growing(streamId: number): number {
    return this.openAt >= 0 && this.openStream === streamId ? this.openLength : -1
  }

  /** Appends to the frame that `growing` spoke of. With END_STREAM, or by reference, it grows no further. */
  extend(source: Uint8Array, start: number, end: number, endStream: boolean, byReference: boolean): void {
    const size = this.openLength + end - start
    const header = this.openAt
    this.buffer[header] = size >>> 16
    this.buffer[header + 1] = size >>> 8
    this.buffer[header + 2] = size
    if (endStream) this.buffer[header + 4] = Flag.EndStream
    if (byReference) {
      this.reference(source, start, end)
      return
    }
    if (end - start > this.buffer.length - this.at) {
      this.bytes(source, start, end)
      return
    }
    copyBytes(this.buffer, this.at, source, start, end)
    this.advance(end - start)
    if (endStream) return
    this.openAt = header
    this.openLength = size
  }

  /** A buffer of `takeBuffer` that chunks may refer to and that is written to no more. */
  spend(buffer: Uint8Array): void {
    if (this.spent.length < maxSpent) this.spent.push(buffer)
  }

  private advance(size: number): void {
    this.at += size
    this.length += size
    this.openAt = -1
  }

  /** Room for `size` bytes in one piece, at most a buffer's size. */
  private reserve(size: number): void {
    if (this.buffer.length - this.at >= size) return
    this.seal()
    if (this.buffer.length > 0) this.spend(this.buffer)
    this.buffer = takeBuffer()
    this.at = 0
    this.sealed = 0
  }

  /** Turns what was written since the last seal into a chunk. */
  private seal(): void {
    this.openAt = -1
    if (this.at === this.sealed) return
    this.chunks.push(this.buffer.subarray(this.sealed, this.at))
    this.sealed = this.at
  }
}

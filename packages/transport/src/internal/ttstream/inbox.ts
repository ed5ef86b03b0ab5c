/**
 * Whole messages that nobody has taken. They stay in the chunk that brought them, with the frame headers between them, for as long as
 * the read lasts that brought it; what stays longer is packed.
 *
 * @internal
 */
import type { Decode } from "../../RawStream.ts"
import { giveBack } from "../gather.ts"
import { lengthAt } from "../ttheader/header.ts"
import { type DataRun, frameEnd, payloadAt } from "./reader.ts"

/** Messages in one piece of memory, one behind the other: frames as they came, or packed payloads. */
interface Run {
  readonly bytes: Uint8Array
  start: number
  end: number
  /** Bytes of payload between them. */
  payload: number
  /** Each payload behind its length alone. */
  readonly packed: boolean
  /** One frame, in a buffer that only it uses. */
  readonly gathered: boolean
  /** What it keeps alive is its own, or little more. */
  own: boolean
}

const poolMax = 16 * 1024
// What a buffer costs beside its bytes: messages below do not get one each.
const tiny = 256
/** A run stays where it is when it is no less than this part of what it keeps alive. */
const ownPart = 1 / 4

// The length in front of a packed payload: one byte, or this byte and four more.
const longLength = 0xff
const longLengthSize = 5

const lengthSize = (length: number): number => (length < longLength ? 1 : longLengthSize)

/** @internal */
export class Inbox {
  /** Messages that are here. */
  available = 0
  /** Bytes of them. */
  bytes = 0
  /** Of the message that came last. */
  newest = 0
  /** Bytes of the messages of the last `take`. */
  takenBytes = 0
  /** Of the last message of it. */
  takenSize = 0

  private runs: Array<Run> = []
  private first = 0
  private pool: Uint8Array | undefined = undefined
  private poolLength = 0

  // The message that was looked at last.
  private payloadStart = 0
  private payloadEnd = 0

  /** Adds the messages of the frames in `[start, end)`. */
  push(bytes: Uint8Array, start: number, end: number, { count, newest, size }: DataRun, gathered: boolean): void {
    this.available += count
    this.bytes += size
    this.newest = newest
    const { runs } = this
    if (!gathered && runs.length > 0) {
      const last = runs[runs.length - 1]!
      if (last.bytes === bytes && last.end === start && !last.packed) {
        last.end = end
        last.payload += size
        last.own = false
        return
      }
    }
    runs.push({ bytes, start, end, payload: size, packed: false, gathered, own: false })
  }

  /** Decodes up to `max` messages. One that fails is gone, and what was taken is counted, when the error passes through. */
  take<A>(decode: Decode<A>, max: number, into: Array<A>): void {
    this.takenBytes = 0
    this.takenSize = 0
    let left = Math.min(max, this.available)
    while (left > 0) {
      const run = this.runs[this.first]!
      const { bytes } = run
      while (left > 0 && run.start < run.end) {
        this.look(run, run.start)
        const start = this.payloadStart
        const end = this.payloadEnd
        // State first: a decoder that throws leaves the stream at the next message.
        run.start = end
        run.payload -= end - start
        this.takenSize = end - start
        this.takenBytes += end - start
        this.bytes -= end - start
        this.available--
        left--
        if (run.start === run.end) this.drop()
        into.push(decode(bytes, start, end))
        if (run.gathered && decode.keepsBytes === false) giveBack(bytes)
      }
    }
  }

  /** Where the payload of the message at `at` lies. */
  private look(run: Run, at: number): void {
    const { bytes } = run
    if (run.packed) {
      const short = bytes[at]!
      this.payloadStart = at + lengthSize(short)
      this.payloadEnd = this.payloadStart + (short < longLength ? short : lengthAt(bytes, at + 1))
    } else {
      this.payloadStart = payloadAt(bytes, at)
      this.payloadEnd = frameEnd(bytes, at)
    }
  }

  private drop(): void {
    this.first++
    if (this.first === this.runs.length) {
      this.runs.length = 0
      this.first = 0
      this.pool = undefined
    } else if (this.first >= 64 && this.first * 2 >= this.runs.length) {
      this.runs = this.runs.slice(this.first)
      this.first = 0
    }
  }

  /** Forgets what is here. */
  discard(): void {
    this.runs = []
    this.first = 0
    this.available = 0
    this.bytes = 0
    this.pool = undefined
  }

  /**
   * Called when a read is over and its listener has taken what it wanted. What stays may stay long, so what would keep much more
   * alive than itself, a large chunk or the headers of tiny messages, is packed.
   */
  compact(): void {
    let sum = 0
    for (let i = this.first; i < this.runs.length; i++) {
      const run = this.runs[i]!
      run.own ||= run.payload >= tiny && run.payload >= run.bytes.buffer.byteLength * ownPart
      if (!run.own) sum += this.packedSize(run)
    }
    if (sum === 0) return
    const kept: Array<Run> = []
    for (let i = this.first; i < this.runs.length; i++) {
      const run = this.runs[i]!
      if (run.own) kept.push(run)
      else sum = this.pack(run, kept, sum)
    }
    this.runs = kept
    this.first = 0
  }

  private packedSize(run: Run): number {
    let size = 0
    for (let at = run.start; at < run.end; at = this.payloadEnd) {
      this.look(run, at)
      const length = this.payloadEnd - this.payloadStart
      size += lengthSize(length) + length
    }
    return size
  }

  /** Moves the messages of a run to the pool. `sum`: bytes of all that are to be moved; gives what is left of it. */
  private pack(run: Run, kept: Array<Run>, sum: number): number {
    let left = sum
    for (let at = run.start; at < run.end; at = this.payloadEnd) {
      this.look(run, at)
      const length = this.payloadEnd - this.payloadStart
      const size = lengthSize(length) + length
      if (this.pool === undefined || this.pool.length - this.poolLength < size) {
        this.pool = new Uint8Array(Math.max(left, Math.min(poolMax, this.poolLength * 2)))
        this.poolLength = 0
      }
      const place = this.poolLength
      writePacked(this.pool, place, run.bytes, this.payloadStart, this.payloadEnd)
      this.poolLength += size
      left -= size
      const last = kept[kept.length - 1]
      if (last !== undefined && last.bytes === this.pool && last.end === place) {
        last.end += size
        last.payload += length
      } else {
        kept.push({
          bytes: this.pool,
          start: place,
          end: place + size,
          payload: length,
          packed: true,
          gathered: false,
          own: true
        })
      }
    }
    return left
  }
}

const writePacked = (into: Uint8Array, place: number, bytes: Uint8Array, start: number, end: number): void => {
  const length = end - start
  let at = place
  if (length < longLength) into[at++] = length
  else {
    into[at] = longLength
    into[at + 1] = length >>> 24
    into[at + 2] = length >>> 16
    into[at + 3] = length >>> 8
    into[at + 4] = length
    at += longLengthSize
  }
  if (length <= 64) for (let i = start; i < end; i++) into[at++] = bytes[i]!
  else into.set(bytes.subarray(start, end), at)
}

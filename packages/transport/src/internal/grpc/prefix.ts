/**
 * Message prefixes: DATA in, whole messages out. Messages stay in the chunk that brought them;
 * only one that spans two pieces is gathered into a buffer of its own.
 *
 * @internal
 */
import type { Decode } from "../../RawStream.ts"
import { Gathering, giveBack } from "../gather.ts"

/** @internal */
export const prefixLength = 5

/** What to do about compressed messages. Throws where a message cannot be read. @internal */
export interface Expand {
  /** Asked for messages with flag 0 too: an encoding that nobody knows refuses them all. */
  readonly always: boolean
  (bytes: Uint8Array, start: number, end: number): Uint8Array
}

/** Whole messages, one behind the other with their prefixes, in one piece of memory. */
interface Run {
  readonly bytes: Uint8Array
  start: number
  end: number
  /** No foreign bytes are kept alive by it. */
  own: boolean
  /** One message, gathered in a buffer that only it uses. */
  readonly gathered: boolean
}

const poolMax = 16 * 1024
// What a buffer costs beside its bytes: messages below do not get one each, or a peer that sends empty ones byte by
// byte makes us hold sixty times what it sent.
const tiny = 256

const lengthAt = (bytes: Uint8Array, at: number): number =>
  bytes[at + 1]! * 0x1000000 + ((bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!)

/** @internal */
export class Deframer {
  /** Whole messages that are here. */
  available = 0
  /** Payload bytes of the last `take`, after decompression. */
  takenBytes = 0
  /** Of the last message of the last `take`. */
  takenSize = 0
  /** What the last `take` took from the window: payloads as received, with their prefixes. */
  takenWindow = 0
  /** A message claimed more than the limit; nothing behind it is read. */
  refused = false

  private readonly maxMessageSize: number
  private runs: Array<Run> = []
  private first = 0
  private readonly partial = new Gathering()
  /** Bytes of the unfinished message when it will be whole; of its prefix until that is here. */
  private partialTotal = prefixLength
  private pool: Uint8Array | undefined
  private poolLength = 0

  constructor(maxMessageSize: number) {
    this.maxMessageSize = maxMessageSize
  }

  /** Bytes of an unfinished message, its prefix included. */
  get unfinished(): number {
    return this.partial.length
  }

  /** True when a whole prefix came and no byte of its payload: Kitex takes this for a clean end. */
  get barePrefix(): boolean {
    return this.partial.length === prefixLength
  }

  /** Bytes of the unfinished message when it will be whole, prefix included; 0 until its prefix is here. */
  get announced(): number {
    return this.partial.length < prefixLength ? 0 : this.partialTotal
  }

  /** Takes a piece of DATA. True when messages stay in it; what was copied does not keep it. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.refused) return false
    let at = start
    if (this.partial.length > 0) {
      at = this.fill(bytes, at, end)
      if (this.partial.length > 0) return false
    }
    const begin = at
    while (end - at >= prefixLength) {
      const length = lengthAt(bytes, at)
      if (length > this.maxMessageSize) {
        this.addRun(bytes, begin, at, false)
        this.refused = true
        return at > begin
      }
      if (end - at < prefixLength + length) break
      at += prefixLength + length
      this.available++
    }
    this.addRun(bytes, begin, at, false)
    const keeps = at > begin
    if (at < end) this.fill(bytes, at, end)
    return keeps
  }

  private addRun(bytes: Uint8Array, start: number, end: number, gathered: boolean): void {
    if (end === start) return
    const last = this.runs[this.runs.length - 1]
    if (last !== undefined && last.bytes === bytes && last.end === start && !gathered) {
      last.end = end
      last.own = false
    } else this.runs.push({ bytes, start, end, own: gathered && end - start >= tiny, gathered })
  }

  /** Adds to the unfinished message, beginning one if there is none; gives where the next one starts. */
  private fill(bytes: Uint8Array, start: number, end: number): number {
    const { partial } = this
    let at = start
    if (partial.length < prefixLength) {
      if (partial.length === 0) this.partialTotal = prefixLength
      at = Math.min(end, start + prefixLength - partial.length)
      partial.add(bytes, start, at, prefixLength)
      if (partial.length < prefixLength) return at
      const length = lengthAt(partial.bytes, 0)
      if (length > this.maxMessageSize) {
        this.refused = true
        return at
      }
      this.partialTotal = prefixLength + length
    }
    const wanted = Math.min(this.partialTotal - partial.length, end - at)
    partial.add(bytes, at, at + wanted, this.partialTotal)
    if (partial.length === this.partialTotal) {
      this.addRun(partial.release(), 0, this.partialTotal, true)
      this.available++
    }
    return at + wanted
  }

  /**
   * Decodes up to `max` messages. One that fails is gone, and what was taken is counted, when the error passes through.
   */
  take<A>(decode: Decode<A>, max: number, into: Array<A>, expand: Expand): void {
    this.takenBytes = 0
    this.takenSize = 0
    this.takenWindow = 0
    let left = Math.min(max, this.available)
    while (left > 0) {
      const run = this.runs[this.first]!
      const bytes = run.bytes
      while (left > 0 && run.start < run.end) {
        const start = run.start + prefixLength
        const flag = bytes[run.start]!
        const length = lengthAt(bytes, run.start)
        const end = start + length
        // State first: a decoder that throws leaves the stream at the next message.
        run.start = end
        left--
        this.available--
        this.takenWindow += prefixLength + length
        if (run.start === run.end) this.drop()
        if (flag !== 1 && !expand.always) {
          this.takenBytes += length
          this.takenSize = length
          into.push(decode(bytes, start, end))
        } else {
          const plain = expand(bytes, start, end)
          this.takenBytes += plain.length
          this.takenSize = plain.length
          into.push(decode(plain, 0, plain.length))
        }
        if (run.gathered && decode.keepsBytes === false) giveBack(bytes)
      }
    }
  }

  private drop(): void {
    this.first++
    if (this.first === this.runs.length) {
      this.runs = []
      this.first = 0
      this.pool = undefined
    } else if (this.first >= 64 && this.first * 2 >= this.runs.length) {
      this.runs = this.runs.slice(this.first)
      this.first = 0
    }
  }

  /** Bytes that are here and not taken, finished or not. Forgets them. */
  discard(): number {
    let size = this.partial.length
    for (let i = this.first; i < this.runs.length; i++) size += this.runs[i]!.end - this.runs[i]!.start
    this.runs = []
    this.first = 0
    this.available = 0
    this.partial.release()
    this.pool = undefined
    return size
  }

  /**
   * Called when a read is over and its listener has taken what it wanted. What stays may stay long, so small messages
   * are moved out of the large chunks that they would keep alive, and next to each other.
   */
  compact(): void {
    let sum = 0
    for (let i = this.first; i < this.runs.length; i++) {
      const run = this.runs[i]!
      if (!run.own && isSmall(run)) sum += run.end - run.start
    }
    if (sum === 0) return
    const kept: Array<Run> = []
    for (let i = this.first; i < this.runs.length; i++) {
      const run = this.runs[i]!
      if (run.own || !isSmall(run)) {
        run.own = true
        kept.push(run)
        continue
      }
      const size = run.end - run.start
      if (this.pool === undefined || this.pool.length - this.poolLength < size) {
        this.pool = new Uint8Array(Math.max(sum, Math.min(poolMax, this.poolLength * 2)))
        this.poolLength = 0
      }
      this.pool.set(run.bytes.subarray(run.start, run.end), this.poolLength)
      const last = kept[kept.length - 1]
      if (last !== undefined && last.bytes === this.pool && last.end === this.poolLength) last.end += size
      else
        kept.push({ bytes: this.pool, start: this.poolLength, end: this.poolLength + size, own: true, gathered: false })
      this.poolLength += size
      sum -= size
    }
    this.runs = kept
    this.first = 0
  }
}

const isSmall = ({ bytes, end, start }: Run): boolean =>
  end - start < tiny || (end - start) * 4 < bytes.buffer.byteLength

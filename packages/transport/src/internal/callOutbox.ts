/**
 * Messages on their way to the socket, encoded right where they are sent from. Outputs come from a pool that all
 * connections share: a connection that has nothing to send holds none.
 *
 * @internal
 */
import { Output } from "@millrace/codec/Output"
import type { Outbox as OutboxShape } from "./engine.ts"

const outputSize = 64 * 1024
/** Outputs kept for the next connection that writes; those that grew are dear, so few of them. */
const maxPooled = 32
const maxLargePooled = 4
/** A message begins in a new output when less room than this is left: it would be moved when it grows. */
const leastRoom = 8 * 1024

const pool: Array<Output> = []
const largePool: Array<Output> = []

const giveBack = (output: Output): void => {
  output.clear()
  const large = output.buffer.length > outputSize
  if (large ? largePool.length < maxLargePooled : pool.length < maxPooled) (large ? largePool : pool).push(output)
}

/** @internal */
export class CallOutbox implements OutboxShape {
  length = 0
  /** Bytes that were taken since the beginning. */
  taken = 0
  private output: Output | undefined = undefined
  /** Bytes and segments of the output before these are in `chunks`, or were taken. */
  private sealed = 0
  private chunks: Array<Uint8Array> = []
  /** Outputs that chunks refer to and that are written to no more. */
  private readonly spent: Array<Output> = []
  /** How many of them all bytes were taken of. */
  private spentTaken = 0
  private readonly onTaken: (() => void) | undefined

  /** `onTaken`: what was taken is the kernel's. */
  constructor(onTaken?: () => void) {
    this.onTaken = onTaken
  }

  /** Bytes that were written since the beginning. */
  get written(): number {
    return this.taken + this.length
  }

  /** Where the next message is written, from `position` on. Then `commit`, or `rewind` when it failed. */
  open(): Output {
    const output = this.output
    if (output !== undefined) {
      if (output.buffer.length - output.position >= leastRoom) return output
      this.seal()
      this.spent.push(output)
    }
    this.sealed = 0
    return (this.output = largePool.pop() ?? pool.pop() ?? new Output(outputSize))
  }

  /** `size` bytes, segments included, were written to the output. */
  commit(size: number): void {
    this.length += size
  }

  /** Drops what was written since `position` and `segments` of the output were as given. */
  rewind(position: number, segments: number): void {
    const output = this.output!
    output.rewind(position, segments)
    if (position > 0) return
    giveBack(output)
    this.output = undefined
  }

  take(): Array<Uint8Array> | undefined {
    if (this.length === 0) return undefined
    this.seal()
    const chunks = this.chunks
    this.chunks = []
    this.spentTaken = this.spent.length
    this.taken += this.length
    this.length = 0
    return chunks
  }

  recycle(): void {
    // What was written since is still to be taken.
    const free = this.length === 0 ? this.spent.length : this.spentTaken
    if (free > 0) for (const output of this.spent.splice(0, free)) giveBack(output)
    this.spentTaken = 0
    if (this.length === 0 && this.output !== undefined) {
      giveBack(this.output)
      this.output = undefined
    }
    this.onTaken?.()
  }

  /** Forgets what was not taken. */
  discard(): void {
    this.length = 0
    this.chunks = []
    if (this.output === undefined) return
    this.output.segments.length = 0
    this.sealed = this.output.position
  }

  /** Turns what was written since the last seal into chunks. */
  private seal(): void {
    // The first message of a new output could not be encoded.
    if (this.output === undefined) return
    const { buffer, position, segments } = this.output
    let from = this.sealed
    for (const segment of segments) {
      if (segment.at > from) this.chunks.push(buffer.subarray(from, segment.at))
      this.chunks.push(segment.bytes)
      from = segment.at
    }
    segments.length = 0
    if (position > from) this.chunks.push(buffer.subarray(from, position))
    this.sealed = position
  }
}

/**
 * A message that comes in pieces, put together in one buffer. Its announced length is believed only as far as a message
 * of usual size goes; beyond, the buffer grows with the bytes that come.
 *
 * @internal
 */

// A message of 1 MiB and what is around it.
const trusted = 1024 * 1024 + 64 * 1024

// One buffer of a message that nobody refers to any more. Large buffers are dear: each new one brings the next
// collection of garbage nearer.
const spareMin = 32 * 1024
const spareMax = 4 * 1024 * 1024
let spare: Uint8Array | undefined

const gatherBuffer = (size: number): Uint8Array => {
  const found = spare
  if (found === undefined || size < spareMin || found.length < size) return new Uint8Array(size)
  spare = undefined
  return found
}

/** Takes a buffer of `Gathering.release` back for a later message: nobody may refer to it. @internal */
export const giveBack = (buffer: Uint8Array): void => {
  const { length } = buffer
  if (length >= spareMin && length <= spareMax && (spare === undefined || spare.length < length)) spare = buffer
}

/** Two pieces in one. @internal */
export const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

const noBytes = new Uint8Array(0)

/** @internal */
export class Gathering {
  bytes: Uint8Array = noBytes
  /** Bytes that are here. */
  length = 0

  /** Adds bytes. `total`: how long the message will be, as far as is known. */
  add(source: Uint8Array, start: number, end: number, total: number): void {
    const length = this.length + end - start
    if (length > this.bytes.length) {
      this.resize(Math.max(length, Math.min(total, Math.max(trusted, this.bytes.length * 4))))
    }
    if (end - start <= 16) for (let i = start; i < end; i++) this.bytes[this.length + i - start] = source[i]!
    else this.bytes.set(source.subarray(start, end), this.length)
    this.length = length
  }

  private resize(size: number): void {
    const next = gatherBuffer(size)
    next.set(this.bytes.subarray(0, this.length))
    this.bytes = next
  }

  /** Gives the buffer away and begins anew. */
  release(): Uint8Array {
    const given = this.bytes
    this.bytes = noBytes
    this.length = 0
    return given
  }
}

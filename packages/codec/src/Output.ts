/**
 * Where encoders write: a growable run of bytes plus the large binary values that were not copied into it.
 *
 * One `Output` serves many messages, one after the other. Encoders are synchronous, so it is never shared by two
 * messages at a time.
 *
 * @since 0.1.0
 */

/**
 * A large binary value that is kept by reference: its bytes belong before the byte `at` of the buffer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Segment {
  readonly at: number
  readonly bytes: Uint8Array
}

/**
 * The largest buffer that an output keeps for the next message, in bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const keptSize = 4 * 1024 * 1024

/**
 * The output of an encoder. `buffer[0, position)` and `segments` together are what was written so far; generated
 * encoders write into `buffer` directly after they asked for room with `ensure`.
 *
 * @since 0.1.0
 * @category models
 */
export class Output {
  buffer: Uint8Array
  position = 0
  readonly segments: Array<Segment> = []
  /** A view of the whole buffer. */
  view: DataView

  constructor(size = 64 * 1024) {
    this.buffer = allocate(size)
    this.view = viewOf(this.buffer)
  }

  /** Makes room for `size` more bytes. `buffer` and `view` may be others afterwards. */
  ensure(size: number): void {
    if (this.buffer.length - this.position < size) this.grow(size)
  }

  private grow(size: number): void {
    let length = this.buffer.length * 2
    while (length - this.position < size) length *= 2
    const next = allocate(length)
    next.set(this.buffer.subarray(0, this.position))
    this.buffer = next
    this.view = viewOf(next)
  }

  /** What was written so far, in one piece of its own. */
  toBytes(): Uint8Array {
    let length = this.position
    for (const segment of this.segments) length += segment.bytes.length
    const bytes = new Uint8Array(length)
    let from = 0
    let to = 0
    for (const segment of this.segments) {
      bytes.set(this.buffer.subarray(from, segment.at), to)
      to += segment.at - from
      from = segment.at
      bytes.set(segment.bytes, to)
      to += segment.bytes.length
    }
    bytes.set(this.buffer.subarray(from, this.position), to)
    return bytes
  }

  /** Forgets what was written and keeps the buffer, unless it grew beyond `keptSize`. */
  clear(): void {
    this.position = 0
    this.segments.length = 0
    if (this.buffer.length > keptSize) {
      this.buffer = allocate(64 * 1024)
      this.view = viewOf(this.buffer)
    }
  }

  /**
   * Gives the buffer with what was written away and goes on with another one, or a new one of 64 KiB. For those who send
   * large messages without a copy.
   */
  exchange(next?: Uint8Array): Uint8Array {
    const given = this.buffer
    this.position = 0
    this.segments.length = 0
    this.buffer = next ?? allocate(64 * 1024)
    this.view = viewOf(this.buffer)
    return given
  }

  /** Drops everything written since `position` and `segments` were as given. */
  rewind(position: number, segments: number): void {
    this.position = position
    this.segments.length = segments
  }
}

// Buffer's native string writers are the fastest there are; where there is no Buffer a plain array serves.
const allocate = (size: number): Uint8Array =>
  typeof Buffer === "function" ? Buffer.allocUnsafeSlow(size) : new Uint8Array(size)

const viewOf = (buffer: Uint8Array): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)

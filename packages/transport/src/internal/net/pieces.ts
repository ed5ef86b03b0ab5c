/**
 * Large writes, cut into pieces: each that the kernel takes shows that the peer reads.
 *
 * @internal
 */

const pieceSize = 1024 * 1024
/** What goes at once: a message of 1 MiB and what is around it. */
const uncutSize = pieceSize + 64 * 1024

/** @internal */
export class Pieces {
  /** Bytes that were not given away. */
  left: number
  private readonly chunks: ReadonlyArray<Uint8Array>
  private next = 0
  /** Bytes of the next chunk that were given away. */
  private at = 0

  /** `size`: bytes of all chunks. */
  constructor(chunks: ReadonlyArray<Uint8Array>, size: number) {
    this.chunks = chunks
    this.left = size
  }

  static needed(size: number): boolean {
    return size > uncutSize
  }

  /** The next piece. The chunks are not copied. */
  take(): Array<Uint8Array> {
    const piece: Array<Uint8Array> = []
    let room = pieceSize
    while (room > 0 && this.left > 0) {
      const chunk = this.chunks[this.next]!
      const part = chunk.subarray(this.at, this.at + room)
      if (part.length > 0) piece.push(part)
      room -= part.length
      this.left -= part.length
      this.at += part.length
      if (this.at < chunk.length) continue
      this.next++
      this.at = 0
    }
    return piece
  }
}

/**
 * Sending: header blocks at once, payload as the windows of the peer allow. What cannot go waits in its stream; streams
 * that could go take turns, one frame each.
 *
 * @internal
 */
import type { HeaderList } from "./api.ts"
import { ErrorCode, Flag, FrameType, maxInt31, minFrameSize } from "./frames.ts"
import { HpackEncoder } from "./hpackEncoder.ts"
import { bufferSize, copyBytes, type Outbox, takeBuffer } from "./outbox.ts"
import { defaultWindow, type PeerSettings } from "./settings.ts"
import { Event, isClosed, next } from "./states.ts"
import { Ending, Line, Piece, type Stream, type Streams } from "./streams.ts"

/**
 * Payload from this size on goes by reference when nobody writes to it any more: copying it would cost more than a
 * chunk.
 */
const referenceSize = 8 * 1024

/** The largest DATA frame, whatever the peer takes: a turn must stay short. */
const maxDataFrame = 64 * 1024

/** Bytes in the outbox from which streams wait for the next turn: what a write of the socket takes well at once. */
const highWater = 256 * 1024

const smallPiece = 4 * 1024

const noBytes = new Uint8Array(0)

/** @internal */
export class Sender {
  readonly encoder: HpackEncoder
  /** What the peer takes on the connection. */
  window = defaultWindow
  private readonly outbox: Outbox
  private readonly peer: PeerSettings
  private readonly streams: Streams
  private readonly bufferLimit: number
  private readonly ready = new Line()
  /** Streams that only wait for the connection's window. */
  private readonly blocked = new Line()

  constructor(outbox: Outbox, peer: PeerSettings, streams: Streams, bufferLimit: number, secrets: Iterable<string>) {
    this.outbox = outbox
    this.peer = peer
    this.streams = streams
    this.bufferLimit = bufferLimit
    this.encoder = new HpackEncoder(undefined, secrets)
  }

  headers(stream: Stream, headers: HeaderList, endStream: boolean): void {
    stream.answered = true
    this.block(stream.id, headers, endStream)
    this.streams.move(stream, next(stream.state, Event.SendHeaders))
    if (endStream) this.ended(stream)
  }

  data(stream: Stream, bytes: Uint8Array, start: number, end: number, owned: boolean, endStream: boolean): void {
    if (stream.localClosed) return
    stream.answered = true
    if (stream.first === undefined) {
      start = this.direct(stream, bytes, start, end, owned, endStream)
      if (start === end) return
    } else if (start === end && !endStream) {
      return
    }
    if (endStream) stream.ending = Ending.EndStream
    if (start < end) this.enqueue(stream, bytes, start, end, owned)
    this.wake(stream)
  }

  /** Payload in a buffer that is the sender's from here on. */
  lend(stream: Stream, buffer: Uint8Array, end: number, endStream: boolean): void {
    if (stream.localClosed) return
    stream.answered = true
    if (endStream) stream.ending = Ending.EndStream
    this.append(stream, new Piece(buffer, 0, end, false, true))
    this.queued(stream, end)
    this.wake(stream)
  }

  trailers(stream: Stream, headers: HeaderList, thenReset: boolean): void {
    if (stream.localClosed) return
    stream.answered = true
    stream.ending = Ending.Trailers
    stream.trailers = headers
    stream.thenReset = thenReset
    if (stream.first === undefined) this.finish(stream)
  }

  /** WINDOW_UPDATE, or a new SETTINGS_INITIAL_WINDOW_SIZE. False when the window overflows. */
  widen(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment
    if (stream.sendWindow > maxInt31) return false
    this.wake(stream)
    return true
  }

  /** WINDOW_UPDATE of the connection. False when the window overflows. */
  widenConnection(increment: number): boolean {
    this.window += increment
    if (this.window > maxInt31) return false
    for (let stream = this.blocked.shift(); stream !== undefined; stream = this.blocked.shift()) this.wake(stream)
    return true
  }

  pump(): void {
    while (this.outbox.length < highWater) {
      const stream = this.ready.shift()
      if (stream === undefined) return
      this.turn(stream)
    }
  }

  /** What goes straight into the outbox. Gives the place from which the rest must wait: `end` when nothing does. */
  private direct(
    stream: Stream,
    bytes: Uint8Array,
    start: number,
    end: number,
    owned: boolean,
    endStream: boolean
  ): number {
    const outbox = this.outbox
    while (start < end && outbox.length < highWater) {
      const window = Math.min(stream.sendWindow, this.window)
      if (window <= 0) return start
      const frameSize = this.frameSize()
      let grown = outbox.growing(stream.id)
      if (grown >= frameSize) grown = -1
      const size = Math.min(end - start, window, grown < 0 ? frameSize : frameSize - grown)
      const last = endStream && start + size === end
      const byReference = owned && size >= referenceSize
      if (grown >= 0) {
        outbox.extend(bytes, start, start + size, last, byReference)
      } else if (byReference) {
        outbox.dataHeader(stream.id, size, last)
        outbox.reference(bytes, start, start + size)
      } else {
        outbox.data(stream.id, bytes, start, start + size, last)
      }
      stream.sendWindow -= size
      this.window -= size
      start += size
      if (last) this.ended(stream)
    }
    if (start === end && endStream && !stream.localClosed) this.emptyEnd(stream)
    return start
  }

  private emptyEnd(stream: Stream): void {
    if (this.outbox.growing(stream.id) >= 0) this.outbox.extend(noBytes, 0, 0, true, false)
    else this.outbox.dataHeader(stream.id, 0, true)
    this.ended(stream)
  }

  private enqueue(stream: Stream, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (owned && end - start >= referenceSize) this.append(stream, new Piece(bytes, start, end, false, false))
    else for (let at = start; at < end;) at = this.enqueueCopy(stream, bytes, at, end)
    this.queued(stream, end - start)
  }

  private queued(stream: Stream, size: number): void {
    stream.buffered += size
    if (stream.buffered >= this.bufferLimit) stream.full = true
  }

  /** Copies what the last piece still holds, or a new one; gives where the rest begins. */
  private enqueueCopy(stream: Stream, bytes: Uint8Array, start: number, end: number): number {
    let piece = stream.last
    if (piece === undefined || !piece.own || piece.end === piece.bytes.length) {
      // Pieces of one's own grow with the queue: a stream that waits with little holds little.
      const capacity = Math.max(end - start, smallPiece, stream.buffered)
      const pooled = capacity >= bufferSize
      piece = new Piece(pooled ? takeBuffer() : new Uint8Array(capacity), 0, 0, true, pooled)
      this.append(stream, piece)
    }
    const size = Math.min(end - start, piece.bytes.length - piece.end)
    copyBytes(piece.bytes, piece.end, bytes, start, start + size)
    piece.end += size
    return start + size
  }

  private append(stream: Stream, piece: Piece): void {
    if (stream.last === undefined) stream.first = piece
    else stream.last.next = piece
    stream.last = piece
  }

  /** Puts a stream with something to send in line, unless its window is shut. */
  private wake(stream: Stream): void {
    if (stream.line !== undefined || isClosed(stream.state)) return
    if (stream.first === undefined ? stream.ending !== Ending.None && !this.isEnded(stream) : stream.sendWindow > 0) {
      this.ready.push(stream)
    }
  }

  private isEnded(stream: Stream): boolean {
    return next(stream.state, Event.SendEnd) < 0
  }

  /** One frame of a stream, or its end. */
  private turn(stream: Stream): void {
    if (stream.first === undefined) {
      this.finish(stream)
      return
    }
    if (stream.sendWindow <= 0) return
    if (this.window <= 0) {
      this.blocked.push(stream)
      return
    }
    const size = Math.min(stream.buffered, stream.sendWindow, this.window, this.frameSize())
    const last = size === stream.buffered && stream.ending === Ending.EndStream
    this.outbox.dataHeader(stream.id, size, last)
    this.dequeue(stream, size)
    stream.sendWindow -= size
    this.window -= size
    if (last) this.ended(stream)
    else if (stream.first !== undefined) this.wake(stream)
    else if (stream.ending === Ending.Trailers) this.finish(stream)
    if (stream.full && stream.buffered < this.bufferLimit) {
      stream.full = false
      stream.owner?.onWritable()
    }
  }

  /** Moves `size` bytes of a stream's queue into the outbox. */
  private dequeue(stream: Stream, size: number): void {
    stream.buffered -= size
    while (size > 0) {
      const piece = stream.first!
      const part = Math.min(size, piece.end - piece.start)
      if (part >= referenceSize) this.outbox.reference(piece.bytes, piece.start, piece.start + part)
      else this.outbox.bytes(piece.bytes, piece.start, piece.start + part)
      piece.start += part
      size -= part
      if (piece.start < piece.end) continue
      stream.first = piece.next
      if (stream.first === undefined) stream.last = undefined
      if (piece.pooled) this.outbox.spend(piece.bytes)
    }
  }

  /** The queue is empty: the end that waited behind it. */
  private finish(stream: Stream): void {
    if (stream.ending === Ending.Trailers && stream.trailers !== undefined) {
      const trailers = stream.trailers
      stream.trailers = undefined
      this.block(stream.id, trailers, true)
      this.ended(stream)
    } else if (stream.ending === Ending.EndStream && !this.isEnded(stream)) {
      this.emptyEnd(stream)
    }
  }

  /** END_STREAM is in the outbox. */
  private ended(stream: Stream): void {
    if (stream.ending === Ending.None) stream.ending = Ending.EndStream
    this.streams.move(stream, next(stream.state, Event.SendEnd))
    if (!stream.thenReset || isClosed(stream.state)) return
    this.outbox.frame32(FrameType.RstStream, stream.id, ErrorCode.NoError)
    this.streams.move(stream, next(stream.state, Event.SendReset))
  }

  private frameSize(): number {
    return Math.min(this.peer.maxFrameSize, maxDataFrame)
  }

  /** HEADERS, and CONTINUATION where one frame does not hold the block. */
  block(streamId: number, headers: HeaderList, endStream: boolean): void {
    const block = this.encoder.encode(headers)
    const end = endStream ? Flag.EndStream : 0
    let at = Math.min(block.length, minFrameSize)
    const whole = at === block.length
    this.outbox.frame(FrameType.Headers, end | (whole ? Flag.EndHeaders : 0), streamId, block, 0, at)
    while (at < block.length) {
      const to = Math.min(block.length, at + minFrameSize)
      const flags = to === block.length ? Flag.EndHeaders : 0
      this.outbox.frame(FrameType.Continuation, flags, streamId, block, at, to)
      at = to
    }
  }
}

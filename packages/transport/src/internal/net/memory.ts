/**
 * Two sockets joined in memory. A fiber for each direction carries the bytes, so that no write runs the peer's code,
 * and delays are those of the `Clock`.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Socket, SocketEvents } from "./socket.ts"

/** @internal */
export interface Faults {
  /** Sizes of the pieces that arrive, used in turn and again from the first. Default: as written, 64 KiB at most. */
  readonly split?: ReadonlyArray<number> | undefined
  /** Time before each piece. */
  readonly delay?: Duration.Input | undefined
  /** Nothing behind this byte arrives; the connection stays open. */
  readonly stallAt?: number | undefined
  /** Behind this byte the connection breaks, for both ends. */
  readonly cutAt?: number | undefined
}

type Fork = (effect: Effect.Effect<void>) => unknown

/** Bytes in one direction that were written and not read before a writer has to wait, as in a kernel's buffers. */
const capacity = 256 * 1024

/** What one read takes at most, of whatever number of writes, as in Node. */
const readSize = 64 * 1024

class Direction {
  readonly queue: Array<Uint8Array> = []
  size = 0
  /** FIN behind the queue. */
  ended = false
  wake: (() => void) | undefined = undefined
}

/** The bytes of one write in pieces of their own: a kernel copies too, and forgets where one chunk ended. */
const copied = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  let left = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  let piece = new Uint8Array(0)
  let at = 0
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length;) {
      if (at === piece.length) {
        piece = new Uint8Array(Math.min(left, readSize))
        at = 0
        pieces.push(piece)
      }
      const part = chunk.subarray(start, start + piece.length - at)
      piece.set(part, at)
      at += part.length
      start += part.length
      left -= part.length
    }
  }
  return pieces
}

/** @internal */
export class MemorySocket implements Socket {
  readonly peer = { address: "memory" }
  readonly secure = false
  readonly protocol = undefined
  events: SocketEvents | undefined = undefined
  other!: MemorySocket
  paused = false
  closed = false
  /** The FIN of the other end has arrived. */
  peerEnded = false
  /** What this end writes. */
  readonly out = new Direction()
  /** Called once it is closed. */
  onGone: (() => void) | undefined = undefined
  private blocked = false

  get alive(): boolean {
    return !this.closed && !this.peerEnded
  }

  start(events: SocketEvents): void {
    this.events = events
    this.other.out.wake?.()
  }

  write(chunks: Array<Uint8Array>): boolean {
    if (this.closed || this.out.ended) return false
    for (const piece of copied(chunks)) {
      this.out.queue.push(piece)
      this.out.size += piece.length
    }
    this.out.wake?.()
    this.blocked = this.out.size > capacity
    return !this.blocked
  }

  /** Some of what was written has arrived. */
  drained(): void {
    if (!this.blocked || this.out.size > 0 || this.closed) return
    this.blocked = false
    this.events?.onDrain()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.other.out.wake?.()
  }

  end(): void {
    this.out.ended = true
    this.out.wake?.()
    this.closeWithPeer()
  }

  /** Both directions have ended, and nobody takes what is on its way. */
  closeWithPeer(): void {
    if (this.out.ended && this.peerEnded && this.other.closed) this.destroy()
  }

  destroy(): void {
    if (this.closed) return
    this.closed = true
    this.end()
    queueMicrotask(() => {
      this.events?.onClosed()
      this.onGone?.()
    })
    this.other.out.wake?.()
  }

  break(): void {
    if (this.closed) return
    this.events?.onError("the connection was cut")
    this.destroy()
  }
}

const carry = (from: MemorySocket, to: MemorySocket, faults: Faults): Effect.Effect<void> => {
  const { out } = from
  const stallAt = faults.stallAt ?? Infinity
  const cutAt = faults.cutAt ?? Infinity
  const delay = faults.delay === undefined ? Effect.yieldNow : Effect.sleep(Duration.toMillis(faults.delay))
  let position = 0
  let turn = 0
  let done = false

  const ready = () =>
    to.closed || (to.events !== undefined && !to.paused && (out.queue.length > 0 || out.ended) && position < stallAt)
  const parked = Effect.callback<void>((resume) => {
    if (ready()) return resume(Effect.void)
    out.wake = () => {
      if (!ready()) return
      out.wake = undefined
      resume(Effect.void)
    }
  })

  const piece = (): Uint8Array => {
    const sizes = faults.split
    const size = sizes === undefined || sizes.length === 0 ? Infinity : Math.max(1, sizes[turn++ % sizes.length]!)
    const head = out.queue[0]!
    const length = Math.min(head.length, size, stallAt - position, cutAt - position)
    if (length === head.length) out.queue.shift()
    else out.queue[0] = head.subarray(length)
    out.size -= length
    position += length
    return length === head.length ? head : head.slice(0, length)
  }

  const step = Effect.sync(() => {
    if (to.closed) {
      done = true
      from.closeWithPeer()
      return
    }
    if (to.paused) return
    if (position >= cutAt) {
      done = true
      from.break()
      to.break()
      return
    }
    if (out.queue.length > 0) {
      const bytes = piece()
      if (bytes.length > 0) to.events!.onData(bytes)
      if (position >= cutAt) {
        done = true
        from.break()
        to.break()
      } else from.drained()
    } else if (out.ended) {
      done = true
      to.peerEnded = true
      to.events!.onEnd()
      if (from.closed) to.destroy()
      // Both directions ended: the sockets close.
      else if (to.out.ended && to.out.queue.length === 0) {
        from.destroy()
        to.destroy()
      }
    }
  })

  return Effect.whileLoop({
    while: () => !done,
    body: () => Effect.andThen(Effect.andThen(parked, delay), step),
    step: () => {}
  })
}

/** The client's and the server's end. @internal */
export const memoryPipe = (toServer: Faults, toClient: Faults, fork: Fork): readonly [MemorySocket, MemorySocket] => {
  const near = new MemorySocket()
  const far = new MemorySocket()
  near.other = far
  far.other = near
  fork(carry(near, far, toServer))
  fork(carry(far, near, toClient))
  return [near, far]
}

/**
 * Which streams of a connection have a handler. A client that resets a stream may open another at once, while the handler of the
 * first still ends: the new stream waits for it, so that no client makes more handlers run than it may have streams.
 *
 * @internal
 */
import type { RawServerStream } from "../RawStream.ts"

/** @internal */
export class Turns {
  private readonly most: number
  private readonly accept: (stream: RawServerStream) => void
  private readonly waiting = new Set<RawServerStream>()
  private running = 0
  private starting = false

  constructor(most: number, accept: (stream: RawServerStream) => void) {
    this.most = most
    this.accept = accept
  }

  /** Accepts the stream, now or when a handler has ended. */
  take(stream: RawServerStream): void {
    if (this.running >= this.most) this.waiting.add(stream)
    else {
      this.running++
      this.accept(stream)
    }
  }

  /** True when the stream waited, and does so no more. */
  leave(stream: RawServerStream): boolean {
    return this.waiting.delete(stream)
  }

  /** The handler of a stream has ended. */
  giveBack(): void {
    this.running--
    // One that is refused gives back at once.
    if (this.waiting.size === 0 || this.starting) return
    this.starting = true
    try {
      for (const stream of this.waiting) {
        if (this.running >= this.most) break
        this.waiting.delete(stream)
        this.running++
        this.accept(stream)
      }
    } finally {
      this.starting = false
    }
  }
}

/**
 * Bytes of one writer among all that its connection sends: how many of them the kernel has not taken.
 *
 * @internal
 */
import type { CallOutbox } from "../callOutbox.ts"

/** @internal */
export class Share {
  /** In the outbox. */
  private fresh = 0
  /** Taken out of the outbox, and not by the kernel yet. */
  private leaving = 0
  /** `taken` of the outbox when this was looked at last: all that was fresh leaves when it has grown. */
  private takenAt = 0

  get size(): number {
    return this.fresh + this.leaving
  }

  /** `size` bytes were written to the outbox. */
  add(outbox: CallOutbox, size: number): void {
    if (this.takenAt !== outbox.taken) {
      this.leaving += this.fresh
      this.fresh = 0
      this.takenAt = outbox.taken
    }
    this.fresh += size
  }

  /** Everything that was taken out of the outbox is the kernel's. */
  settle(outbox: CallOutbox): void {
    if (this.takenAt !== outbox.taken) {
      this.fresh = 0
      this.takenAt = outbox.taken
    }
    this.leaving = 0
  }
}

/**
 * Messages that nobody has taken, of all streams of a connection. There are no windows: while one stream holds more than it may, or all
 * together do, nothing is read, and who keeps it so is dropped.
 *
 * @internal
 */
import type { StreamingOptions } from "./api.ts"
import { bufferFull, type Fault, type Side } from "./errors.ts"
import type { Inbox } from "./inbox.ts"
import { State } from "./states.ts"

/** A stream, as far as it matters here. @internal */
export interface Holder {
  readonly inbox: Inbox
  readonly state: number
  /** It is full since then, without a break. */
  fullSince: number | undefined
  /** Where it is among those that are over, or -1. */
  leftoverAt: number
  overflow(fault: Fault): void
}

interface Owner {
  now(): number
  /** `full` has changed. */
  onFull(): void
}

type Bounds = Pick<StreamingOptions, "streamBufferLimit" | "streamBufferMessages" | "connectionBufferLimit">

/** @internal */
export class Holdings {
  full = false
  private bytes = 0
  /** All together hold too much since then, without a break. */
  private overSince: number | undefined = undefined
  private readonly fullHolders = new Set<Holder>()
  /** Streams that are over, and of which something is left to take. No `Set`: see `byId.ts`. */
  private readonly leftovers: Array<Holder> = []
  private readonly bounds: Bounds
  private readonly owner: Owner

  constructor(bounds: Bounds, owner: Owner) {
    this.bounds = bounds
    this.owner = owner
  }

  /** Milliseconds since when it is full. A reader that takes a little gets no more time by that: its neighbours wait. */
  get fullSince(): number | undefined {
    let oldest = this.overSince
    for (const { fullSince } of this.fullHolders) {
      if (oldest === undefined || fullSince! < oldest) oldest = fullSince
    }
    return oldest
  }

  /** A stream holds so many bytes more or less. */
  change(holder: Holder, bytes: number): void {
    this.bytes += bytes
    const { inbox } = holder
    // The newest message may exceed the bound.
    const full =
      inbox.bytes - inbox.newest > this.bounds.streamBufferLimit || inbox.available > this.bounds.streamBufferMessages
    if (full || holder.fullSince !== undefined) this.mark(holder, full)
    if (holder.leftoverAt >= 0 && inbox.available === 0) this.leave(holder)
    this.update()
  }

  /** A stream is over: nothing more comes of it, so that nobody waits for it. */
  settle(holder: Holder): void {
    if (holder.inbox.available > 0 && holder.leftoverAt < 0) holder.leftoverAt = this.leftovers.push(holder) - 1
    if (holder.fullSince === undefined) return
    holder.fullSince = undefined
    this.fullHolders.delete(holder)
    this.update()
  }

  private leave(holder: Holder): void {
    const last = this.leftovers.pop()!
    if (last !== holder) {
      this.leftovers[holder.leftoverAt] = last
      last.leftoverAt = holder.leftoverAt
    }
    holder.leftoverAt = -1
  }

  private mark(holder: Holder, full: boolean): void {
    if (!full || holder.state === State.Inactive) {
      holder.fullSince = undefined
      this.fullHolders.delete(holder)
    } else if (holder.fullSince === undefined) {
      holder.fullSince = this.owner.now()
      this.fullHolders.add(holder)
    }
  }

  private update(): void {
    if (this.bytes <= this.bounds.connectionBufferLimit) this.overSince = undefined
    else this.overSince ??= this.owner.now()
    const full = this.overSince !== undefined || this.fullHolders.size > 0
    if (full === this.full) return
    this.full = full
    this.owner.onFull()
  }

  /** It was full for too long: drops what keeps it so. `live`: streams that are not over. */
  drop(side: Side, live: Iterable<Holder>): void {
    const since = this.fullSince
    if (since === undefined) return
    const { connectionBufferLimit, streamBufferLimit, streamBufferMessages } = this.bounds
    // One that filled up later has time left; all that fell behind in one read go together.
    const latest = (since + this.owner.now()) / 2
    for (const holder of this.fullHolders) {
      if (holder.fullSince! > latest) continue
      holder.overflow(
        holder.inbox.available > streamBufferMessages
          ? bufferFull(side, "streamBufferMessages", streamBufferMessages)
          : bufferFull(side, "streamBufferLimit", streamBufferLimit)
      )
    }
    if (this.overSince === undefined || this.overSince > latest) return
    const largest = [...this.leftovers, ...live].sort((a, b) => b.inbox.bytes - a.inbox.bytes)
    for (const holder of largest) {
      if (this.bytes <= connectionBufferLimit) return
      holder.overflow(bufferFull(side, "connectionBufferLimit", connectionBufferLimit))
    }
  }
}

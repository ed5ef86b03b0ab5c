/**
 * Every limit that the engine holds a peer to: name, default, reason, and the counter that shows how near it came. A
 * limit that ends the connection is named in `ConnectionEnd.limit`.
 *
 * @internal
 */

/** @internal */
export interface Limits {
  /**
   * Server: open streams, and handlers that run. More are answered RST_STREAM(REFUSED_STREAM). A reset frees the stream
   * and not its handler: a new stream waits for that (`grpc/turns.ts`), or resets would start handlers without bound. With
   * those whose handler still ends there are twice as many at most. Counter: `refusedStreams`.
   */
  readonly maxConcurrentStreams: number
  /**
   * Bytes of names and values and 32 for each field. Refuses the stream; honest metadata does not come near. Counter:
   * `headerListsTooLarge`.
   */
  readonly maxHeaderListSize: number
  /**
   * Fields of one list: many cheap indexed fields cost more memory than their size says. Counter:
   * `headerListsTooLarge`.
   */
  readonly maxHeaderFields: number
  /** Bytes of one header block before decompression: it is gathered whole. Counter: `headerBlocksTooLarge`. */
  readonly maxHeaderBlockSize: number
  /** CONTINUATION frames of one block (CVE-2024-27316), empty ones too. Counter: `continuationFloods`. */
  readonly maxContinuationFrames: number
  /**
   * Answers of ours (SETTINGS ACK, PING ACK, RST_STREAM) that wait because the peer does not read (CVE-2019-9512).
   * Counter: `controlFloods`.
   */
  readonly maxControlFrames: number
  /**
   * Bytes of ours that wait because the peer does not read (CVE-2019-9517). Payload stops far below this; header blocks
   * and answers do not. Counter: `outboxFloods`.
   */
  readonly maxOutboxBytes: number
  /** Entries of one SETTINGS frame. Counter: `settingsFloods`. */
  readonly maxSettingsEntries: number
  /**
   * SETTINGS frames: burst, and how many more a second (CVE-2019-9515). A peer that tunes windows sends few. Counter:
   * `settingsFloods`.
   */
  readonly settingsBudget: Budget
  /**
   * PINGs without a frame of a stream since the last one. Window probes go with data and are free. Counter:
   * `pingFloods`.
   */
  readonly pingBudget: Budget
  /** DATA frames without payload and without END_STREAM in a row (CVE-2019-9518). Counter: `emptyDataFloods`. */
  readonly maxEmptyDataFrames: number
  /**
   * Server: streams that the client reset before anything was answered (CVE-2023-44487) or made us reset by a broken
   * rule (CVE-2019-9514, CVE-2025-8671). A client that cancels what it has begun to read pays nothing. Counters:
   * `unreadResets`, `streamErrors`; `resetFloods` when the budget is gone.
   */
  readonly resetBudget: Budget
}

/** A token bucket: `burst` at once, `perSecond` refilled. @internal */
export interface Budget {
  readonly burst: number
  readonly perSecond: number
}

/** @internal */
export const defaultLimits: Limits = {
  maxConcurrentStreams: 256,
  maxHeaderListSize: 64 * 1024,
  maxHeaderFields: 256,
  maxHeaderBlockSize: 256 * 1024,
  maxContinuationFrames: 16,
  maxControlFrames: 4096,
  maxOutboxBytes: 8 * 1024 * 1024,
  maxSettingsEntries: 32,
  settingsBudget: { burst: 100, perSecond: 10 },
  pingBudget: { burst: 100, perSecond: 5 },
  maxEmptyDataFrames: 100,
  resetBudget: { burst: 200, perSecond: 100 }
}

/** Bytes of one stream that may wait for the peer's windows before its writer has to. @internal */
export const defaultSendBufferLimit = 64 * 1024

/** Options of which some may be missing, or undefined. @internal */
export type Given<A> = { readonly [K in keyof A]?: A[K] | undefined }

/** @internal */
export const withDefaults = <A extends object>(defaults: A, given: Given<A> = {}): A => {
  const options = { ...defaults }
  for (const key in defaults) options[key] = given[key] ?? defaults[key]
  return options
}

/** How often each limit was met, and what the reset budget was drawn for. @internal */
export class Counters {
  refusedStreams = 0
  headerListsTooLarge = 0
  headerBlocksTooLarge = 0
  continuationFloods = 0
  controlFloods = 0
  outboxFloods = 0
  settingsFloods = 0
  pingFloods = 0
  emptyDataFloods = 0
  resetFloods = 0
  /** Streams that the client reset before anything was answered. */
  unreadResets = 0
  /** Streams that we reset because the peer broke a rule. */
  streamErrors = 0
  /** Streams that the peer reset after it could have read something: free. */
  honestResets = 0
  /** PRIORITY and frames of unknown type: read past. */
  ignoredFrames = 0
}

/** What is left of a {@link Budget}. @internal */
export class Bucket {
  private readonly budget: Budget
  private tokens: number
  private last = 0

  constructor(budget: Budget) {
    this.budget = budget
    this.tokens = budget.burst
  }

  /** False when the budget is gone. `now` in milliseconds. */
  take(now: number): boolean {
    const refill = ((now - this.last) * this.budget.perSecond) / 1000
    if (refill > 0) this.tokens = Math.min(this.budget.burst, this.tokens + refill)
    this.last = now
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }
}

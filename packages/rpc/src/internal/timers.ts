/**
 * Timeouts of many streams on one sleeping fiber. Arming costs a place in a heap, not a fiber; time comes from the
 * `Clock`, so a `TestClock` drives it.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** Something with a due time. `index` is its place in the heap, -1 while it is not armed. @internal */
export interface Timer {
  at: number
  index: number
  /** The time `at` has come. Answers when to fire again, or undefined. */
  fire(now: number): number | undefined
}

// Longer sleeps wrap around in the platform's timers; the sleeper wakes, finds nothing due and sleeps on.
const longestSleep = 0x7fff_ffff

/** @internal */
export class Timers {
  readonly clock: Clock.Clock
  readonly #fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly #heap: Array<Timer> = []
  #sleeper: Fiber.Fiber<void> | undefined
  #wakeAt = Infinity
  #closed = false

  constructor(clock: Clock.Clock, fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>) {
    this.clock = clock
    this.#fork = fork
  }

  /** How many timers are armed. */
  get size(): number {
    return this.#heap.length
  }

  now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Arms a timer, or moves it. */
  arm(timer: Timer, at: number): void {
    if (this.#closed) return
    if (timer.index === -1) {
      timer.at = at
      timer.index = this.#heap.length
      this.#heap.push(timer)
      this.#up(timer)
    } else {
      const earlier = at < timer.at
      timer.at = at
      if (earlier) this.#up(timer)
      else this.#down(timer)
    }
    this.#schedule()
  }

  disarm(timer: Timer): void {
    const index = timer.index
    if (index === -1) return
    timer.index = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#heap[index] = last
    last.index = index
    this.#up(last)
    this.#down(last)
  }

  /** Forgets every timer and ends the sleeper. */
  close(): void {
    this.#closed = true
    for (const timer of this.#heap) timer.index = -1
    this.#heap.length = 0
    this.#sleeper?.interruptUnsafe()
  }

  #schedule(): void {
    const first = this.#heap[0]
    if (first === undefined || first.at >= this.#wakeAt) return
    this.#sleeper?.interruptUnsafe()
    this.#sleep(first.at)
  }

  #sleep(at: number): void {
    this.#wakeAt = at
    // At least one: a timer must not fire inside the call that arms it.
    const millis = Math.min(Math.max(at - this.now(), 1), longestSleep)
    this.#sleeper = this.#fork(Effect.andThen(Effect.sleep(millis), this.#wake))
  }

  readonly #wake = Effect.sync(() => {
    this.#sleeper = undefined
    this.#wakeAt = Infinity
    const now = this.now()
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || this.#closed) return
      if (first.at > now) break
      this.disarm(first)
      const next = first.fire(now)
      if (next !== undefined) this.arm(first, Math.max(next, now + 1))
    }
    if (this.#wakeAt === Infinity) this.#sleep(this.#heap[0]!.at)
  })

  #up(timer: Timer): void {
    const heap = this.#heap
    let index = timer.index
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]!
      if (parent.at <= timer.at) break
      heap[index] = parent
      parent.index = index
      index = above
    }
    heap[index] = timer
    timer.index = index
  }

  #down(timer: Timer): void {
    const heap = this.#heap
    const length = heap.length
    let index = timer.index
    for (;;) {
      let below = index * 2 + 1
      if (below >= length) break
      if (below + 1 < length && heap[below + 1]!.at < heap[below]!.at) below++
      const child = heap[below]!
      if (child.at >= timer.at) break
      heap[index] = child
      child.index = index
      index = below
    }
    heap[index] = timer
    timer.index = index
  }
}

/** Timers that are armed no more when the scope closes. @internal */
export const makeTimers: Effect.Effect<Timers, never, Scope.Scope> = Effect.acquireRelease(
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => new Timers(Context.get(context, Clock.Clock), Effect.runForkWith(context)))
  ),
  (timers) => Effect.sync(() => timers.close())
)

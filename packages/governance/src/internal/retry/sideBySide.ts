/**
 * Attempts side by side: another begins when those before it take long, or, where failures are retried too, when one has failed.
 * The first outcome that is none to retry is that of the call, and interrupts the others.
 *
 * @internal
 */
import type { Attempt } from "@millrace/rpc/CallPolicy"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type Course, explained, type Outcome } from "./course.ts"

class Race {
  readonly #course: Course
  readonly #attempt: Attempt
  readonly #retriesFailures: boolean
  readonly #run: ReturnType<typeof Effect.runForkWith<never>>
  readonly #resume: (effect: Effect.Effect<unknown, unknown>) => void
  readonly #running = new Set<Fiber.Fiber<void>>()
  #begun = 0
  #over = false
  /** Begins the next attempt. */
  #timer: Fiber.Fiber<void> | undefined
  /** The timer waits because of a failure, which its attempt is the answer to. */
  #answers = false

  constructor(
    course: Course,
    attempt: Attempt,
    retriesFailures: boolean,
    resume: (effect: Effect.Effect<unknown, unknown>) => void
  ) {
    this.#course = course
    this.#attempt = attempt
    this.#retriesFailures = retriesFailures
    this.#run = Effect.runForkWith(Fiber.getCurrent()!.context)
    this.#resume = resume
  }

  start(): Effect.Effect<void> | undefined {
    this.#begin()
    return this.#over ? undefined : Effect.suspend(() => this.#stop())
  }

  #begin(): void {
    const number = this.#begun++
    const { delay, sameInstance } = this.#course.plan
    this.#answers = false
    this.#after(delay, () => {
      if (this.#course.beside(this.#begun)) this.#begin()
    })
    let fiber: Fiber.Fiber<void> | undefined
    const watched = Effect.map(Effect.exit(Effect.interruptible(this.#attempt(number, sameInstance))), (outcome) => {
      if (fiber !== undefined) this.#running.delete(fiber)
      if (!this.#over) this.#ended(outcome)
    }).pipe(
      // A rule of the user's threw.
      Effect.catchDefect((defect) => Effect.sync(() => this.#finish(Exit.die(defect))))
    )
    // It never fails: whoever watches fibers would take its failure for one that nobody hears of.
    fiber = this.#run(watched, { uninterruptible: true })
    if (fiber.pollUnsafe() !== undefined) return
    this.#running.add(fiber)
    // Its beginning may have made another end.
    if (this.#over) fiber.interruptUnsafe()
  }

  #ended(outcome: Outcome): void {
    const course = this.#course
    course.ended(outcome)
    if (this.#running.size > 0 && course.isRefusedHere(outcome)) return
    if (!this.#retriesFailures || !course.isRetryable(outcome)) return this.#finish(outcome)
    if (this.#answers) return
    const wait = course.again(this.#begun, outcome)
    if (wait === 0) this.#begin()
    else if (wait !== undefined) {
      this.#answers = true
      this.#after(wait, () => this.#begin())
    } else if (this.#running.size === 0) this.#finish(explained(outcome, course.refusal))
  }

  #after(millis: number, run: () => void): void {
    this.#timer?.interruptUnsafe()
    const waited = Effect.map(Effect.sleep(millis), () => {
      this.#timer = undefined
      run()
    })
    this.#timer = this.#run(waited)
  }

  #finish(outcome: Outcome): void {
    this.#resume(Effect.andThen(this.#stop(), outcome))
  }

  /** Interrupts what runs at once, and gives the wait for its end. */
  #stop(): Effect.Effect<void> {
    this.#over = true
    this.#timer?.interruptUnsafe()
    if (this.#answers) this.#course.unused()
    this.#answers = false
    if (this.#running.size === 0) return Effect.void
    const losers = [...this.#running]
    for (const fiber of losers) fiber.interruptUnsafe()
    return Effect.asVoid(Fiber.awaitAll(losers))
  }
}

/** With `retriesFailures` an attempt also begins when another has failed, as soon as that may be. @internal */
export const sideBySide = (
  course: Course,
  attempt: Attempt,
  retriesFailures: boolean
): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => new Race(course, attempt, retriesFailures, resume).start())

/**
 * Fibers that wait for the same thing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"

/** @internal */
export class Waiters {
  readonly #resumes = new Set<() => void>()

  get size(): number {
    return this.#resumes.size
  }

  /** Waits for the next release, which may be within `begin`. */
  wait(begin?: () => void): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const released = () => resume(Effect.void)
      this.#resumes.add(released)
      begin?.()
      return Effect.sync(() => {
        this.#resumes.delete(released)
      })
    })
  }

  release(): void {
    const resumes = [...this.#resumes]
    this.#resumes.clear()
    for (const resume of resumes) resume()
  }
}

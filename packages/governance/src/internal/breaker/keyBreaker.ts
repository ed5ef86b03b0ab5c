/**
 * The circuit breaker of one key: it refuses calls, and hears how those that it let through went on. One for all calls
 * of the key, so that a call costs no object.
 *
 * @internal
 */
import type { CallEnd, CallObserver } from "@millrace/rpc/CallObserver"
import type { RpcError } from "@millrace/rpc/RpcError"
import { isStream, type RpcInfo } from "@millrace/rpc/RpcInfo"
import { Breaker, type BreakerState, type Limits } from "./breaker.ts"
import { circuitOpen } from "./circuitOpen.ts"
import type { SteadyTime } from "./steadyTime.ts"
import type { Counts } from "./window.ts"

/** What a call came to; `ignore` says nothing about who was called. @internal */
export type Verdict = "success" | "failure" | "timeout" | "ignore"

/** @internal */
export interface KeyLimits extends Limits {
  readonly enable: boolean
}

/** Who hears of keys that come and go, and of what becomes of their breakers. @internal */
export interface Listener {
  added(key: string): void
  removed(key: string): void
  refused(key: string): void
  changed(key: string, from: BreakerState, to: BreakerState, counts: Counts): void
}

/** What the breakers of all keys share. @internal */
export interface Shared {
  /** Those of now. */
  readonly limits: (key: string) => KeyLimits
  readonly classify: (end: CallEnd) => Verdict
  /** Whether streams count by how they end, and not by whether they could be created. */
  readonly streamsCountAtEnd: boolean
  /** Times are those of the clock, which may be set back. */
  readonly time: SteadyTime
  readonly listener: Listener
}

/** @internal */
export class KeyBreaker implements CallObserver {
  readonly key: string
  readonly breaker: Breaker
  usedAt = 0
  readonly #shared: Shared
  #removed = false
  #refusal: RpcError | undefined = undefined
  #refusedPath = ""

  constructor(key: string, shared: Shared) {
    this.key = key
    this.#shared = shared
    this.breaker = new Breaker((from, to, counts) => shared.listener.changed(key, from, to, counts))
  }

  /** Whether a call may run now. Half-open, a yes is the probe. */
  allows(now: number): boolean {
    const { limits, listener, time } = this.#shared
    this.usedAt = time.at(now)
    if (this.breaker.allows(this.usedAt, limits(this.key))) return true
    listener.refused(this.key)
    return false
  }

  /**
   * The error of a call that may not run: the same for all of a method, a client that is refused often has no time for
   * more.
   */
  refusal(info: RpcInfo): RpcError {
    if (this.#refusal === undefined || this.#refusedPath !== info.path) {
      this.#refusedPath = info.path
      this.#refusal = circuitOpen("service", this.key, info)
    }
    return this.#refusal
  }

  created(now: number): void {
    if (!this.#shared.streamsCountAtEnd) this.#count("success", now)
  }

  /** The end of a stream may be hours away: that its server answers is enough for a probe. */
  answered(_millis: number, now: number): void {
    if (this.#shared.streamsCountAtEnd && this.breaker.state === "halfOpen") this.#count("success", now)
  }

  ended(end: CallEnd): void {
    const { classify, streamsCountAtEnd } = this.#shared
    // It has counted when it was created. Unary and PingPong calls only end.
    if (end.created && !streamsCountAtEnd && isStream(end.info)) return
    const verdict = classify(end)
    if (verdict !== "ignore") this.#count(verdict, end.now)
  }

  /** What ends later counts no more. */
  removed(): void {
    this.#removed = true
    this.#shared.listener.removed(this.key)
  }

  /** Of a key that is disabled nothing counts, and its state stays what it is. */
  #count(verdict: Exclude<Verdict, "ignore">, now: number): void {
    const { limits, time } = this.#shared
    const current = limits(this.key)
    if (current.enable && !this.#removed) this.breaker[verdict](time.at(now), current)
  }
}

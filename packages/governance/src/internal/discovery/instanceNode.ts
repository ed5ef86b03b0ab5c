/**
 * What is known here of one instance: how many of our streams and calls are there, and how fast it answers.
 *
 * @internal
 */
import type { CallEnd } from "@millrace/rpc/CallObserver"
import { RpcError } from "@millrace/rpc/RpcError"
import * as Duration from "effect/Duration"
import type { Instance } from "../../Instance.ts"
import type { LatencyOptions, Node } from "../../LoadBalancer.ts"
import { isFault } from "./fault.ts"

/** Finagle's `decayTime`, as a half-life. */
const defaultHalfLife: Duration.Input = 10_000

/** What a failure costs whoever calls, at the least. */
const defaultFailure: Duration.Input = 1_000

/** A clock of milliseconds cannot tell less from nothing, and nothing means that none was measured. */
const least = 0.5

/** @internal */
export class InstanceNode implements Node {
  /** What the list of now says of it. */
  instance: Instance
  readonly address: string
  readonly since: number
  active = 0
  picks = 0
  /** Called when nothing of ours is there any more: it has left the list. */
  onIdle: (() => void) | undefined = undefined
  #halfLife = 0
  #failure = 0
  /** As of the last answer. */
  #measured = 0
  #measuredAt: number
  #pickedAt: number

  constructor(instance: Instance, since: number, latency?: LatencyOptions) {
    this.instance = instance
    this.address = instance.address
    this.since = since
    this.#measuredAt = since
    this.#pickedAt = since
    this.measureBy(latency)
  }

  /** From now on. */
  measureBy(latency: LatencyOptions | undefined): void {
    this.#halfLife = Duration.toMillis(latency?.halfLife ?? defaultHalfLife)
    this.#failure = Duration.toMillis(latency?.failure ?? defaultFailure)
  }

  began(now: number): void {
    this.picks++
    this.active++
    this.#pickedAt = now
  }

  /** The first sign of an answer on a stream. How long the stream then lasts says nothing of the instance. */
  answered(millis: number, now: number): void {
    this.#observe(millis, millis, now)
  }

  ended({ error, info, millis, now, reason }: CallEnd): void {
    this.active--
    if (this.active === 0) this.onIdle?.()
    // Of a stream, the first sign of its answer was measured.
    const whole = info.mode === "unary" || info.mode === "pingPong"
    if (error instanceof RpcError) {
      if (!isFault(error, info)) return
      const waited = whole ? millis : 0
      this.#observe(waited, Math.max(waited, this.#failure), now)
    } else if (whole) {
      // Interrupted, as the slower of a hedged call, it would have taken longer still. A defect of ours says nothing.
      if (reason === "interrupted" ? millis > this.latency(now) : reason === "eof" || error !== undefined) {
        this.#observe(millis, millis, now)
      }
    }
  }

  latency(now: number): number {
    return this.#measured * this.#share(now - Math.max(this.#measuredAt, this.#pickedAt))
  }

  /** What is left of a value after so many milliseconds. */
  #share(elapsed: number): number {
    return elapsed > 0 ? 2 ** (-elapsed / this.#halfLife) : 1
  }

  /**
   * An answer after `millis` that is worth `value`: where it failed, it costs more than its time. The mean goes towards the value,
   * the more so the longer nothing was measured; time that was really waited counts at once.
   */
  #observe(millis: number, value: number, now: number): void {
    const old = this.#measured === 0 ? 0 : this.#share(now - this.#measuredAt)
    this.#measured = Math.max(least, millis, this.#measured * old + value * (1 - old))
    // Also where the clock was set back: a time that is yet to come would let nothing fade until then.
    this.#measuredAt = now
  }
}

/**
 * The metrics of circuit breakers: `kitex.breaker.state` and `kitex.breaker.refusals`. Breakers of several clients that have a key in
 * common are one series: it has the state of the one that lets least through, and is there as long as one of them is.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { perRegistry, register } from "../metrics.ts"
import type { BreakerState } from "./breaker.ts"

const stateNumber = { closed: 0, halfOpen: 1, open: 2 } as const

/** One key of one level, of all panels in a registry of metrics. */
class Series {
  readonly #attributes: Readonly<Record<string, string>>
  readonly #context: Context.Context<never>
  /** Of each panel that has it. */
  readonly #states = new Map<object, BreakerState>()
  readonly #registrations: Array<Metric.Registration>
  #refusals = 0

  constructor(level: string, key: string, context: Context.Context<never>) {
    this.#attributes = { unit: "1", key, level }
    this.#context = context
    const state = Metric.gauge("kitex.breaker.state", {
      description: "State of a circuit breaker: 0 closed, 1 half-open, 2 open",
      attributes: this.#attributes
    })
    this.#registrations = [register(state, context, () => ({ value: this.#widest }))]
  }

  refused(): void {
    if (this.#refusals++ > 0) return
    const refusals = Metric.counter("kitex.breaker.refusals", {
      description: "Calls, or choices of an instance, that a circuit breaker refused",
      attributes: this.#attributes,
      incremental: true
    })
    this.#registrations.push(register(refusals, this.#context, () => ({ count: this.#refusals, incremental: true })))
  }

  /** The state in a panel. */
  set(panel: object, state: BreakerState): void {
    this.#states.set(panel, state)
  }

  /** Whether no panel is left; the series is then gone too. */
  remove(panel: object): boolean {
    this.#states.delete(panel)
    if (this.#states.size > 0) return false
    for (const registration of this.#registrations) registration.remove()
    return true
  }

  get #widest(): number {
    let widest = 0
    for (const state of this.#states.values()) widest = Math.max(widest, stateNumber[state])
    return widest
  }
}

const allSeries = perRegistry(() => new Map<string, Series>())

/** The series of one panel. @internal */
export class BreakerMetrics {
  readonly #level: string
  readonly #context: Context.Context<never>
  /** Of all panels, by level and key. */
  readonly #all: Map<string, Series>
  readonly #byKey = new Map<string, Series>()

  constructor(level: string, context: Context.Context<never>) {
    this.#level = level
    this.#context = context
    this.#all = allSeries(context)
  }

  add(key: string): void {
    const name = this.#name(key)
    let series = this.#all.get(name)
    if (series === undefined) this.#all.set(name, (series = new Series(this.#level, key, this.#context)))
    series.set(this, "closed")
    this.#byKey.set(key, series)
  }

  refused(key: string): void {
    this.#byKey.get(key)?.refused()
  }

  changed(key: string, state: BreakerState): void {
    this.#byKey.get(key)?.set(this, state)
  }

  remove(key: string): void {
    if (this.#byKey.get(key)?.remove(this) === true) this.#all.delete(this.#name(key))
    this.#byKey.delete(key)
  }

  #name(key: string): string {
    return `${this.#level} ${key}`
  }
}

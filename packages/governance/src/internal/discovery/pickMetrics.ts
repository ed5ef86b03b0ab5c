/**
 * How often instances are picked, and how many streams and calls are at each: `kitex.lb.picks` and `kitex.lb.active`. The numbers
 * are those that nodes have anyway, read when somebody asks for metrics: a pick pays nothing for them.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Node } from "../../LoadBalancer.ts"
import { perRegistry, register } from "../metrics.ts"

/** So many instances have series of their own; the others are one. */
const mostInstances = 1000
const other = "_OTHER"

/** The nodes of one instance, of all clients in a registry of metrics. */
class Series {
  readonly #nodes = new Set<Node>()
  readonly #registrations: ReadonlyArray<Metric.Registration>
  /** Picks of nodes that are gone: a counter does not fall as long as it is there. */
  #gone = 0

  constructor(instance: string, context: Context.Context<never>) {
    const attributes = { unit: "1", instance }
    this.#registrations = [
      register(
        Metric.counter("kitex.lb.picks", {
          description: "How often an instance was chosen",
          attributes,
          incremental: true
        }),
        context,
        () => ({ count: this.#sum(this.#gone, "picks"), incremental: true })
      ),
      register(
        Metric.gauge("kitex.lb.active", {
          description: "Streams and calls that are at an instance now",
          attributes
        }),
        context,
        () => ({ value: this.#sum(0, "active") })
      )
    ]
  }

  add(node: Node): void {
    this.#nodes.add(node)
  }

  /** Whether none is left; its series are then gone too. */
  remove(node: Node): boolean {
    this.#nodes.delete(node)
    this.#gone += node.picks
    if (this.#nodes.size > 0) return false
    for (const registration of this.#registrations) registration.remove()
    return true
  }

  #sum(from: number, member: "picks" | "active"): number {
    let sum = from
    for (const node of this.#nodes) sum += node[member]
    return sum
  }
}

const allSeries = perRegistry(() => new Map<string, Series>())

/** @internal */
export class PickMetrics {
  readonly #context: Context.Context<never>
  readonly #series: Map<string, Series>
  readonly #labels = new Map<Node, string>()

  constructor(context: Context.Context<never>) {
    this.#context = context
    this.#series = allSeries(context)
  }

  add(node: Node): void {
    const { address } = node.instance
    const label = this.#series.has(address) || this.#series.size < mostInstances ? address : other
    let series = this.#series.get(label)
    if (series === undefined) this.#series.set(label, (series = new Series(label, this.#context)))
    series.add(node)
    this.#labels.set(node, label)
  }

  remove(node: Node): void {
    const label = this.#labels.get(node)
    if (label === undefined) return
    this.#labels.delete(node)
    if (this.#series.get(label)!.remove(node)) this.#series.delete(label)
  }
}

/**
 * Sizes of messages. Messages come in batches, and a histogram of effect takes one value at a time: this one takes as many
 * equal values as there are, for the price of one.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

const boundaries = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]

/** @internal */
export class Sizes {
  readonly #counts = boundaries.map(() => 0)
  #count = 0
  #sum = 0
  #min = Number.MAX_VALUE
  #max = -Number.MAX_VALUE

  /** Messages that came together: their number and their sum are right, each counts as the mean of them. */
  add(count: number, total: number): void {
    if (count === 0) return
    const size = total / count
    let at = 0
    while (at < boundaries.length && size > boundaries[at]!) at++
    if (at < boundaries.length) this.#counts[at]! += count
    this.#count += count
    this.#sum += total
    if (size < this.#min) this.#min = size
    if (size > this.#max) this.#max = size
  }

  readonly state = (): Metric.HistogramState => {
    let below = 0
    const buckets = boundaries.map((boundary, at) => [boundary, (below += this.#counts[at]!)] as [number, number])
    return { buckets, count: this.#count, min: this.#min, max: this.#max, sum: this.#sum }
  }
}

/** Whoever names a series of a registry for the second time goes on with it. */
const registered = new WeakMap<Metric.MetricRegistry, Map<string, Sizes>>()

/** @internal */
export const sizes = (
  context: Context.Context<never>,
  name: string,
  description: string,
  labels: Readonly<Record<string, string>>
): Sizes => {
  const registry = Context.get(context, Metric.MetricRegistry)
  let series = registered.get(registry)
  if (series === undefined) registered.set(registry, (series = new Map()))
  const key = JSON.stringify([name, labels, Context.get(context, Metric.CurrentMetricAttributes)])
  let made = series.get(key)
  if (made === undefined) {
    series.set(key, (made = new Sizes()))
    const attributes = { unit: "By", ...labels }
    const metric = Metric.histogram(name, { description, attributes, boundaries })
    Metric.registerUnsafe(metric, context, { get: made.state, update: () => {}, modify: () => {} })
  }
  return made
}

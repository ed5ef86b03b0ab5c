/**
 * Metrics of numbers that somebody has anyway, and of what several clients have in common.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/** A metric that is read when somebody asks for it; gives what ends that. @internal */
export const register = <Input, State>(
  metric: Metric.Metric<Input, State>,
  context: Context.Context<never>,
  get: () => State
): Metric.Registration => Metric.registerUnsafe(metric, context, { get, update: () => {}, modify: () => {} })

/** One value for all that measure into one registry of metrics. @internal */
export const perRegistry = <A>(make: () => A): ((context: Context.Context<never>) => A) => {
  const byRegistry = new WeakMap<Metric.MetricRegistry, A>()
  return (context) => {
    const registry = Context.get(context, Metric.MetricRegistry)
    let value = byRegistry.get(registry)
    if (value === undefined) byRegistry.set(registry, (value = make()))
    return value
  }
}

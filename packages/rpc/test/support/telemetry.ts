import { Context, Effect, Fiber, Metric, Option, Tracer } from "effect"
import { Telemetry } from "../../src/index.ts"
import type { Testing } from "../../src/testing/index.ts"
import type { TestHandlers } from "./client.ts"
import { clientOf, pass } from "./client.ts"

/** What one program has told of itself, with a registry of metrics of its own. */
export class Observed {
  readonly spans: Array<Tracer.NativeSpan> = []
  readonly registry: Metric.MetricRegistry = new Map()
  readonly tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      this.spans.push(span)
      return span
    }
  })

  /** Runs as a part of that program. */
  readonly run = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    self.pipe(
      Effect.provideService(Tracer.Tracer, this.tracer),
      Effect.provideService(Metric.MetricRegistry, this.registry)
    )

  span(kind: Tracer.SpanKind, at = 0): Tracer.NativeSpan {
    return this.spans.filter((span) => span.kind === kind)[at]!
  }

  /** All series of a metric. */
  series(id: string): ReadonlyArray<Metric.Metric.Snapshot> {
    return Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, this.registry) as Context.Context<never>).filter(
      (metric) => metric.id === id
    )
  }

  /** The one series with these attributes, others aside. */
  metric(id: string, attributes: Readonly<Record<string, string>> = {}): Metric.Metric.Snapshot["state"] | undefined {
    const found = this.series(id).filter((metric) =>
      Object.entries(attributes).every(([key, value]) => metric.attributes?.[key] === value)
    )
    if (found.length > 1) throw new Error(`${id} has ${found.length} such series`)
    return found[0]?.state
  }

  /** How many values a histogram has, and their sum. */
  sum(
    id: string,
    attributes: Readonly<Record<string, string>> = {}
  ): readonly [count: number, sum: number] | undefined {
    const state = this.metric(id, attributes) as Metric.HistogramState | undefined
    return state === undefined ? undefined : [state.count, Number(state.sum.toFixed(9))]
  }

  count(id: string, attributes: Readonly<Record<string, string>> = {}): number | undefined {
    const state = this.metric(id, attributes)
    return state === undefined ? undefined : Number("count" in state ? state.count : (state as { value: number }).value)
  }
}

/** A client of TestService and its server, both observed. */
export const observed = (
  handlers: Partial<TestHandlers>,
  telemetry: Telemetry.Options = {},
  options: Testing.Options = {}
) =>
  Effect.suspend(() => {
    const told = new Observed()
    return Effect.map(told.run(Effect.provide(clientOf(handlers, options), Telemetry.layer(telemetry))), (client) => ({
      client,
      told
    }))
  })

export const attributesOf = (span: Tracer.NativeSpan): Readonly<Record<string, unknown>> =>
  Object.fromEntries(span.attributes)

/** In the order of time. */
export const eventsOf = (span: Tracer.NativeSpan): ReadonlyArray<readonly [string, number, Record<string, unknown>]> =>
  span.events
    .map(([name, at, attributes]) => [name, Number(at - span.startTime) / 1e6, attributes] as const)
    .sort(([, one], [, other]) => one - other)

export const parentOf = (span: Tracer.NativeSpan): Tracer.AnySpan | undefined => Option.getOrUndefined(span.parent)

/** How long a span was open, in milliseconds, and how it ended. */
export const endOf = (span: Tracer.NativeSpan): readonly [string, number] => {
  if (span.status._tag !== "Ended") return ["open", -1]
  return [span.status.exit._tag, Number(span.status.endTime - span.status.startTime) / 1e6]
}

/** Runs a call while time passes. */
export const timed = <A, E, R>(told: Observed, call: Effect.Effect<A, E, R>, millis = 200) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(told.run(call), { startImmediately: true })
    yield* pass(millis, 5)
    return yield* Fiber.await(fiber)
  })

/**
 * A span without an effect: as `Effect.makeSpan`, for a given context.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

const notRecorded = Context.make(Tracer.DisablePropagation, true)
const noAnnotations = Context.empty()
const none = Option.none<Tracer.AnySpan>()

/** @internal */
export const makeSpan = (
  name: string,
  kind: Tracer.SpanKind,
  context: Context.Context<never>,
  given: Tracer.AnySpan | undefined
): Tracer.Span => {
  const parent = given === undefined ? parentIn(context) : Option.some(given)
  if (!Context.get(context, References.TracerEnabled)) {
    // Those who look in this process see the parent through it; nobody is told of it.
    return new Tracer.NativeSpan({
      name,
      parent,
      annotations: notRecorded,
      links: [],
      startTime: 0n,
      kind,
      sampled: false
    })
  }
  const timed = Context.get(context, References.TracerTimingEnabled)
  const span = Context.get(context, Tracer.Tracer).span({
    name,
    parent,
    annotations: noAnnotations,
    links: [...Context.get(context, References.TracerSpanLinks)],
    startTime: timed ? Context.get(context, Clock.Clock).currentTimeNanosUnsafe() : 0n,
    kind,
    root: false,
    sampled: isSampled(context, parent)
  })
  const annotations = Context.get(context, References.TracerSpanAnnotations)
  for (const key in annotations) span.attribute(key, annotations[key])
  return span
}

/** The nearest span that others may be told of. */
const parentIn = (context: Context.Context<never>): Option.Option<Tracer.AnySpan> => {
  let span = Context.getOrUndefined(context, Tracer.ParentSpan) as Tracer.AnySpan | undefined
  while (span !== undefined && Context.get(span.annotations, Tracer.DisablePropagation)) {
    span = span._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined
  }
  return span === undefined ? none : Option.some(span)
}

const isSampled = (context: Context.Context<never>, parent: Option.Option<Tracer.AnySpan>): boolean => {
  if (Option.isSome(parent) && !parent.value.sampled) return false
  const least = Context.get(context, Tracer.MinimumTraceLevel)
  return least === "All" || !LogLevel.isGreaterThan(least, Context.get(context, Tracer.CurrentTraceLevel))
}

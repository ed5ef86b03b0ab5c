/**
 * Tracers made ready for the calls of one client or server: cut to the level of statistics, and unable to harm a call.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { RpcInfo } from "../RpcInfo.ts"
import { installed, type RpcFinish, type RpcTracer, type StatsLevel } from "../RpcTracer.ts"

/** A tracer whose ends take no effect, as those of ours: it costs the fiber of a call no step. @internal */
export interface DirectTracer extends RpcTracer {
  /** In place of `start`: the context of the call, made from what it was. */
  readonly begin?: (info: RpcInfo, context: Context.Context<never>) => Context.Context<never>
  /** In place of `finish`. */
  readonly end?: (event: RpcFinish) => void
}

/**
 * What a client or server that is built with this context runs in place of the tracers installed there: no hook throws or
 * fails, and the log has a line where one would have. `base` leaves RPCStart and RPCFinish, `disabled` nothing.
 *
 * @internal
 */
export const prepare = (
  context: Context.Context<never>,
  level: StatsLevel | undefined = "detailed"
): ReadonlyArray<DirectTracer> => {
  if (level === "disabled") return []
  return installed(context).map((tracer) => {
    const complain = complaining(context)
    const ends = endsOf(tracer, complain)
    return level === "base" ? ends : Object.assign(ends, hooksOf(tracer, complain))
  })
}

type Complain = (hook: keyof RpcTracer, cause: Cause.Cause<unknown>) => void

/** Says what a tracer does wrong, once for each hook: it may do it for each message. */
const complaining = (context: Context.Context<never>): Complain => {
  const told = new Set<string>()
  return (hook, cause) => {
    if (told.has(hook)) return
    told.add(hook)
    const line = `the hook ${hook} of a tracer failed; calls go on without it, and the log is silent when it fails again`
    Effect.runForkWith(context)(Effect.logWarning(line, cause))
  }
}

const endsOf = (tracer: DirectTracer, complain: Complain): DirectTracer => ({
  ...(tracer.begin !== undefined && {
    begin: (info: RpcInfo, before: Context.Context<never>) => {
      try {
        return tracer.begin!(info, before)
      } catch (thrown) {
        complain("start", Cause.die(thrown))
        return before
      }
    }
  }),
  ...(tracer.end !== undefined && {
    end: guarded(tracer.end.bind(tracer) as Hook, (cause) => complain("finish", cause)) as NonNullable<
      DirectTracer["end"]
    >
  }),
  ...(tracer.start !== undefined && {
    start: (info: RpcInfo) => ignored(() => tracer.start!(info), "start", complain)
  }),
  ...(tracer.finish !== undefined && {
    finish: (event: RpcFinish) => ignored(() => tracer.finish!(event), "finish", complain)
  })
})

const ignored = <A>(
  run: () => Effect.Effect<A>,
  hook: keyof RpcTracer,
  complain: Complain
): Effect.Effect<A | undefined> =>
  Effect.catchCause(Effect.suspend(run), (cause) => {
    if (!Cause.hasInterruptsOnly(cause)) complain(hook, cause)
    return Effect.undefined
  })

const hookNames = [
  "streamStart",
  "streamRecvHeader",
  "handlerStart",
  "handlerFinish",
  "streamSend",
  "streamRecv",
  "sendBlocked",
  "streamFinish"
] as const

/** A hook of one or two parameters: a rest array would be made for each message. */
type Hook = (a: unknown, b: unknown) => void

const hooksOf = (tracer: RpcTracer, complain: Complain): RpcTracer =>
  Object.fromEntries(
    hookNames.flatMap((name) => {
      const hook = tracer[name] as Hook | undefined
      return hook === undefined ? [] : [[name, guarded(hook.bind(tracer), (cause) => complain(name, cause))]]
    })
  )

const guarded =
  (hook: Hook, complain: (cause: Cause.Cause<unknown>) => void): Hook =>
  (a, b) => {
    try {
      hook(a, b)
    } catch (thrown) {
      complain(Cause.die(thrown))
    }
  }

/** Whether neither a start nor a finish takes an effect. @internal */
export const areDirect = (tracers: ReadonlyArray<DirectTracer>): boolean => {
  for (let at = 0; at < tracers.length; at++) {
    const { finish, start } = tracers[at]!
    if (start !== undefined || finish !== undefined) return false
  }
  return true
}

/** The starts of direct tracers. Gives the context of the call. @internal */
export const begin = (
  tracers: ReadonlyArray<DirectTracer>,
  info: RpcInfo,
  context: Context.Context<never>
): Context.Context<never> => {
  for (let at = 0; at < tracers.length; at++) context = tracers[at]!.begin?.(info, context) ?? context
  return context
}

/**
 * Runs the starts in order, each in the context of those before it. Gives the context of the call: that of the fiber, with
 * what they added.
 *
 * @internal
 */
export const start = (tracers: ReadonlyArray<DirectTracer>, info: RpcInfo): Effect.Effect<Context.Context<never>> =>
  Effect.withFiber((fiber) => startFrom(tracers, info, fiber.context, 0))

const startFrom = (
  tracers: ReadonlyArray<DirectTracer>,
  info: RpcInfo,
  context: Context.Context<never>,
  at: number
): Effect.Effect<Context.Context<never>> => {
  for (; at < tracers.length; at++) {
    const tracer = tracers[at]!
    if (tracer.begin !== undefined) context = tracer.begin(info, context)
    if (tracer.start === undefined) continue
    const before = context
    const own = tracer.start(info) as Effect.Effect<Context.Context<never> | undefined>
    return Effect.flatMap(within(own, before), (added) => startFrom(tracers, info, withAll(before, added), at + 1))
  }
  return Effect.succeed(context)
}

const withAll = (
  context: Context.Context<never>,
  added: Context.Context<never> | undefined
): Context.Context<never> => {
  if (added === undefined) return context
  // A merge would copy the whole of the first, which is larger by far.
  for (const [key, value] of added.mapUnsafe) context = Context.addUnsafe(context, key, value)
  return context
}

/** Runs in the context that {@link start} gave. @internal */
export const within = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  context: Context.Context<never> | undefined
): Effect.Effect<A, E, R> =>
  context === undefined ? self : Effect.updateContext(self, (): Context.Context<R> => context as Context.Context<R>)

/** The finishes of direct tracers, last tracer first. @internal */
export const end = (tracers: ReadonlyArray<DirectTracer>, event: RpcFinish): void => {
  for (let at = tracers.length - 1; at >= 0; at--) tracers[at]!.end?.(event)
}

/** Runs the finishes, last tracer first. @internal */
export const finish = (tracers: ReadonlyArray<DirectTracer>, event: RpcFinish): Effect.Effect<void> => {
  let finished: Effect.Effect<void> | undefined
  for (const tracer of tracers) {
    const { end } = tracer
    if (end === undefined && tracer.finish === undefined) continue
    const own = end === undefined ? tracer.finish!(event) : Effect.sync(() => end(event))
    finished = finished === undefined ? Effect.asVoid(own) : Effect.andThen(own, finished)
  }
  return finished ?? Effect.void
}

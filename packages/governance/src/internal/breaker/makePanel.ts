/**
 * Makes a panel whose breakers are seen: their changes as a stream, in metrics, in the log.
 *
 * @internal
 */
import type { CallEnd } from "@millrace/rpc/CallObserver"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { KeyLimits, Verdict } from "./keyBreaker.ts"
import { Panel } from "./panel.ts"
import { Report, type StateChange } from "./report.ts"
import { SteadyTime } from "./steadyTime.ts"

/** So many changes wait for a reader; then the oldest are lost. */
const waitingChanges = 256

/** @internal */
export interface BreakerSettings {
  readonly forAll: KeyLimits
  readonly byKey: ReadonlyMap<string, KeyLimits>
}

interface Options {
  readonly classify: (end: CallEnd) => Verdict
  readonly streamsCountAtEnd: boolean
  readonly maxKeys: number
}

interface Made {
  readonly panel: Panel
  readonly states: Stream.Stream<StateChange>
}

/** @internal */
export const makePanel = Effect.fnUntraced(function* (
  level: StateChange["level"],
  readSettings: () => () => BreakerSettings,
  { classify, maxKeys, streamsCountAtEnd }: Options
): Effect.fn.Return<Made, never, Scope.Scope> {
  if (!(maxKeys >= 1)) throw new Error(`maxKeys of a circuit breaker is ${maxKeys}: give a number from 1 on`)
  const context = yield* Effect.context<never>()
  const clock = Context.get(context, Clock.Clock)
  const changes = yield* Effect.acquireRelease(PubSub.sliding<StateChange>(waitingChanges), PubSub.shutdown)
  const listener = new Report(level, context, changes, () => clock.currentTimeMillisUnsafe())
  const settings = readSettings()
  const limits = (key: string): KeyLimits => {
    const { byKey, forAll } = settings()
    return byKey.size === 0 ? forAll : (byKey.get(key) ?? forAll)
  }
  const shared = { limits, classify, streamsCountAtEnd, time: new SteadyTime(), listener }
  const panel = yield* Effect.acquireRelease(
    Effect.sync(() => new Panel(shared, maxKeys)),
    (panel) => Effect.sync(() => panel.clear())
  )
  return { panel, states: Stream.fromPubSub(changes) }
})

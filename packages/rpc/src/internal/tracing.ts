/**
 * Running tracers: starts in order, finishes in reverse, and whatever a tracer does wrong stays its own affair.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { RpcInfo } from "../RpcInfo.ts"
import type { RpcFinish, RpcTracer } from "../RpcTracer.ts"

/** @internal */
export const start = (tracers: ReadonlyArray<RpcTracer>, info: RpcInfo): Effect.Effect<void> =>
  Effect.forEach(tracers, (tracer) => guard(() => tracer.start?.(info)), { discard: true })

/** @internal */
export const finish = (tracers: ReadonlyArray<RpcTracer>, event: RpcFinish): Effect.Effect<void> =>
  Effect.forEach(tracers.toReversed(), (tracer) => guard(() => tracer.finish?.(event)), { discard: true })

const guard = (run: () => Effect.Effect<void> | undefined): Effect.Effect<void> =>
  Effect.ignoreCause(Effect.suspend(() => run() ?? Effect.void))

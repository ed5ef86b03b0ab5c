/**
 * Defects of fibers that a handler forked. Effect keeps them in the fiber; a server has to say that they happened, and
 * a client must not wait for a handler that waits for a fiber that is dead. The runtime reports the end of every fiber
 * to `Metric.FiberRuntimeMetrics`, which is where we listen.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Metric from "effect/Metric"
import { CurrentCall } from "./currentCall.ts"

/** Watches every fiber, and goes on reporting to whoever listened before. @internal */
export const watch = (outer: Metric.FiberRuntimeMetricsService | undefined): Metric.FiberRuntimeMetricsService => ({
  recordFiberStart(context) {
    outer?.recordFiberStart(context)
    const call = Context.get(context, CurrentCall)
    if (call?.fiber !== undefined && Fiber.getCurrent() !== call.fiber) call.nested = true
  },
  recordFiberEnd(context, exit) {
    outer?.recordFiberEnd(context, exit)
    if (Exit.isSuccess(exit)) return
    const call = Context.get(context, CurrentCall)
    if (call !== undefined && call.fiber?.pollUnsafe() !== exit) call.forkedFailed(exit.cause)
  }
})

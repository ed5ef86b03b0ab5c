/**
 * Defects of fibers that a handler forked. Effect keeps them in the fiber; a server has to say that they happened, and
 * a client must not wait for a handler that waits for a fiber that is dead. The runtime reports the end of every fiber
 * to `Metric.FiberRuntimeMetrics`, which is where we listen.
 *
 * @internal
 */
import type { Metainfo } from "@millrace/transport/Metainfo"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Metric from "effect/Metric"
import type { RpcInfo } from "../RpcInfo.ts"

/** The call that a fiber works for. @internal */
export interface Watched {
  /** Calls that the fiber makes say which method they are made by, and carry its log id. */
  readonly info: RpcInfo
  /** What came with the call. */
  readonly metainfo: Metainfo
  /** The handler's own fiber. */
  readonly fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Set when a fiber of the handler has forked in its turn: whom a defect reaches is then no longer ours to tell. */
  nested: boolean
  /** Puts a value into the answer where it has a place for one; throws for a key that cannot be sent. */
  sendBackwardValue(key: string, value: string): void
  /** A fiber of this call, not the handler's own, has ended with a failure. */
  forkedFailed(cause: Cause.Cause<unknown>): void
}

/** @internal */
export const CurrentCall: Context.Reference<Watched | undefined> = Context.Reference<Watched | undefined>(
  "@millrace/rpc/internal/forkedDefects/CurrentCall",
  { defaultValue: () => undefined }
)

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

/**
 * What every line of log of a handler says: which method, which request. The trace is in the span of the fiber.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as References from "effect/References"
import type { DirectTracer } from "../tracing.ts"
import { printable } from "../printable.ts"
import { namesOf } from "./methods.ts"

// Whoever calls may say anything.
const longestLogId = 256

/** @internal */
export const logs: DirectTracer = {
  begin: (info, context) => {
    if (info.side === "client") return context
    const { method, service } = namesOf(info)
    return Context.add(context, References.CurrentLogAnnotations, {
      ...Context.get(context, References.CurrentLogAnnotations),
      "rpc.service": service,
      "rpc.method": method,
      ...(info.logId !== undefined && { "log.id": printable(info.logId, longestLogId) })
    })
  }
}

/**
 * The public handles of streams.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as ClientStream from "../ClientStream.ts"
import type { Mode } from "../RpcInfo.ts"
import type { ClientCall } from "./clientCall.ts"

/** @internal */
export const handleOf = (mode: Mode, call: ClientCall): ClientStream.Any => {
  const base: ClientStream.Base = {
    cancel: call.cancel,
    finish: call.finishWith,
    header: call.header,
    trailer: call.trailer
  }
  switch (mode) {
    case "server":
      return { ...base, recv: Effect.suspend(() => call.recv()) }
    case "client":
      return {
        ...base,
        send: (message) => call.send(message),
        closeAndRecv: Effect.andThen(call.closeSend, call.response)
      }
    default:
      return {
        ...base,
        send: (message) => call.send(message),
        recv: Effect.suspend(() => call.recv()),
        closeSend: call.closeSend
      }
  }
}

/** What came out of middleware as a handle. The compiler knows, but not of plain JavaScript. @internal */
export const madeByMiddleware = (handle: ClientStream.Any): ClientStream.Any => {
  if (typeof handle === "object" && handle !== null) return handle
  throw new Error(
    `middleware replaced a stream by ${String(handle)}: it has to give the handle of next, or another handle`
  )
}

/**
 * Makes the caller of a client: a wrapped one where something stands around its calls.
 *
 * @internal
 */
import { ClientTransport } from "@millrace/transport/Transport"
import * as Effect from "effect/Effect"
import type * as Service from "../Service.ts"
import type { ClientParts } from "./caller.ts"
import type { AnyOptions } from "./streamSettings.ts"
import { contextOfClient } from "./clientChain.ts"
import { makeClientGovernance } from "./clientGovernance.ts"
import { Hops } from "./hops.ts"
import * as middlewareList from "./middlewareList.ts"
import { PlainCaller } from "./plainCaller.ts"
import { StreamOpener } from "./streamOpener.ts"
import { makeTimers } from "./timers.ts"
import * as tracing from "./tracing.ts"
import { hearsOfMessages } from "./waitingEnd.ts"
import { WrappedCaller } from "./wrappedCaller.ts"

/** @internal */
export const makeCaller = Effect.fnUntraced(function* (service: Service.Any, options: AnyOptions) {
  const transport = yield* ClientTransport
  const context = yield* Effect.context<never>()
  const tracers = tracing.prepare(context, options.statsLevel)
  const runFork = Effect.runForkWith(context)
  const timers = yield* makeTimers
  const warn = (message: string) => void runFork(Effect.logWarning(message))
  const governance = yield* makeClientGovernance(options, transport, timers, runFork)
  const destService = options.destService ?? service.name_
  const { callerName, propagation } = options
  const { around, recv, send } = middlewareList.take("client", options.middleware ?? [], {
    services: [service],
    options: { ...options }
  })
  const parts: ClientParts = {
    service,
    options,
    governance,
    opener: new StreamOpener(options, transport, timers, {
      destService,
      callerName,
      propagation,
      warn,
      hops: new Hops(transport.sentLimits, warn)
    }),
    env: {
      timers,
      messageTracers: tracers.filter(hearsOfMessages),
      recvMiddleware: recv,
      sendMiddleware: send,
      logStall: warn
    },
    tracers,
    middleware: around,
    context: yield* contextOfClient
  }
  const { errorHandler, metaHandlers = [] } = options
  const wraps =
    around.length > 0 ||
    middlewareList.instance(options.instanceMiddleware).length > 0 ||
    errorHandler !== undefined ||
    metaHandlers.some((handler) => handler.onConnectStream !== undefined)
  return wraps ? new WrappedCaller(parts) : new PlainCaller(parts)
})

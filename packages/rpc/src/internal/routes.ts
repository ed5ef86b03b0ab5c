/**
 * From a method and its handler to the effect of one call: what is read first, what the handler gets, where its
 * messages go.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import type { CallError } from "../ClientStream.ts"
import type { Provider, ServerMiddleware } from "../Middleware.ts"
import type * as Public from "../ServerCall.ts"
import type * as Service from "../Service.ts"
import * as forkedDefects from "./forkedDefects.ts"
import * as handlerChain from "./handlerChain.ts"
import type { HandlerChain, SingleCall } from "./handlerChain.ts"
import type { Implementation } from "./implementation.ts"
import * as plans from "./plan.ts"
import type { ServerCall } from "./serverCall.ts"

/** @internal */
export interface Route {
  readonly plan: plans.MethodPlan
  readonly context: Context.Context<never>
  /** Unary, PingPong and oneway: one message each way, and no events of single messages. */
  readonly single: boolean
  /** Whoever looks at a call before it runs sees its request: admission waits for that. */
  readonly showsRequest: boolean
  /** The whole call on a stream, middleware included. */
  readonly main: (call: ServerCall) => Effect.Effect<unknown, unknown>
  /** The same of a method of single messages that is called without a stream. */
  readonly answer: Answer | undefined
}

/** The route of a method of single messages. @internal */
export interface CallRoute extends Route {
  readonly answer: Answer
}

/** A handler and the middleware around it, given the one request. @internal */
export type Answer = (call: SingleCall, request: unknown) => Effect.Effect<unknown, unknown>

type StreamHandler = (input: unknown, call: Public.ServerCall) => Stream.Stream<unknown, unknown>
type EffectHandler = (input: unknown, call: Public.ServerCall) => Effect.Effect<unknown, unknown>
type DuplexHandler = (
  stream: {
    readonly recv: Effect.Effect<unknown, unknown>
    readonly send: (message: unknown) => Effect.Effect<void, unknown>
  },
  call: ServerCall
) => Effect.Effect<void, unknown>

/** The routes of a service by method name. @internal */
export const make = (
  service: Service.Any,
  implementation: Implementation,
  serverContext: Context.Context<never>,
  serverChain: HandlerChain
): ReadonlyMap<string, Route> => {
  checkUses(service, implementation)
  // What handlers were built with beats what the server has.
  const context = contextOf(Context.merge(serverContext, implementation.context))
  const chain = {
    ...serverChain,
    middleware: [
      ...serverChain.middleware,
      ...service.uses.map((used) => provided(Context.getUnsafe(serverContext, used)))
    ]
  }
  const routes = new Map<string, Route>()
  for (const method of service.methods) {
    const handler = implementation.handlers[method.name]
    if (handler === undefined)
      throw new Error(`Service ${service.name_} has no handler of ${method.name}: give toLayer one`)
    const plan = plans.make(service, method)
    routes.set(method.name, routeOf(plan, handler, context, chain))
  }
  return routes
}

const provided = (wrap: Provider<unknown>): ServerMiddleware<unknown> => ({
  kind: "server",
  wrap: (next, info, call) => wrap(next, info, call)
})

// Their types share one key: handlers that count on a middleware would run without it.
const checkUses = (service: Service.Any, { uses }: Implementation): void => {
  const missing = uses.find((used) => !service.uses.includes(used))
  if (missing !== undefined) {
    throw new Error(
      `The handlers of ${service.name_} were made for a service that uses ${missing.key}, the server has ${service.name_} without it: give Server.layer the service whose toLayer made them`
    )
  }
}

/** The context of a handler's fibers: flat, so that what a call adds lies on top of one map. @internal */
export const contextOf = (merged: Context.Context<never>): Context.Context<never> => {
  const watched = Context.add(
    merged,
    Metric.FiberRuntimeMetrics,
    forkedDefects.watch(Context.get(merged, Metric.FiberRuntimeMetrics))
  )
  return Context.makeUnsafe<never>(new Map(watched.mapUnsafe))
}

/** @internal */
export const routeOf = (
  plan: plans.MethodPlan,
  handler: unknown,
  context: Context.Context<never>,
  chain: HandlerChain
): Route => {
  const { mode } = plan.method
  if (mode !== "unary" && mode !== "pingPong" && mode !== "oneway") {
    const main = handlerChain.aroundStream(bodyOf(mode, handler, chain.requestInInfo), plan, chain)
    const showsRequest = mode === "server" && chain.requestInInfo
    return {
      plan,
      context,
      single: false,
      showsRequest,
      main: showsRequest ? requestFirst(main) : main,
      answer: undefined
    }
  }
  const answer = handlerChain.aroundSingle(handler as EffectHandler, plan, chain)
  const streamed = mode === "oneway" ? handlerChain.aroundSingle(oneway(handler as EffectHandler), plan, chain) : answer
  return {
    plan,
    context,
    single: true,
    showsRequest: chain.requestInInfo,
    main: chain.requestInInfo ? requestFirst((call) => streamed(call, call.info.request)) : onStream(streamed),
    answer
  }
}

const bodyOf = (mode: "bidirectional" | "client" | "server", handler: unknown, requestInInfo: boolean): Body => {
  switch (mode) {
    case "bidirectional":
      return typeof handler === "function"
        ? bidirectional(handler as StreamHandler)
        : duplex((handler as { readonly duplex: DuplexHandler }).duplex)
    case "client":
      return clientStreaming(handler as EffectHandler)
    case "server":
      return serverStreaming(handler as StreamHandler, requestInInfo ? requestInfo : requestOf)
  }
}

// --- bodies: handler and stream, without middleware ------------------------------------------------------------------------

type Body = (call: ServerCall) => Effect.Effect<void, unknown>

const requestsOf = (call: ServerCall): Stream.Stream<unknown, CallError> =>
  Stream.fromPull(Effect.succeed(Effect.suspend(() => call.recvAll())))

const bidirectional =
  (handler: StreamHandler): Body =>
  (call) =>
    Stream.runForEachArray(handler(requestsOf(call), call), (batch) => call.sendAll(batch))

const duplex =
  (handler: DuplexHandler): Body =>
  (call) =>
    Effect.catch(
      handler({ recv: Effect.suspend(() => call.recv()), send: (message) => call.send(message) }, call),
      // Receiving past the client's half close ends the call normally.
      (error) => (Cause.isDone(error) ? Effect.void : Effect.fail(error))
    )

const clientStreaming =
  (handler: EffectHandler): Body =>
  (call) =>
    Effect.flatMap(handler(requestsOf(call), call), (response) => call.send(response))

const requestOf = (call: ServerCall): Effect.Effect<unknown, CallError> => call.request()

const requestInfo = (call: ServerCall): Effect.Effect<unknown> => Effect.succeed(call.info.request)

const serverStreaming =
  (handler: StreamHandler, requestOf: (call: ServerCall) => Effect.Effect<unknown, CallError>): Body =>
  (call) =>
    Effect.flatMap(requestOf(call), (request) =>
      Stream.runForEachArray(handler(request, call), (batch) => call.sendAll(batch))
    )

/** The request is read before admission and middleware, which see it. */
const requestFirst =
  (main: Route["main"]): Route["main"] =>
  (call) =>
    Effect.flatMap(call.request(), (request) => {
      call.info.request = request
      const refused = call.admit()
      return refused === undefined ? main(call) : Effect.fail(refused)
    })

// A stream has a status, and nobody waits for what comes behind it.
const oneway =
  (handler: EffectHandler): EffectHandler =>
  (args, call) => {
    ;(call as ServerCall).answerEarly()
    return handler(args, call)
  }

// --- single messages on a stream ---------------------------------------------------------------------------------------------

// As in Kitex the request of a single call is read before middleware, which sees neither a request that does not decode
// nor the text of that.
const onStream =
  (answer: Answer): Route["main"] =>
  (call) =>
    Effect.flatMap(call.request(), (request) => answer(call, request))

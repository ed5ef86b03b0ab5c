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
import type { ServerMiddleware } from "../Middleware.ts"
import type * as Public from "../ServerCall.ts"
import type * as Service from "../Service.ts"
import * as forkedDefects from "./forkedDefects.ts"
import type { Implementation } from "./implementation.ts"
import * as plans from "./plan.ts"
import type { ServerCall } from "./serverCall.ts"

/** @internal */
export interface Route {
  readonly plan: plans.MethodPlan
  readonly context: Context.Context<never>
  /** Unary, PingPong and oneway: one message each way, and no events of single messages. */
  readonly single: boolean
  /** The whole call on a stream, middleware included. */
  readonly main: (call: ServerCall) => Effect.Effect<unknown, unknown>
  /** The same of a PingPong or oneway method that is called without a stream. */
  readonly answer: Answer | undefined
}

/** The route of a PingPong or oneway method. @internal */
export interface CallRoute extends Route {
  readonly answer: Answer
}

/** What a handler of single messages leaves in its call, for whoever answers. @internal */
export interface SingleCall extends Public.ServerCall {
  /** What happens while this is set is the handler's doing: other errors are not business errors. */
  inHandler: boolean
  /** The failure that came out of the handler itself, where middleware may have put another in its place. */
  handlerFailure: unknown
  /** The result of a method that has one, where middleware stands between it and the exit of the fiber. */
  result: plans.Result | undefined
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
  middleware: ReadonlyArray<ServerMiddleware<unknown>>
): ReadonlyMap<string, Route> => {
  // What handlers were built with beats what the server has.
  const context = contextOf(Context.merge(serverContext, implementation.context))
  const routes = new Map<string, Route>()
  for (const method of service.methods) {
    const handler = implementation.handlers[method.name]
    if (handler === undefined)
      throw new Error(`Service ${service.name_} has no handler of ${method.name}: give toLayer one`)
    const plan = plans.make(service, method)
    routes.set(method.name, routeOf(plan, handler, context, middleware))
  }
  return routes
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
  middleware: ReadonlyArray<ServerMiddleware<unknown>>
): Route => {
  const { mode } = plan.method
  if (mode !== "unary" && mode !== "pingPong" && mode !== "oneway") {
    return { plan, context, single: false, main: streaming(bodyOf(mode, handler), middleware), answer: undefined }
  }
  const answer = answering(handler as EffectHandler, plan, middleware)
  return {
    plan,
    context,
    single: true,
    main: onStream(mode === "oneway" ? answering(oneway(handler as EffectHandler), plan, middleware) : answer),
    answer: mode === "unary" ? undefined : answer
  }
}

const bodyOf = (mode: "bidirectional" | "client" | "server", handler: unknown): Body => {
  switch (mode) {
    case "bidirectional":
      return typeof handler === "function"
        ? bidirectional(handler as StreamHandler)
        : duplex((handler as { readonly duplex: DuplexHandler }).duplex)
    case "client":
      return clientStreaming(handler as EffectHandler)
    case "server":
      return serverStreaming(handler as StreamHandler)
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

const serverStreaming =
  (handler: StreamHandler): Body =>
  (call) =>
    Effect.flatMap(call.request(), (request) =>
      Stream.runForEachArray(handler(request, call), (batch) => call.sendAll(batch))
    )

// A stream has a status, and nobody waits for what comes behind it.
const oneway =
  (handler: EffectHandler): EffectHandler =>
  (args, call) => {
    ;(call as ServerCall).answerEarly()
    return handler(args, call)
  }

// --- middleware around them ------------------------------------------------------------------------------------------------

const wrap = (
  middleware: ReadonlyArray<ServerMiddleware<unknown>>,
  inner: Effect.Effect<void, CallError>,
  call: Public.ServerCall
): Effect.Effect<void, CallError> => {
  let next = inner
  // What middleware requires is in the context: the type of the layer asked for it.
  for (let i = middleware.length - 1; i >= 0; i--) {
    next = middleware[i]!.wrap(next, call.info) as Effect.Effect<void, CallError>
  }
  return next
}

type Marked = Pick<SingleCall, "handlerFailure" | "inHandler">

// What fails from here on is middleware's doing, unless it is this very error that passes through.
const leftHandler = (call: Marked): Effect.Effect<void> => {
  call.inHandler = false
  return Effect.void
}

const failedInHandler = (call: Marked, error: unknown): Effect.Effect<never, CallError> => {
  call.handlerFailure = error
  return Effect.fail(error as CallError)
}

const streaming = (body: Body, middleware: ReadonlyArray<ServerMiddleware<unknown>>): Route["main"] => {
  if (middleware.length === 0) {
    return (call) => {
      call.inHandler = true
      return body(call)
    }
  }
  return (call) =>
    wrap(
      middleware,
      Effect.suspend(() => {
        call.inHandler = true
        return Effect.matchEffect(body(call), {
          onSuccess: () => leftHandler(call),
          onFailure: (error) => failedInHandler(call, error)
        })
      }),
      call
    )
}

const answering = (
  handler: EffectHandler,
  plan: plans.MethodPlan,
  middleware: ReadonlyArray<ServerMiddleware<unknown>>
): Answer => {
  if (middleware.length === 0) {
    return (call, request) => {
      call.inHandler = true
      return handler(request, call)
    }
  }
  return (call, request) =>
    wrap(
      middleware,
      Effect.suspend(() => {
        call.inHandler = true
        return answered(handler(request, call), plan, call)
      }),
      call
    )
}

// A function of its own: closures made beside the request would hold it as long as the call runs.
const answered = (
  handler: Effect.Effect<unknown, unknown>,
  plan: plans.MethodPlan,
  call: SingleCall
): Effect.Effect<void, CallError> =>
  Effect.matchEffect(handler, {
    onSuccess: (success) => {
      call.result = plan.method.response === undefined ? {} : { success }
      return leftHandler(call)
    },
    // A declared exception is an answer, not a failure, for whoever stands around the handler.
    onFailure: (error) => {
      const exception = plan.exceptionOf(error)
      if (exception === undefined) return failedInHandler(call, error)
      call.result = { [exception]: error }
      return leftHandler(call)
    }
  })

// As in Kitex the request of a single call is read before middleware, which sees neither a request that does not decode
// nor the text of that.
const onStream =
  (answer: Answer): Route["main"] =>
  (call) =>
    Effect.flatMap(call.request(), (request) => answer(call, request))

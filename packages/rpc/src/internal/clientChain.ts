/**
 * Middleware around the calls of a client: which context it runs in, how a list is put together, and who owns what it
 * leaves behind.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { CallError } from "../ClientStream.ts"
import * as ContextMap from "../ContextMap.ts"
import * as Deadline from "../Deadline.ts"
import type { ClientMiddleware } from "../Middleware.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { type CallBody, Replaced } from "./callBody.ts"
import * as callContext from "./callContext.ts"
import { ranLate } from "./errors.ts"
import { CurrentCall } from "./currentCall.ts"
import { Carried } from "./telemetry/traceContext.ts"

const ofOneCall = Context.omit(
  Scope.Scope,
  Tracer.ParentSpan,
  ContextMap.Current,
  Deadline.Current,
  callContext.Current,
  CurrentCall,
  Carried,
  Replaced,
  References.CurrentLogAnnotations,
  References.CurrentLogSpans,
  References.TracerSpanAnnotations,
  References.TracerSpanLinks
)

/** What the maker of a client had, and its middleware may need; not what belonged to the moment. @internal */
export const contextOfClient: Effect.Effect<Context.Context<never>> = Effect.map(
  Effect.context<never>(),
  (context) => ofOneCall(context as Context.Context<any>) as Context.Context<never>
)

/** Runs in the context of the fiber, and behind it in that of its client. @internal */
export const inContext = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  context: Context.Context<never>
): Effect.Effect<A, E, R> => Effect.updateContext(self, (own: Context.Context<R>) => Context.merge(context, own))

/** The list around `next`, first outermost. What a middleware throws is a defect of the call. @internal */
export const compose = <A>(
  list: ReadonlyArray<ClientMiddleware<unknown>>,
  next: Effect.Effect<A, CallError, Scope.Scope>,
  info: RpcInfo,
  body: CallBody
): Effect.Effect<A, CallError, Scope.Scope> =>
  list.reduceRight<Effect.Effect<A, CallError, Scope.Scope>>(
    // What a middleware requires is in the context of the client: its type asked for it.
    (inner, middleware) => Effect.suspend(() => middleware.wrap(inner, info, body) as typeof next),
    next
  )

/** `next` of a call that ends when its scope closes. @internal */
export const inScope = <A, E, R>(next: Effect.Effect<A, E, R>, scope: Scope.Scope, info: RpcInfo) =>
  Effect.suspend((): Effect.Effect<A, E, R> => (scope.state._tag === "Closed" ? Effect.die(ranLate(info)) : next))

/**
 * The list around the whole of a call of single messages, in a scope that closes when the call ends.
 *
 * @internal
 */
export const wrapCall = <A>(
  list: ReadonlyArray<ClientMiddleware<unknown>>,
  context: Context.Context<never>,
  next: Effect.Effect<A, CallError, Scope.Scope>,
  info: RpcInfo,
  body: CallBody
): Effect.Effect<A, CallError> =>
  Effect.scopedWith((scope) =>
    inContext(Scope.provide(compose(list, inScope(next, scope, info), info, body), scope), context)
  )

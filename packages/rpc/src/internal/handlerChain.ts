/**
 * What stands between a call and its handler: middleware, the error handler, the hooks around the handler itself. Where
 * nothing does, a handler is called as it is.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { ServerMiddleware } from "../Middleware.ts"
import { RpcError, Status } from "../RpcError.ts"
import type { ServerInfo } from "../RpcInfo.ts"
import type * as Public from "../ServerCall.ts"
import { type CallBody, requestOf } from "./callBody.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import { type MethodPlan, type Result, resultOf } from "./plan.ts"
import type { Info } from "./serverInfo.ts"
import { textOf } from "./statuses.ts"

/** @internal */
export interface HandlerChain {
  /** First is outermost: that of the server, then the Layers that the service uses. */
  readonly middleware: ReadonlyArray<ServerMiddleware<unknown>>
  readonly errorHandler: ((error: RpcError, info: ServerInfo) => CallError) | undefined
  /** Hooks outside of middleware, or tracers, tell the handler from what stands around it. */
  readonly watched: boolean
  readonly requestInInfo: boolean
}

/** A call that knows whether its handler is running: only what fails there is a business error. @internal */
export interface HandledCall extends Public.ServerCall {
  readonly info: Info
  readonly lifecycle: Lifecycle | undefined
  /** The code of an error that has none of its own. */
  readonly internalError: number
  /** What the fiber does is the handler's doing. */
  inHandler: boolean
  /** What the handler failed with, where something stands around it that may put another error in its place. */
  handlerFailure: { readonly error: unknown } | undefined
  /** The call is settled. */
  readonly returned: boolean
}

/** A call of single messages: its handler leaves the result here, for whoever answers. @internal */
export interface SingleCall extends HandledCall {
  /** The result of a method that has one, where something stands between it and the exit of the fiber. */
  result: Result | undefined
}

/** A stream, whose handler can run once. @internal */
export interface StreamCall extends HandledCall {
  /** What middleware around messages runs in. */
  context: Context.Context<never>
  handled: boolean
}

/** Whether an error with which the fiber ends is the handler's. @internal */
export const cameFromHandler = (call: HandledCall, error: unknown): boolean =>
  call.inHandler || (call.handlerFailure !== undefined && call.handlerFailure.error === error)

const isEmpty = ({ errorHandler, middleware, watched }: HandlerChain): boolean =>
  middleware.length === 0 && errorHandler === undefined && !watched

/** The handler of a stream. @internal */
export const aroundStream = <C extends StreamCall>(
  body: (call: C) => Effect.Effect<void, unknown>,
  plan: MethodPlan,
  chain: HandlerChain
): ((call: C) => Effect.Effect<void, unknown>) => {
  if (isEmpty(chain)) {
    return (call) => {
      call.inHandler = true
      return body(call)
    }
  }
  return (call) =>
    wrap(
      chain.middleware,
      Effect.withFiber((fiber) => {
        if (call.returned) return Effect.die(errors.ranLate(call.info))
        if (call.handled) return Effect.die(new Error(ranTwice(call.info)))
        call.handled = true
        call.context = fiber.context
        begin(call)
        const handler = running(
          call,
          Effect.suspend(() => body(call))
        )
        return Effect.catchCause(handler, (cause) => fail(call, cause, chain.errorHandler))
      }),
      call,
      { called: plan, request: undefined }
    )
}

/** The handler of a method of single messages, given its request. @internal */
export const aroundSingle = (
  handler: (request: unknown, call: Public.ServerCall) => Effect.Effect<unknown, unknown>,
  plan: MethodPlan,
  chain: HandlerChain
): ((call: SingleCall, request: unknown) => Effect.Effect<unknown, unknown>) => {
  if (isEmpty(chain)) {
    return (call, request) => {
      call.inHandler = true
      return handler(request, call)
    }
  }
  return (call, request) => {
    const body: CallBody = { called: plan, request }
    return wrap(
      chain.middleware,
      Effect.suspend(() => {
        if (call.returned) return Effect.die(errors.ranLate(call.info))
        call.result = undefined
        begin(call)
        return answered(running(call, effectOf(handler, requestOf(body), call)), plan, call, chain.errorHandler)
      }),
      call,
      body
    )
  }
}

const ranTwice = ({ method, service }: ServerInfo): string =>
  `${service}.${method}: a middleware ran next a second time; the handler of a stream runs once, because the messages that it took and sent are gone: let the client call again`

const wrap = (
  middleware: ReadonlyArray<ServerMiddleware<unknown>>,
  inner: Effect.Effect<void, CallError>,
  call: HandledCall,
  body: CallBody
): Effect.Effect<void, CallError> =>
  middleware.reduceRight<Effect.Effect<void, CallError>>(
    // What middleware requires is in the context: the type of the layer asked for it.
    (next, { wrap }) => Effect.suspend(() => wrap(next, call.info, call, body) as Effect.Effect<void, CallError>),
    inner
  )

const begin = (call: HandledCall): void => {
  call.inHandler = true
  call.handlerFailure = undefined
  call.lifecycle?.handlerStart()
}

// Not suspended: that would hold the request.
const effectOf = (
  handler: (request: unknown, call: Public.ServerCall) => Effect.Effect<unknown, unknown>,
  request: unknown,
  call: HandledCall
): Effect.Effect<unknown, unknown> => {
  try {
    return handler(request, call)
  } catch (defect) {
    return Effect.die(defect)
  }
}

// What fails from here on is the doing of others, unless it is the handler's error passing through.
const running = <A>(call: HandledCall, handler: Effect.Effect<A, unknown>): Effect.Effect<A, unknown> =>
  Effect.onExitPrimitive(handler, () => {
    call.inHandler = false
    call.lifecycle?.handlerFinish()
    return undefined
  })

// Functions of their own: closures made beside the request would hold it as long as the call runs.
const answered = (
  handler: Effect.Effect<unknown, unknown>,
  plan: MethodPlan,
  call: SingleCall,
  errorHandler: HandlerChain["errorHandler"]
): Effect.Effect<void, CallError> =>
  Effect.matchCauseEffect(handler, {
    onSuccess: (success) => {
      call.result = resultOf(plan.method, success)
      return Effect.void
    },
    onFailure: (cause) => {
      const failure = errors.causeFailure(cause)
      const exception = failure?.defect === false ? plan.exceptionOf(failure.value) : undefined
      if (exception === undefined) return fail(call, cause, errorHandler)
      // A declared exception is an answer, not a failure, for whoever stands around the handler.
      call.result = { [exception]: failure!.value }
      return Effect.void
    }
  })

const fail = (
  call: HandledCall,
  cause: Cause.Cause<unknown>,
  errorHandler: HandlerChain["errorHandler"]
): Effect.Effect<never, CallError> => {
  const failure = errors.causeFailure(cause)
  if (failure?.defect !== false) return Effect.failCause(cause as Cause.Cause<never>)
  const error = failure.value
  call.handlerFailure = { error }
  if (error instanceof BizStatusError) call.info.bizError = error
  else if (errorHandler !== undefined) return Effect.fail(handledError(call, error, errorHandler))
  return Effect.failCause(cause as Cause.Cause<CallError>)
}

const handledError = (
  call: HandledCall,
  error: unknown,
  errorHandler: NonNullable<HandlerChain["errorHandler"]>
): CallError => {
  const asBusiness = businessError(call, error)
  const given = errorHandler(asBusiness, call.info)
  // What is given back as it came is still the handler's.
  return given === asBusiness ? (error as CallError) : given
}

/** An error of a handler as Kitex shows it to an error handler. */
const businessError = ({ info, internalError }: HandledCall, error: unknown): RpcError => {
  const desc = `biz error: ${textOf(error)}`
  return error instanceof RpcError
    ? errors.error(info, error.code, desc, error.reason)
    : errors.error(info, internalError, desc, new Status({}))
}

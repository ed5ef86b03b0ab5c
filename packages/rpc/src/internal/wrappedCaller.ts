/**
 * Calls with something around them: middleware, hooks, an error handler. Outer to inner: tracers, `middleware`, the choice
 * of an instance, `instanceMiddleware`, `errorHandler`, `metaHandlers`, the raw stream.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { BizStatusError } from "../BizStatusError.ts"
import type * as ClientStream from "../ClientStream.ts"
import type { CallError } from "../ClientStream.ts"
import * as Deadline from "../Deadline.ts"
import { RpcError } from "../RpcError.ts"
import type { CallOptions } from "../StreamOptions.ts"
import type { Admitted } from "./admitted.ts"
import { Caller } from "./caller.ts"
import * as callContext from "./callContext.ts"
import { type CallBody, requestOf } from "./callBody.ts"
import { noOptions } from "./streamSettings.ts"
import { compose, inContext, inScope, wrapCall } from "./clientChain.ts"
import type { ClientInfo } from "./clientInfo.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { connect, handleErrors } from "./connectHooks.ts"
import { Lifecycle } from "./lifecycle.ts"
import { observedCall, observedOutcome, type OverdueError } from "./observedCall.ts"
import { atInstances, type Placement } from "./placement.ts"
import { answerIn, type Result } from "./plan.ts"
import { type HandedOut, StreamAttempts } from "./streamAttempts.ts"
import { handleOf, madeByMiddleware } from "./streamHandles.ts"
import type { Start } from "./streamOpener.ts"
import { tracedCall } from "./tracedCall.ts"
import * as tracing from "./tracing.ts"
import { UnaryCall, type UnaryError } from "./unaryCall.ts"

/** A call on its way through what is around it. */
interface Wrapped {
  readonly method: ClientMethod
  readonly info: ClientInfo
  readonly options: CallOptions
  readonly body: CallBody
  /** Counts from the start of the call: what stands around it takes its time too. */
  readonly deadline: number
  /** The request of a method that has one when it is created. */
  readonly request: unknown
  readonly overdue: OverdueError | undefined
  admitted: Admitted | undefined
}

/** With the fiber that opens: what middleware provided is in its context. */
type StartIn<A> = (
  ...args: [...Parameters<Start<A>>, fiber: Fiber.Fiber<unknown, unknown>, placement: Placement | undefined]
) => A

/** @internal */
export class WrappedCaller extends Caller {
  /** Creates a stream in the scope of the fiber, and gives what middleware made of it. */
  open(
    method: ClientMethod,
    options: CallOptions = noOptions,
    request?: unknown
  ): Effect.Effect<HandedOut, CallError, Scope.Scope> {
    return Effect.withFiber((fiber) => {
      const scope = Context.getUnsafe(fiber.context, Scope.Scope)
      const info = this.ownInfo(method, callContext.logId(fiber), request)
      const call = this.#wrapped(fiber, method, info, options, request, undefined)
      const lifecycle = new Lifecycle(this.tracers, this.env.timers, call.info)
      const attempts = new StreamAttempts(lifecycle, this.env.timers, scope)
      const next = this.#attempt<ClientStream.Any>(call, (open) =>
        open((raw, info, deadline, fiber, placement) =>
          attempts.add(
            (lifecycle) => this.streamCall(fiber, method, raw, info, deadline, options, lifecycle),
            (made) => handleOf(info.mode, made),
            placement
          )
        )
      )
      const { context, middleware } = this.parts
      const wrapped = compose(middleware, inScope(next, attempts.scope, call.info), call.info, call.body)
      const made = Effect.map(wrapped, madeByMiddleware)
      const chain = Effect.suspend(() => {
        const admitted = this.governance.admit(call.info)
        if (admitted instanceof RpcError) return Effect.fail(admitted)
        lifecycle.observer = admitted
        return inContext(Scope.provide(made, attempts.scope), context)
      })
      // Nothing comes between a start and the promise of its finish.
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(lifecycle.start(), (context) =>
          Effect.andThen(
            Scope.addFinalizerExit(scope, attempts.close),
            Effect.flatMap(
              // A call that could not be made is finished where it failed: its scope may live on.
              Effect.onExit(restore(tracing.within(chain, context)), (exit) =>
                Exit.isSuccess(exit) ? Effect.void : attempts.close(exit)
              ),
              (handle) => attempts.handOut(handle)
            )
          )
        )
      )
    })
  }

  override unary(
    method: ClientMethod,
    request: unknown,
    options: CallOptions = noOptions
  ): Effect.Effect<unknown, UnaryError> {
    return Effect.withFiber((fiber) => {
      const info = this.ownInfo(method, callContext.logId(fiber), request)
      if (this.tracers.length === 0) return this.unaryAttempt(fiber, method, request, options, info, undefined)
      const lifecycle = new Lifecycle(this.tracers, this.env.timers, info)
      const answer = this.unaryAttempt(fiber, method, request, options, info, lifecycle)
      return tracedCall(lifecycle, (context) => tracing.within(answer, context))
    })
  }

  override unaryAttempt(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    request: unknown,
    options: CallOptions,
    info: ClientInfo,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<unknown, UnaryError> {
    const call = this.#wrapped(fiber, method, info, options, request, request, lifecycle?.overdue)
    const next = this.#attempt<Result>(call, (open) => this.#whole(call, open, lifecycle))
    const { context, middleware } = this.parts
    const answer = Effect.matchEffect(wrapCall(middleware, context, next, info, call.body), {
      onFailure: (error): Effect.Effect<never, UnaryError> => {
        info.bizError = error instanceof BizStatusError ? error : undefined
        return Effect.fail(error)
      },
      onSuccess: (result): Effect.Effect<unknown, UnaryError> => {
        info.bizError = undefined
        return answerIn(method.plan.exceptions, result)
      }
    })
    return this.governance.admits ? this.#admitted(call, answer) : answer
  }

  #admitted<A>(call: Wrapped, answer: Effect.Effect<A, UnaryError>): Effect.Effect<A, UnaryError> {
    return observedCall(
      () => {
        const admitted = this.governance.admit(call.info)
        if (!(admitted instanceof RpcError)) call.admitted = admitted
        return admitted
      },
      () => answer,
      call.overdue
    )
  }

  #wrapped(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    info: ClientInfo,
    options: CallOptions,
    shown: unknown,
    request: unknown,
    overdue?: OverdueError
  ): Wrapped {
    return {
      method,
      info,
      options,
      body: { called: method.plan, request },
      deadline: this.opener.deadline(fiber, options),
      request: shown,
      overdue,
      admitted: undefined
    }
  }

  /** One run of `next`: it chooses an instance and reaches it. */
  #attempt<A>(
    call: Wrapped,
    reach: (open: <B>(start: StartIn<B>) => Effect.Effect<B, CallError>) => Effect.Effect<A, CallError>
  ): Effect.Effect<A, CallError, Scope.Scope> {
    const { errorHandler, instanceMiddleware = [], metaHandlers = [] } = this.parts.options
    const { body, deadline, info, method, options } = call
    const at = (address: string, placement?: Placement): Effect.Effect<A, CallError, Scope.Scope> =>
      Effect.withFiber((fiber) => {
        method.placed(info, address, fiber)
        // What an attempt before this one ended with.
        info.bizError = undefined
        const open = <B>(start: StartIn<B>): Effect.Effect<B, CallError> =>
          connect(
            metaHandlers,
            Effect.withFiber((fiber) => {
              const due = Math.min(deadline, fiber.getRef(Deadline.Current) ?? Infinity)
              return this.opener.openAt(fiber, method, info, options, address, due, (raw, info, due) =>
                start(raw, info, due, fiber, placement)
              )
            }),
            info
          )
        return compose(instanceMiddleware, handleErrors(errorHandler, reach(open), info), info, body)
      })
    const address = this.governance.fixed(options)
    return address === undefined ? this.#chosen(call, at) : Effect.suspend(() => at(address))
  }

  /** At one instance after the other, until one takes the call. */
  #chosen<A, R>(
    call: Wrapped,
    at: (address: string, placement: Placement) => Effect.Effect<A, CallError, R>
  ): Effect.Effect<A, CallError, R> {
    return Effect.suspend(() => {
      let placement: Placement | undefined
      return Effect.onExitPrimitive(
        Effect.withFiber((fiber) => {
          // Each run of it is an attempt.
          const own = this.governance.placement(call.info, call.request, fiber, call.options, undefined)
          placement = own
          const due = Math.min(call.deadline, fiber.getRef(Deadline.Current) ?? Infinity)
          return atInstances(
            own,
            (address) => at(address, own),
            (choosing) => this.opener.inTime(choosing, due, call.info)
          )
        }),
        (exit) => {
          // The end of a stream is the end of its attempt.
          if (call.info.mode === "unary" || placement?.opened === false)
            placement?.ended(observedOutcome(exit, call.overdue))
          return undefined
        }
      )
    })
  }

  /** The whole of a unary call. */
  #whole(
    call: Wrapped,
    open: <B>(start: StartIn<B>) => Effect.Effect<B, CallError>,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<Result, CallError> {
    return Effect.suspend(() => {
      const { admitted, method, options } = call
      const { onHeader, onTrailer } = options
      const opened: Array<UnaryCall> = []
      let place: Placement | undefined
      const answer = Effect.flatMap(
        open((raw, info, deadline, _fiber, placement) => {
          const budgets = this.opener.settings(options)
          const { timers } = this.env
          const unary = new UnaryCall(info, method.plan, timers, budgets, onHeader, onTrailer, lifecycle, true)
          unary.opened(raw, info, deadline)
          place = placement
          opened.push(unary)
          return unary
        }),
        (unary) => Effect.callback<unknown, UnaryError>((resume) => unary.run(requestOf(call.body), resume))
      ) as Effect.Effect<Result, CallError>
      return Effect.onExit(answer, () => {
        for (const { unsent } of opened) {
          // Another instance may take a call of which nothing was sent.
          if (unsent !== undefined) continue
          place?.connected()
          if (admitted !== undefined) admitted.opened = true
        }
        // A hook may open twice, or fail behind a stream that is open.
        return Effect.forEach(opened, (unary) => unary.cancel, { discard: true })
      })
    })
  }
}

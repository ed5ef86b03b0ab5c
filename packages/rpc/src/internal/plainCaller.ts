/**
 * Calls with nothing around them.
 *
 * @internal
 */
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { CallOptions } from "../StreamOptions.ts"
import { Caller, type ClientParts } from "./caller.ts"
import * as callContext from "./callContext.ts"
import type { ClientCall } from "./clientCall.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { Lifecycle } from "./lifecycle.ts"
import { PlainUnary } from "./plainUnary.ts"
import type { Start } from "./streamOpener.ts"
import { noOptions } from "./streamSettings.ts"
import { tracedCall } from "./tracedCall.ts"
import * as tracing from "./tracing.ts"
import type { UnaryError } from "./unaryCall.ts"
import { finishUnopened } from "./unopened.ts"

/** @internal */
export class PlainCaller extends Caller {
  /** Somebody looks at single calls. */
  readonly #observed: boolean
  /** Rules, and the choice of an instance, may look at a log id. */
  readonly #governed: boolean

  constructor(parts: ClientParts) {
    super(parts)
    this.#observed = this.onMessages || this.tracers.length > 0 || parts.options.requestInInfo === true
    this.#governed = parts.options.endpoints !== undefined || parts.governance.admits
  }

  /** Opens a stream in the scope of the fiber. */
  open(
    method: ClientMethod,
    options: CallOptions = noOptions,
    request?: unknown
  ): Effect.Effect<ClientCall, CallError, Scope.Scope> {
    return Effect.withFiber((fiber) => {
      const scope = Context.getUnsafe(fiber.context, Scope.Scope)
      const info = this.#infoOf(fiber, method, request)
      const lifecycle = new Lifecycle(this.tracers, this.env.timers, info)
      let call: ClientCall | undefined
      const close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
        call === undefined ? finishUnopened(lifecycle, exit) : call.close(exit)
      // The step that opens the raw stream also hands it to the scope: an interruption between the two would leave it
      // open.
      const start = (raw: RawClientStream, info: RpcInfo, deadline: number): ClientCall =>
        (call = this.streamCall(fiber, method, raw, info, deadline, options, lifecycle))
      const address = this.governance.address(options)
      const opened =
        address === undefined
          ? Effect.suspend(() => this.#openGoverned(fiber, method, info, options, request, lifecycle, start))
          : Effect.suspend(() =>
              this.opener.openAt(fiber, method, info, options, address, this.opener.deadline(fiber, options), start)
            )
      if (this.tracers.length === 0 && address !== undefined) {
        return Effect.andThen(Scope.addFinalizerExit(scope, close), opened)
      }
      // Nothing comes between a start and the promise of its finish.
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(lifecycle.start(), (context) =>
          Effect.andThen(
            Scope.addFinalizerExit(scope, close),
            // A call that could not be made is finished where it failed: its scope may live on.
            Effect.onExit(restore(tracing.within(opened, context)), (exit) =>
              Exit.isSuccess(exit) ? Effect.void : finishUnopened(lifecycle, exit)
            )
          )
        )
      )
    })
  }

  #openGoverned<A>(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    info: RpcInfo,
    options: CallOptions,
    request: unknown,
    lifecycle: Lifecycle,
    start: Start<A>
  ): Effect.Effect<A, CallError> {
    const admitted = this.governance.admit(info)
    if (admitted instanceof RpcError) return Effect.fail(admitted)
    const placement = this.governance.placement(info, request, fiber, options, admitted)
    lifecycle.observer = placement
    const placed: Start<A> = (raw, info, deadline) => {
      placement.info = info
      return start(raw, info, deadline)
    }
    return this.opener.open(fiber, method, options, placed, placement, placement.choose())
  }

  override unary(
    method: ClientMethod,
    request: unknown,
    options: CallOptions = noOptions
  ): Effect.Effect<unknown, UnaryError> {
    return Effect.withFiber((fiber) => {
      const info = this.#infoOf(fiber, method, request)
      if (this.tracers.length === 0) return this.#runUnary(fiber, method, info, request, options, undefined)
      const lifecycle = new Lifecycle(this.tracers, this.env.timers, info)
      return tracedCall(lifecycle, (context) =>
        this.#runUnary(fiber, method, info, request, options, lifecycle, context)
      )
    })
  }

  override unaryAttempt(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    request: unknown,
    options: CallOptions,
    info: RpcInfo,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<unknown, UnaryError> {
    return this.#runUnary(fiber, method, info, request, options, lifecycle)
  }

  /**
   * In `context` in place of that of the fiber. Nothing of a call that opens at once runs in it, so it is read and not set: to
   * set it is dear where its span is another one.
   */
  #runUnary(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    info: RpcInfo,
    request: unknown,
    options: CallOptions,
    lifecycle: Lifecycle | undefined,
    context?: Context.Context<never> | undefined
  ): Effect.Effect<unknown, UnaryError> {
    const call = new PlainUnary(
      this.opener,
      this.governance,
      this.env.timers,
      context ?? fiber.context,
      context === undefined ? fiber : new callContext.ContextReader(context),
      method,
      info,
      request,
      options,
      lifecycle
    )
    // The step that admits and opens is also the one that can be interrupted: nothing is left open between two steps.
    return Effect.callback((resume) => call.begin(resume))
  }

  /** Nobody looks at a single call: one object stands for all. */
  #infoOf(fiber: Fiber.Fiber<unknown, unknown>, method: ClientMethod, request: unknown): RpcInfo {
    if (!this.#observed && !this.#governed) return method.unplaced
    const logId = callContext.logId(fiber)
    return logId === undefined && !this.#observed ? method.unplaced : this.ownInfo(method, logId, request)
  }
}

/**
 * A PingPong call where somebody looks at it: middleware around it and around each attempt to reach an instance, tracers,
 * hooks.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { BizStatusError } from "../BizStatusError.ts"
import type { ClientCallOptions } from "../ClientOptions.ts"
import type { CallError } from "../ClientStream.ts"
import * as Deadline from "../Deadline.ts"
import type { ClientMiddleware } from "../Middleware.ts"
import { type CallBody, requestOf } from "./callBody.ts"
import * as callContext from "./callContext.ts"
import type { CallHeaders } from "./callHeaders.ts"
import { compose, wrapCall } from "./clientChain.ts"
import { ClientInfo } from "./clientInfo.ts"
import type { ClientMethod } from "./clientMethod.ts"
import type { Counts } from "./lifecycle.ts"
import { answerOf, PingPongCall } from "./pingPongCall.ts"
import type { CallEnvironment, CallSettings, PingPongError, Whole } from "./pingPongEnvironment.ts"
import type { Result } from "./plan.ts"
import * as replyErrors from "./replyErrors.ts"
import { RpcError } from "../RpcError.ts"
import type { Admitted } from "./admitted.ts"
import { observedCall, overdueAt, type OverdueError } from "./observedCall.ts"
import { atInstances, type Placement } from "./placement.ts"
import { until } from "./until.ts"

/** What a client puts around its calls. @internal */
export interface Surroundings {
  readonly middleware: ReadonlyArray<ClientMiddleware<unknown>>
  readonly instanceMiddleware: ReadonlyArray<ClientMiddleware<unknown>>
  /** That of the client's making. */
  readonly context: Context.Context<never>
  readonly requestInInfo: boolean
}

/** @internal */
export class WholeCall implements Whole, Counts {
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0
  startedAt: number | undefined = undefined
  endsAt = Infinity
  readonly info: ClientInfo
  readonly #env: CallEnvironment
  readonly #surroundings: Surroundings
  readonly #method: ClientMethod
  readonly #headers: CallHeaders
  readonly #options: ClientCallOptions
  readonly #body: CallBody
  #admitted: Admitted | undefined
  /** Of all attempts. */
  #connections = 0
  #overdue: OverdueError | undefined

  constructor(
    env: CallEnvironment,
    surroundings: Surroundings,
    method: ClientMethod,
    headers: CallHeaders,
    options: ClientCallOptions,
    args: unknown,
    fiber: Fiber.Fiber<unknown, unknown>
  ) {
    this.#env = env
    this.#surroundings = surroundings
    this.#method = method
    this.#headers = headers
    this.#options = options
    this.#body = { called: method.plan, request: args }
    this.info = new ClientInfo(method.unplaced, callContext.logId(fiber))
    if (options.transport !== undefined) this.info.protocol = options.transport
    if (surroundings.requestInInfo) this.info.request = args
  }

  run(settings: CallSettings): Effect.Effect<unknown, PingPongError> {
    const { instanceMiddleware, middleware } = this.#surroundings
    const result =
      middleware.length === 0 && instanceMiddleware.length === 0 ? this.#attempt(settings) : this.#wrapped(settings)
    // A declared exception is an answer up to here.
    const answer = Effect.flatMap(result, (result) => {
      this.info.bizError = undefined
      return answerOf(result as Result, this.#method, this.info, this.#env)
    })
    const { governance } = this.#env
    if (!governance.admits) return answer
    return observedCall(
      () => {
        const admitted = governance.admit(this.info)
        if (!(admitted instanceof RpcError)) this.#admitted = admitted
        return admitted
      },
      () => answer
    )
  }

  connected(): void {
    this.#connections++
    if (this.#admitted !== undefined) this.#admitted.opened = true
  }

  disconnected(): void {
    this.#connections--
    if (this.#admitted !== undefined) this.#admitted.opened = this.#connections > 0
  }

  #wrapped(settings: CallSettings): Effect.Effect<unknown, PingPongError> {
    const { context, instanceMiddleware, middleware } = this.#surroundings
    const { info } = this
    const attempt = instanceMiddleware.length === 0 ? this.#attempt(settings) : this.#placed(settings)
    const call = wrapCall(middleware, context, attempt, info, this.#body)
    const limited = Effect.withFiber((fiber) => this.#limited(call, settings, fiber.getRef(Deadline.Current)))
    return Effect.tapError(limited, (error) => {
      // Middleware may have answered with one, or not with that of an attempt.
      info.bizError = error instanceof BizStatusError ? error : undefined
      return Effect.void
    })
  }

  /** `rpcTimeout` covers middleware, as in Kitex, where `rpcTimeoutMW` stands outside of it (`client/client.go`). */
  #limited(
    call: Effect.Effect<unknown, CallError>,
    { rpcTimeout }: CallSettings,
    inherited: number | undefined
  ): Effect.Effect<unknown, PingPongError> {
    const { destService, timers } = this.#env
    if (rpcTimeout === Infinity && inherited === undefined) return call
    const now = timers.now()
    const own = now + rpcTimeout
    const ownTimeout = inherited === undefined || own <= inherited
    const due = ownTimeout ? own : inherited
    const overdue = () =>
      replyErrors.overdue(this.info, destService, rpcTimeout, {
        ownTimeout,
        millis: due - now,
        sent: this.sendCount > 0
      })
    this.startedAt = now
    this.endsAt = due
    this.#overdue = overdueAt(timers, due, overdue)
    return due <= now ? Effect.fail(overdue()) : until(call, timers, due, overdue)
  }

  /** Chooses an instance for the middleware that stands around an attempt to reach it. */
  #placed(settings: CallSettings): Effect.Effect<unknown, CallError, Scope.Scope> {
    const { instanceMiddleware } = this.#surroundings
    const { info } = this
    const at = (address: string, placement?: Placement) => {
      info.address = address
      return compose(instanceMiddleware, this.#send(settings, address, placement), info, this.#body)
    }
    const address = this.#env.governance.fixed(this.#options)
    return address === undefined
      ? this.#chosen((placement) => atInstances(placement, (address) => at(address, placement)))
      : Effect.suspend(() => {
          this.#showRequest()
          return at(address)
        })
  }

  #attempt(settings: CallSettings): Effect.Effect<unknown, CallError> {
    const address = this.#env.governance.fixed(this.#options)
    return address === undefined
      ? this.#chosen((placement) => this.#send(settings, placement, placement))
      : this.#send(settings, address, undefined)
  }

  /** Each run of it is an attempt. */
  #chosen<A, R>(attempt: (placement: Placement) => Effect.Effect<A, CallError, R>): Effect.Effect<A, CallError, R> {
    return Effect.suspend(() =>
      observedCall(
        (fiber) => {
          this.#showRequest()
          return this.#env.governance.placement(this.info, requestOf(this.#body), fiber, this.#options, undefined)
        },
        attempt,
        this.#overdue
      )
    )
  }

  /** As middleware has it by now. */
  #showRequest(): void {
    if (this.#surroundings.requestInInfo) this.info.request = requestOf(this.#body)
  }

  #send(
    settings: CallSettings,
    where: string | Placement,
    placement: Placement | undefined
  ): Effect.Effect<unknown, CallError> {
    return Effect.callback<unknown, PingPongError>((resume) => {
      const fiber = Fiber.getCurrent()!
      const args = requestOf(this.#body)
      this.#showRequest()
      const call = new PingPongCall(
        this.#env,
        this.#method,
        this.#headers,
        settings,
        this.#options,
        args,
        fiber,
        where,
        placement,
        this
      )
      return call.run(resume)
      // Of a whole call, exceptions are answers.
    }) as Effect.Effect<unknown, CallError>
  }
}

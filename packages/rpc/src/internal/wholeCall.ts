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
    const answer =
      middleware.length === 0 && instanceMiddleware.length === 0
        ? this.#attempt(settings, this.#options)
        : this.#wrapped(settings)
    // A declared exception is an answer up to here.
    return Effect.flatMap(answer, (result) => {
      this.info.bizError = undefined
      return answerOf(result as Result, this.#method, this.info, this.#env)
    })
  }

  #wrapped(settings: CallSettings): Effect.Effect<unknown, PingPongError> {
    const { context, instanceMiddleware, middleware } = this.#surroundings
    const { info } = this
    const attempt = instanceMiddleware.length === 0 ? this.#attempt(settings, this.#options) : this.#placed(settings)
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
    return due <= now ? Effect.fail(overdue()) : until(call, timers, due, overdue)
  }

  /** Chooses an instance for the middleware that stands around an attempt to reach it. */
  #placed(settings: CallSettings): Effect.Effect<unknown, CallError, Scope.Scope> {
    const { requestInInfo, instanceMiddleware } = this.#surroundings
    const { info } = this
    return Effect.suspend(() => {
      if (requestInInfo) info.request = requestOf(this.#body)
      const at = (hostPort: string) => {
        info.address = hostPort
        return compose(instanceMiddleware, this.#attempt(settings, { ...this.#options, hostPort }), info, this.#body)
      }
      const picked = this.#options.hostPort ?? this.#env.endpoints.pick(info)
      return typeof picked === "string" ? at(picked) : Effect.flatMap(picked, at)
    })
  }

  #attempt(settings: CallSettings, options: ClientCallOptions): Effect.Effect<unknown, CallError> {
    return Effect.callback<unknown, PingPongError>((resume) => {
      const fiber = Fiber.getCurrent()!
      const args = requestOf(this.#body)
      if (this.#surroundings.requestInInfo) this.info.request = args
      return new PingPongCall(this.#env, this.#method, this.#headers, settings, options, args, fiber, this).run(resume)
      // Of a whole call, exceptions are answers.
    }) as Effect.Effect<unknown, CallError>
  }
}

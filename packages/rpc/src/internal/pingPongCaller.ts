/**
 * What all PingPong calls of one client share, and how a call comes to be.
 *
 * @internal
 */
import type { ConnectionMode, Encoding } from "@millrace/transport/RawCall"
import { ClientTransport } from "@millrace/transport/Transport"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Admission } from "../Admission.ts"
import type { ClientCallOptions, ClientOptions } from "../ClientOptions.ts"
import type { Endpoints } from "../Endpoints.ts"
import type { Made } from "../StreamOptions.ts"
import type * as Method from "../Method.ts"
import type { ForClient } from "../Middleware.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type * as Service from "../Service.ts"
import { inAttempts, type Policies } from "./attempts.ts"
import { millis } from "./budgets.ts"
import * as callContext from "./callContext.ts"
import { CallHeaders } from "./callHeaders.ts"
import { contextOfClient } from "./clientChain.ts"
import { type ClientGovernance, makeClientGovernance } from "./clientGovernance.ts"
import { observedCall } from "./observedCall.ts"
import type { Placement } from "./placement.ts"
import { RpcError } from "../RpcError.ts"
import { ClientInfo } from "./clientInfo.ts"
import { ClientMethod } from "./clientMethod.ts"
import { Hops } from "./hops.ts"
import { Lifecycle } from "./lifecycle.ts"
import { LiveSettings } from "./liveSettings.ts"
import * as middlewareList from "./middlewareList.ts"
import { oneOf } from "./oneOf.ts"
import { PingPongCall } from "./pingPongCall.ts"
import { PolicyOptions } from "./policyOptions.ts"
import type { CallEnvironment, CallSettings, PingPongError } from "./pingPongEnvironment.ts"
import { makeTimers, type Timers } from "./timers.ts"
import { tracedCall } from "./tracedCall.ts"
import * as tracing from "./tracing.ts"
import { type Surroundings, WholeCall } from "./wholeCall.ts"

/** What middleware requires is in the context: whoever made the client was asked for it. */
type AnyOptions = ClientOptions<
  ReadonlyArray<ForClient<unknown>>,
  Made<Endpoints, unknown>,
  ReadonlyArray<Made<Admission, unknown>>
>

const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const connectionModes: ReadonlyArray<ConnectionMode> = ["auto", "pooled", "short", "multiplexed"]

const settingsOf = (options: AnyOptions | ClientCallOptions): CallSettings => ({
  // A timeout of zero has passed: it must not mean "none".
  rpcTimeout: options.rpcTimeout === undefined ? Infinity : Duration.toMillis(options.rpcTimeout),
  connectTimeoutMillis:
    options.connectTimeout === undefined ? undefined : Math.ceil(millis(options.connectTimeout)) || undefined,
  encoding: oneOf("transport", encodings, options.transport ?? "ttheader-framed"),
  connection: oneOf("connection", connectionModes, options.connection ?? "auto")
})

const noOptions: ClientCallOptions = {}

const noMiddleware: ReadonlyArray<never> = []

/** @internal */
export class PingPongCaller {
  readonly #service: Service.Any
  readonly #options: AnyOptions
  readonly #settings: LiveSettings<AnyOptions | ClientCallOptions, CallSettings>
  readonly #env: CallEnvironment
  readonly #tracers: ReadonlyArray<RpcTracer>
  readonly #surroundings: Surroundings

  constructor(
    service: Service.Any,
    options: AnyOptions,
    transport: ClientTransport["Service"],
    governance: ClientGovernance,
    timers: Timers,
    tracers: ReadonlyArray<RpcTracer>,
    context: Context.Context<never>,
    warn: (message: string) => void
  ) {
    const metaHandlers = options.metaHandlers ?? []
    this.#service = service
    this.#options = options
    this.#settings = new LiveSettings<AnyOptions | ClientCallOptions, CallSettings>(options, settingsOf)
    this.#env = {
      transport,
      governance,
      timers,
      destService: options.destService ?? service.name_,
      failsMissingResult: options.missingResult === "fail",
      errorHandler: options.errorHandler,
      writers: metaHandlers.flatMap(({ writeMeta }) => writeMeta ?? []),
      readers: metaHandlers.flatMap(({ readMeta }) => readMeta ?? []),
      hops: new Hops(transport.sentLimits, warn)
    }
    this.#tracers = tracers
    this.#surroundings = {
      // Middleware of messages is for streams.
      middleware: middlewareList.take("client", options.middleware ?? noMiddleware, {
        services: [service],
        options: { ...options }
      }).around,
      instanceMiddleware: middlewareList.instance(options.instanceMiddleware),
      context,
      requestInInfo: options.requestInInfo === true
    }
  }

  /** Whether somebody looks at single calls. */
  get #observed(): boolean {
    const { instanceMiddleware, middleware, requestInInfo } = this.#surroundings
    const { errorHandler, readers, writers } = this.#env
    return (
      this.#tracers.length > 0 ||
      middleware.length > 0 ||
      instanceMiddleware.length > 0 ||
      errorHandler !== undefined ||
      readers.length > 0 ||
      writers.length > 0 ||
      requestInInfo
    )
  }

  /** The function of a PingPong or oneway method. */
  method(method: Method.Any): (args: unknown, options?: ClientCallOptions) => Effect.Effect<unknown, PingPongError> {
    const { callerName = "" } = this.#options
    const called = new ClientMethod(
      this.#service,
      method,
      this.#settings.own.encoding,
      callerName,
      this.#env.destService
    )
    const headers = new CallHeaders(called.unplaced, callerName, this.#env.destService)
    const observed = this.#observed
    const { fallback, retry } = this.#options
    const policies = new PolicyOptions({ fallback, retry })
    return (args, given) => {
      const own = policies.of(given)
      const options = given ?? noOptions
      if (own !== undefined) {
        return Effect.withFiber((fiber) => this.#governed(called, headers, args, options, own, fiber))
      }
      // With a transport of its own a call has an `RpcInfo` of its own.
      return observed || options.transport !== undefined
        ? this.#observe(called, headers, args, options)
        : this.#call(called, headers, args, options)
    }
  }

  #governed(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions,
    policies: Policies,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<unknown, PingPongError> {
    const attempt = (fiber: Fiber.Fiber<unknown, unknown>, _: Lifecycle, hostPort: string | undefined) => {
      const placed = hostPort === undefined ? options : { ...options, hostPort }
      const call = new WholeCall(this.#env, this.#surroundings, method, headers, placed, args, fiber)
      return { info: call.info, counts: call, run: Effect.suspend(() => call.run(this.#settingsFor(options))) }
    }
    const info = new ClientInfo(method.unplaced, callContext.logId(fiber))
    if (options.transport !== undefined) info.protocol = options.transport
    // Policies may look at it.
    info.request = args
    const env = { tracers: this.#tracers, timers: this.#env.timers }
    return inAttempts(env, info, policies, Infinity, attempt) as Effect.Effect<unknown, PingPongError>
  }

  #call(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions
  ): Effect.Effect<unknown, PingPongError> {
    const { governance } = this.#env
    const address = governance.address(options)
    if (address !== undefined) return this.#send(method, headers, args, options, address, undefined)
    return Effect.suspend(() =>
      observedCall(
        (fiber) => {
          const logId = callContext.logId(fiber)
          const info = logId === undefined ? method.unplaced : new ClientInfo(method.unplaced, logId)
          const admitted = governance.admit(info)
          return admitted instanceof RpcError ? admitted : governance.placement(info, args, fiber, options, admitted)
        },
        (placement) => this.#send(method, headers, args, options, placement, placement)
      )
    )
  }

  #send(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions,
    where: string | Placement,
    placement: Placement | undefined
  ): Effect.Effect<unknown, PingPongError> {
    return Effect.callback((resume) => {
      const fiber = Fiber.getCurrent()!
      const settings = this.#settingsFor(options)
      const call = new PingPongCall(this.#env, method, headers, settings, options, args, fiber, where, placement)
      return call.run(resume)
    })
  }

  #observe(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions
  ): Effect.Effect<unknown, PingPongError> {
    return Effect.withFiber((fiber) => {
      const call = new WholeCall(this.#env, this.#surroundings, method, headers, options, args, fiber)
      if (this.#tracers.length === 0) return call.run(this.#settingsFor(options))
      const lifecycle = new Lifecycle(this.#tracers, this.#env.timers, call.info)
      lifecycle.counts = call
      return tracedCall(lifecycle, (context) =>
        tracing.within(
          // What is wrong with the options is the end of a call that tracers have seen.
          Effect.suspend(() => call.run(this.#settingsFor(options))),
          context
        )
      )
    })
  }

  #settingsFor(options: ClientCallOptions): CallSettings {
    return options === noOptions ? this.#settings.own : this.#settings.of(options)
  }
}

/** @internal */
export const makePingPongCaller = Effect.fnUntraced(function* (service: Service.Any, options: AnyOptions) {
  const transport = yield* ClientTransport
  const context = yield* Effect.context<never>()
  const tracers = tracing.prepare(context, options.statsLevel)
  const timers = yield* makeTimers
  const runFork = Effect.runForkWith(context)
  const warn = (message: string) => void runFork(Effect.logWarning(message))
  const governance = yield* makeClientGovernance(options, transport, timers, runFork)
  return new PingPongCaller(service, options, transport, governance, timers, tracers, yield* contextOfClient, warn)
})

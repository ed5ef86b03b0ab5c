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
import type { ClientCallOptions, ClientOptions } from "../ClientOptions.ts"
import * as Endpoints from "../Endpoints.ts"
import type * as Method from "../Method.ts"
import type { ForClient } from "../Middleware.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type * as Service from "../Service.ts"
import { millis } from "./budgets.ts"
import { CallHeaders } from "./callHeaders.ts"
import { contextOfClient } from "./clientChain.ts"
import { ClientMethod } from "./clientMethod.ts"
import { Hops } from "./hops.ts"
import { Lifecycle } from "./lifecycle.ts"
import * as middlewareList from "./middlewareList.ts"
import { oneOf } from "./oneOf.ts"
import { PingPongCall } from "./pingPongCall.ts"
import type { CallEnvironment, CallSettings, PingPongError } from "./pingPongEnvironment.ts"
import { makeTimers, type Timers } from "./timers.ts"
import { tracedCall } from "./tracedCall.ts"
import * as tracing from "./tracing.ts"
import { type Surroundings, WholeCall } from "./wholeCall.ts"

/** What middleware requires is in the context: whoever made the client was asked for it. */
type AnyOptions = ClientOptions<ReadonlyArray<ForClient<unknown>>>

const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const connectionModes: ReadonlyArray<ConnectionMode> = ["auto", "pooled", "short", "multiplexed"]

const settingsOf = (options: AnyOptions | ClientCallOptions): CallSettings => ({
  // A timeout of zero has passed: it must not mean "none".
  rpcTimeout:
    options.rpcTimeout === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(options.rpcTimeout)),
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
  readonly #settings: CallSettings
  readonly #env: CallEnvironment
  readonly #tracers: ReadonlyArray<RpcTracer>
  readonly #surroundings: Surroundings

  constructor(
    service: Service.Any,
    options: AnyOptions,
    transport: ClientTransport["Service"],
    timers: Timers,
    tracers: ReadonlyArray<RpcTracer>,
    context: Context.Context<never>,
    warn: (message: string) => void
  ) {
    const metaHandlers = options.metaHandlers ?? []
    this.#service = service
    this.#options = options
    this.#settings = settingsOf(options)
    this.#env = {
      transport,
      endpoints: options.endpoints ?? Endpoints.fromHostPorts(options.hostPorts ?? ["memory"]),
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
    const called = new ClientMethod(this.#service, method, this.#settings.encoding, callerName, this.#env.destService)
    const headers = new CallHeaders(called.unplaced, callerName, this.#env.destService)
    return this.#observed
      ? (args, options = noOptions) => this.#observe(called, headers, args, options)
      : (args, options = noOptions) =>
          // With a transport of its own a call has an `RpcInfo` of its own.
          options.transport === undefined
            ? this.#call(called, headers, args, options)
            : this.#observe(called, headers, args, options)
  }

  #call(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions
  ): Effect.Effect<unknown, PingPongError> {
    return Effect.callback((resume) => {
      const fiber = Fiber.getCurrent()!
      return new PingPongCall(this.#env, method, headers, this.#settingsFor(options), options, args, fiber).run(resume)
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
    return options === noOptions ? this.#settings : settingsOf({ ...this.#options, ...options })
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
  return new PingPongCaller(service, options, transport, timers, tracers, yield* contextOfClient, warn)
})

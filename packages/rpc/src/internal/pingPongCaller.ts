/**
 * What all PingPong calls of one client share, and how a call comes to be.
 *
 * @internal
 */
import type { ConnectionMode, Encoding } from "@millrace/transport/RawCall"
import { ClientTransport } from "@millrace/transport/Transport"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ClientCallOptions, ClientOptions } from "../ClientOptions.ts"
import * as Deadline from "../Deadline.ts"
import * as Endpoints from "../Endpoints.ts"
import type * as Method from "../Method.ts"
import { type RpcTracer, Tracers } from "../RpcTracer.ts"
import type * as Service from "../Service.ts"
import { millis } from "./budgets.ts"
import { CallHeaders } from "./callHeaders.ts"
import { ClientMethod } from "./clientMethod.ts"
import { Lifecycle } from "./lifecycle.ts"
import { type CallEnvironment, type CallSettings, PingPongCall, type PingPongError } from "./pingPongCall.ts"
import { Timers } from "./timers.ts"
import { tracedCall } from "./tracedCall.ts"

const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const connectionModes: ReadonlyArray<ConnectionMode> = ["auto", "pooled", "short", "multiplexed"]

// The compiler knows, but not of plain JavaScript, nor what a `Config` reads.
const oneOf = <A extends string>(option: string, allowed: ReadonlyArray<A>, value: A): A => {
  if (allowed.includes(value)) return value
  throw new Error(`${option} "${String(value)}" is none of ${allowed.join(", ")}`)
}

const settingsOf = (options: ClientOptions | ClientCallOptions): CallSettings => ({
  // A timeout of zero has passed: it must not mean "none".
  rpcTimeout:
    options.rpcTimeout === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(options.rpcTimeout)),
  connectTimeoutMillis:
    options.connectTimeout === undefined ? undefined : Math.ceil(millis(options.connectTimeout)) || undefined,
  encoding: oneOf("transport", encodings, options.transport ?? "ttheader-framed"),
  connection: oneOf("connection", connectionModes, options.connection ?? "auto")
})

const noOptions: ClientCallOptions = {}

/** @internal */
export class PingPongCaller {
  readonly #service: Service.Any
  readonly #options: ClientOptions
  readonly #settings: CallSettings
  readonly #env: CallEnvironment
  readonly #tracers: ReadonlyArray<RpcTracer>

  constructor(
    service: Service.Any,
    options: ClientOptions,
    transport: ClientTransport["Service"],
    timers: Timers,
    tracers: ReadonlyArray<RpcTracer>
  ) {
    this.#service = service
    this.#options = options
    this.#settings = settingsOf(options)
    this.#env = {
      transport,
      endpoints: options.endpoints ?? Endpoints.fromHostPorts(options.hostPorts ?? ["memory"]),
      timers,
      destService: options.destService ?? service.name_,
      failsMissingResult: options.missingResult === "fail"
    }
    this.#tracers = tracers
  }

  /** The function of a PingPong or oneway method. */
  method(method: Method.Any): (args: unknown, options?: ClientCallOptions) => Effect.Effect<unknown, PingPongError> {
    const called = new ClientMethod(this.#service, method)
    const headers = new CallHeaders(called.unplaced, this.#options.callerName ?? "", this.#env.destService)
    return (args, options = noOptions) => {
      if (this.#tracers.length === 0) return this.#call(called, headers, args, options, undefined)
      return Effect.suspend(() => {
        const lifecycle = new Lifecycle(this.#tracers, this.#env.timers, called.unplaced)
        return tracedCall(lifecycle, this.#call(called, headers, args, options, lifecycle))
      })
    }
  }

  #call(
    method: ClientMethod,
    headers: CallHeaders,
    args: unknown,
    options: ClientCallOptions,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<unknown, PingPongError> {
    return Effect.callback((resume) => {
      const fiber = Fiber.getCurrent()!
      const settings = options === noOptions ? this.#settings : settingsOf({ ...this.#options, ...options })
      const inherited = fiber.getRef(Deadline.Current)
      return new PingPongCall(this.#env, method, headers, settings, options, args, fiber, inherited, lifecycle).run(
        resume
      )
    })
  }
}

/** @internal */
export const makePingPongCaller = Effect.fnUntraced(function* (service: Service.Any, options: ClientOptions) {
  const transport = yield* ClientTransport
  const tracers = yield* Tracers
  const context = yield* Effect.context<never>()
  const timers = new Timers(yield* Clock.Clock, Effect.runForkWith(context))
  yield* Effect.addFinalizer(() => Effect.sync(() => timers.close()))
  return new PingPongCaller(service, options, transport, timers, tracers)
})

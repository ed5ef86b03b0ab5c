/**
 * Clients of ordinary Thrift calls (Kitex's PingPong): every PingPong and oneway method of the service as a function of
 * its named arguments. A call that is interrupted is over: its answer never reaches another call.
 *
 * @since 0.1.0
 */
import type { ClientTransport } from "@millrace/transport/Transport"
import type * as Config from "effect/Config"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Admission } from "./Admission.ts"
import type { Endpoints } from "./Endpoints.ts"
import type { Made, MadeRequirements } from "./StreamOptions.ts"
import type { ClientCallOptions, ClientOptions } from "./ClientOptions.ts"
import type { CallError } from "./ClientStream.ts"
import { withLayers } from "./internal/clientLayers.ts"
import { makePingPongCaller } from "./internal/pingPongCaller.ts"
import type * as Method from "./Method.ts"
import type * as Middleware from "./Middleware.ts"
import type * as Service_ from "./Service.ts"

type CallMethods<Ms extends ReadonlyArray<Method.Any>> = Extract<Ms[number], { readonly mode: "pingPong" | "oneway" }>

// Any object is a `{}`.
type ArgumentsOf<A extends Method.Fields> = keyof A extends never ? Readonly<Record<string, never>> : Method.TypeOf<A>

/**
 * The function of one method. A oneway call is done when its bytes are on their way. An answer without a result, which a
 * Kitex handler gives that returned nil, is `undefined` whatever the type says (option `missingResult`).
 *
 * @since 0.1.0
 * @category models
 */
export type CallFunction<M> =
  M extends Method.PingPong<string, infer A, infer S, infer X>
    ? (
        args: ArgumentsOf<A>,
        options?: ClientCallOptions
      ) => Effect.Effect<S extends Schema.Top ? S["Type"] : void, CallError | Method.ErrorOf<X>>
    : M extends Method.Oneway<string, infer A>
      ? (args: ArgumentsOf<A>, options?: ClientCallOptions) => Effect.Effect<void, CallError>
      : never

/**
 * A client of service `S`: its PingPong and oneway methods by name.
 *
 * @since 0.1.0
 * @category models
 */
export type Client<S extends Service_.Any> = {
  readonly [M in CallMethods<S["methods"]> as M["name"]]: CallFunction<M>
}

/**
 * Makes a client. Connections are the transport's and are made when a call needs one. The scope of the client holds the
 * timers of its calls, so it has to stay open as long as they run.
 *
 * **Example** (A call within a second)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Console, Effect } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class Busy extends Thrift.Exception<Busy>()("echo.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}
 * class EchoService extends Service.make("EchoService", {
 *   methods: [
 *     Method.pingPong("Echo", {
 *       arguments: { req: Thrift.field(1, Request) },
 *       response: Request,
 *       exceptions: { busy: Thrift.field(1, Busy) }
 *     })
 *   ]
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* Client.make(EchoService, { hostPorts: ["127.0.0.1:8888"], rpcTimeout: "1 second" })
 *   const message = yield* client.Echo({ req: new Request({ message: "hi" }) }).pipe(
 *     Effect.map((response) => response.message),
 *     Effect.catchTag("Busy", (busy) => Effect.succeed(`busy, retry after ${busy.retryAfter}`))
 *   )
 *   yield* Console.log(message)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  S extends Service_.Any,
  const Ms extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>,
  E extends Made<Endpoints, unknown> = Made<Endpoints>,
  const As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
>(
  service: S,
  options: ClientOptions<Ms, E, As> = {}
): Effect.Effect<
  Client<S>,
  never,
  ClientTransport | Scope.Scope | Middleware.RequirementsOf<Ms[number]> | MadeRequirements<E | As[number]>
> =>
  Effect.map(makePingPongCaller(service, options), (caller) => {
    const client: Record<string, unknown> = Object.create(null)
    for (const method of service.methods) {
      if (method.mode === "pingPong" || method.mode === "oneway") client[method.name] = caller.method(method)
    }
    return client as Client<S>
  })

/**
 * A client as a service: a class that is its own key, with layers. `layerConfig` takes a `Config` for each option; what
 * is known already goes in as `Config.succeed(...)`.
 *
 * **Example** (A client service)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * class ClockService extends Service.make("ClockService", {
 *   methods: [Method.pingPong("Now", { arguments: { zone: Thrift.field(1, Thrift.String) }, response: Thrift.String })]
 * }) {}
 * class Clock extends Client.Service<Clock>()("app/Clock", ClockService) {}
 *
 * const ClockLive = Clock.layer({ hostPorts: ["127.0.0.1:8888"], rpcTimeout: "1 second" })
 * const now = Effect.flatMap(Clock, (clock) => clock.Now({ zone: "UTC" })).pipe(Effect.provide(ClockLive))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service =
  <Self>() =>
  <const Id extends string, S extends Service_.Any>(
    id: Id,
    service: S
  ): Context.ServiceClass<Self, Id, Client<S>> & {
    layer<
      const Ms extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>,
      E extends Made<Endpoints, unknown> = Made<Endpoints>,
      const As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
    >(
      options: ClientOptions<Ms, E, As>
    ): Layer.Layer<
      Self,
      never,
      ClientTransport | Middleware.RequirementsOf<Ms[number]> | MadeRequirements<E | As[number]>
    >
    layerConfig(options: Config.Wrap<ClientOptions>): Layer.Layer<Self, Config.ConfigError, ClientTransport>
  } =>
    withLayers(id, (options: ClientOptions) => make(service, options)) as never

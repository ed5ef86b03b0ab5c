/**
 * Clients of the streaming modes, unary among them: every method of the service as a function, typed by its mode. The
 * streams it gives out end with their scope: stop early, fail, be interrupted, and the server's handler is interrupted
 * too.
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
import type * as Stream from "effect/Stream"
import type * as ClientStream from "./ClientStream.ts"
import type { CallError } from "./ClientStream.ts"
import type { CallOptions, Made, MadeRequirements, StreamClientOptions, UnaryCallOptions } from "./StreamOptions.ts"
import { clientFunction } from "./internal/clientFunctions.ts"
import { makeCaller } from "./internal/makeCaller.ts"
import { withLayers } from "./internal/clientLayers.ts"
import type * as Method from "./Method.ts"
import type * as Middleware from "./Middleware.ts"
import type * as Service_ from "./Service.ts"

type StreamMethods<Ms extends ReadonlyArray<Method.Any>> = Extract<
  Ms[number],
  { readonly mode: "bidirectional" | "client" | "server" | "unary" }
>

/**
 * The function of one method.
 *
 * @since 0.1.0
 * @category models
 */
export type CallFunction<M> =
  M extends Method.Streaming<string, "bidirectional", infer Q, infer S>
    ? {
        <E, R>(
          requests: Stream.Stream<Q["Type"], E, R>,
          options?: CallOptions
        ): Stream.Stream<S["Type"], CallError | E, R>
        /** The handle, owned by the scope: for receiving and sending in an order of your own. */
        open(
          options?: CallOptions
        ): Effect.Effect<ClientStream.Bidirectional<Q["Type"], S["Type"]>, CallError, Scope.Scope>
      }
    : M extends Method.Streaming<string, "client", infer Q, infer S>
      ? {
          <E, R>(
            requests: Stream.Stream<Q["Type"], E, R>,
            options?: CallOptions
          ): Effect.Effect<S["Type"], CallError | E, R>
          /** The handle, owned by the scope. */
          open(
            options?: CallOptions
          ): Effect.Effect<ClientStream.ClientStreaming<Q["Type"], S["Type"]>, CallError, Scope.Scope>
        }
      : M extends Method.Streaming<string, "server", infer Q, infer S>
        ? {
            (request: Q["Type"], options?: CallOptions): Stream.Stream<S["Type"], CallError>
            /** The handle, owned by the scope. */
            open(
              request: Q["Type"],
              options?: CallOptions
            ): Effect.Effect<ClientStream.ServerStreaming<S["Type"]>, CallError, Scope.Scope>
          }
        : M extends Method.Unary<string, infer Q, infer S, infer X>
          ? (
              request: Q["Type"],
              options?: UnaryCallOptions | CallOptions
            ) => Effect.Effect<S extends Schema.Top ? S["Type"] : void, CallError | Method.ErrorOf<X>>
          : never

/**
 * A client of service `S`: its streaming and unary methods by name.
 *
 * @since 0.1.0
 * @category models
 */
export type StreamClient<S extends Service_.Any> = {
  readonly [M in StreamMethods<S["methods"]> as M["name"]]: CallFunction<M>
}

/**
 * Makes a client. Connections are the transport's and are made when the first stream needs one. Every call has a scope
 * of its own; the scope of the client holds the timers of their budgets, so it has to stay open as long as they run.
 *
 * **Example** (Reading two messages and leaving)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service, StreamClient } from "@millrace/rpc"
 * import { Console, Effect, Stream } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [Method.serverStreaming("EchoServer", { request: Request, response: Request })]
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* StreamClient.make(TestService, { hostPorts: ["127.0.0.1:8888"] })
 *   yield* client.EchoServer(new Request({ message: "hi" })).pipe(
 *     Stream.take(2),
 *     Stream.runForEach((response) => Console.log(response.message))
 *   )
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
  options: StreamClientOptions<Ms, E, As> = {}
): Effect.Effect<
  StreamClient<S>,
  never,
  ClientTransport | Scope.Scope | Middleware.RequirementsOf<Ms[number]> | MadeRequirements<E | As[number]>
> =>
  Effect.map(makeCaller(service, options), (caller) => {
    const client: Record<string, unknown> = Object.create(null)
    for (const method of service.methods) {
      if (method.mode === "pingPong" || method.mode === "oneway") continue
      client[method.name] = clientFunction(caller, method)
    }
    return client as StreamClient<S>
  })

/**
 * A client as a service: a class that is its own key, with layers. `layerConfig` takes a `Config` for each option; what
 * is known already goes in as `Config.succeed(...)`.
 *
 * **Example** (A client service)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service, StreamClient } from "@millrace/rpc"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [Method.unary("EchoUnary", { request: Request, response: Request })]
 * }) {}
 * class Echo extends StreamClient.Service<Echo>()("app/Echo", TestService) {}
 *
 * const EchoLive = Echo.layer({ hostPorts: ["127.0.0.1:8888"], recvTimeout: "5 seconds" })
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
  ): Context.ServiceClass<Self, Id, StreamClient<S>> & {
    layer<
      const Ms extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>,
      E extends Made<Endpoints, unknown> = Made<Endpoints>,
      const As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
    >(
      options: StreamClientOptions<Ms, E, As>
    ): Layer.Layer<
      Self,
      never,
      ClientTransport | Middleware.RequirementsOf<Ms[number]> | MadeRequirements<E | As[number]>
    >
    layerConfig(options: Config.Wrap<StreamClientOptions>): Layer.Layer<Self, Config.ConfigError, ClientTransport>
  } =>
    withLayers(id, (options: StreamClientOptions) => make(service, options)) as never

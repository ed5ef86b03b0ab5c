/**
 * Clients and servers in one program, for tests: joined in memory, byte for byte, through the engines that run in
 * production, under `TestClock`.
 *
 * **Example** (A test of a service in one line)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service } from "@millrace/rpc"
 * import { Testing } from "@millrace/rpc/testing"
 * import { Effect } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [Method.unary("EchoUnary", { request: Request, response: Request })]
 * }) {}
 *
 * const test = Effect.gen(function*() {
 *   const client = yield* Testing.client(TestService, { EchoUnary: (request) => Effect.succeed(request) })
 *   const response = yield* client.EchoUnary(new Request({ message: "hi" }))
 *   return response.message
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 */
import * as MemoryTransport from "@millrace/transport/MemoryTransport"
import { type ClientTransport, ServerTransport } from "@millrace/transport/Transport"
import type * as TransportOptions from "@millrace/transport/TransportOptions"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Client from "../Client.ts"
import type { ClientOptions } from "../ClientOptions.ts"
import type { Handlers, Services, Used } from "../Handlers.ts"
import type * as Method from "../Method.ts"
import type * as Middleware from "../Middleware.ts"
import * as Server from "../Server.ts"
import type * as Service from "../Service.ts"
import * as StreamClient from "../StreamClient.ts"
import type { StreamClientOptions } from "../StreamOptions.ts"
import * as FaultPlan from "./FaultPlan.ts"

/**
 * Options of the memory transport and of the server on it.
 *
 * @since 0.1.0
 * @category options
 */
export interface LayerOptions<Ms extends ReadonlyArray<Middleware.ForServer<unknown>> = []> {
  /** What goes wrong on the way. Default: nothing. */
  readonly faults?: FaultPlan.FaultPlan | undefined
  /**
   * Here `graceTime` is 0 by default: under a clock that stands still, the end of a test would wait for it for ever.
   */
  readonly server?: Server.Options<Ms> | undefined
  /** Limits and buffers of the two ends of the transport. */
  readonly transport?: {
    readonly client?: TransportOptions.ClientOptions | undefined
    readonly server?: TransportOptions.ServerOptions | undefined
  }
}

/**
 * Options of {@link client}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<
  Ms extends ReadonlyArray<Middleware.ForServer<unknown>> = [],
  Cs extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>,
  Ps extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>
> extends LayerOptions<Ms> {
  /** Of the streaming and unary methods. */
  readonly client?: StreamClientOptions<Cs> | undefined
  /** Of the PingPong and oneway methods. */
  readonly pingPong?: ClientOptions<Ps> | undefined
}

/**
 * A server of these services in memory, and the transport by which clients reach it.
 *
 * **Example** (A client service against handlers of the test)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service, StreamClient } from "@millrace/rpc"
 * import { Testing } from "@millrace/rpc/testing"
 * import { Effect, Layer } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   methods: [Method.unary("EchoUnary", { request: Request, response: Request })]
 * }) {}
 * class Echo extends StreamClient.Service<Echo>()("app/Echo", TestService) {}
 *
 * const EchoTest = Echo.layer({}).pipe(
 *   Layer.provide(Testing.layer([TestService])),
 *   Layer.provide(TestService.toLayer({ EchoUnary: (request) => Effect.succeed(request) }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <
  const Ss extends ReadonlyArray<Service.Any>,
  const Ms extends ReadonlyArray<Middleware.ForServer<unknown>> = []
>(
  services: Ss,
  options: LayerOptions<Ms> = {}
): Layer.Layer<
  Server.Server | ClientTransport,
  never,
  Server.HandlersFor<Ss[number]> | Server.UsesOf<Ss[number]> | Middleware.RequirementsOf<Ms[number]>
> =>
  Layer.suspend(() => {
    const state = { closing: false }
    return server(services, options, state).pipe(
      Layer.provideMerge(
        MemoryTransport.layerWith({
          ...options.transport,
          ...(options.faults === undefined ? undefined : FaultPlan.toFaults(options.faults))
        })
      )
    )
  })

const server = <
  const Ss extends ReadonlyArray<Service.Any>,
  const Ms extends ReadonlyArray<Middleware.ForServer<unknown>>
>(
  services: Ss,
  options: LayerOptions<Ms>,
  state: { closing: boolean }
) =>
  // Built last, so closed first.
  Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => (state.closing = true)))).pipe(
    // Nothing else can listen on this transport.
    Layer.provideMerge(Layer.orDie(Server.layer(services, { graceTime: 0, ...options.server }))),
    Layer.provide(
      Layer.effect(
        ServerTransport,
        Effect.map(ServerTransport, (transport) => hasty(transport, state))
      )
    )
  )

/**
 * The end of a test does not wait for a peer to say goodbye: under a clock that stands still that can take for ever.
 */
const hasty = (transport: ServerTransport["Service"], state: { readonly closing: boolean }) =>
  ServerTransport.of({
    listen: (acceptor) =>
      Effect.map(transport.listen(acceptor), ({ address, drain }) => ({
        address,
        drain: Effect.suspend(() => (state.closing ? Effect.void : drain))
      }))
  })

/**
 * A client of the service whose server runs these handlers, both in the scope. It has all methods: those of a
 * `StreamClient` and those of a `Client`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = <
  const Name extends string,
  const Methods extends ReadonlyArray<Method.Any>,
  const H extends Handlers<Methods, any>,
  E = never,
  RX = never,
  const Ms extends ReadonlyArray<Middleware.ForServer<unknown>> = [],
  Uses extends Used = never,
  const Cs extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>,
  const Ps extends ReadonlyArray<Middleware.ForClient<unknown>> = ReadonlyArray<Middleware.ForClient>
>(
  service: Service.ServiceClass<Name, Methods, Uses>,
  handlers: H | Effect.Effect<H, E, RX>,
  options: Options<Ms, Cs, Ps> = {}
): Effect.Effect<
  StreamClient.StreamClient<Service.ServiceClass<Name, Methods>> & Client.Client<Service.ServiceClass<Name, Methods>>,
  E,
  | Scope.Scope
  | Exclude<Services<H[keyof H]> | Exclude<RX, Scope.Scope>, Service.Provided<Uses>>
  | Server.UsesOf<Service.ServiceClass<Name, Methods, Uses>>
  | Middleware.RequirementsOf<Ms[number] | Cs[number] | Ps[number]>
> => {
  const server = layer([service], options).pipe(Layer.provide(service.toLayer(handlers)))
  return Effect.flatMap(Layer.build(server as Layer.Layer<Server.Server | ClientTransport, E>), (context) =>
    Effect.provide(
      Effect.zipWith(
        StreamClient.make(service, options.client),
        Client.make(service, options.pingPong),
        (streams, calls) => ({ ...streams, ...calls })
      ),
      context
    )
  ) as never
}

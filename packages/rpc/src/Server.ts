/**
 * The server: services and their handlers on a transport, with middleware, admission, budgets and a graceful stop. What
 * a handler does (fail, die, hang, fork) ends its own call and nothing else.
 *
 * @since 0.1.0
 */
import { ServerTransport } from "@millrace/transport/Transport"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Admission } from "./Admission.ts"
import type { CallError } from "./ClientStream.ts"
import type { HandlersOf } from "./Handlers.ts"
import { defaultStallWarning, millis } from "./internal/budgets.ts"
import { BeforeDrain } from "./internal/beforeDrain.ts"
import { made } from "./internal/made.ts"
import { Dispatcher } from "./internal/dispatcher.ts"
import type { HandlerChain } from "./internal/handlerChain.ts"
import { implementation } from "./internal/implementation.ts"
import * as middlewareList from "./internal/middlewareList.ts"
import * as routes from "./internal/routes.ts"
import { ambiguousMethod, type RoutingTable } from "./internal/routing.ts"
import { Serving } from "./internal/serving.ts"
import { makeTimers } from "./internal/timers.ts"
import * as tracing from "./internal/tracing.ts"
import * as unknownMethod from "./internal/unknownMethod.ts"
import type { MetaHandler } from "./MetaHandler.ts"
import type * as Middleware from "./Middleware.ts"
import * as RpcError from "./RpcError.ts"
import type { ServerInfo } from "./RpcInfo.ts"
import type { StatsLevel } from "./RpcTracer.ts"
import type { ServerCall } from "./ServerCall.ts"
import type * as Service from "./Service.ts"
import type { Made, MadeRequirements, Unsupported } from "./StreamOptions.ts"

/**
 * A server that listens.
 *
 * @since 0.1.0
 * @category services
 */
export class Server extends Context.Service<
  Server,
  {
    /** Where it listens; the port is the real one when 0 was asked for. */
    readonly address: { readonly hostname: string; readonly port: number }
    /**
     * Stops gracefully: GOAWAY (in TTHeaders `crrst`) to clients, no new connections after 50 ms more, `call.draining` for
     * handlers, then up to `graceTime` for calls to end; what still runs is interrupted, and its client gets code 14
     * `graceful shutdown`. Done when nothing runs any more, at most a second later: what may not be interrupted is left
     * behind, with a line of log. Closing the layer's scope does it too. Idempotent.
     *
     * Clients without TTHeader cannot be told: those of Framed and Buffered may lose a call a connection.
     */
    readonly drain: Effect.Effect<void>
    /** Done when the server starts to drain. */
    readonly draining: Effect.Effect<void>
    /**
     * Runs the effect before the server stops, until the scope closes: `drain` waits for it, for no longer than
     * `beforeDrainTimeout`, while calls are still taken. For leaving registries.
     */
    readonly beforeDrain: (effect: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  }
>()("@millrace/rpc/Server") {}

/**
 * A PingPong call of a service or method that the server does not have.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnknownRequest {
  /** Empty where the caller does not name one. */
  readonly service: string
  readonly method: string
  /** The caller wants no answer: none is sent, whatever the handler gives. */
  readonly oneway: boolean
  /** The struct of the arguments in Thrift's binary protocol. */
  readonly bytes: Uint8Array
}

/**
 * Answers PingPong calls that no service takes: gives the struct of the result in Thrift's binary protocol, or undefined
 * for an empty one.
 *
 * @since 0.1.0
 * @category models
 */
export type UnknownHandler<R> = (
  request: UnknownRequest,
  call: ServerCall
) => Effect.Effect<Uint8Array | undefined, CallError, R>

/**
 * Options of Kitex's servers that there are not.
 *
 * @since 0.1.0
 * @category options
 */
export interface NotForServers {
  readonly readWriteTimeout?: Unsupported<"sockets have no timeout of their own: use recvTimeout or sendTimeout, or handshakeTimeout or stalledWriteTimeout of the transport">
  readonly boundHandler?: Unsupported<"there is no pipeline of handlers: use admission or metaHandlers">
  readonly contextBackup?: Unsupported<"the context of a fiber is not lost: there is nothing to back up">
  readonly reusePort?: Unsupported<"Node's cluster module shares a port">
}

/**
 * Options of {@link layer}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<
  Ms extends ReadonlyArray<Middleware.ForServer<unknown>>,
  R = never,
  As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
> extends NotForServers {
  /** First in the list is outermost. What a middleware requires, the layer requires. */
  readonly middleware?: Ms | undefined
  /**
   * Hooks where a call meets its headers, outside of all middleware and tracers. Calls that are refused before they run (of
   * unknown methods, or by admission) do not reach them; only a refusal that has waited for a request (`requestInInfo`)
   * passes `onReadStream`.
   */
  readonly metaHandlers?: ReadonlyArray<MetaHandler> | undefined
  /**
   * Turns the error of a handler into another before middleware sees it: not a business error, a declared exception or a
   * defect. It comes as `biz error: ` and its text, with its own code where it is an `RpcError`. What is given in its place is
   * answered as an error of middleware; given back as it came, it stays the handler's. Kitex's `WithErrorHandler`.
   */
  readonly errorHandler?: ((error: RpcError.RpcError, info: ServerInfo) => CallError) | undefined
  /**
   * Reads the request of a server streaming call before middleware runs, and shows it as `info.request`, as that of a unary
   * or PingPong call. Admission of calls that have one request waits for it, and sees it too. Default false, as in Kitex.
   */
  readonly requestInInfo?: boolean | undefined
  /** How much tracers hear of the calls. Default: everything, where there is a tracer. */
  readonly statsLevel?: StatsLevel | undefined
  /**
   * Rules that may refuse a call before a message is decoded or a fiber started; all of them must admit it. With
   * `requestInInfo` they see the request, and have cost that by then.
   */
  readonly admission?: As | undefined
  /** How long a stop waits for what has to be done before (`Server.beforeDrain`). Default 5 seconds. */
  readonly beforeDrainTimeout?: Duration.Input | undefined
  /** How long streams may go on when the server stops. Default 5 seconds (Kitex's `ExitWaitTime`). */
  readonly graceTime?: Duration.Input | undefined
  /** For one `recv` of a handler: it fails with `RecvTimeout` when it waits longer. Default: none. */
  readonly recvTimeout?: Duration.Input | undefined
  /**
   * For one `send` of a handler that waits for room, and for the end of a stream that waits behind messages which the
   * client does not read: the stream is reset when it waits longer. Default: none.
   */
  readonly sendTimeout?: Duration.Input | undefined
  /** Log once when a stream has been parked longer than this. Default 1 minute; `Duration.infinity` is never. */
  readonly stallWarning?: Duration.Input | undefined
  /**
   * Send the response headers of a stream as soon as its handler runs, not with its first message. Default false, as in
   * Kitex.
   */
  readonly eagerHeaders?: boolean | undefined
  /**
   * The service, one of the server's, that takes calls which name none: PingPong calls of Framed and Buffered clients, and
   * of TTHeader clients without Kitex's meta handler. Needed when two services have a method of one name.
   */
  readonly fallback?: Service.Any | undefined
  /**
   * Serve PingPong calls only when they name their service, which needs a TTHeader; and streams over TTHeader only when it is one of
   * the server's. Two services may have a method of one name then. Default false.
   */
  readonly refuseTrafficWithoutServiceName?: boolean | undefined
  /**
   * Takes PingPong calls of services and methods that the server does not have; without it they are refused. What the
   * handler requires, the layer requires.
   *
   * **Example** (Counting calls of a service that is gone)
   *
   * ```ts
   * import { Server } from "@millrace/rpc"
   * import { Effect } from "effect"
   *
   * const Main = Server.layer([], {
   *   unknown: ({ service, method }) => Effect.as(Effect.logWarning(`${service}.${method} is gone`), undefined)
   * })
   * ```
   */
  readonly unknown?: UnknownHandler<R> | undefined
}

/**
 * The handlers that services ask for.
 *
 * @since 0.1.0
 * @category utility types
 */
export type HandlersFor<S> = S extends { readonly name_: infer Name extends string } ? HandlersOf<Name> : never

/**
 * The middleware Layers that services use.
 *
 * @since 0.1.0
 * @category utility types
 */
export type UsesOf<S> = S extends { readonly uses: ReadonlyArray<infer M> }
  ? M extends { readonly Identifier: infer I }
    ? I
    : never
  : never

/**
 * A server of these services. It listens as long as the layer lives; when that ends it stops gracefully. Fails when the
 * transport cannot listen. Dies when two services have one name, a method is ambiguous (two services have it, and neither
 * `fallback` nor `refuseTrafficWithoutServiceName` says what that means), a handler is missing, or handlers were made for a service that
 * uses a middleware which the listed one does not.
 *
 * **Details**
 *
 * Calls are routed by service and method; the package of the path is not looked at, as in Kitex. PingPong calls and streams over
 * TTHeader that name no service go to the `fallback`, else to the first service with such a method; those that name an unknown one to
 * the only service with such a method. Unary methods are served as streams over HTTP/2, and as PingPong calls. A handler runs in a fiber
 * of its own with a `Scope` of its own; it is interrupted when its client leaves (not that of a oneway call), its deadline passes or the
 * grace time is over (`ServerCall.interruptedBy` tells which).
 *
 * A defect of a handler is logged with `rpc.service` and `rpc.method` and answered with Kitex's text of a panic. So is
 * a defect of a fiber that it forked, when the handler goes on waiting for something else: nobody would hear of it. A
 * branch of a race that may die belongs behind `Effect.catchDefect`.
 *
 * **Example** (A server and its handlers)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Server, Service } from "@millrace/rpc"
 * import { NodeTransport } from "@millrace/transport/node"
 * import { Effect, Layer } from "effect"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [Method.unary("EchoUnary", { request: Request, response: Request })]
 * }) {}
 *
 * const Main = Server.layer([TestService]).pipe(
 *   Layer.provide(TestService.toLayer({ EchoUnary: (request) => Effect.succeed(request) })),
 *   Layer.provide(NodeTransport.layerServer({ port: 8888 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <
  const Ss extends ReadonlyArray<Service.Any>,
  const Ms extends ReadonlyArray<Middleware.ForServer<unknown>> = [],
  R = never,
  const As extends ReadonlyArray<Made<Admission, unknown>> = ReadonlyArray<Made<Admission>>
>(
  services: Ss,
  options: Options<Ms, R, As> = {}
): Layer.Layer<
  Server,
  RpcError.RpcError,
  | ServerTransport
  | HandlersFor<Ss[number]>
  | UsesOf<Ss[number]>
  | Middleware.RequirementsOf<Ms[number]>
  | Exclude<R, Scope.Scope>
  | MadeRequirements<As[number]>
> => Layer.effect(Server, make(services, options)) as never

type AnyOptions = Options<
  ReadonlyArray<Middleware.ForServer<unknown>>,
  unknown,
  ReadonlyArray<Made<Admission, unknown>>
>

const make = Effect.fnUntraced(function* (services: ReadonlyArray<Service.Any>, options: AnyOptions) {
  const transport = yield* ServerTransport
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const timers = yield* makeTimers

  const serving = new Serving(
    {
      admission: yield* Effect.forEach(options.admission ?? [], made),
      tracers: tracing.prepare(context, options.statsLevel),
      metaHandlers: options.metaHandlers ?? [],
      graceMillis: Duration.toMillis(options.graceTime ?? "5 seconds"),
      context
    },
    timers,
    runFork
  )
  const middleware = middlewareList.take("server", options.middleware ?? [], {
    services,
    options: options as Readonly<Record<string, unknown>>
  })
  const chain: HandlerChain = {
    middleware: middleware.around,
    errorHandler: options.errorHandler,
    watched:
      serving.readStream !== undefined ||
      serving.tracers.some((tracer) => tracer.handlerStart !== undefined || tracer.handlerFinish !== undefined),
    requestInInfo: options.requestInInfo ?? false
  }
  const dispatcher = new Dispatcher(
    serving,
    tableOf(services, options, context, chain),
    options.unknown === undefined ? undefined : unknownMethod.route(options.unknown, routes.contextOf(context), chain),
    {
      budgets: {
        deadline: 0,
        firstMessage: 0,
        recv: millis(options.recvTimeout),
        recvFailsAlone: false,
        send: millis(options.sendTimeout),
        stallWarning: millis(options.stallWarning, defaultStallWarning)
      },
      eagerHeaders: options.eagerHeaders ?? false,
      recvMiddleware: middleware.recv,
      sendMiddleware: middleware.send
    }
  )

  const listening = yield* Effect.mapError(
    transport.listen(dispatcher),
    ({ code, desc }) => new RpcError.RpcError({ reason: new RpcError.Unavailable({ neverSent: true }), code, desc })
  )
  const before = new BeforeDrain(options.beforeDrainTimeout ?? "5 seconds")
  // One fiber of its own: whoever asks first may be interrupted, the stop goes on.
  let stopping: Fiber.Fiber<void> | undefined
  const stop = Effect.andThen(before.run, serving.drain(listening))
  const drain = Effect.suspend(() => Fiber.join((stopping ??= runFork(stop))))
  yield* Effect.addFinalizer(() => drain)
  return Server.of({ address: listening.address, drain, draining: serving.draining, beforeDrain: before.add })
})

const tableOf = (
  services: ReadonlyArray<Service.Any>,
  options: AnyOptions,
  context: Context.Context<never>,
  chain: HandlerChain
): RoutingTable<routes.Route> => {
  const table = new Map<string, ReadonlyMap<string, routes.Route>>()
  for (const service of services) {
    if (table.has(service.name_)) {
      throw new Error(
        `Server.layer has two services ${service.name_}: calls are routed by that name alone, so give each a server of its own`
      )
    }
    const handlers = Context.getUnsafe(context, implementation(service))
    table.set(service.name_, routes.make(service, handlers, context, chain))
  }
  const { fallback } = options
  if (fallback !== undefined && !services.includes(fallback)) {
    throw new Error(`Server.layer has no service ${fallback.name_}, its fallback: list it among the services`)
  }
  const routing: RoutingTable<routes.Route> = {
    services: table,
    fallback: fallback === undefined ? undefined : table.get(fallback.name_),
    refuseUnnamed: options.refuseTrafficWithoutServiceName ?? false
  }
  const ambiguous = ambiguousMethod(routing)
  if (ambiguous !== undefined) {
    throw new Error(
      `method name [${ambiguous}] is conflicted between services but no fallback service is specified: name one that has it as the option fallback of Server.layer, or set refuseTrafficWithoutServiceName`
    )
  }
  return routing
}

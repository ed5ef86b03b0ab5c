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
import * as Clock from "effect/Clock"
import * as Layer from "effect/Layer"
import type { Admission } from "./Admission.ts"
import type { HandlersOf } from "./Handlers.ts"
import { defaultStallWarning, millis } from "./internal/budgets.ts"
import { Dispatcher } from "./internal/dispatcher.ts"
import { implementation } from "./internal/implementation.ts"
import * as routes from "./internal/routes.ts"
import { Timers } from "./internal/timers.ts"
import type { ServerMiddleware } from "./Middleware.ts"
import * as RpcError from "./RpcError.ts"
import { Tracers } from "./RpcTracer.ts"
import type * as Service from "./Service.ts"

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
     * Stops gracefully: no new connections, GOAWAY to clients, `call.draining` for handlers, then up to `graceTime` for
     * streams to end; what still runs is interrupted, and its client gets code 14 `graceful shutdown`. Done when
     * nothing runs any more. Closing the layer's scope does it too. Idempotent.
     */
    readonly drain: Effect.Effect<void>
    /** Done when the server starts to drain. */
    readonly draining: Effect.Effect<void>
  }
>()("@millrace/rpc/Server") {}

/**
 * Options of {@link layer}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<Ms extends ReadonlyArray<ServerMiddleware<unknown>>> {
  /** First in the list is outermost. What a middleware requires, the layer requires. */
  readonly middleware?: Ms | undefined
  /** Rules that may refuse a call before a message is decoded or a fiber started; all of them must admit it. */
  readonly admission?: ReadonlyArray<Admission> | undefined
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
}

/**
 * The handlers that services ask for.
 *
 * @since 0.1.0
 * @category utility types
 */
export type HandlersFor<S> = S extends { readonly name_: infer Name extends string } ? HandlersOf<Name> : never

/**
 * What a middleware requires.
 *
 * @since 0.1.0
 * @category utility types
 */
export type RequirementsOf<M> = M extends ServerMiddleware<infer R> ? R : never

/**
 * A server of these services. It listens as long as the layer lives; when that ends it stops gracefully. Fails when the
 * transport cannot listen. Dies when two services have one name, or a handler is missing.
 *
 * **Details**
 *
 * Calls are routed by service and method; the package of the path is not looked at, as in Kitex. A handler runs in a
 * fiber of its own with a `Scope` of its own; it is interrupted when its client leaves, its deadline passes or the
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
  const Ms extends ReadonlyArray<ServerMiddleware<unknown>> = []
>(
  services: Ss,
  options: Options<Ms> = {}
): Layer.Layer<Server, RpcError.RpcError, ServerTransport | HandlersFor<Ss[number]> | RequirementsOf<Ms[number]>> =>
  Layer.effect(Server, make(services, options)) as never

const make = Effect.fnUntraced(function* (
  services: ReadonlyArray<Service.Any>,
  options: Options<ReadonlyArray<ServerMiddleware<unknown>>>
) {
  const transport = yield* ServerTransport
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const timers = new Timers(yield* Clock.Clock, runFork)
  yield* Effect.addFinalizer(() => Effect.sync(() => timers.close()))

  const dispatcher = new Dispatcher(
    {
      admission: options.admission ?? [],
      tracers: yield* Tracers,
      budgets: {
        deadline: 0,
        firstMessage: 0,
        recv: millis(options.recvTimeout),
        send: millis(options.sendTimeout),
        stallWarning: millis(options.stallWarning, defaultStallWarning)
      },
      graceMillis: Duration.toMillis(Duration.fromInputUnsafe(options.graceTime ?? "5 seconds")),
      eagerHeaders: options.eagerHeaders ?? false
    },
    timers,
    runFork
  )
  for (const service of services) {
    if (dispatcher.routes.has(service.name_)) {
      throw new Error(
        `Server.layer has two services ${service.name_}: calls are routed by that name alone, so give each a server of its own`
      )
    }
    const handlers = Context.getUnsafe(context, implementation(service))
    dispatcher.routes.set(service.name_, routes.make(service, handlers, context, options.middleware ?? []))
  }

  const listening = yield* Effect.mapError(
    transport.listen(dispatcher.accept),
    ({ code, desc }) => new RpcError.RpcError({ reason: new RpcError.Unavailable({ neverSent: true }), code, desc })
  )
  // One fiber of its own: whoever asks first may be interrupted, the stop goes on.
  let stopping: Fiber.Fiber<void> | undefined
  const drain = Effect.suspend(() => Fiber.join((stopping ??= runFork(dispatcher.drain(listening)))))
  yield* Effect.addFinalizer(() => drain)
  return Server.of({ address: listening.address, drain, draining: dispatcher.draining })
})

/**
 * Where the calls of a client go, when a {@link Resolver} knows it: the instances of a service are found at the first call, kept up to
 * date beside the calls, and one is picked for each new stream and each attempt of a call.
 *
 * @since 0.1.0
 */
import type { Endpoints } from "@millrace/rpc/Endpoints"
import type { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Instance from "./Instance.ts"
import type { InstanceBreaker } from "./InstanceBreaker.ts"
import type { Cadence } from "./internal/discovery/discovering.ts"
import { InstanceCache } from "./internal/discovery/instanceCache.ts"
import { PickMetrics } from "./internal/discovery/pickMetrics.ts"
import * as LoadBalancer from "./LoadBalancer.ts"
import * as Policy from "./Policy.ts"
import { Resolver } from "./Resolver.ts"

/**
 * When a resolver is asked, and what of it is believed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Config = Schema.Struct({
  /**
   * How often it is asked for a service in use, where it neither pushes nor says for how long its answer holds; at least one
   * second. Such a TTL counts from one second to five minutes. Default 5 seconds (Kitex's).
   */
  refreshInterval: Schema.optionalKey(Policy.DurationInput),
  /**
   * The part, from 0 to 1, by which each wait is longer or shorter, at most, so that not all clients ask at once. A TTL is only
   * made longer. Default 0.2.
   */
  jitter: Schema.optionalKey(Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  /** An answer that takes longer has failed. Default 5 seconds. */
  resolveTimeout: Schema.optionalKey(Policy.DurationInput),
  /**
   * A service that was not used for so long, and has no call left, is forgotten. Its next use asks anew. Default 30 seconds (twice
   * Kitex's tick).
   */
  idleTimeout: Schema.optionalKey(Policy.DurationInput),
  /**
   * So many empty answers in a row are believed. Until then calls go on with the last list. Default 2; Kitex believes the
   * first.
   */
  confirmEmpty: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))
}).annotate({ title: "Discovery.Config" })

/**
 * A value of {@link Config}.
 *
 * @since 0.1.0
 * @category models
 */
export type Config = (typeof Config)["Type"]

/**
 * Options of {@link endpoints}, {@link make} and {@link layer}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How an instance is picked; where that changes, from the next call on. Default: weighted round robin, as in Kitex. */
  readonly balancer?: Policy.Policy<LoadBalancer.LoadBalancer> | undefined
  /**
   * The service that a call goes to, as the resolver knows it: a name, or a function of the call. Default: `info.callee`, the option
   * `destService` of the client.
   */
  readonly service?: string | ((info: RpcInfo) => string) | undefined
  /** Instances that it does not allow are not picked: `CircuitBreaker.instances()`. Default: none. */
  readonly instanceBreaker?: InstanceBreaker | Effect.Effect<InstanceBreaker, never, Scope.Scope> | undefined
  readonly config?: Policy.Policy<Config> | undefined
}

/**
 * What was discovered: for clients, and for others to look at.
 *
 * @since 0.1.0
 * @category services
 */
export class Discovery extends Context.Service<
  Discovery,
  {
    /** For the option `endpoints` of clients. */
    readonly endpoints: Endpoints
    /** The instances of a service, as far as they are known here; waits for the resolver where they are not. */
    readonly instances: (service: string) => Effect.Effect<ReadonlyArray<Instance.Instance>, RpcError>
    /**
     * How the instances of a service change: first all of now, as `added`. Who reads slowly gets several changes as one. Ends with the
     * scope of the discovery. As long as somebody reads, the service is kept.
     */
    readonly changes: (service: string) => Stream.Stream<Instance.Change>
  }
>()("@millrace/governance/Discovery") {}

/**
 * Discovers with the `Resolver` of the context until the scope closes.
 *
 * **Details**
 *
 * The first call of a service waits for the resolver, within its own budget, all that come meanwhile with it for one answer. From then
 * on a pick waits for nothing. Where the resolver fails, calls go on with the last good list; the log has one line when that begins and
 * one when it is over. Without a list calls fail with reason `DiscoveryFailed`, and the resolver is asked once a second, at
 * most. Of two instances of one address the last counts.
 *
 * Where a call cannot be created at an instance, another is picked. An instance keeps its numbers (streams there now, latency) as long
 * as it is in the list, or has streams; `kitex.lb.picks` and `kitex.lb.active` are their metrics, with the address as label
 * `instance`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Discovery["Service"], never, Resolver | Scope.Scope> {
  const source = yield* Resolver
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  // Of its own, so that the cache is told of the end before its fibers are interrupted.
  const fibers = yield* Scope.fork(yield* Scope.Scope)
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const now = () => clock.currentTimeMillisUnsafe()
  const next = () => random.nextDoubleUnsafe()
  const { instanceBreaker, service = calleeOf } = options

  const cadence = Policy.settingsOf(options.config ?? {}, Config, cadenceOf)
  const cache = new InstanceCache(
    source,
    {
      balancer: Policy.reader(options.balancer ?? LoadBalancer.weightedRoundRobin),
      random: next,
      now,
      breaker: Effect.isEffect(instanceBreaker) ? yield* instanceBreaker : instanceBreaker,
      metrics: new PickMetrics(context),
      warn: (line) => void runFork(Effect.logWarning(line))
    },
    cadence,
    (effect) => void Fiber.runIn(runFork(effect), fibers)
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => cache.close()))

  return Discovery.of({
    endpoints: {
      pick:
        typeof service === "string"
          ? (placing) => cache.pick(service, placing)
          : (placing) => cache.pick(service(placing.info), placing),
      onRemoved: (listener) => cache.onRemoved(listener)
    },
    instances: (name) => Effect.suspend(() => cache.service(name).instances),
    changes: (name) =>
      Stream.unfold<ReadonlyArray<Instance.Instance>, Instance.Change | undefined, never, never>([], (previous) =>
        Effect.map(
          Effect.suspend(() => cache.service(name).after(previous)),
          (instances) => instances && ([Instance.diff(previous, instances), instances] as const)
        )
      ).pipe(Stream.filter((change) => change !== undefined))
  })
})

const calleeOf = ({ callee }: RpcInfo): string => callee

const cadenceOf = (config: Config): Cadence => ({
  refresh: Duration.toMillis(config.refreshInterval ?? "5 seconds"),
  jitter: config.jitter ?? 0.2,
  resolve: Duration.toMillis(config.resolveTimeout ?? "5 seconds"),
  idle: Duration.toMillis(config.idleTimeout ?? "30 seconds"),
  confirmEmpty: config.confirmEmpty ?? 2
})

/**
 * The endpoints of one client; {@link layer} is for several that share what they know.
 *
 * **Example** (A client that discovers)
 *
 * ```ts
 * import { Discovery, LoadBalancer, Resolver } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Layer } from "effect"
 *
 * class Echo extends Service.make("Echo", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 * class EchoClient extends Client.Service<EchoClient>()("EchoClient", Echo) {}
 *
 * const Main = EchoClient.layer({
 *   destService: "echo.svc",
 *   endpoints: Discovery.endpoints({ balancer: LoadBalancer.leastActive })
 * }).pipe(Layer.provide(Resolver.layerStatic({ "echo.svc": ["10.0.0.1:8888", "10.0.0.2:8888"] })))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const endpoints = (options: Options = {}): Effect.Effect<Endpoints, never, Resolver | Scope.Scope> =>
  Effect.map(make(options), (discovery) => discovery.endpoints)

/**
 * A discovery for several clients: they share the instances of a service, and what is known of them. The clients have
 * {@link shared} as their option `endpoints`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Discovery, never, Resolver> =>
  Layer.effect(Discovery, make(options))

/**
 * The endpoints of the {@link Discovery} in the context.
 *
 * @since 0.1.0
 * @category constructors
 */
export const shared: Effect.Effect<Endpoints, never, Discovery> = Effect.map(
  Discovery,
  (discovery) => discovery.endpoints
)

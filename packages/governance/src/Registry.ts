/**
 * Where a server says that it runs: it registers when it listens, and is gone from there before it stops.
 *
 * @since 0.1.0
 */
import { Server } from "@millrace/rpc/Server"
import { Network } from "@millrace/transport/Network"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Instance from "./Instance.ts"
import { ownAddress } from "./internal/ownAddress.ts"
import { Resolver } from "./Resolver.ts"

/**
 * A registry that does not take an instance, or does not let it go. `desc` says why, and what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class RegistryError extends Schema.TaggedError<RegistryError>("@millrace/governance/RegistryError")(
  "RegistryError",
  {
    registry: Schema.String,
    service: Schema.String,
    desc: Schema.String
  }
) {
  override get message() {
    return `${this.registry}: ${this.desc}`
  }
}

/**
 * One instance of one service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Registration extends Instance.Instance {
  /** The name that clients ask for: their `destService`. */
  readonly service: string
}

/**
 * A registry.
 *
 * @since 0.1.0
 * @category services
 */
export class Registry extends Context.Service<
  Registry,
  {
    readonly name: string
    /**
     * Registers an instance, and keeps it there (leases, watches) until it is deregistered or the scope of the registry closes.
     * Done when clients can find it.
     */
    readonly register: (registration: Registration) => Effect.Effect<void, RegistryError>
    /** Done when clients can no longer find it. Of one that is not registered nothing happens. */
    readonly deregister: (registration: Registration) => Effect.Effect<void, RegistryError>
  }
>()("@millrace/governance/Registry") {}

/**
 * Options of {@link layer}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The name that clients ask for: their `destService`. */
  readonly service: string
  /** Its share of the calls, relative to the weights of the others. Default 10 (Kitex's). */
  readonly weight?: number | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /**
   * `HOST:PORT` by which clients reach the server, where that is not the address that it listens on: behind a proxy, or in a container.
   * Default: where it listens; when that is every address of the host, the first of those that others reach, IPv4 before IPv6.
   */
  readonly address?: string | undefined
  /**
   * How long the server takes calls after it has left the registry, so that clients hear of it first. It is part of the server's
   * `beforeDrainTimeout`. Default 1 second; Kitex has none.
   */
  readonly propagation?: Duration.Input | undefined
  /** When to register again, after the registry has refused it. Default: never, the layer fails. */
  readonly retry?: Schedule.Schedule<unknown, RegistryError> | undefined
}

/**
 * Registers the server of the context: once it listens, until it is about to stop or the layer's scope closes, whatever comes first. A
 * registry that does not let it go is logged, and the server stops all the same.
 *
 * **Example** (A server that others find)
 *
 * ```ts
 * import { Registry } from "@millrace/governance"
 * import { Method, Server, Service } from "@millrace/rpc"
 * import { NodeTransport } from "@millrace/transport/node"
 * import { Effect, Layer } from "effect"
 *
 * class Echo extends Service.make("Echo", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 *
 * const Main = Registry.layer({ service: "echo.svc", weight: 20 }).pipe(
 *   Layer.provide(Server.layer([Echo])),
 *   Layer.provide(Echo.toLayer({ Ping: () => Effect.void })),
 *   Layer.provide(NodeTransport.layerServer({ port: 8888 })),
 *   Layer.provide(NodeTransport.layerNetwork)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<never, RegistryError, Registry | Server | Network> =>
  Layer.effectDiscard(register(options))

const register = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, RegistryError, Registry | Server | Network | Scope.Scope> {
  const { service, tags, weight } = options
  const registry = yield* Registry
  const server = yield* Server
  const address = options.address ?? (yield* ownAddress(server.address, yield* Network))
  const registration: Registration = {
    service,
    address,
    weight: weight ?? Instance.defaultWeight,
    tags: tags ?? {}
  }
  // From the first attempt on: one that is interrupted may have got through.
  let registered = true
  const leave = Effect.suspend(() => {
    if (!registered) return Effect.void
    registered = false
    return Effect.matchEffect(registry.deregister(registration), {
      onFailure: (error) =>
        Effect.logWarning(`${address} is still registered as ${service} while it stops: ${error.message}`),
      onSuccess: () => Effect.sleep(options.propagation ?? "1 second")
    })
  })
  yield* server.beforeDrain(leave)
  yield* Effect.addFinalizer(() => leave)
  const registering = registry.register(registration)
  yield* Effect.tapError(options.retry === undefined ? registering : Effect.retry(registering, options.retry), () =>
    Effect.sync(() => {
      registered = false
    })
  )
})

/**
 * A registry in memory, and the resolver that reads it: for servers and clients of one process, as in tests and examples. Clients hear of
 * changes at once.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<Registry | Resolver> = Layer.effectContext(
  Effect.map(SubscriptionRef.make<ReadonlyArray<Registration>>([]), (all) => {
    const without = ({ address, service }: Registration) =>
      all.value.filter((other) => other.address !== address || other.service !== service)
    const of = (service: string) => all.value.filter((registration) => registration.service === service)
    const registry = Registry.of({
      name: "memory",
      register: (registration) => SubscriptionRef.update(all, () => [...without(registration), registration]),
      deregister: (registration) => SubscriptionRef.update(all, () => without(registration))
    })
    const resolver = Resolver.of({
      name: "memory",
      resolve: (service) => Effect.sync(() => ({ instances: of(service) })),
      watch: (service) => Stream.map(SubscriptionRef.changes(all), () => of(service))
    })
    return Context.make(Registry, registry).pipe(Context.add(Resolver, resolver))
  })
)

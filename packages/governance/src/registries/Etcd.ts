/**
 * etcd, in the layout of Kitex's registry-etcd, so that services of both find each other: keys `<prefix>/<service>/<address>` with
 * JSON in them, one lease a server. It speaks to etcd's JSON gateway, which etcd has on the port of its clients, by
 * effect's `HttpClient`.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { defaultWeight } from "../Instance.ts"
import * as Environment from "../internal/etcd/environment.ts"
import * as Gateway from "../internal/etcd/gateway.ts"
import * as Registrar from "../internal/etcd/registrar.ts"
import * as Source from "../internal/etcd/source.ts"
import { Registry } from "../Registry.ts"
import { Resolver } from "../Resolver.ts"

/**
 * Where etcd is, and how it is asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** `HOST:PORT`, or URLs, of the members. One is asked until it does not answer, then the next. */
  readonly endpoints: ReadonlyArray<string>
  /** What keys begin with. Default: `kitex/registry-etcd`, as Kitex's. Its deprecated constructors `...WithAuth` have an empty one. */
  readonly prefix?: string | undefined
  /** Logs in, and again when etcd forgets that. */
  readonly auth?: { readonly user: string; readonly password: Redacted.Redacted<string> } | undefined
  /** How long a member has for an answer. Default: 3 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Bytes of an answer that are too many: it is left unread, and the request fails. Default: 16 MiB. */
  readonly maxAnswerBytes?: number | undefined
}

/**
 * Options of {@link layerRegistry}.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegistryOptions extends Options {
  /**
   * How long an instance stays when its server dies, in whole seconds. Default: the variable `KITEX_ETCD_REGISTRY_LEASE_TTL`, else 60
   * seconds. A third of it is the time between two renewals.
   */
  readonly leaseTtl?: Duration.Input | undefined
}

/**
 * Options of {@link layerResolver}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolverOptions extends Options {
  /** The weight of an instance that says none, or none above zero. Default: 10. */
  readonly defaultWeight?: number | undefined
  /**
   * After so long without a word a watch is begun anew, in case that the other end is not there any more, of which nobody
   * tells it. Default: 1 minute.
   */
  readonly silence?: Duration.Input | undefined
}

const defaultPrefix = "kitex/registry-etcd"
const MiB = 1024 * 1024

const gateway = (options: Options) =>
  Effect.map(HttpClient.HttpClient, (client) =>
    Gateway.make(client, {
      endpoints: options.endpoints,
      auth: options.auth,
      timeout: Duration.fromInputUnsafe(options.timeout ?? "3 seconds"),
      maxBytes: options.maxAnswerBytes ?? 16 * MiB
    })
  )

/**
 * A registry that keeps instances in etcd. While etcd is down they are tried again and again; when it is back they are there
 * within seconds, also where it has forgotten them. When the scope closes, all of them are taken out. The variables of registry-etcd
 * `KITEX_IP_TO_REGISTRY` and `KITEX_PORT_TO_REGISTRY` stand in for the host and the port of what is registered.
 *
 * It dies where no endpoint is named. `register` fails where the service has no name or a `/` in it, where the address has no port, where the weight is not
 * a whole number above zero, and where no member of etcd takes the instance: a `RegistryError` says which.
 *
 * Source: `NewEtcdRegistry` of kitex-contrib/registry-etcd. Unlike that, it takes out no more than what it has put in, does not give up, and
 * keeps any number of instances.
 *
 * **Example** (A registry in etcd)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import * as Etcd from "@millrace/governance/registries/Etcd"
 *
 * const registry = Etcd.layerRegistry({ endpoints: ["127.0.0.1:2379"] }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRegistry = (options: RegistryOptions): Layer.Layer<Registry, never, HttpClient.HttpClient> =>
  Layer.effect(
    Registry,
    Effect.flatMap(Effect.all([gateway(options), Environment.read]), ([etcd, environment]) =>
      Registrar.make(etcd, {
        prefix: options.prefix ?? defaultPrefix,
        leaseSeconds: Environment.leaseSeconds(
          options.leaseTtl === undefined ? undefined : Duration.toSeconds(Duration.fromInputUnsafe(options.leaseTtl)),
          environment
        ),
        announced: (address) => Environment.announced(address, environment)
      })
    )
  )

/**
 * A source of instances that etcd knows, which tells of changes as they come. A value that is not one of registry-etcd is left out, with
 * a line in the log.
 *
 * It dies where no endpoint is named. A service whose name is empty or has a `/` in it fails with a `ResolveError` that is not
 * `retryable`, as does what etcd refuses; what is retryable fails when no member has answered.
 *
 * Source: `NewEtcdResolver` of kitex-contrib/registry-etcd, which asks every few seconds in place of a watch.
 *
 * **Example** (A client that asks etcd)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import * as Etcd from "@millrace/governance/registries/Etcd"
 *
 * const resolver = Etcd.layerResolver({ endpoints: ["127.0.0.1:2379"] }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerResolver = (options: ResolverOptions): Layer.Layer<Resolver, never, HttpClient.HttpClient> =>
  Layer.effect(
    Resolver,
    Effect.map(gateway(options), (etcd) =>
      Source.make(etcd, {
        prefix: options.prefix ?? defaultPrefix,
        defaultWeight: options.defaultWeight ?? defaultWeight,
        silence: Duration.fromInputUnsafe(options.silence ?? "1 minute")
      })
    )
  )

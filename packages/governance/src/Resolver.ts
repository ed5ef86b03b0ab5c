/**
 * Who knows where a service runs. Sources (a list, DNS, etcd, your own) implement this one interface; `Discovery` keeps what
 * they say, and balances over it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Instance from "./Instance.ts"
import * as Policy from "./Policy.ts"

/**
 * A source that cannot say where a service runs. `desc` says which source, why, and what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResolveError extends Schema.TaggedError<ResolveError>("@millrace/governance/ResolveError")(
  "ResolveError",
  {
    resolver: Schema.String,
    service: Schema.String,
    desc: Schema.String,
    /** False where asking again is of no use: a name that no service can have. */
    retryable: Schema.Boolean
  }
) {
  override get message() {
    return `${this.resolver}: ${this.desc}`
  }
}

/**
 * A source of instances.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  /** Its name in errors and logs, `etcd` for one. */
  readonly name: string
  /** All instances of a service, as they are now. An empty list means that there are none. */
  readonly resolve: (service: string) => Effect.Effect<Resolved, ResolveError>
  /**
   * Whole lists, each time one changes, from a source that pushes: the first is that of now. Where it fails or ends,
   * `Discovery` goes on with what it has, and subscribes again later. Absent: it asks again from time to time.
   */
  readonly watch?: ((service: string) => Stream.Stream<ReadonlyArray<Instance.Instance>, ResolveError>) | undefined
}

/**
 * A list, and for how long it holds, where the source says so (the TTL of DNS).
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly instances: ReadonlyArray<Instance.Instance>
  readonly ttlMillis?: number | undefined
}

/**
 * The source that `Discovery` asks.
 *
 * **Example** (A source of your own)
 *
 * ```ts
 * import { Instance, Resolver } from "@millrace/governance"
 * import { Effect, FileSystem, Layer, Schema } from "effect"
 *
 * const Services = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Array(Schema.String)))
 *
 * // A file of JSON: { "echo.svc": ["10.0.0.1:8888", "10.0.0.2:8888"] }
 * const layerFile = (path: string) =>
 *   Layer.effect(
 *     Resolver.Resolver,
 *     Effect.map(FileSystem.FileSystem, (files) => ({
 *       name: "file",
 *       resolve: (service) =>
 *         files.readFileString(path).pipe(
 *           Effect.flatMap(Schema.decodeEffect(Services)),
 *           Effect.map((services) => ({ instances: (services[service] ?? []).map((address) => Instance.make(address)) })),
 *           Effect.mapError(
 *             (error) =>
 *               new Resolver.ResolveError({ resolver: "file", service, desc: `${path}: ${error.message}`, retryable: true })
 *           )
 *         )
 *     }))
 *   )
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Resolver extends Context.Service<Resolver, Source>()("@millrace/governance/Resolver") {}

/**
 * The instances of services: a list for each by its name, or one list for whatever is asked. An address alone has Kitex's default
 * weight.
 *
 * @since 0.1.0
 * @category models
 */
export type Listed =
  | ReadonlyArray<string | Instance.Instance>
  | Readonly<Record<string, ReadonlyArray<string | Instance.Instance>>>

/**
 * A source that is told what there is. With one that may change, calls go by each new list at once.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromInstances = <A extends Listed>(listed: Policy.Policy<A>): Source => {
  const read = Policy.reader(listed)
  return {
    name: "static",
    resolve: (service) => {
      const instances = instancesOf(read(), service)
      return instances === undefined
        ? Effect.fail(unknownService(service, read()))
        : Effect.succeed({ instances, ttlMillis: Infinity })
    },
    watch: Policy.isLive(listed)
      ? (service) => Stream.map(Policy.changes(listed), () => instancesOf(read(), service) ?? [])
      : undefined
  }
}

const instancesOf = (listed: Listed, service: string): ReadonlyArray<Instance.Instance> | undefined => {
  const instances = isList(listed) ? listed : Object.hasOwn(listed, service) ? listed[service] : undefined
  return instances?.map((instance) => (typeof instance === "string" ? Instance.make(instance) : instance))
}

const isList = (listed: Listed): listed is ReadonlyArray<string | Instance.Instance> => Array.isArray(listed)

const unknownService = (service: string, listed: Listed): ResolveError =>
  new ResolveError({
    resolver: "static",
    service,
    desc: `there is no service ${service} in the list, which has ${Object.keys(listed).join(", ") || "none"}`,
    retryable: true
  })

/**
 * A resolver that is told what there is: {@link fromInstances} as a Layer.
 *
 * **Example** (Two instances, one with more calls)
 *
 * ```ts
 * import { Instance, Resolver } from "@millrace/governance"
 *
 * const layer = Resolver.layerStatic({
 *   "echo.svc": ["10.0.0.1:8888", Instance.make("10.0.0.2:8888", { weight: 30 })]
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerStatic = <A extends Listed>(listed: Policy.Policy<A>): Layer.Layer<Resolver> =>
  Layer.succeed(Resolver, fromInstances(listed))

/**
 * A resolver that asks DNS: the service is a name, each address behind it an instance.
 *
 * @since 0.1.0
 */
import { Network } from "@millrace/transport/Network"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { lookup, lookupService } from "./internal/dns/lookup.ts"
import { PacedName } from "./internal/dns/pacedName.ts"
import { Resolver, type Source } from "./Resolver.ts"

/**
 * Options of {@link layer}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Of services that name none. Default 443 (kitex-contrib's resolver-dns). */
  readonly port?: number | undefined
  /**
   * From one question about a name to the next, however short its TTL is and whoever asks: answers hold at least so long. After a failure
   * it is a second, twice as much after each further one, and never more than this. Default 30 seconds (gRPC's).
   */
  readonly minInterval?: Duration.Input | undefined
  /**
   * Services are names of SRV records, as `_echo._tcp.example.com`: their ports and weights count, and of their priorities only the
   * lowest. Default false, as in Kitex.
   */
  readonly srv?: boolean | undefined
}

/**
 * What a resolver of names asks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<Source, never, Network> {
  const network = yield* Network
  const find = options.srv === true ? lookupService(network) : lookup(network, options.port ?? 443)
  const minMillis = Duration.toMillis(options.minInterval ?? "30 seconds")
  const names = new Map<string, PacedName>()
  return {
    name: "dns",
    resolve: (service) =>
      Effect.suspend(() => {
        const name = names.get(service) ?? new PacedName(find(service), minMillis)
        // Last in the order of the map, whose first makes room.
        names.delete(service)
        names.set(service, name)
        if (names.size > mostNames) names.delete(names.keys().next().value!)
        return name.resolve
      })
  }
})

const mostNames = 1000

/**
 * A resolver that asks DNS, for addresses of types A and AAAA or, with `srv`, for records of type SRV.
 *
 * **Details**
 *
 * A service is `HOST[:PORT]`. Each address has Kitex's default weight. Answers hold as long as their shortest TTL, and at least
 * `minInterval`; `Discovery` does not ask before.
 *
 * **Example** (Replicas behind a headless service)
 *
 * ```ts
 * import { Discovery, Dns } from "@millrace/governance"
 * import { NodeTransport } from "@millrace/transport/node"
 * import { Layer } from "effect"
 *
 * const endpoints = Discovery.endpoints({ service: "echo.default.svc.cluster.local:8888" })
 * const Resolving = Dns.layer({ minInterval: "10 seconds" }).pipe(Layer.provide(NodeTransport.layerNetwork))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Resolver, never, Network> =>
  Layer.effect(Resolver, make(options))

/**
 * What a program may ask its network: the addresses of its host, and what DNS knows of a name. `NodeTransport.layerNetwork`
 * (`@millrace/transport/node`) asks Node.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * A name that could not be looked up. `desc` says why, and what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class NetworkError extends Schema.TaggedError<NetworkError>("@millrace/transport/NetworkError")("NetworkError", {
  hostname: Schema.String,
  /** `notFound`: there is no such name, or nothing of that kind behind it. `temporary`: nobody could say now. */
  kind: Schema.Literals(["notFound", "temporary"]),
  desc: Schema.String
}) {
  override get message() {
    return this.desc
  }
}

/**
 * An address of this host.
 *
 * @since 0.1.0
 * @category models
 */
export interface OwnAddress {
  readonly address: string
  readonly family: 4 | 6
  /** Only this host reaches it, as 127.0.0.1. */
  readonly internal: boolean
}

/**
 * An address behind a name.
 *
 * @since 0.1.0
 * @category models
 */
export interface FoundAddress {
  readonly address: string
  readonly family: 4 | 6
  /** How long DNS says that this holds; absent where it came from elsewhere, as from a hosts file. */
  readonly ttlSeconds?: number
}

/**
 * A place where a service runs: a record of type SRV (RFC 2782).
 *
 * @since 0.1.0
 * @category models
 */
export interface FoundService {
  readonly host: string
  readonly port: number
  /** Those of the lowest number are to be used, others only when none of these can be reached. */
  readonly priority: number
  /** The share among those of one priority. */
  readonly weight: number
  /** How long DNS says that this holds, where the platform tells: Node does not. */
  readonly ttlSeconds?: number
}

/**
 * The network that a program is in.
 *
 * @since 0.1.0
 * @category services
 */
export class Network extends Context.Service<
  Network,
  {
    /** Addresses of this host that others can dial as they are: none that need a zone (IPv6 link-local). */
    readonly addresses: Effect.Effect<ReadonlyArray<OwnAddress>>
    /** Every address of a name, IPv4 before IPv6: at least one. An IP address is its own. */
    readonly lookup: (hostname: string) => Effect.Effect<ReadonlyArray<FoundAddress>, NetworkError>
    /** Every place of a service, named as in `_grpc._tcp.example.com`: at least one. */
    readonly lookupService: (name: string) => Effect.Effect<ReadonlyArray<FoundService>, NetworkError>
  }
>()("@millrace/transport/Network") {}

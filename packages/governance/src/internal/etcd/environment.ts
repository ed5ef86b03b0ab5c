/**
 * The variables by which whoever runs a server says how registry-etcd registers it.
 *
 * @internal
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** @internal */
export interface Environment {
  /** The length of a lease, in seconds. */
  readonly leaseTtl: string | undefined
  /** In place of the host and the port where the server listens. */
  readonly host: string | undefined
  readonly port: string | undefined
}

// as in Kitex, one that is empty is not there
const variable = (name: string) =>
  Config.option(Config.String(name)).pipe(
    Config.map((value) => Option.getOrUndefined(Option.filter(value, (text) => text !== "")))
  )

/** @internal */
export const read: Effect.Effect<Environment> = Effect.orDie(
  Config.all({
    leaseTtl: variable("KITEX_ETCD_REGISTRY_LEASE_TTL"),
    host: variable("KITEX_IP_TO_REGISTRY"),
    port: variable("KITEX_PORT_TO_REGISTRY")
  })
)

/**
 * Seconds of a lease: what the options say, else the environment, where that is a whole number.
 *
 * @internal
 */
export const leaseSeconds = (option: number | undefined, { leaseTtl }: Environment): number =>
  Math.max(1, Math.round(option ?? (leaseTtl !== undefined && /^\d{1,9}$/.test(leaseTtl) ? Number(leaseTtl) : 60)))

/**
 * The address by which others find a server.
 *
 * @internal
 */
export const announced = (address: string, { host, port }: Environment): string => {
  const colon = address.lastIndexOf(":")
  if ((host === undefined && port === undefined) || address.startsWith("unix:") || colon === -1) return address
  const other = host ?? address.slice(0, colon)
  return `${other.includes(":") && !other.startsWith("[") ? `[${other}]` : other}:${port ?? address.slice(colon + 1)}`
}

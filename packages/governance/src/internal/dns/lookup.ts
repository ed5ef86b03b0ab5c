/**
 * Instances out of what DNS answers.
 *
 * @internal
 */
import type { FoundAddress, FoundService, Network, NetworkError } from "@millrace/transport/Network"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Instance from "../../Instance.ts"
import { ResolveError } from "../../Resolver.ts"
import * as hostPort from "../hostPort.ts"

/** @internal */
export interface Found {
  readonly instances: ReadonlyArray<Instance.Instance>
  /** The shortest; undefined where none was told. */
  readonly ttlMillis: number | undefined
}

/** Asks for the addresses of a host. @internal */
export const lookup =
  (network: Network["Service"], defaultPort: number) =>
  (service: string): Effect.Effect<Found, ResolveError> => {
    const target = hostPort.parse(service)
    if (target === undefined) {
      return Effect.fail(
        new ResolveError({
          resolver: "dns",
          service,
          desc: `${JSON.stringify(service)} is no HOST[:PORT], with a port from 1 to 65535: set destService, or service of the Discovery`,
          retryable: false
        })
      )
    }
    const { host, port = defaultPort } = target
    return network.lookup(host).pipe(
      Effect.map((found) => ({
        instances: found.map(({ address }) => Instance.make(hostPort.format(address, port))),
        ttlMillis: shortest(found)
      })),
      Effect.mapError((error) => failed(service, error))
    )
  }

/** Asks for records of type SRV, and for the addresses of their hosts. @internal */
export const lookupService =
  (network: Network["Service"]) =>
  (service: string): Effect.Effect<Found, ResolveError> =>
    Effect.flatMap(network.lookupService(service), (all) => {
      const lowest = Math.min(...all.map(({ priority }) => priority))
      const records = all.filter(({ priority }) => priority === lowest)
      return Effect.flatMap(
        Effect.forEach(records, (record) => Effect.result(network.lookup(record.host)), { concurrency: 8 }),
        (looked) => {
          const hosts = looked.flatMap((result, at) =>
            Result.isSuccess(result) ? [{ record: records[at]!, addresses: result.success }] : []
          )
          const failure = looked.find(Result.isFailure)
          // A host that nobody knows takes none of the others away.
          if (hosts.length === 0 && failure !== undefined) return Effect.fail(failure.failure)
          return Effect.succeed({
            instances: instancesOf(hosts),
            ttlMillis: shortest([...records, ...hosts.flatMap(({ addresses }) => addresses)])
          })
        }
      )
    }).pipe(Effect.mapError((error) => failed(service, error)))

interface Host {
  readonly record: FoundService
  readonly addresses: ReadonlyArray<FoundAddress>
}

/**
 * The addresses of a host share its weight, in whole numbers. One of no weight has a very small chance (RFC 2782), where others have
 * one.
 */
const instancesOf = (hosts: ReadonlyArray<Host>): ReadonlyArray<Instance.Instance> => {
  const unweighted = hosts.every(({ record }) => record.weight === 0)
  const most = Math.max(...hosts.map(({ addresses }) => addresses.length))
  return hosts.flatMap(({ record, addresses }) => {
    const share = unweighted ? Instance.defaultWeight : Math.max(1, record.weight)
    const weight = Math.max(1, Math.round((share * most) / addresses.length))
    return addresses.map(({ address }) => Instance.make(hostPort.format(address, record.port), { weight }))
  })
}

const shortest = (found: ReadonlyArray<{ readonly ttlSeconds?: number }>): number | undefined => {
  const known = found.flatMap(({ ttlSeconds }) => (ttlSeconds === undefined ? [] : [ttlSeconds * 1000]))
  return known.length === 0 ? undefined : Math.min(...known)
}

const failed = (service: string, { desc }: NetworkError): ResolveError =>
  new ResolveError({ resolver: "dns", service, desc, retryable: true })

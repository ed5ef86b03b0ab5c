/**
 * DNS and interfaces as Node knows them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { LookupAddress } from "node:dns"
import * as dns from "node:dns/promises"
import { isIP } from "node:net"
import { networkInterfaces } from "node:os"
import { type FoundAddress, type FoundService, Network, NetworkError, type OwnAddress } from "../Network.ts"

/** @internal */
export interface NetworkOptions {
  readonly servers?: ReadonlyArray<string> | undefined
}

/** Milliseconds for the answer of a server to the first of `tries` questions; each one after it waits longer. */
const questionMillis = 2000
const tries = 3

const own = (): ReadonlyArray<OwnAddress> => {
  const found: Array<OwnAddress> = []
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal, scopeid } of addresses ?? []) {
      if (scopeid === undefined || scopeid === 0) found.push({ address, family: family === "IPv4" ? 4 : 6, internal })
    }
  }
  return found
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

/** What can be said of a name whatever the day. */
const absent: Readonly<Record<string, string>> = {
  ENOTFOUND: "does not exist",
  ENODATA: "exists, but nothing of this kind is behind it",
  EBADNAME: "is no name that DNS can have",
  ERR_INVALID_ARG_VALUE: "is no name that DNS can have"
}

const failed = (hostname: string, wanted: string, code: string): NetworkError => {
  const known = absent[code]
  return known === undefined
    ? new NetworkError({
        hostname,
        kind: "temporary",
        desc: `${wanted} of ${hostname} could not be looked up now (${code}); does DNS work?`
      })
    : new NetworkError({
        hostname,
        kind: "notFound",
        desc: `${wanted} of ${hostname} not found: the name ${known} (${code}); is it spelled right?`
      })
}

/** A resolver for one question, so that whoever is interrupted ends no other's, and a changed configuration counts. */
const withResolver = <A>(
  { servers }: NetworkOptions,
  ask: (resolver: dns.Resolver) => Promise<A>
): Effect.Effect<A, unknown> =>
  Effect.callback((resume) => {
    const resolver = new dns.Resolver({ timeout: questionMillis, tries })
    if (servers !== undefined) resolver.setServers(servers)
    ask(resolver).then(
      (found) => resume(Effect.succeed(found)),
      (error: unknown) => resume(Effect.fail(error))
    )
    return Effect.sync(() => resolver.cancel())
  })

type Family = FoundAddress["family"]

const found =
  (family: Family) =>
  ({ address, ttl }: { readonly address: string; readonly ttl: number }): FoundAddress => ({
    address,
    family,
    ttlSeconds: ttl
  })

/** Addresses of both families; the reason of the one that failed last when there are none. */
const bothFamilies = async (resolver: dns.Resolver, hostname: string): Promise<ReadonlyArray<FoundAddress>> => {
  const [four, six] = await Promise.allSettled([
    resolver.resolve4(hostname, { ttl: true }),
    resolver.resolve6(hostname, { ttl: true })
  ])
  const addresses: Array<FoundAddress> = []
  if (four.status === "fulfilled") addresses.push(...four.value.map(found(4)))
  if (six.status === "fulfilled") addresses.push(...six.value.map(found(6)))
  if (addresses.length > 0) return addresses
  const reasons = [four, six].map((result): unknown => (result.status === "rejected" ? result.reason : undefined))
  // What nobody could say now may be there later, whatever is known of the other family.
  throw reasons.find((reason) => absent[codeOf(reason)] === undefined) ?? reasons[0]
}

/** What the system knows beyond DNS: its hosts file, its search domains. It cannot be interrupted, only left. */
const system = (hostname: string): Effect.Effect<ReadonlyArray<FoundAddress>, unknown> =>
  Effect.map(
    Effect.tryPromise({ try: () => dns.lookup(hostname, { all: true }), catch: (error) => error }),
    (addresses: ReadonlyArray<LookupAddress>) =>
      addresses
        .map(({ address, family }): FoundAddress => ({ address, family: family === 6 ? 6 : 4 }))
        .sort((a, b) => a.family - b.family)
  )

/** The network of this host. @internal */
export const makeNetwork = (options: NetworkOptions): Network["Service"] => {
  const lookup = (hostname: string): Effect.Effect<ReadonlyArray<FoundAddress>, NetworkError> => {
    const literal = isIP(hostname)
    if (literal !== 0) return Effect.succeed([{ address: hostname, family: literal === 6 ? 6 : 4 }])
    const asked = withResolver(options, (resolver) => bothFamilies(resolver, hostname))
    // Servers that were given are the only ones to be asked. A name without a dot is nothing to DNS as it is.
    const all =
      options.servers !== undefined
        ? asked
        : hostname.includes(".")
          ? Effect.catch(asked, (error) => Effect.mapError(system(hostname), () => error))
          : system(hostname)
    return Effect.mapError(all, (error) => failed(hostname, "addresses", codeOf(error)))
  }
  const lookupService = (name: string): Effect.Effect<ReadonlyArray<FoundService>, NetworkError> =>
    Effect.matchEffect(
      withResolver(options, (resolver) => resolver.resolveSrv(name)),
      {
        onFailure: (error) => Effect.fail(failed(name, "services", codeOf(error))),
        onSuccess: (records) =>
          Effect.succeed(records.map(({ name, port, priority, weight }) => ({ host: name, port, priority, weight })))
      }
    )
  return Network.of({ addresses: Effect.sync(own), lookup, lookupService })
}

/**
 * The address by which others reach a server of this host.
 *
 * @internal
 */
import type { Network } from "@millrace/transport/Network"
import * as Effect from "effect/Effect"
import * as hostPort from "./hostPort.ts"

/**
 * Where the server listens on all addresses of the host: its first that others can reach, IPv4 before IPv6, else loopback.
 *
 * @internal
 */
export const ownAddress = (
  { hostname, port }: { readonly hostname: string; readonly port: number },
  network: Network["Service"]
): Effect.Effect<string> => {
  if (hostname !== "0.0.0.0" && hostname !== "::") {
    return Effect.succeed(port === 0 ? hostname : hostPort.format(hostname, port))
  }
  return Effect.map(network.addresses, (all) => {
    const reachable = all.filter(({ family, internal }) => !internal && (family === 4 || hostname === "::"))
    const chosen = reachable.find(({ family }) => family === 4) ?? reachable[0]
    return hostPort.format(chosen?.address ?? "127.0.0.1", port)
  })
}

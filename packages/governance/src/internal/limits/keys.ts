/**
 * What a limit counts by, and the account of a call or stream.
 *
 * @internal
 */
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import { type Account, Accounts } from "./accounts.ts"

/** What calls and streams have in common. @internal */
export interface Keyed {
  readonly info: RpcInfo
}

/** @internal */
export type Per<K extends Keyed> = "server" | "method" | "peer" | "caller" | ((of: K) => string | undefined)

/** @internal */
export const mostKeys = 10_000

/**
 * The function that gives the key; the same for all of a server. Undefined is no key, and no limit.
 *
 * @internal
 */
export const keyOf = <K extends Keyed>(per: Per<K>, peer: (of: K) => string): ((of: K) => string | undefined) => {
  switch (per) {
    case "server":
      return () => ""
    case "method":
      return ({ info }) => info.path
    case "peer":
      return (of) => hostOf(peer(of))
    case "caller":
      return ({ info }) => info.caller
    default:
      return per
  }
}

/** A peer has many connections, each with a port of its own. @internal */
export const hostOf = (address: string): string => {
  const port = address.lastIndexOf(":")
  return port === -1 ? address : address.slice(0, port)
}

/** The account of a key. @internal */
export const accountsOf = <A extends Account>(
  per: unknown,
  most: number,
  make: (now: number) => A
): ((key: string, now: number) => A) => {
  if (per === "server") {
    let one: A | undefined
    return (_, now) => (one ??= make(now))
  }
  const accounts = new Accounts(most, make)
  return (key, now) => accounts.of(key, now)
}

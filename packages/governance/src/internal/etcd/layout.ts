/**
 * How instances are written in etcd, as registry-etcd of Kitex does: one key an instance, with JSON in it.
 *
 * @internal
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { Instance } from "../../Instance.ts"

/**
 * What all keys of a service begin with, and the first key behind them, which ends a range.
 *
 * @internal
 */
export interface KeyRange {
  readonly key: string
  readonly range_end: string
}

const servicePrefix = (prefix: string, service: string): string => `${prefix}/${service}/`

/**
 * The key of an instance, as the gateway takes keys.
 *
 * @internal
 */
export const instanceKey = (prefix: string, service: string, address: string): string =>
  Base64.encode(servicePrefix(prefix, service) + address)

/**
 * All keys of a service, as the gateway takes ranges.
 *
 * @internal
 */
export const serviceRange = (prefix: string, service: string): KeyRange => {
  const start = servicePrefix(prefix, service)
  // "0" is the character behind "/"
  return { key: Base64.encode(start), range_end: Base64.encode(`${start.slice(0, -1)}0`) }
}

/**
 * Why a name cannot be that of a service; undefined where it can.
 *
 * @internal
 */
export const whyNoService = (service: string): string | undefined => {
  if (service === "") return "the name of the service is empty: name the service that runs here, or that is called"
  if (service.includes("/")) {
    return `the service ${JSON.stringify(service)} has a "/" in its name, which divides keys in etcd: take another name`
  }
  return undefined
}

/**
 * Why a weight cannot be written; undefined where it can.
 *
 * @internal
 */
export const whyNoWeight = (weight: number): string | undefined => {
  if (!Number.isInteger(weight)) {
    return `weight ${weight} is no whole number, and Kitex reads no others: multiply the weights of all instances`
  }
  return weight > 0
    ? undefined
    : `weight ${weight} stands for the default in etcd: deregister an instance that is to take no calls`
}

const unix = "unix:"

const hasPort = (address: string): boolean => {
  const [, port] = /.:(\d{1,5})$/.exec(address) ?? []
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536
}

/**
 * Why nobody could call an address; undefined where one can.
 *
 * @internal
 */
export const whyNoAddress = (address: string): string | undefined =>
  address.startsWith(unix) || hasPort(address)
    ? undefined
    : `${JSON.stringify(address)} is no address: give HOST:PORT, [IPV6]:PORT or unix:PATH`

/**
 * The value of an instance.
 *
 * @internal
 */
export const encodeInstance = ({ address, tags, weight }: Instance): string => {
  const network = address.startsWith(unix) ? "unix" : "tcp"
  return JSON.stringify({
    network,
    address: network === "unix" ? address.slice(unix.length) : address,
    weight,
    tags: Object.keys(tags).length === 0 ? null : tags
  })
}

/** Kitex writes IPv6 without the brackets that a dialer needs. */
const bracketed = (address: string): string => {
  const colon = address.lastIndexOf(":")
  return address.startsWith("[") || !address.slice(0, colon).includes(":")
    ? address
    : `[${address.slice(0, colon)}]:${address.slice(colon + 1)}`
}

const isTags = (value: unknown): value is Record<string, string> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((tag) => typeof tag === "string")

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The instance of a value as the gateway gives it, or why it is none. A weight that is missing, zero or less is the default one.
 *
 * @internal
 */
export const decodeInstance = (value: string, defaultWeight: number): Instance | string => {
  const text = Base64.decodeString(value)
  if (Result.isFailure(text)) return "it is no base64"
  const read = readJson(text.success)
  if (typeof read !== "object" || read === null) return "it is no JSON object"
  const { address, network, tags = null, weight = 0 } = read as Record<string, unknown>
  if (typeof address !== "string" || address === "") return "it has no address"
  if (!Number.isSafeInteger(weight)) return "its weight is no whole number"
  if (tags !== null && !isTags(tags)) return "its tags are no texts by name"
  if (network !== "unix" && !hasPort(address)) return "its address has no port"
  return {
    address: network === "unix" ? unix + address : bracketed(address),
    weight: Number(weight) > 0 ? Number(weight) : defaultWeight,
    tags: tags ?? {}
  }
}

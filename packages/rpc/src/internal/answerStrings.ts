/**
 * String keys in the TTHeader of an answer: those that a handler may put there.
 *
 * @internal
 */
import * as HeaderStrings from "@millrace/transport/HeaderStrings"
import * as Pushback from "@millrace/transport/Pushback"
import type { CallEntries } from "@millrace/transport/RawCall"

/** String keys that are the protocol's own: no handler sets them, and no caller sees them in an answer. @internal */
export const reserved: ReadonlySet<string> = new Set([
  "isn",
  "rip",
  "crrst",
  "biz-status",
  "biz-message",
  "biz-extra",
  "crc32c",
  Pushback.stringKey
])
/** Values of Kitex's payload validators. */
const validatorPrefix = "PV_"
/** A length is 16 bits wide. */
const maxLength = 0xffff

const encoder = new TextEncoder()

const tooLong = (text: string): boolean =>
  text.length * 3 > maxLength && (text.length > maxLength || encoder.encode(text).length > maxLength)

/** Adds an entry, in place of an older one of the same key. Throws when it cannot be sent. @internal */
export const add = (entries: CallEntries, key: string, value: string | Uint8Array): CallEntries => {
  const refusal = refusalOf(key, value)
  if (refusal !== undefined) throw new Error(refusal)
  return [...entries.filter(([other]) => other !== key), [key, value as string]]
}

/**
 * Adds an entry as a unary method has them, whatever its transport: beside others of the same key, and with bytes where that ends in
 * `-bin`. Throws when it cannot be sent.
 *
 * @internal
 */
export const append = (entries: CallEntries, key: string, value: string | Uint8Array): CallEntries => {
  const strings = HeaderStrings.fromMetadata([[key, value]])
  if (typeof strings === "string") throw new Error(strings)
  return [...entries, ...strings]
}

/** Why an entry cannot be sent; undefined when it can. @internal */
export const refusalOf = (key: string, value: string | Uint8Array): string | undefined => {
  if (key === "" || reserved.has(key) || key.startsWith(validatorPrefix)) {
    return `${JSON.stringify(key)} cannot be set on a PingPong call: the key belongs to the protocol, choose another`
  }
  if (typeof value !== "string") {
    return `${JSON.stringify(key)} cannot hold bytes on a PingPong call: a TTHeader has text alone`
  }
  if (tooLong(key) || tooLong(value)) {
    return `${JSON.stringify(key.slice(0, 64))} cannot be sent on a PingPong call: keys and values of a TTHeader have at most ${maxLength} bytes`
  }
  return undefined
}

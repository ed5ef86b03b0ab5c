/**
 * Between metadata and the string keys of a TTHeader.
 *
 * @internal
 */
import { empty, fromStrings, type Metadata, type MetadataEntries, type MetadataValue } from "../../Metadata.ts"
import * as Pushback from "../../Pushback.ts"
import type { CallEntries, CallHeader } from "../../RawCall.ts"
import { encodeBase64 } from "../base64.ts"
import { Prefix, StringKey } from "../ttheader/keys.ts"
import { maxStringSize, shown } from "../ttheader/text.ts"

const bizKeys = ["biz-status", "biz-message", "biz-extra"]

/** Keys of the protocol, of proxies and of Kitex's checks of a payload. */
const reserved: ReadonlySet<string> = new Set([
  ...bizKeys,
  Pushback.stringKey,
  StringKey.Service,
  StringKey.CancelPath,
  StringKey.ConnectionReset,
  StringKey.Checksum,
  "rip",
  "tc",
  "ti"
])
const reservedPrefixes = ["RPC_", "PV_"]

/** What a handler does not see in the metadata of its request: the service's name, and metainfo. @internal */
export const hiddenInRequest: Pick<ReadonlySet<string>, "has"> = {
  has: (key) => key === StringKey.Service || key.startsWith(Prefix.Transient) || key.startsWith(Prefix.Persistent)
}

/** What a client does not see in the headers of a response. @internal */
export const hiddenInHeader: ReadonlySet<string> = new Set()

/** What a client does not see in trailers: what made the status. @internal */
export const hiddenInTrailer: ReadonlySet<string> = new Set([...bizKeys, Pushback.stringKey])

/** @internal */
export const metadataOf = (header: CallHeader, hidden: Pick<ReadonlySet<string>, "has">): Metadata =>
  header.strings.size === 0 ? empty : fromStrings(header.strings, hidden, header.repeated)

const encoder = new TextEncoder()

const tooLong = (text: string): boolean =>
  text.length * 3 > maxStringSize && (text.length > maxStringSize || encoder.encode(text).length > maxStringSize)

const refused = (key: string, why: string): string => `the key "${shown(key, 64)}" cannot be sent over TTHeader: ${why}`

const textOf = (key: string, value: MetadataValue): string | undefined => {
  if (key.endsWith("-bin")) return encodeBase64(typeof value === "string" ? encoder.encode(value) : value)
  return typeof value === "string" ? value : undefined
}

const noEntries: CallEntries = []

/**
 * Metadata on its way out, keys as they are, or the text of the first entry that cannot be sent.
 *
 * @internal
 */
export const stringsOf = (entries: MetadataEntries): CallEntries | string => {
  if (entries.length === 0) return noEntries
  const strings: Array<readonly [string, string]> = []
  for (const [key, value] of entries) {
    if (key === "") return refused(key, "it is empty")
    if (reserved.has(key) || reservedPrefixes.some((prefix) => key.startsWith(prefix))) {
      return refused(key, "it belongs to the protocol, choose another")
    }
    const text = textOf(key, value)
    if (text === undefined) return refused(key, "bytes need a key in -bin")
    if (tooLong(key) || tooLong(text)) return refused(key, `keys and values have at most ${maxStringSize} bytes`)
    strings.push([key, text])
  }
  return strings
}

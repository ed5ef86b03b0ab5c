/**
 * How Kitex metainfo is spelled in headers. Over HTTP/2: `rpc-transit-<key>` for transient values, `rpc-persist-<key>`
 * for persistent ones (gopkg `cloud/metainfo/http.go`). In a TTHeader: `RPC_TRANSIT_<key>` and `RPC_PERSIST_<key>`, the
 * key as it is (`cloud/metainfo/utils.go`).
 *
 * @since 0.1.0
 */
import { Prefix } from "./internal/ttheader/keys.ts"
import type { Metadata } from "./Metadata.ts"
import type { CallEntries } from "./RawCall.ts"
import type { RawHeader } from "./RawStream.ts"

/**
 * The metainfo of a request. Keys that came over HTTP/2 are in Kitex's form (`UPPER_SNAKE`), those of a TTHeader as they
 * were sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Metainfo {
  readonly persistent: ReadonlyMap<string, string>
  readonly transient: ReadonlyMap<string, string>
}

const transientPrefix = "rpc-transit-"
const persistentPrefix = "rpc-persist-"

/**
 * A key as it comes out of a header: in upper case, with `_` for `-`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const receivedKey = (key: string): string => key.toUpperCase().replaceAll("-", "_")

const headerKey = (key: string): string => key.toLowerCase().replaceAll("_", "-")

/**
 * The name of the header that holds a key. It may be no valid name: see `refusal` of `Metadata`.
 *
 * @since 0.1.0
 * @category encoding
 */
export const headerName = {
  transient: (key: string): string => transientPrefix + headerKey(key),
  persistent: (key: string): string => persistentPrefix + headerKey(key)
} as const

/**
 * The string keys of a TTHeader that hold metainfo.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toStrings = ({ persistent, transient }: Metainfo): CallEntries => [
  ...Array.from(transient, ([key, value]) => [Prefix.Transient + key, value] as const),
  ...Array.from(persistent, ([key, value]) => [Prefix.Persistent + key, value] as const)
]

/**
 * Reads metainfo out of request headers: the first value of a key counts, empty keys and values do not, and the key
 * comes out in upper case with `_` for `-`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromMetadata = (metadata: Metadata): Metainfo => {
  const persistent = new Map<string, string>()
  const transient = new Map<string, string>()
  for (const key of metadata.keys()) {
    const into = key.startsWith(transientPrefix) ? transient : key.startsWith(persistentPrefix) ? persistent : undefined
    if (into === undefined) continue
    const name = key.slice(into === transient ? transientPrefix.length : persistentPrefix.length)
    const value = metadata.get(key)
    if (name !== "" && value !== undefined && value !== "") into.set(receivedKey(name), value)
  }
  return { persistent, transient }
}

const none: Metainfo = { persistent: new Map(), transient: new Map() }

/**
 * Reads metainfo out of the TTHeader of a request, if there is one. Empty keys and values do not count, and neither do
 * values that were transient for the sender: those end here.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromCallHeader = (header: RawHeader | undefined): Metainfo => {
  if (header === undefined || header.strings.size === 0) return none
  const persistent = new Map<string, string>()
  const transient = new Map<string, string>()
  for (const [key, value] of header.strings) {
    if (value === "" || key.startsWith(Prefix.Upstream)) continue
    const isTransient = key.startsWith(Prefix.Transient)
    if (!isTransient && !key.startsWith(Prefix.Persistent)) continue
    const name = key.slice(isTransient ? Prefix.Transient.length : Prefix.Persistent.length)
    if (name !== "") (isTransient ? transient : persistent).set(name, value)
  }
  return { persistent, transient }
}

/**
 * How Kitex metainfo is spelled in headers: `rpc-transit-<key>` for transient values, `rpc-persist-<key>` for
 * persistent ones (gopkg `cloud/metainfo/http.go`).
 *
 * @since 0.1.0
 */
import type { Metadata } from "./Metadata.ts"

/**
 * The metainfo of a request, keys in Kitex's form (`UPPER_SNAKE`).
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
    if (name !== "" && value !== undefined && value !== "") into.set(name.toUpperCase().replaceAll("-", "_"), value)
  }
  return { persistent, transient }
}

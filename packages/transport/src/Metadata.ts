/**
 * Metadata: what travels beside the messages of a stream, in request headers, response headers and trailers.
 *
 * Keys are lower case, a key may have several values, and a key that ends in `-bin` holds bytes. Keys come from the
 * network, so the values live in a `Map` and never on an object's prototype.
 *
 * @since 0.1.0
 */
import { refusedEntry } from "./internal/grpc/metadataRules.ts"

/**
 * A read-only view of received metadata. `get` gives the first value of a key as text (the bytes of a `-bin` key are
 * read as UTF-8), `getAll` every value in the order of arrival. Look-ups ignore the case of the key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Metadata {
  readonly get: (key: string) => string | undefined
  readonly getAll: (key: string) => ReadonlyArray<string | Uint8Array>
  readonly keys: () => Iterable<string>
}

/**
 * No metadata at all.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: Metadata = { get: () => undefined, getAll: () => [], keys: () => [] }

/**
 * The string keys of a TTHeader as metadata, without those in `hidden`. Keys stay as they came; a look-up in other case
 * finds the first key that differs in nothing else.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromStrings = (strings: ReadonlyMap<string, string>, hidden: ReadonlySet<string>): Metadata => {
  const get = (key: string): string | undefined => {
    if (hidden.has(key)) return undefined
    const value = strings.get(key)
    if (value !== undefined) return value
    const lower = key.toLowerCase()
    for (const [name, value] of strings) if (name.toLowerCase() === lower && !hidden.has(name)) return value
    return undefined
  }
  return {
    get,
    getAll: (key) => {
      const value = get(key)
      return value === undefined ? [] : [value]
    },
    keys: () => [...strings.keys()].filter((key) => !hidden.has(key))
  }
}

/**
 * A value on its way out. Bytes are for keys that end in `-bin`; a string under such a key is sent as its UTF-8.
 *
 * @since 0.1.0
 * @category models
 */
export type MetadataValue = string | Uint8Array

/**
 * Metadata on its way out, in the order in which it is sent; a key may come several times.
 *
 * @since 0.1.0
 * @category models
 */
export type MetadataEntries = ReadonlyArray<readonly [key: string, value: MetadataValue]>

/**
 * Why an entry cannot be sent, and what to do: the text that Kitex's peers know comes first. Undefined when it can. Upper-case
 * and reserved keys are refused, values with control characters, and bytes under a key that does not end in `-bin`.
 *
 * @since 0.1.0
 * @category validation
 */
export const refusal: (key: string, value: MetadataValue) => string | undefined = refusedEntry

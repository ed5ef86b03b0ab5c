/**
 * Metadata: what travels beside the messages of a stream, in request headers, response headers and trailers.
 *
 * Keys are lower case over HTTP/2, and as they are in a TTHeader; a key may have several values, and a key that ends in `-bin` holds
 * bytes. Keys come from the network, so the values live in a `Map` and never on an object's prototype.
 *
 * @since 0.1.0
 */
import { decodeAnyBase64 } from "./internal/base64.ts"
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

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** A text under its key; undefined for what has to be Base64 and is not. */
const valueOf = (key: string, text: string): string | Uint8Array | undefined =>
  key.endsWith("-bin") ? decodeAnyBase64(text) : text

/**
 * The string keys of a TTHeader as metadata, without those in `hidden`. Keys stay as they came; a look-up in other case
 * finds the first key that differs in nothing else. `repeated` has all values of the keys that came several times
 * (`CallHeader.repeated`). Keys that end in `-bin` hold Base64, padded or not, of either alphabet; other text under such a
 * key is left out.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromStrings = (
  strings: ReadonlyMap<string, string>,
  hidden: Pick<ReadonlySet<string>, "has">,
  repeated?: ReadonlyMap<string, ReadonlyArray<string>>
): Metadata => {
  const nameOf = (key: string): string | undefined => {
    if (hidden.has(key)) return undefined
    if (strings.has(key)) return key
    const lower = key.toLowerCase()
    for (const name of strings.keys()) if (name.toLowerCase() === lower && !hidden.has(name)) return name
    return undefined
  }
  const getAll = (key: string): ReadonlyArray<string | Uint8Array> => {
    const name = nameOf(key)
    if (name === undefined) return []
    const texts = repeated?.get(name) ?? [strings.get(name)!]
    return texts.map((text) => valueOf(name, text)).filter((value) => value !== undefined)
  }
  return {
    get: (key) => {
      const value = getAll(key)[0]
      return value === undefined || typeof value === "string" ? value : decoder.decode(value)
    },
    getAll,
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
 * Why an entry cannot be sent over HTTP/2 (for TTHeaders `HeaderStrings.refusal` says it), and what to do: the text that Kitex's peers
 * know comes first. Undefined when it can. Upper-case and reserved keys are refused, values with control characters, and bytes under a
 * key that does not end in `-bin`.
 *
 * @since 0.1.0
 * @category validation
 */
export const refusal: (key: string, value: MetadataValue) => string | undefined = refusedEntry

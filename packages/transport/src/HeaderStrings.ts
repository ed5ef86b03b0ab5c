/**
 * Metadata as the string keys of a TTHeader: names as they are, several values of a name one behind the other, and bytes under names in
 * `-bin` as Base64. See `fromStrings` of `Metadata` for the way back.
 *
 * @since 0.1.0
 */
import { stringsOf } from "./internal/ttstream/metadata.ts"
import type { MetadataEntries, MetadataValue } from "./Metadata.ts"
import type { CallEntries } from "./RawCall.ts"

/**
 * The string keys, or why an entry cannot be sent: its name is empty or belongs to the protocol, it is longer than a TTHeader holds, or
 * it has bytes under a name that does not end in `-bin`.
 *
 * @since 0.1.0
 * @category converting
 */
export const fromMetadata: (entries: MetadataEntries) => CallEntries | string = stringsOf

/**
 * Why one entry cannot be sent; undefined when it can.
 *
 * @since 0.1.0
 * @category validation
 */
export const refusal = (key: string, value: MetadataValue): string | undefined => {
  const strings = fromMetadata([[key, value]])
  return typeof strings === "string" ? strings : undefined
}

/**
 * Metadata that a user wrote by name, as it goes out.
 *
 * @internal
 */
import type { MetadataEntries, MetadataValue } from "@millrace/transport/Metadata"

/** Names as they were written. @internal */
export const fromRecord = (
  metadata: Readonly<Record<string, MetadataValue | ReadonlyArray<MetadataValue>>>
): MetadataEntries =>
  Object.entries(metadata).flatMap(([key, value]) => {
    const values = typeof value === "string" || value instanceof Uint8Array ? [value] : value
    return values.map((value) => [key, value] as const)
  })

/** As HTTP/2 has names: the same list where they all are so already. @internal */
export const lowerCased = (entries: MetadataEntries): MetadataEntries =>
  entries.every(([key]) => key === key.toLowerCase())
    ? entries
    : entries.map(([key, value]) => [key.toLowerCase(), value] as const)

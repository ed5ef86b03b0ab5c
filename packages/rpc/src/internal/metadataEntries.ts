/**
 * Metadata that a user wrote by name, as it goes out.
 *
 * @internal
 */
import type { MetadataEntries, MetadataValue } from "@millrace/transport/Metadata"

/** @internal */
export const fromRecord = (
  metadata: Readonly<Record<string, MetadataValue | ReadonlyArray<MetadataValue>>>
): MetadataEntries =>
  Object.entries(metadata).flatMap(([key, value]) => {
    const name = key.toLowerCase()
    const values = typeof value === "string" || value instanceof Uint8Array ? [value] : value
    return values.map((value) => [name, value] as const)
  })

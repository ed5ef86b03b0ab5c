/**
 * Metadata of a call: request headers, response headers and trailers. See `@millrace/transport/Metadata`.
 *
 * @since 0.1.0
 */

export {
  /**
   * A read-only view of received metadata.
   *
   * @since 0.1.0
   * @category models
   */
  type Metadata,
  /**
   * Metadata on its way out.
   *
   * @since 0.1.0
   * @category models
   */
  type MetadataEntries,
  /**
   * A value on its way out: text, or the bytes of a key that ends in `-bin`.
   *
   * @since 0.1.0
   * @category models
   */
  type MetadataValue
} from "@millrace/transport/Metadata"

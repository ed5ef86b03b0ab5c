/**
 * Kitex metainfo: small values that follow a request from hop to hop. Transient values live one hop, persistent ones go
 * on.
 *
 * @since 0.1.0
 */
export {
  /**
   * The metainfo of a request.
   *
   * @since 0.1.0
   * @category models
   */
  type Metainfo
} from "@millrace/transport/Metainfo"

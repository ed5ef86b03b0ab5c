/**
 * `google.rpc.Status`: a status with details, for `details` of an `RpcError.Status` and of a `BizStatusError`. See
 * `@millrace/transport/StatusDetails`.
 *
 * **Example** (A handler that fails with a status and its details)
 *
 * ```ts
 * import { RpcError, StatusDetails } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const details = StatusDetails.encode({
 *   code: 5,
 *   message: "no such model",
 *   details: [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: new Uint8Array(0) }]
 * })
 * const refuse = Effect.fail(
 *   new RpcError.RpcError({ reason: new RpcError.Status({ details }), code: 5, desc: "no such model" })
 * )
 * ```
 *
 * @since 0.1.0
 */
export {
  /**
   * Reads a status; undefined when the bytes are none.
   *
   * @since 0.1.0
   * @category decoding
   */
  decode,
  /**
   * The bytes of a status.
   *
   * @since 0.1.0
   * @category encoding
   */
  encode,
  /**
   * One detail: a protobuf message of any type, encoded.
   *
   * @since 0.1.0
   * @category models
   */
  type StatusDetail,
  /**
   * A status with details.
   *
   * @since 0.1.0
   * @category models
   */
  type StatusDetails
} from "@millrace/transport/StatusDetails"

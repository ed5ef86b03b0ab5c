/**
 * What can go wrong below the messages: dialling, the connection, the stream, a limit. Each error carries what gRPC and
 * Kitex make of it (`code` and `desc`), so that no layer above repeats a rule of the protocol.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const id = (name: string) => `@millrace/transport/TransportError/${name}`

/**
 * No connection could be made, or nothing can listen at the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectFailed extends Schema.Error<ConnectFailed>(id("ConnectFailed"))({
  _tag: Schema.tag("ConnectFailed"),
  address: Schema.String
}) {}

/**
 * Dial, TLS handshake or the peer's SETTINGS took too long. `step` says which.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimeout extends Schema.Error<ConnectTimeout>(id("ConnectTimeout"))({
  _tag: Schema.tag("ConnectTimeout"),
  address: Schema.String,
  step: Schema.Literals(["dial", "tls", "settings"]),
  millis: Schema.Number
}) {}

/**
 * The connection ended under the stream or the call. `neverSent`: no byte of the call was given to the kernel, so that it is safe
 * to send again.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionLost extends Schema.Error<ConnectionLost>(id("ConnectionLost"))({
  _tag: Schema.tag("ConnectionLost"),
  address: Schema.String,
  neverSent: Schema.optionalKey(Schema.Boolean)
}) {}

/**
 * The stream was reset. `resetCode` is the HTTP/2 error code (1000 is Kitex's shutdown), or the code of an Rst frame of TTHeader
 * streaming, which also says why (`text`), and through which services that came (`path`, the first first). `byPeer` says who did it.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamReset extends Schema.Error<StreamReset>(id("StreamReset"))({
  _tag: Schema.tag("StreamReset"),
  resetCode: Schema.Number,
  byPeer: Schema.Boolean,
  text: Schema.optionalKey(Schema.String),
  path: Schema.optionalKey(Schema.Array(Schema.String))
}) {}

/**
 * The server drains: it did not accept the stream (GOAWAY), which is safe to try elsewhere.
 *
 * @since 0.1.0
 * @category errors
 */
export class Draining extends Schema.Error<Draining>(id("Draining"))({
  _tag: Schema.tag("Draining")
}) {}

/**
 * A limit of ours was exceeded, and `limit` is its name in the options; or one that the server announced,
 * `MAX_CONCURRENT_STREAMS` or `MAX_HEADER_LIST_SIZE`.
 *
 * @since 0.1.0
 * @category errors
 */
export class LimitExceeded extends Schema.Error<LimitExceeded>(id("LimitExceeded"))({
  _tag: Schema.tag("LimitExceeded"),
  limit: Schema.String,
  max: Schema.Number
}) {}

/**
 * The peer broke its protocol.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProtocolViolation extends Schema.Error<ProtocolViolation>(id("ProtocolViolation"))({
  _tag: Schema.tag("ProtocolViolation")
}) {}

/**
 * Metadata, or other keys and values, that cannot be sent: an illegal name, control characters, more than a TTHeader holds.
 * Nothing of the call was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidMetadata extends Schema.Error<InvalidMetadata>(id("InvalidMetadata"))({
  _tag: Schema.tag("InvalidMetadata")
}) {}

/**
 * A message is compressed with something we do not have, or does not inflate.
 *
 * @since 0.1.0
 * @category errors
 */
export class CompressionFailed extends Schema.Error<CompressionFailed>(id("CompressionFailed"))({
  _tag: Schema.tag("CompressionFailed")
}) {}

/**
 * We ended the stream ourselves.
 *
 * @since 0.1.0
 * @category errors
 */
export class Cancelled extends Schema.Error<Cancelled>(id("Cancelled"))({
  _tag: Schema.tag("Cancelled")
}) {}

/**
 * Every reason of a {@link TransportError}.
 *
 * @since 0.1.0
 * @category errors
 */
export const Reason = Schema.Union([
  ConnectFailed,
  ConnectTimeout,
  ConnectionLost,
  StreamReset,
  Draining,
  LimitExceeded,
  ProtocolViolation,
  InvalidMetadata,
  CompressionFailed,
  Cancelled
])

/**
 * A failure of the transport. `code` is the gRPC status that Kitex gives it, or a code of TTHeader streaming (12001 and so on), `desc`
 * the text that Kitex's peers know, `reason` what happened.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>("@millrace/transport/TransportError")(
  "TransportError",
  {
    reason: Reason,
    code: Schema.Int,
    desc: Schema.String
  }
) {
  override get message() {
    return this.desc
  }
}

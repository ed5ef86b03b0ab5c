/**
 * The one error of a call that is neither a declared exception nor a business error. What happened is its `reason`, the
 * same on every transport; `code` and `desc` are what the wire has, with Kitex's numbers and texts.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const id = (name: string) => `@millrace/rpc/RpcError/${name}`

/**
 * No connection within the connect budget.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimeout extends Schema.Error<ConnectTimeout>(id("ConnectTimeout"))({
  _tag: Schema.tag("ConnectTimeout"),
  millis: Schema.Number
}) {}

/**
 * The first message did not come within its budget.
 *
 * @since 0.1.0
 * @category errors
 */
export class FirstMessageTimeout extends Schema.Error<FirstMessageTimeout>(id("FirstMessageTimeout"))({
  _tag: Schema.tag("FirstMessageTimeout"),
  millis: Schema.Number
}) {}

/**
 * One `recv` waited longer than `recvTimeout`. Kitex's code 17.
 *
 * @since 0.1.0
 * @category errors
 */
export class RecvTimeout extends Schema.Error<RecvTimeout>(id("RecvTimeout"))({
  _tag: Schema.tag("RecvTimeout"),
  millis: Schema.Number
}) {}

/**
 * One `send` waited longer than `sendTimeout` for room in the local buffer.
 *
 * @since 0.1.0
 * @category errors
 */
export class SendTimeout extends Schema.Error<SendTimeout>(id("SendTimeout"))({
  _tag: Schema.tag("SendTimeout"),
  millis: Schema.Number
}) {}

/**
 * A PingPong call took longer than `rpcTimeout`, here or at the server. `neverSent` says that the time was over before a
 * connection was there: nothing of the call reached a server.
 *
 * @since 0.1.0
 * @category errors
 */
export class RpcTimeout extends Schema.Error<RpcTimeout>(id("RpcTimeout"))({
  _tag: Schema.tag("RpcTimeout"),
  millis: Schema.Number,
  neverSent: Schema.optionalKey(Schema.Literal(true))
}) {}

/**
 * The total deadline has passed, here or at the peer.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeadlineExceeded extends Schema.Error<DeadlineExceeded>(id("DeadlineExceeded"))({
  _tag: Schema.tag("DeadlineExceeded")
}) {}

/**
 * The peer ended the call with a status of its own; `code` and `desc` of the error are that status. `details` are the bytes of
 * its details, where it has some: `StatusDetails.decode` reads them. A handler that fails with this sends it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Status extends Schema.Error<Status>(id("Status"))({
  _tag: Schema.tag("Status"),
  details: Schema.optionalKey(Schema.Uint8Array)
}) {}

/**
 * The stream was cancelled, by us or by the peer. Over TTHeader streaming `path` names the services that the cancellation went through,
 * the one that cancelled first.
 *
 * @since 0.1.0
 * @category errors
 */
export class Cancelled extends Schema.Error<Cancelled>(id("Cancelled"))({
  _tag: Schema.tag("Cancelled"),
  by: Schema.Literals(["local", "peer"]),
  path: Schema.optionalKey(Schema.Array(Schema.String))
}) {}

/**
 * The peer cannot be reached, is shutting down, or the connection broke. `neverSent` says that nothing of the call
 * reached a server, so that trying elsewhere is safe; `draining` that a server which shuts down did not take the call, or ended it.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unavailable extends Schema.Error<Unavailable>(id("Unavailable"))({
  _tag: Schema.tag("Unavailable"),
  neverSent: Schema.Boolean,
  draining: Schema.optionalKey(Schema.Literal(true))
}) {}

/**
 * A message could not be encoded or decoded.
 *
 * @since 0.1.0
 * @category errors
 */
export class CodecError extends Schema.Error<CodecError>(id("CodecError"))({
  _tag: Schema.tag("CodecError"),
  kind: Schema.String,
  /** The member, `Request.items[3].name`; empty when no member is to blame. */
  path: Schema.String,
  /** Where in the message, in bytes; absent when encoding. */
  offset: Schema.optionalKey(Schema.Number)
}) {}

/**
 * Metadata, metainfo or a log id that cannot be sent: an illegal name, a value with control characters, more than a TTHeader
 * holds. `desc` says which and why. Nothing of the call was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidMetadata extends Schema.Error<InvalidMetadata>(id("InvalidMetadata"))({
  _tag: Schema.tag("InvalidMetadata")
}) {}

/**
 * Refused before it ran: over a limit of the server (`limit` names it) or of the transport. Nothing of it was done, so that it
 * is safe to try again, elsewhere or after `retryAfterMillis`, where the server gives such a hint. Not where it `maybeRan`: what
 * came back is more than a limit of this client lets in.
 *
 * @since 0.1.0
 * @category errors
 */
export class Rejected extends Schema.Error<Rejected>(id("Rejected"))({
  _tag: Schema.tag("Rejected"),
  limit: Schema.String,
  retryAfterMillis: Schema.optionalKey(Schema.Number),
  maybeRan: Schema.optionalKey(Schema.Literal(true))
}) {}

/**
 * Refused by a rule that says who may call what: Kitex's ACL. Trying again does not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class Forbidden extends Schema.Error<Forbidden>(id("Forbidden"))({
  _tag: Schema.tag("Forbidden")
}) {}

/**
 * Refused by a circuit breaker of this client, because too many calls before it failed: nothing was sent. `key` is whose
 * breaker it is: `caller/callee/method`, or the address of an instance.
 *
 * @since 0.1.0
 * @category errors
 */
export class CircuitOpen extends Schema.Error<CircuitOpen>(id("CircuitOpen"))({
  _tag: Schema.tag("CircuitOpen"),
  level: Schema.Literals(["service", "instance"]),
  key: Schema.String
}) {}

/**
 * Nobody knows where the service runs: its resolver failed and there is no list of before, or the list is empty. Nothing was
 * sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class DiscoveryFailed extends Schema.Error<DiscoveryFailed>(id("DiscoveryFailed"))({
  _tag: Schema.tag("DiscoveryFailed"),
  service: Schema.String
}) {}

/**
 * Instances are known, and none of them could be chosen: no weight above zero, or no key to hash. `desc` says what. Nothing was
 * sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoInstance extends Schema.Error<NoInstance>(id("NoInstance"))({
  _tag: Schema.tag("NoInstance"),
  service: Schema.String,
  why: Schema.Literals(["noWeight", "noHashKey"])
}) {}

/**
 * The peer broke the protocol.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProtocolViolation extends Schema.Error<ProtocolViolation>(id("ProtocolViolation"))({
  _tag: Schema.tag("ProtocolViolation")
}) {}

/**
 * Every reason of an {@link RpcError}.
 *
 * @since 0.1.0
 * @category errors
 */
export const Reason = Schema.Union([
  ConnectTimeout,
  FirstMessageTimeout,
  RecvTimeout,
  SendTimeout,
  RpcTimeout,
  DeadlineExceeded,
  Status,
  Cancelled,
  Unavailable,
  CodecError,
  InvalidMetadata,
  Rejected,
  Forbidden,
  CircuitOpen,
  DiscoveryFailed,
  NoInstance,
  ProtocolViolation
])

/**
 * A failed call. `message` is Kitex's text; `method` and `address` say where.
 *
 * **Example** (Catching one reason)
 *
 * ```ts
 * import { RpcError } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const orEmpty = <A, R>(call: Effect.Effect<A, RpcError.RpcError, R>) =>
 *   call.pipe(Effect.catchReason("RpcError", "DeadlineExceeded", () => Effect.succeed(undefined)))
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class RpcError extends Schema.TaggedError<RpcError>("@millrace/rpc/RpcError")("RpcError", {
  reason: Reason,
  /** The wire's number: a gRPC status code or one of Kitex's. */
  code: Schema.Int,
  /** What goes on the wire. */
  desc: Schema.String,
  /** `Service.Method`. */
  method: Schema.optionalKey(Schema.String),
  /** `HOST:PORT` of the other end. */
  address: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return `rpc error: code = ${this.code} desc = ${this.desc}`
  }
}

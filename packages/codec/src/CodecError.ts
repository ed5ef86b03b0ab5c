/**
 * The one error of codecs: what was wrong, where in the message and where in the bytes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * What can be wrong with a message.
 *
 * - `Truncated`: the bytes end inside a value, or a size is larger than what is left of them
 * - `NegativeSize`: a string or container announces a negative size
 * - `SizeLimit`: a container announces more elements than its limit
 * - `DepthLimit`: values are nested too deep
 * - `BadType`: a type byte that Thrift does not have, or elements of another type than declared
 * - `MissingRequired`: a required member is absent; `message` has Kitex's text
 * - `BadValue`: a value that its type cannot hold
 *
 * @since 0.1.0
 * @category models
 */
export type Kind =
  | "Truncated"
  | "NegativeSize"
  | "SizeLimit"
  | "DepthLimit"
  | "BadType"
  | "MissingRequired"
  | "BadValue"

/**
 * A message that could not be read or written.
 *
 * `path` names the member (`Request.items[3].name`), `offset` is the byte within the message at which reading failed,
 * and is absent for writing. `detail` says what was expected and what was there.
 *
 * @since 0.1.0
 * @category errors
 */
export class CodecError extends Schema.TaggedError<CodecError>("@millrace/codec/CodecError")("CodecError", {
  kind: Schema.Literals([
    "Truncated",
    "NegativeSize",
    "SizeLimit",
    "DepthLimit",
    "BadType",
    "MissingRequired",
    "BadValue"
  ]),
  path: Schema.String,
  offset: Schema.optionalKey(Schema.Number),
  detail: Schema.String,
  message: Schema.String
}) {}

/**
 * The number that Kitex gives the same failure as a Thrift protocol exception: DEPTH_LIMIT 6, and INVALID_DATA 1 for
 * all others (gopkg `protocol/thrift/exception.go`; recorded from its generated readers).
 *
 * @since 0.1.0
 * @category getters
 */
export const protocolKind = (error: CodecError): number => (error.kind === "DepthLimit" ? 6 : 1)

/**
 * Builds the error with its text: `path: detail`, and for a missing required member the text of Kitex alone.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (kind: Kind, path: string, detail: string, offset?: number): CodecError =>
  new CodecError({
    kind,
    path,
    detail,
    message: kind === "MissingRequired" || path === "" ? detail : `${path}: ${detail}`,
    ...(offset === undefined ? undefined : { offset })
  })

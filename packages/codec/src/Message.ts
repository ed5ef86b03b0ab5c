/**
 * The envelope of PingPong messages in the Thrift binary protocol, and the exception that a server answers with when
 * there is no result. Formats: Kitex `pkg/remote/codec/thrift`, gopkg `protocol/thrift`.
 *
 * @since 0.1.0
 */
import * as CodecError from "./CodecError.ts"
import * as Bytes from "./internal/bytes.ts"
import { fromPlan } from "./internal/fromPlan.ts"
import type { StructPlan } from "./internal/plan.ts"
import type { Output } from "./Output.ts"

/**
 * Kinds of messages. A reply carries the result, declared exceptions among it; an exception carries an
 * `ApplicationException`.
 *
 * @since 0.1.0
 * @category models
 */
export const MessageType = { Call: 1, Reply: 2, Exception: 3, Oneway: 4 } as const

/**
 * What stands before the body of a message. `type` is one of `MessageType`, or whatever number a peer sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  readonly type: number
  readonly method: string
  readonly sequenceId: number
}

/**
 * An envelope and where the body behind it begins.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadEnvelope extends Envelope {
  readonly bodyAt: number
}

const version = 0x8001

/**
 * Writes a strict envelope. The body is written behind it by the codec of the arguments or of the result.
 *
 * @since 0.1.0
 * @category encoding
 */
export const write = (envelope: Envelope, out: Output): void => {
  const { method, sequenceId, type } = envelope
  const size = method.length * 3 + 12
  out.ensure(size)
  const { buffer, position, view } = out
  view.setUint16(position, version)
  view.setUint16(position + 2, type)
  const next = Bytes.writeString(buffer, view, position + 4, method)
  view.setInt32(next, sequenceId)
  out.position = next + 4
}

/**
 * Reads a strict envelope, the only form that Kitex writes and accepts. The type is the low 16 bits, as in Kitex.
 * Throws `CodecError`: `BadValue` for another version, `Truncated` and `NegativeSize` for the name.
 *
 * @since 0.1.0
 * @category decoding
 */
export const read = (bytes: Uint8Array, start: number, end: number): ReadEnvelope => {
  const fail = (kind: CodecError.Kind, detail: string, at: number): never => {
    throw CodecError.make(kind, "Message", detail, at - start)
  }
  if (end - start < 4) return fail("Truncated", "expected a message header", start)
  if (((bytes[start]! << 8) | bytes[start + 1]!) !== version) {
    const word = (Bytes.readI32(bytes, start) >>> 0).toString(16).padStart(8, "0")
    return fail("BadValue", `bad version in ReadMessageBegin: ${word}`, start)
  }
  if (end - start < 8) return fail("Truncated", "expected a method name", start + 4)
  const length = Bytes.readI32(bytes, start + 4)
  if (length < 0) return fail("NegativeSize", `invalid data length ${length} of a method name`, start + 4)
  const nameAt = start + 8
  if (length > end - nameAt - 4) return fail("Truncated", `a method name of ${length} bytes does not fit`, start + 4)
  return {
    type: (bytes[start + 2]! << 8) | bytes[start + 3]!,
    method: Bytes.readString(bytes, nameAt, length),
    sequenceId: Bytes.readI32(bytes, nameAt + length),
    bodyAt: nameAt + length + 4
  }
}

/**
 * `TApplicationException`: why there is no result. `type` is one of `ExceptionType` or a number of the application.
 *
 * @since 0.1.0
 * @category models
 */
export interface ApplicationException {
  readonly message: string
  readonly type: number
}

/**
 * The types of `ApplicationException` that Kitex knows (`pkg/remote/trans_errors.go`).
 *
 * @since 0.1.0
 * @category models
 */
export const ExceptionType = {
  Unknown: 0,
  UnknownMethod: 1,
  InvalidMessageType: 2,
  WrongMethodName: 3,
  BadSequenceId: 4,
  MissingResult: 5,
  InternalError: 6,
  ProtocolError: 7,
  InvalidTransform: 8,
  InvalidProtocol: 9,
  UnsupportedClientType: 10,
  UnknownService: 20,
  NoServiceName: 21
} as const

const texts: Readonly<Record<number, string>> = {
  0: "unknown application exception",
  1: "unknown method",
  2: "invalid message type",
  3: "wrong method name",
  4: "bad sequence ID",
  5: "missing result",
  6: "unknown internal error",
  7: "unknown protocol error",
  8: "Invalid transform",
  9: "Invalid protocol",
  10: "Unsupported client type"
}

// Kitex fills in the text of 20 when it writes and not when it reads
const writtenTexts: Readonly<Record<number, string>> = { ...texts, 20: "unknown service" }

const exceptionPlan: StructPlan = {
  kind: "struct",
  name: "TApplicationException",
  label: "TApplicationException",
  members: [
    { id: 1, name: "message", plan: { kind: "string" }, requiredness: "default", default: undefined },
    { id: 2, name: "type", plan: { kind: "i32" }, requiredness: "default", default: undefined }
  ],
  constants: [],
  make: undefined,
  isException: false,
  isResult: false,
  compiled: undefined
}

const exceptionCodec = fromPlan<ApplicationException>(() => exceptionPlan)

/**
 * Writes the body of an exception message: both fields, message first. For an empty message the text that Kitex has for
 * the type is written. Throws `CodecError` for a type that is not an i32.
 *
 * @since 0.1.0
 * @category encoding
 */
export const writeException = ({ message, type }: ApplicationException, out: Output): void =>
  exceptionCodec.encodeInto({ message: message === "" ? (writtenTexts[type] ?? "") : message, type }, out)

/**
 * Reads the body of an exception message. Absent fields are "" and 0; an empty message becomes the text that Kitex has
 * for the type. Throws `CodecError`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const readException = (bytes: Uint8Array, start: number, end: number): ApplicationException => {
  const { message, type } = exceptionCodec.decodeFrom(bytes, start, end)
  return { message: message === "" ? (texts[type] ?? `unknown exception type [${type}]`) : message, type }
}

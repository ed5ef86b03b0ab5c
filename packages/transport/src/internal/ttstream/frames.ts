/**
 * Frames of TTHeader streaming: a TTHeader whose sequence id is the id of a stream, and a payload. Types and exceptions: Kitex
 * `pkg/remote/trans/ttstream/frame.go`.
 *
 * @internal
 */
import { CodecError } from "@millrace/codec/CodecError"
import * as Message from "@millrace/codec/Message"
import type { Output } from "@millrace/codec/Output"
import type { CallHeader, CallHeaderFields } from "../../RawCall.ts"
import { patchLength, writeHeader } from "../ttheader/header.ts"
import { encodeFrameInfo, Known } from "../ttheader/info.ts"
import { Flag, IntKey } from "../ttheader/keys.ts"

/** @internal */
export const FrameType = {
  /** What a proxy knows of a stream; with the stream id 0 a word between two connections of ours. */
  Meta: 1,
  Header: 2,
  Data: 3,
  /** The end of one direction. */
  Trailer: 4,
  /** The end of a stream, now. */
  Rst: 5
} as const

/** The type of a frame; undefined for none, or one that there is not. @internal */
export const frameTypeOf = ({ ints }: CallHeader): number | undefined => {
  const text = ints.get(IntKey.FrameType)
  if (text === undefined || text.length !== 1) return undefined
  const type = text.charCodeAt(0) - 0x30
  return type >= FrameType.Meta && type <= FrameType.Rst ? type : undefined
}

/** A frame without other keys. @internal */
export const noFields: CallHeaderFields = { ints: [], strings: [] }

/** How many keys a frame has that come by themselves. @internal */
export const ownFieldCount = 2

const withOwnKeys = (type: number, method: string, { ints, strings }: CallHeaderFields): CallHeaderFields => {
  const all = ints.filter(([key]) => key !== IntKey.ToMethod && key !== IntKey.FrameType)
  all.push([IntKey.ToMethod, method], [IntKey.FrameType, `${type}`])
  return { strings, ints: all.sort(([a], [b]) => a - b) }
}

type Infos = Map<string, Uint8Array>

/** Methods come from the network: neither many of them nor long ones are remembered. */
const maxInfos = 256
const maxKnownMethod = 128

const plainInfos: Infos = new Map()
const otherInfos = new Known<Infos>(
  () => new Map(),
  (infos) => infos
)

/**
 * The info of a frame: the given keys, the method and the type, ints ascending. The same fields with the same type and method are
 * encoded once. Throws `HeaderError` for what is too long.
 *
 * @internal
 */
export const frameInfo = (type: number, method: string, fields: CallHeaderFields = noFields): Uint8Array => {
  if (method.length > maxKnownMethod) return encodeFrameInfo(withOwnKeys(type, method, fields))
  const infos = fields === noFields ? plainInfos : otherInfos.get(fields)
  const key = `${type}${method}`
  const known = infos.get(key)
  if (known !== undefined) return known
  const info = new Uint8Array(encodeFrameInfo(withOwnKeys(type, method, fields)))
  if (infos.size >= maxInfos) infos.clear()
  infos.set(key, info)
  return info
}

/** Writes the beginning of a frame, up to its payload; gives the place for `patchLength` behind the payload. @internal */
export const beginFrame = (out: Output, streamId: number, info: Uint8Array): number =>
  writeHeader(out, Flag.Streaming, streamId, info)

/** Writes a whole frame, and gives its bytes. @internal */
export const writeFrame = (out: Output, streamId: number, info: Uint8Array, payload?: Uint8Array): number => {
  const place = beginFrame(out, streamId, info)
  if (payload !== undefined) {
    out.ensure(payload.length)
    out.buffer.set(payload, out.position)
    out.position += payload.length
  }
  return 4 + patchLength(out, place, out.segments.length)
}

/** Writes a frame whose payload is an exception, and gives its bytes. @internal */
export const writeExceptionFrame = (
  out: Output,
  streamId: number,
  info: Uint8Array,
  method: string,
  exception: Message.ApplicationException
): number => {
  const place = beginFrame(out, streamId, info)
  const firstSegment = out.segments.length
  Message.write({ type: Message.MessageType.Exception, method, sequenceId: streamId }, out)
  Message.writeException(exception, out)
  return 4 + patchLength(out, place, firstSegment)
}

const messageTypes: Readonly<Record<number, string>> = {
  0: "InvalidTMessageType",
  1: "Call",
  2: "Reply",
  4: "Oneway"
}

/** The exception that a Trailer or an Rst holds, or why that is none. @internal */
export const readExceptionPayload = (
  bytes: Uint8Array,
  start: number,
  end: number
): Message.ApplicationException | string => {
  try {
    const { bodyAt, type } = Message.read(bytes, start, end)
    return type === Message.MessageType.Exception
      ? Message.readException(bytes, bodyAt, end)
      : `thrift message type want Exception, but got ${messageTypes[type] ?? `Unknown ThriftMessageType: ${type}`}`
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    if (error.path !== "Message") return error.message
    return error.kind === "BadValue" ? "ReadMessageBegin: bad version" : "ReadMessageBegin: buf too small"
  }
}

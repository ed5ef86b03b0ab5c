/**
 * What bytes are, found out from the first eight of a connection or of a message, as Kitex does it
 * (`pkg/remote/codec/default_codec.go`, `pkg/remote/trans/detection`).
 *
 * @internal
 */
import { magic } from "../ttheader/header.ts"
import { Flag } from "../ttheader/keys.ts"
import { meshMagic } from "../ttheader/mesh.ts"
import { readU16 } from "../ttheader/text.ts"

/** Bytes that tell what a connection, or a message, is. @internal */
export const sniffedSize = 8

const thriftVersion = 0x8001

// "PRI * HT", the beginning of the preface
const preface = [0x50, 0x52, 0x49, 0x20, 0x2a, 0x20, 0x48, 0x54]

/** What a fresh connection speaks, for good. `unknown`: what no protocol here begins with. @internal */
export type Protocol = "http2" | "ttstream" | "pingpong" | "unknown"

/** Tells the protocol of a connection from its first eight bytes. @internal */
export const detect = (bytes: Uint8Array): Protocol => {
  if (preface.every((byte, i) => bytes[i] === byte)) return "http2"
  const header = headerShape(bytes, 0)
  if (header === "ttheader" && (readU16(bytes, 6) & Flag.Streaming) !== 0) return "ttstream"
  return header !== undefined || payloadShape(bytes, 0) !== undefined ? "pingpong" : "unknown"
}

/** Which header eight bytes begin, if any: a payload otherwise. @internal */
export const headerShape = (bytes: Uint8Array, at: number): "ttheader" | "mesh" | undefined =>
  readU16(bytes, at + 4) === magic ? "ttheader" : readU16(bytes, at) === meshMagic ? "mesh" : undefined

/** How the Thrift message lies that eight bytes begin; undefined for anything else. @internal */
export const payloadShape = (bytes: Uint8Array, at: number): "buffered" | "framed" | undefined =>
  readU16(bytes, at) === thriftVersion ? "buffered" : readU16(bytes, at + 4) === thriftVersion ? "framed" : undefined

const word = (bytes: Uint8Array, at: number): string =>
  (readU16(bytes, at) * 0x10000 + readU16(bytes, at + 2)).toString(16)

/** Why eight bytes without a shape are refused. @internal */
export const invalidPayload = (bytes: Uint8Array, at: number): string =>
  `invalid payload (first4Bytes=0x${word(bytes, at)}, second4Bytes=0x${word(bytes, at + 4)})`

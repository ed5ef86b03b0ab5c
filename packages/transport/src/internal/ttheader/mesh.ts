/**
 * The mesh header, an older form that proxies put before requests: `0xffaf`, size in bytes, then pairs of strings. It is
 * read only (Kitex `pkg/remote/codec/header_codec.go`).
 *
 * @internal
 */
import type { CallHeader } from "../../RawCall.ts"
import { type HeaderError, readStrings } from "./header.ts"
import { readU16 } from "./text.ts"

/** @internal */
export const meshMagic = 0xffaf

/** Bytes of the whole header at `start`, of which four are here. @internal */
export const meshSizeAt = (bytes: Uint8Array, start: number): number => 4 + readU16(bytes, start + 2)

const noInts: ReadonlyMap<number, string> = new Map()

/** Reads the header in `[start, end)`. Throws `HeaderError`, for more than `maxFields` entries too. @internal */
export const readMeshHeader = (bytes: Uint8Array, start: number, end: number, maxFields = Infinity): CallHeader => {
  const strings = new Map<string, string>()
  try {
    readStrings(bytes, start + 4, end, maxFields, strings)
  } catch (error) {
    const known = error as HeaderError
    known.message = `meshHeader read kv info failed, ${known.message}`
    throw known
  }
  return { flags: 0, ints: noInts, strings }
}

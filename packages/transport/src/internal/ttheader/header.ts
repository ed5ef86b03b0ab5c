/**
 * TTHeader, what stands before a Thrift message and is not arguments: a fixed part, then the info, which is blocks of
 * keys and values. Format and texts of errors: gopkg `protocol/ttheader`.
 *
 * ```
 * LENGTH 4 | MAGIC 2 | FLAGS 2 | SEQ 4 | HEADER_SIZE 2 (info in words) | info: PROTOCOL_ID 1, transforms, blocks, padding
 * ```
 *
 * @internal
 */
import type { Output } from "@millrace/codec/Output"
import type { CallHeader } from "../../RawCall.ts"
import { StringKey } from "./keys.ts"
import { hex, readText, readU16 } from "./text.ts"

/** Bytes in front of the info. @internal */
export const fixedSize = 14

/** @internal */
export const magic = 0x1000

/** The largest LENGTH, and the largest length of a frame. @internal */
export const maxLength = 0x3fffffff

/** Ids of the blocks. @internal */
export const Block = { Padding: 0x00, Strings: 0x01, Ints: 0x10, AclToken: 0x11 } as const

/** A header that cannot be read or written. @internal */
export class HeaderError extends Error {
  override readonly name = "HeaderError"
  /** The limit that it exceeds. */
  readonly limit: "maxHeaderFields" | undefined
  constructor(message: string, limit?: "maxHeaderFields") {
    super(message)
    this.limit = limit
  }
}

/** LENGTH: bytes behind this field. @internal */
export const lengthAt = (bytes: Uint8Array, start: number): number =>
  bytes[start]! * 0x1000000 + ((bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!)

/** FLAGS of the header at `start`. @internal */
export const flagsAt = (bytes: Uint8Array, start: number): number => readU16(bytes, start + 6)

/** SEQ of the header at `start`. @internal */
export const sequenceIdAt = (bytes: Uint8Array, start: number): number =>
  (bytes[start + 8]! << 24) | (bytes[start + 9]! << 16) | (bytes[start + 10]! << 8) | bytes[start + 11]!

/** Bytes of the info of the header at `start`, whose fixed part is here. @internal */
export const infoSizeAt = (bytes: Uint8Array, start: number): number => readU16(bytes, start + 12) * 4

// Binary, an old name of it, Kitex-Protobuf, and the two of streaming. None makes a difference.
const protocols: ReadonlySet<number> = new Set([0x00, 0x03, 0x04, 0x10, 0x11])

const cut = (what: string): never => {
  throw new HeaderError(`error reading ${what}: EOF`)
}

/** The number of entries at `at`, of which `left` are allowed: many small ones cost more memory than their bytes. */
const countAt = (bytes: Uint8Array, at: number, left: number): number => {
  const count = readU16(bytes, at)
  if (count > left)
    throw new HeaderError(
      `${count} entries are more than the ${left} that may come (maxHeaderFields)`,
      "maxHeaderFields"
    )
  return count
}

/** Where pairs of strings go. @internal */
export interface Pairs {
  set(key: string, value: string): unknown
}

/** Reads a count, at most `max`, and as many pairs of strings; gives the position behind them. @internal */
export const readStrings = (bytes: Uint8Array, start: number, end: number, max: number, into: Pairs): number => {
  if (end - start < 2) cut("str kv info size")
  let at = start + 2
  for (let left = countAt(bytes, start, max); left > 0; left--) {
    if (end - at < 2) cut("str kv info")
    const keyAt = at + 2
    const keyEnd = keyAt + readU16(bytes, at)
    if (end - keyEnd < 2) cut("str kv info")
    const valueAt = keyEnd + 2
    at = valueAt + readU16(bytes, keyEnd)
    if (at > end) cut("str kv info")
    into.set(readText(bytes, keyAt, keyEnd), readText(bytes, valueAt, at))
  }
  return at
}

const readInts = (bytes: Uint8Array, start: number, end: number, max: number, into: Map<number, string>): number => {
  if (end - start < 2) cut("int kv info size")
  let at = start + 2
  for (let left = countAt(bytes, start, max); left > 0; left--) {
    if (end - at < 4) cut("int kv info")
    const key = readU16(bytes, at)
    const valueAt = at + 4
    at = valueAt + readU16(bytes, at + 2)
    if (at > end) cut("int kv info")
    into.set(key, readText(bytes, valueAt, at))
  }
  return at
}

/** Gives the number of strings, those of a key that comes again included. */
const readBlocks = (
  bytes: Uint8Array,
  start: number,
  end: number,
  maxFields: number,
  ints: Map<number, string>,
  strings: Pairs
): number => {
  let at = start
  let left = maxFields
  let stringCount = 0
  while (at < end) {
    const block = bytes[at++]!
    if (block === Block.Strings) {
      const countPlace = at
      at = readStrings(bytes, at, end, left, strings)
      const count = readU16(bytes, countPlace)
      stringCount += count
      left -= count
    } else if (block === Block.Ints) {
      const countPlace = at
      at = readInts(bytes, at, end, left, ints)
      left -= readU16(bytes, countPlace)
    } else if (block === Block.AclToken) {
      const valueAt = at + 2
      if (end < valueAt) cut("acl token")
      at = valueAt + readU16(bytes, at)
      if (at > end) cut("acl token")
      strings.set(StringKey.AclToken, readText(bytes, valueAt, at))
      stringCount++
      left--
    } else if (block !== Block.Padding) throw new HeaderError(`invalid infoIDType[0x${block.toString(16)}]`)
  }
  return stringCount
}

/** All values of the keys that come several times in blocks that were read before. */
const readRepeated = (bytes: Uint8Array, start: number, end: number): ReadonlyMap<string, ReadonlyArray<string>> => {
  const seen = new Map<string, Array<string>>()
  readBlocks(bytes, start, end, Infinity, new Map(), {
    set: (key, value) => {
      const values = seen.get(key)
      if (values === undefined) seen.set(key, [value])
      else values.push(value)
    }
  })
  for (const [key, values] of seen) if (values.length === 1) seen.delete(key)
  return seen
}

// An info has up to 256 KiB, which nobody wants to read in a log.
const shownBytes = 256

const infoText = (bytes: Uint8Array, start: number, end: number): string =>
  end - start <= shownBytes
    ? hex(bytes, start, end)
    : `${hex(bytes, start, start + shownBytes)}... (${end - start} bytes)`

/**
 * Reads the header in `[start, end)`, fixed part and info. Throws `HeaderError`, for more than `maxFields` entries too.
 *
 * @internal
 */
export const readHeader = (bytes: Uint8Array, start: number, end: number, maxFields = Infinity): CallHeader => {
  const infoAt = start + fixedSize
  if (infoAt >= end) throw new HeaderError(`invalid header length[${end - infoAt}]`)
  const protocol = bytes[infoAt]!
  if (!protocols.has(protocol)) throw new HeaderError(`unsupported ProtocolID[${protocol}]`)
  const transforms = bytes[infoAt + 1]!
  const blocksAt = infoAt + 2 + transforms
  // Ids of transforms are read past: Kitex applies none.
  if (blocksAt > end) throw new HeaderError(`need read ${transforms} transformIDs, but not enough`)
  const ints = new Map<number, string>()
  const strings = new Map<string, string>()
  let stringCount: number
  try {
    stringCount = readBlocks(bytes, blocksAt, end, maxFields, ints, strings)
  } catch (error) {
    const known = error as HeaderError
    known.message = `ttHeader read kv info failed, ${known.message}, headerInfo=0x${infoText(bytes, infoAt, end)}`
    throw known
  }
  const flags = flagsAt(bytes, start)
  return stringCount === strings.size
    ? { flags, ints, strings }
    : { flags, ints, strings, repeated: readRepeated(bytes, blocksAt, end) }
}

/** A header and the bytes of its info. */
interface Known {
  header: CallHeader
  info: Uint8Array
  size: number
}

/** Bytes of an info that a connection remembers at most. @internal */
export const maxKnownSize = 1024
const knownHeaders = 4

/**
 * Reads the headers of one connection. Most calls of a connection have one of few infos, for which the same object is
 * given again.
 *
 * @internal
 */
export class HeaderReader {
  private readonly known: Array<Known | undefined> = []
  private readonly maxFields: number

  constructor(maxFields?: number) {
    this.maxFields = maxFields ?? Infinity
  }

  /** As `readHeader`. */
  read(bytes: Uint8Array, start: number, end: number): CallHeader {
    const infoAt = start + fixedSize
    const size = end - infoAt
    // Methods tend to differ in the lengths of their names.
    const place = (size >> 2) & (knownHeaders - 1)
    const known = this.known[place]
    if (
      known !== undefined &&
      known.size === size &&
      known.header.flags === flagsAt(bytes, start) &&
      sameBytes(known.info, bytes, infoAt, size)
    ) {
      return known.header
    }
    const header = readHeader(bytes, start, end, this.maxFields)
    if (size <= maxKnownSize) this.remember(known, place, header, bytes, infoAt, size)
    return header
  }

  private remember(
    known: Known | undefined,
    place: number,
    header: CallHeader,
    bytes: Uint8Array,
    infoAt: number,
    size: number
  ): void {
    // With some room, so that a peer whose infos differ a little does not get a new buffer for each.
    const info = known !== undefined && known.info.length >= size ? known.info : new Uint8Array(size + 32)
    for (let i = 0; i < size; i++) info[i] = bytes[infoAt + i]!
    if (known === undefined) this.known[place] = { header, info, size }
    else {
      known.header = header
      known.info = info
      known.size = size
    }
  }
}

const sameBytes = (info: Uint8Array, bytes: Uint8Array, at: number, size: number): boolean => {
  for (let i = 0; i < size; i++) if (bytes[at + i] !== info[i]) return false
  return true
}

/** Writes a header with a LENGTH of 0, and gives where it begins, for `patchLength`. @internal */
export const writeHeader = (out: Output, flags: number, sequenceId: number, info: Uint8Array): number => {
  out.ensure(fixedSize + info.length)
  const { buffer, position, view } = out
  view.setUint32(position, 0)
  view.setUint16(position + 4, magic)
  view.setUint16(position + 6, flags)
  view.setInt32(position + 8, sequenceId)
  view.setUint16(position + 12, info.length >> 2)
  buffer.set(info, position + fixedSize)
  out.position = position + fixedSize + info.length
  return position
}

/**
 * Writes at `place`, which has four bytes for it, how many bytes follow there: LENGTH, or the length of a frame.
 * `firstSegment`: number of segments that the output had then. Gives the length. Throws `HeaderError` for one that the
 * format does not have.
 *
 * @internal
 */
export const patchLength = (out: Output, place: number, firstSegment: number): number => {
  let length = out.position - place - 4
  const { segments } = out
  for (let i = firstSegment; i < segments.length; i++) length += segments[i]!.bytes.length
  if (length > maxLength) {
    throw new HeaderError(`invalid data: payload size(${length}) larger than the limit(${maxLength})`)
  }
  out.view.setUint32(place, length)
  return length
}

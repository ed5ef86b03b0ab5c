/**
 * The info of a TTHeader on its way out: blocks in Kitex's order, which are the ACL token, strings, ints.
 *
 * @internal
 */
import { Output } from "@millrace/codec/Output"
import type { CallHeaderFields } from "../../RawCall.ts"
import { writeDigits } from "./checksum.ts"
import { Block, fixedSize, HeaderError } from "./header.ts"
import { StringKey } from "./keys.ts"
import { maxStringSize, writeText } from "./text.ts"

const maxInfoSize = 0xffff * 4

/** PROTOCOL_ID of a struct without an envelope; that of messages is 0. */
const thriftStruct = 0x10

/** An info with a checksum that is not known yet. @internal */
export interface ChecksumInfo {
  readonly bytes: Uint8Array
  /** Where its digits are. */
  readonly checksumAt: number
}

/** A TTHeader that the peer may not take, for which it would end the connection. @internal */
export const tooLargeText = (limit: "maxSentHeaderFields" | "maxSentTTHeaderSize", max: number, size: number): string =>
  `the TTHeader has ${size} ${limit === "maxSentHeaderFields" ? "entries" : "bytes"}, more than the ${max} that may be sent (${limit}): ` +
  "say less in it, or raise the limit here where the peer takes more"

const writeByte = (out: Output, byte: number): void => {
  out.ensure(1)
  out.buffer[out.position++] = byte
}

const writeU16 = (out: Output, value: number): void => {
  out.ensure(2)
  out.view.setUint16(out.position, value)
  out.position += 2
}

const writeValue = (out: Output, text: string): void => {
  if (writeText(out, text) >= 0) return
  const size = new TextEncoder().encode(text).length
  throw new HeaderError(
    `ttHeader write kv info failed, string exceeded ${maxStringSize}B max size ` +
      `(actual: ${size}B, preview: ${JSON.stringify(text.slice(0, 100) + "...")})`
  )
}

const writeInfo = (out: Output, { ints, strings }: CallHeaderFields, checksum: boolean): ChecksumInfo => {
  const start = out.position
  // PROTOCOL_ID, number of transforms
  writeU16(out, 0)
  let stringCount = checksum ? 1 : 0
  let token: string | undefined
  for (const [key, value] of strings) {
    if (key === StringKey.AclToken) token = value
    else stringCount++
  }
  if (token !== undefined) {
    writeByte(out, Block.AclToken)
    writeValue(out, token)
  }
  let checksumAt = -1
  if (stringCount > 0) {
    writeByte(out, Block.Strings)
    writeU16(out, stringCount)
    for (const [key, value] of strings) {
      if (key === StringKey.AclToken) continue
      writeValue(out, key)
      writeValue(out, value)
    }
    if (checksum) {
      writeValue(out, StringKey.Checksum)
      checksumAt = out.position + 2 - start
      writeValue(out, "00000000")
    }
  }
  if (ints.length > 0) {
    writeByte(out, Block.Ints)
    writeU16(out, ints.length)
    for (const [key, value] of ints) {
      writeU16(out, key)
      writeValue(out, value)
    }
  }
  while ((out.position - start) % 4 !== 0) writeByte(out, Block.Padding)
  const size = out.position - start
  if (size > maxInfoSize) {
    throw new HeaderError(`invalid header length[${size}]: the keys and values of a TTHeader have ${maxInfoSize} bytes`)
  }
  return { bytes: new Uint8Array(out.buffer.buffer, out.buffer.byteOffset + start, size), checksumAt }
}

// Infos lie next to each other in blocks: a buffer for each would cost more than writing it.
const blockSize = 16 * 1024
const leastRoom = 1024
let block = new Output(blockSize)

const write = (fields: CallHeaderFields, checksum: boolean): ChecksumInfo => {
  if (block.buffer.length - block.position < leastRoom) block = new Output(blockSize)
  const start = block.position
  try {
    return writeInfo(block, fields, checksum)
  } catch (error) {
    block.rewind(start, 0)
    throw error
  } finally {
    if (block.buffer.length > blockSize) block = new Output(blockSize)
  }
}

/**
 * Infos of fields that come again. Fields made for one call are many, and dear to remember: only those that come a second
 * time among the last few are.
 *
 * @internal
 */
export class Known<A> {
  private readonly infos = new WeakMap<CallHeaderFields, A>()
  private readonly recent: Array<CallHeaderFields | undefined> = Array.from({ length: 16 }, () => undefined)
  private next = 0
  private readonly make: (fields: CallHeaderFields) => A
  /** The info in memory of its own. */
  private readonly copy: (info: A) => A

  constructor(make: (fields: CallHeaderFields) => A, copy: (info: A) => A) {
    this.make = make
    this.copy = copy
  }

  get(fields: CallHeaderFields): A {
    const known = this.infos.get(fields)
    if (known !== undefined) return known
    const info = this.make(fields)
    if (this.recent.includes(fields)) this.infos.set(fields, this.copy(info))
    else this.recent[this.next++ & 15] = fields
    return info
  }
}

const plainInfos = new Known(
  (fields) => write(fields, false).bytes,
  (info) => new Uint8Array(info)
)
const checksumInfos = new Known(
  (fields) => write(fields, true),
  ({ bytes, checksumAt }): ChecksumInfo => ({ bytes: new Uint8Array(bytes), checksumAt })
)

/**
 * The info of a header: the bytes behind the fixed part. Fields that come again are encoded once. Throws `HeaderError`
 * for what is too long.
 *
 * @internal
 */
export const encodeInfo = (fields: CallHeaderFields): Uint8Array => plainInfos.get(fields)

/**
 * The info of a frame of TTHeader streaming, whose PROTOCOL_ID is another. It is not remembered, and lies in memory that it shares:
 * copy what is kept. Throws as `encodeInfo`.
 *
 * @internal
 */
export const encodeFrameInfo = (fields: CallHeaderFields): Uint8Array => {
  const { bytes } = write(fields, false)
  bytes[0] = thriftStruct
  return bytes
}

/** `encodeInfo` with a checksum, which `patchChecksum` writes once the message is there. @internal */
export const encodeChecksumInfo = (fields: CallHeaderFields): ChecksumInfo => checksumInfos.get(fields)

/** Writes the checksum into the header that begins at `place` of an output. @internal */
export const patchChecksum = (out: Output, place: number, info: ChecksumInfo, crc: number): void =>
  writeDigits(out.buffer, place + fixedSize + info.checksumAt, crc)

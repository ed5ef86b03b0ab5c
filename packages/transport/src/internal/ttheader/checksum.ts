/**
 * CRC-32C (Castagnoli), the checksum of messages.
 *
 * @internal
 */

// Sixteen bytes a step: table n has the effect of a byte that n more bytes follow.
const tableCount = 16
let tables: Int32Array | undefined

const makeTables = (): Int32Array => {
  const made = new Int32Array(tableCount * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256]!
    made[i] = (before >>> 8) ^ made[before & 0xff]!
  }
  return made
}

/** The checksum of what `crc` is the checksum of and the bytes behind it; 0 to begin with. @internal */
export const update = (crc: number, bytes: Uint8Array, start: number, end: number): number => {
  const t = (tables ??= makeTables())
  let at = start
  let c = ~crc
  for (const last = end - tableCount; at <= last; at += tableCount) {
    c =
      t[0xf00 | ((c ^ bytes[at]!) & 0xff)]! ^
      t[0xe00 | (((c >>> 8) ^ bytes[at + 1]!) & 0xff)]! ^
      t[0xd00 | (((c >>> 16) ^ bytes[at + 2]!) & 0xff)]! ^
      t[0xc00 | ((c >>> 24) ^ bytes[at + 3]!)]! ^
      t[0xb00 | bytes[at + 4]!]! ^
      t[0xa00 | bytes[at + 5]!]! ^
      t[0x900 | bytes[at + 6]!]! ^
      t[0x800 | bytes[at + 7]!]! ^
      t[0x700 | bytes[at + 8]!]! ^
      t[0x600 | bytes[at + 9]!]! ^
      t[0x500 | bytes[at + 10]!]! ^
      t[0x400 | bytes[at + 11]!]! ^
      t[0x300 | bytes[at + 12]!]! ^
      t[0x200 | bytes[at + 13]!]! ^
      t[0x100 | bytes[at + 14]!]! ^
      t[bytes[at + 15]!]!
  }
  for (; at < end; at++) c = (c >>> 8) ^ t[(c ^ bytes[at]!) & 0xff]!
  return ~c >>> 0
}

const digits = "0123456789abcdef"

/** Eight digits. @internal */
export const checksumText = (crc: number): string => crc.toString(16).padStart(8, "0")

/** Writes the eight digits. @internal */
export const writeDigits = (bytes: Uint8Array, at: number, crc: number): void => {
  for (let i = 0; i < 8; i++) bytes[at + i] = digits.charCodeAt((crc >>> (28 - i * 4)) & 15)
}

/**
 * Strings of headers: two bytes of length, then UTF-8; and bytes as texts show them.
 *
 * @internal
 */
import type { Output } from "@millrace/codec/Output"

type Utf8Slice = (this: Uint8Array, start: number, end: number) => string
type Utf8Write = (this: Uint8Array, text: string, offset: number) => number

// Buffer's native functions are several times as fast on short strings as the portable ones.
const native: { readonly utf8Slice?: Utf8Slice; readonly utf8Write?: Utf8Write } =
  typeof Buffer === "function" ? (Buffer.prototype as any) : {}
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

const utf8Slice: Utf8Slice =
  native.utf8Slice ??
  function (start, end) {
    return decoder.decode(this.subarray(start, end))
  }
const utf8Write: Utf8Write =
  native.utf8Write ??
  function (text, offset) {
    return encoder.encodeInto(text, this.subarray(offset)).written
  }

/** @internal */
export const maxStringSize = 0xffff

/** @internal */
export const readU16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!

// Headers say the same few things again and again, in any order: a string that is here already costs nothing but looking
// at its bytes.
const maxKnownSize = 32
const knownTexts: Array<string> = Array.from({ length: 512 }, () => "")

/** @internal */
export const readText = (bytes: Uint8Array, start: number, end: number): string => {
  const size = end - start
  if (size === 0) return ""
  if (size > maxKnownSize) return utf8Slice.call(bytes, start, end)
  let hash = size
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  const place = (hash ^ (hash >>> 9)) & 511
  const known = knownTexts[place]!
  // Holds for ASCII alone: other texts have fewer characters than bytes, or a character that is no byte.
  let same = known.length === size
  for (let i = 0; same && i < size; i++) same = known.charCodeAt(i) === bytes[start + i]
  return same ? known : (knownTexts[place] = utf8Slice.call(bytes, start, end))
}

const maxShort = 16

/** Writes ASCII that is not worth a native call; false for any other text. */
const writeShort = (buffer: Uint8Array, at: number, text: string): boolean => {
  const { length } = text
  if (length > maxShort) return false
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    buffer[at + i] = unit
  }
  return true
}

/** Writes a string and its length. Gives the bytes of the string, or -1 if it is too long. @internal */
export const writeText = (out: Output, text: string): number => {
  if (text.length > maxStringSize) return -1
  out.ensure(text.length * 3 + 2)
  const { buffer, position, view } = out
  const size = writeShort(buffer, position + 2, text) ? text.length : utf8Write.call(buffer, text, position + 2)
  if (size > maxStringSize) return -1
  view.setUint16(position, size)
  out.position = position + 2 + size
  return size
}

/** The beginning of a peer's text as an error or a log may show it: no line of its own, no control characters. @internal */
export const shown = (text: string, max: number): string =>
  JSON.stringify(text.slice(0, max)).slice(1, -1) + (text.length > max ? "..." : "")

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** The digits of bytes. @internal */
export const hex = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  for (let i = start; i < end; i++) text += digits[bytes[i]!]!
  return text
}

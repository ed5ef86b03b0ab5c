/**
 * Reading and writing of single values, shared by the three kinds of codecs. Nothing here knows a schema.
 */
import { keptSize, type Output } from "../Output.ts"
import { readShort } from "./shortText.ts"
import { leastSize, WireType } from "./wireType.ts"

/**
 * Thrown by codecs where something is wrong, without saying what: the walker in `explain` finds that out afterwards, so
 * the hot path pays nothing for good errors.
 *
 * @internal
 */
export const bad: Error = /* @__PURE__ */ (() => {
  const error = new Error("invalid Thrift value")
  delete error.stack
  return error
})()

/** @internal */
export const inlineLimit = 4096

const scratch64 = new BigInt64Array(1)
const scratchDouble = new Float64Array(scratch64.buffer)
const scratch32 = new Int32Array(scratch64.buffer)
// typed arrays have the byte order of the machine
const high = new Uint8Array(new Int32Array([1]).buffer)[0] === 1 ? 1 : 0
const low = 1 - high

type Utf8Write = (this: Uint8Array, text: string, offset: number) => number
type Utf8Slice = (this: Uint8Array, start: number, end: number) => string

const native: { readonly utf8Write?: Utf8Write; readonly utf8Slice?: Utf8Slice } =
  typeof globalThis.Buffer === "function" ? (globalThis.Buffer.prototype as any) : {}
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const utf8Write: Utf8Write =
  native.utf8Write ??
  function (text, offset) {
    return encoder.encodeInto(text, this.subarray(offset)).written
  }
const utf8Slice: Utf8Slice =
  native.utf8Slice ??
  function (start, end) {
    return decoder.decode(this.subarray(start, end))
  }

/** @internal */
export const byteLength: (text: string) => number =
  typeof globalThis.Buffer === "function"
    ? globalThis.Buffer.byteLength
    : (text) => {
        let length = text.length
        for (let i = 0; i < text.length; i++) {
          const unit = text.charCodeAt(i)
          if (unit < 0x80) continue
          if (unit < 0x800) length++
          else {
            length += 2
            const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
            if (isPair) i++
          }
        }
        return length
      }

/** @internal */
export function grow(out: Output, position: number, size: number): Uint8Array {
  out.position = position
  out.ensure(size)
  return out.buffer
}

// Measuring costs more than reserving, as long as the buffer that grows by it is one that is kept.
const reserved = keptSize / 4

/**
 * Room for `text`, its length and `rest` more bytes. Called where three bytes a character do not fit: a very long
 * string is then measured, so that it does not reserve three times its size.
 *
 * @internal
 */
export function growString(out: Output, position: number, text: string, rest: number): Uint8Array {
  return grow(out, position, rest + (text.length > reserved ? byteLength(text) : text.length * 3))
}

/**
 * Writes the length and the bytes of a string; the caller made room. A lone surrogate becomes U+FFFD.
 *
 * @internal
 */
export function writeString(b: Uint8Array, w: DataView, p: number, text: string): number {
  const length = text.length
  if (length <= 16) {
    let i = 0
    let q = p + 4
    for (; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      b[q++] = unit
    }
    if (i === length) {
      w.setInt32(p, length)
      return q
    }
  }
  const written = utf8Write.call(b, text, p + 4)
  w.setInt32(p, written)
  return p + 4 + written
}

/** @internal */
export function readString(b: Uint8Array, p: number, length: number): string {
  if (length <= 16) {
    const text = readShort(b, p, length)
    if (text !== undefined) return text
  }
  return length <= pieceSize ? utf8Slice.call(b, p, p + length) : readLong(b, p, p + length)
}

const pieceSize = 64 * 1024

// A large string lives outside the heap or in pages of its own, which each bring the next full collection nearer and cost
// more than the reading. In pieces it is young garbage, and one string again when somebody looks into it.
function readLong(b: Uint8Array, p: number, end: number): string {
  let text = ""
  while (p < end) {
    let to = Math.min(p + pieceSize, end)
    // Not within a character: at most three bytes follow its first.
    for (let i = 0; i < 3 && to < end && (b[to]! & 0xc0) === 0x80; i++) to--
    text += utf8Slice.call(b, p, to)
    p = to
  }
  return text
}

/**
 * Writes the length and the bytes of a binary value. A large one is kept by reference as a segment of the output.
 *
 * @internal
 */
export function writeBinary(out: Output, b: Uint8Array, w: DataView, p: number, bytes: Uint8Array): number {
  const length = bytes.length
  w.setInt32(p, length)
  p += 4
  if (length >= inlineLimit) {
    out.segments.push({ at: p, bytes })
    return p
  }
  if (length <= 24) for (let i = 0; i < length; i++) b[p + i] = bytes[i]!
  else b.set(bytes, p)
  return p + length
}

/**
 * A view of a large value, a copy of a small one: a small view would keep its whole message alive.
 *
 * @internal
 */
export function readBinary(b: Uint8Array, p: number, length: number): Uint8Array {
  if (length >= inlineLimit) return new Uint8Array(b.buffer, b.byteOffset + p, length)
  const copy = new Uint8Array(length)
  if (length <= 24) for (let i = 0; i < length; i++) copy[i] = b[p + i]!
  else copy.set(new Uint8Array(b.buffer, b.byteOffset + p, length))
  return copy
}

/** @internal */
export function sameBytes(a: unknown, b: Uint8Array): boolean {
  if (!(a instanceof Uint8Array) || a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function readScratch(b: Uint8Array, p: number): void {
  scratch32[high] = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
  scratch32[low] = (b[p + 4]! << 24) | (b[p + 5]! << 16) | (b[p + 6]! << 8) | b[p + 7]!
}

/** @internal */
export function readI64(b: Uint8Array, p: number): bigint {
  readScratch(b, p)
  return scratch64[0]!
}

/** The number, or `NaN` if it is not a safe integer.
 *
 * @internal
 */
export function readI64Number(b: Uint8Array, p: number): number {
  const h = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
  const l = ((b[p + 4]! << 24) | (b[p + 5]! << 16) | (b[p + 6]! << 8) | b[p + 7]!) >>> 0
  const value = h * 0x1_0000_0000 + l
  return Number.isSafeInteger(value) ? value : NaN
}

// one text for each number, so that what is read equals what was written
const decimal = /^(?:0|-?[1-9]\d{0,18})$/

/** Whether a text is the decimal form of an i64.
 *
 * @internal
 */
export function isI64String(text: unknown): text is string {
  if (typeof text !== "string" || !decimal.test(text)) return false
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value
}

/** @internal */
export function writeI64String(w: DataView, p: number, text: unknown): void {
  if (!isI64String(text)) throw bad
  w.setBigInt64(p, BigInt(text))
}

/** @internal */
export function readI64String(b: Uint8Array, p: number): string {
  return String(readI64(b, p))
}

/** @internal */
export const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength)

/** @internal */
export function readDouble(b: Uint8Array, p: number): number {
  readScratch(b, p)
  return scratchDouble[0]!
}

/** @internal */
export function readI32(b: Uint8Array, p: number): number {
  return (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
}

const { I64: lastFixed, Map: map, String: string, Struct: struct } = WireType

/**
 * The position after a value of the given type. Containers and structs may be nested `depth` deep.
 *
 * @internal
 */
export function skip(b: Uint8Array, p: number, end: number, type: number, depth: number): number {
  const least = leastSize[type]!
  if (least === 0 || end - p < least) throw bad
  if (type <= lastFixed) return p + least
  if (type === string) {
    const length = readI32(b, p)
    if (length < 0 || length > end - p - 4) throw bad
    return p + 4 + length
  }
  if (depth === 0) throw bad
  if (type === struct) {
    for (;;) {
      if (p >= end) throw bad
      const member = b[p]!
      if (member === 0) return p + 1
      if (end - p < 3) throw bad
      p = skip(b, p + 3, end, member, depth - 1)
    }
  }
  const key = b[p]!
  const value = type === map ? b[p + 1]! : key
  p += type === map ? 2 : 1
  const count = readI32(b, p)
  p += 4
  if (count === 0) return p
  const unit = type === map ? leastSize[key]! + leastSize[value]! : leastSize[key]!
  if (count < 0 || leastSize[key] === 0 || leastSize[value] === 0 || count * unit > end - p) throw bad
  if (key <= lastFixed && value <= lastFixed) return p + count * unit
  for (let i = 0; i < count; i++) {
    if (type === map) p = skip(b, p, end, key, depth - 1)
    p = skip(b, p, end, value, depth - 1)
  }
  return p
}

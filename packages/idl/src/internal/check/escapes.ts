/**
 * Strings of constants mean what the Go compiler reads in them, since Kitex pastes them into Go.
 *
 * @internal
 */
import type { Span } from "../../Source.ts"

const single: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"'
}

const escape = /\\(?:x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([abfnrtv\\'"]))/y

const isCodePoint = (value: number): boolean => value <= 0x10ffff && (value < 0xd800 || value > 0xdfff)

/**
 * Pieces of text, and bytes by `\x41` and `\101`; or the first escape that is none, in offsets of the text.
 *
 * @internal
 */
export type Unescaped =
  | { readonly tag: "Pieces"; readonly pieces: ReadonlyArray<string | number> }
  | { readonly tag: "Bad"; readonly span: Span }

/**
 * Interprets what stands between the quotes.
 *
 * @internal
 */
export const unescape = (raw: string): Unescaped => {
  const pieces: Array<string | number> = []
  let from = 0
  for (let at = raw.indexOf("\\"); at >= 0; at = raw.indexOf("\\", from)) {
    if (at > from) pieces.push(raw.slice(from, at))
    escape.lastIndex = at
    const match = escape.exec(raw)
    const [all, hex, octal, short, long, letter] = match ?? []
    const code = Number.parseInt(short ?? long ?? "0", 16)
    if (all === undefined || !isCodePoint(code))
      return { tag: "Bad", span: { start: at, end: at + (all ?? "\\?").length } }
    if (hex !== undefined) pieces.push(Number.parseInt(hex, 16))
    else if (octal !== undefined) pieces.push(Number.parseInt(octal, 8))
    else pieces.push(letter === undefined ? String.fromCodePoint(code) : single[letter]!)
    from = at + all.length
  }
  if (from < raw.length) pieces.push(raw.slice(from))
  return { tag: "Pieces", pieces }
}

/**
 * @internal
 */
export const toBytes = (pieces: ReadonlyArray<string | number>): Uint8Array => {
  const encoder = new TextEncoder()
  const parts = pieces.map((piece) => (typeof piece === "number" ? Uint8Array.of(piece) : encoder.encode(piece)))
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/**
 * @internal
 */
export const toText = (pieces: ReadonlyArray<string | number>): string =>
  pieces.every((piece) => typeof piece === "string")
    ? pieces.join("")
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(pieces))

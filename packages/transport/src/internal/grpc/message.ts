/**
 * `grpc-message`: percent coding of UTF-8 bytes (gRPC over HTTP/2, "Responses").
 *
 * @internal
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const hex = "0123456789ABCDEF"

/** Bytes 0x20-0x7e but `%` stay; a lone surrogate is sent as U+FFFD. @internal */
export const encodeMessage = (text: string): string => {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text
  let out = ""
  for (const byte of encoder.encode(text)) {
    out +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${hex.charAt(byte >> 4)}${hex.charAt(byte & 15)}`
  }
  return out
}

const digit = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** The argument is a header value: one char a byte. A `%` without two hex digits stays. @internal */
export const decodeMessage = (value: string): string => {
  if (/^[\x00-\x24\x26-\x7f]*$/.test(value)) return value
  const bytes = new Uint8Array(value.length)
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0x25 && i + 2 < value.length) {
      const high = digit(value.charCodeAt(i + 1))
      const low = digit(value.charCodeAt(i + 2))
      if (high >= 0 && low >= 0) {
        bytes[length++] = (high << 4) | low
        i += 2
        continue
      }
    }
    bytes[length++] = code
  }
  return decoder.decode(bytes.subarray(0, length))
}

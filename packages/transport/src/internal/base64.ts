/**
 * Base64, and bytes as strings of one char each, which is what it is made from.
 *
 * @internal
 */

/** One char a byte. @internal */
export const toBinary = (bytes: Uint8Array): string => {
  let out = ""
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return out
}

/** One byte a char. @internal */
export const fromBinary = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** Base64 of the standard alphabet without padding. @internal */
export const encodeBase64 = (bytes: Uint8Array): string => btoa(toBinary(bytes)).replace(/=+$/, "")

/** Padded when its length says so, else unpadded; undefined when it does not decode. @internal */
export const decodeBase64 = (text: string): Uint8Array | undefined => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const padded = text.length % 4 === 0
  if (!padded && (text.endsWith("=") || text.length % 4 === 1)) return undefined
  return fromBinary(atob(text))
}

/** The same, of the alphabet for URLs too. @internal */
export const decodeAnyBase64 = (text: string): Uint8Array | undefined =>
  decodeBase64(/[-_]/.test(text) ? text.replaceAll("-", "+").replaceAll("_", "/") : text)

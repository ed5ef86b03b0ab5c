/**
 * Compressed messages: flag 1 of the prefix, and the names in `grpc-encoding`. The algorithm itself is injected: it
 * belongs to the platform.
 *
 * @internal
 */
import type { Compression } from "../../Transport.ts"
import { TransportError } from "../../TransportError.ts"
import { compressionFailed, messageTooLarge } from "./errors.ts"
import type { Expand } from "./prefix.ts"

const expanding = (always: boolean, f: (bytes: Uint8Array, start: number, end: number) => Uint8Array): Expand =>
  Object.assign(f, { always })

const refusing = (always: boolean, error: () => TransportError): Expand =>
  expanding(always, () => {
    throw error()
  })

/** Messages of a peer that announced no encoding. @internal */
export const noEncoding: Expand = refusing(false, () => compressionFailed("kitex compression algorithm not found"))

/** How the messages of a peer that announced `encoding` are read. @internal */
export const expandFor = (
  encoding: string | undefined,
  compression: Compression | undefined,
  maxMessageSize: number
): Expand => {
  if (encoding === undefined || encoding === "identity" || encoding === "") return noEncoding
  if (encoding !== "gzip" || compression === undefined) return refusing(true, () => unknownCompressor(encoding))
  return expanding(false, (bytes, start, end) => {
    let plain: Uint8Array | undefined
    try {
      plain = compression.gunzip(bytes.subarray(start, end), maxMessageSize)
    } catch (cause) {
      throw cause instanceof TransportError ? cause : compressionFailed(`gzip: ${String(cause)}`)
    }
    if (plain === undefined) throw messageTooLarge(maxMessageSize)
    return plain
  })
}

/** @internal */
export const unknownCompressor = (name: string): TransportError =>
  compressionFailed(`no kitex compressor registered found for:${name}`)

/** The compressor of the answers: the first name of the client's list that we have. @internal */
export const negotiate = (accepts: ReadonlyArray<string>, compression: Compression | undefined): "gzip" | undefined => {
  for (const name of accepts) {
    if (name === "gzip" && compression !== undefined) return "gzip"
    if (name === "identity") return undefined
  }
  return undefined
}

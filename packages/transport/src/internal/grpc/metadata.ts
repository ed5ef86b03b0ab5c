/**
 * Between header lists and metadata: reserved names, `-bin` values, UTF-8 (`nphttp2/grpc/http_util.go`
 * of Kitex).
 *
 * @internal
 */
import type { Metadata, MetadataEntries } from "../../Metadata.ts"
import { decodeBase64, encodeBase64, fromBinary, toBinary } from "../base64.ts"
import type { HeaderList } from "../http2/api.ts"
import { invalidEntry, reserved } from "./metadataRules.ts"

// What a handler sees of its request: the reserved names that say who calls are visible, those of the protocol are not.
const hiddenInRequest: ReadonlySet<string> = new Set([
  "grpc-message-type",
  "te",
  "biz-status",
  "biz-extra",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-timeout"
])

const hiddenInResponse: ReadonlySet<string> = new Set([...hiddenInRequest, "grpc-retry-pushback-ms", "user-agent"])

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** A string as a header value: its UTF-8 bytes, one char a byte. @internal */
export const toLatin1 = (text: string): string => {
  if (/^[\x00-\x7f]*$/.test(text)) return text
  return toBinary(encoder.encode(text))
}

/** The string whose UTF-8 bytes a header value holds. @internal */
export const fromLatin1 = (value: string): string => {
  if (/^[\x00-\x7f]*$/.test(value)) return value
  return decoder.decode(fromBinary(value))
}

/** Names that need no look: those of ours that change on every call. */
const knownNames: ReadonlySet<string> = new Set([
  "baggage",
  "rpc-transit-baggage",
  "rpc-transit-traceparent",
  "rpc-transit-tracestate",
  "stream-log-id",
  "traceparent",
  "tracestate"
])

/** ASCII that goes as it is: nothing of it is a control character, and no space is around it. */
const isPlain = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const char = value.charCodeAt(i)
    if (char <= 0x20 || char >= 0x7f) {
      if (char !== 0x20 || i === 0 || i === value.length - 1) return false
    }
  }
  return true
}

/**
 * Appends entries to a header list; reserved names are left out. Gives the text of the first invalid entry.
 *
 * @internal
 */
export const appendEntries = (list: Array<string>, entries: MetadataEntries): string | undefined => {
  let plain: string | undefined
  for (const [key, value] of entries) {
    // A trace says each value twice.
    if (typeof value === "string" && knownNames.has(key) && (value === plain || isPlain(value))) {
      plain = value
      list.push(key, value)
      continue
    }
    if (reserved.has(key) || key.charCodeAt(0) === 0x3a) continue
    const invalid = invalidEntry(key, value)
    if (invalid !== undefined) return invalid
    if (key.endsWith("-bin")) list.push(key, encodeBase64(typeof value === "string" ? encoder.encode(value) : value))
    else list.push(key, trimmed(toLatin1(value as string)))
  }
  return undefined
}

// Space around a value is not part of it (RFC 9110 5.5), and strict peers refuse it. No more than that: a char may be part of
// one in UTF-8.
const trimmed = (value: string): string => {
  let start = 0
  let end = value.length
  while (start < end && isSpace(value.charCodeAt(start))) start++
  while (start < end && isSpace(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

const isSpace = (char: number): boolean => char === 0x20 || char === 0x09

class HeaderMetadata implements Metadata {
  private readonly list: HeaderList
  private readonly hidden: ReadonlySet<string>
  private map: Map<string, Array<string | Uint8Array>> | undefined

  constructor(list: HeaderList, hidden: ReadonlySet<string>) {
    this.list = list
    this.hidden = hidden
  }

  private values(): Map<string, Array<string | Uint8Array>> {
    if (this.map !== undefined) return this.map
    const map = new Map<string, Array<string | Uint8Array>>()
    for (let i = 0; i + 1 < this.list.length; i += 2) {
      const key = this.list[i]!
      const value = this.valueAt(i)
      if (value === undefined) continue
      const before = map.get(key)
      if (before === undefined) map.set(key, [value])
      else before.push(value)
    }
    return (this.map = map)
  }

  get(key: string): string | undefined {
    const name = key.toLowerCase()
    const value = this.map === undefined ? this.find(name) : this.map.get(name)?.[0]
    return value === undefined || typeof value === "string" ? value : decoder.decode(value)
  }

  // One look is cheaper than a map of all.
  private find(name: string): string | Uint8Array | undefined {
    for (let i = 0; i + 1 < this.list.length; i += 2) {
      if (this.list[i] !== name) continue
      const value = this.valueAt(i)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** The value of the field whose name is at `i`; undefined when it is hidden, or no base64. */
  private valueAt(i: number): string | Uint8Array | undefined {
    const key = this.list[i]!
    if (this.hidden.has(key) || (key.charCodeAt(0) === 0x3a && key !== ":authority")) return undefined
    const raw = this.list[i + 1]!
    return key.endsWith("-bin") ? decodeBase64(raw) : fromLatin1(raw)
  }

  getAll(key: string): ReadonlyArray<string | Uint8Array> {
    // Copies: one object may serve many calls.
    const values = this.values().get(key.toLowerCase()) ?? []
    return values.map((value) => (typeof value === "string" ? value : value.slice()))
  }

  keys(): Iterable<string> {
    return this.values().keys()
  }
}

// The HPACK decoder gives the same frozen array for a block that comes again, so one object serves all calls of a method.
const requests = new WeakMap<HeaderList, Metadata>()
const responses = new WeakMap<HeaderList, Metadata>()

const cached = (cache: WeakMap<HeaderList, Metadata>, list: HeaderList, hidden: ReadonlySet<string>): Metadata => {
  if (!Object.isFrozen(list)) return new HeaderMetadata(list, hidden)
  let metadata = cache.get(list)
  if (metadata === undefined) cache.set(list, (metadata = new HeaderMetadata(list, hidden)))
  return metadata
}

/** What a handler sees of its request headers. @internal */
export const requestMetadata = (list: HeaderList): Metadata => cached(requests, list, hiddenInRequest)

/** What a client sees of response headers or trailers. @internal */
export const responseMetadata = (list: HeaderList): Metadata => cached(responses, list, hiddenInResponse)

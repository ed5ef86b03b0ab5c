/**
 * Which header lists are well-formed (RFC 9113 8.2, 8.3). Values are checked for what HTTP/2 forbids and no more: gRPC
 * peers end `grpc-message` with spaces, for one.
 *
 * @internal
 */
import type { HeaderList } from "./api.ts"

/** Names that need no look at their characters: those that nearly every list consists of. */
const knownNames: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "baggage",
  "biz-extra",
  "biz-status",
  "content-type",
  "date",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "grpc-timeout",
  "rpc-transit-traceparent",
  "traceparent",
  "tracestate",
  "user-agent"
])

const connectionNames: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade"
])

/** Characters of a token (RFC 9110 5.6.2), without the upper-case letters. */
const tokenChars = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") tokenChars[char.charCodeAt(0)] = 1

const isFieldName = (name: string): boolean => {
  if (name.length === 0) return false
  for (let i = 0; i < name.length; i++) if (tokenChars[name.charCodeAt(i)] !== 1) return false
  return true
}

const isFieldValue = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code <= 13 && (code === 13 || code === 10 || code === 0)) return false
  }
  return true
}

const badName = (name: string): string => `invalid header field name ${JSON.stringify(name)}`
const badValue = (name: string): string => `invalid header field value of ${JSON.stringify(name)}`

/** A regular field: what is wrong with it, or undefined. */
const checkField = (name: string, value: string): string | undefined => {
  if (!isFieldValue(value)) return badValue(name)
  if (knownNames.has(name)) return undefined
  if (!isFieldName(name)) return badName(name)
  if (connectionNames.has(name)) return `connection-specific header field ${JSON.stringify(name)}`
  if (name === "te" && value !== "trailers") return badValue(name)
  return undefined
}

/** What a well-formed list says about the body, or what is wrong with it. @internal */
export type Checked = { readonly error: string } | { readonly error: undefined; readonly contentLength: number }

const wrong = (error: string): Checked => ({ error })
const noLength: Checked = { error: undefined, contentLength: -1 }

const parseLength = (value: string): number => (/^\d{1,15}$/.test(value) ? Number(value) : -1)

/** The pseudo-header fields of each kind of list as bits, so that each comes at most once. */
const requestPseudo = new Map([
  [":method", 1],
  [":scheme", 2],
  [":path", 4],
  [":authority", 8]
])
const responsePseudo = new Map([[":status", 1]])
const trailersPseudo: ReadonlyMap<string, number> = new Map()
const requiredOfRequest = 1 | 2 | 4

const check = (headers: HeaderList, pseudo: ReadonlyMap<string, number>, required: number): Checked => {
  let seen = 0
  let regular = false
  let contentLength = -1
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    if (name.charCodeAt(0) === 58 /* : */) {
      const bit = pseudo.get(name)
      if (bit === undefined) return wrong(`invalid pseudo-header field ${JSON.stringify(name)}`)
      if (regular) return wrong(`pseudo-header field ${JSON.stringify(name)} behind a regular one`)
      if ((seen & bit) !== 0) return wrong(`duplicate pseudo-header field ${JSON.stringify(name)}`)
      seen |= bit
      if (!isFieldValue(value) || (name === ":path" && value === "")) return wrong(badValue(name))
      continue
    }
    regular = true
    const error = checkField(name, value)
    if (error !== undefined) return wrong(error)
    if (name !== "content-length") continue
    const length = parseLength(value)
    if (length < 0 || (contentLength >= 0 && contentLength !== length)) return wrong(badValue(name))
    contentLength = length
  }
  if ((seen & required) !== required) return wrong("missing pseudo-header field")
  return contentLength < 0 ? noLength : { error: undefined, contentLength }
}

/** @internal */
export const checkRequest = (headers: HeaderList): Checked => check(headers, requestPseudo, requiredOfRequest)

/**
 * A response head, or trailers in its place. A missing `:status` is left to the layer above, which has Kitex's text for
 * it.
 *
 * @internal
 */
export const checkResponse = (headers: HeaderList): Checked => check(headers, responsePseudo, 0)

/** @internal */
export const checkTrailers = (headers: HeaderList): Checked => check(headers, trailersPseudo, 0)

/** True for 1xx, which a final head follows (RFC 9113 8.1). @internal */
export const isInterim = (headers: HeaderList): boolean =>
  headers[0] === ":status" && headers[1]!.length === 3 && headers[1]!.charCodeAt(0) === 49 /* 1 */

/** Bytes of a list as SETTINGS_MAX_HEADER_LIST_SIZE counts them. @internal */
export const listSize = (headers: HeaderList): number => {
  let size = (headers.length / 2) * 32
  for (let i = 0; i < headers.length; i++) size += headers[i]!.length
  return size
}

/**
 * Which metadata may be sent, with Kitex's texts for what may not (`nphttp2/grpc/http_util.go`).
 *
 * @internal
 */

/** Names that a user cannot send: those of the protocol, and the two of business errors. @internal */
export const reserved: ReadonlySet<string> = new Set([
  "content-type",
  "user-agent",
  "grpc-message-type",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-message",
  "grpc-retry-pushback-ms",
  "grpc-status",
  "grpc-timeout",
  "grpc-status-details-bin",
  "te",
  "biz-status",
  "biz-extra"
])

const validKey = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const badValue = /[\x00-\x08\x0a-\x1f\x7f]/

// A key may be as long as somebody likes; a text is for a person.
const maxShown = 64

const shown = (key: string): string => JSON.stringify(key.length > maxShown ? `${key.slice(0, maxShown)}...` : key)

const why = (key: string): string =>
  validKey.test(key.toLowerCase())
    ? `names are lower case, write ${shown(key.toLowerCase())}`
    : "names are made of lower-case letters, digits and !#$%&'*+-.^_`|~"

/** Kitex reads these by their name: it does not look for bytes under another. */
const namedByKitex = /^(?:rpc-(?:transit|persist)-|stream-log-id$|(?:source|destination)-(?:service|method)$)/

const whyValue = (key: string, value: string | Uint8Array): string => {
  if (namedByKitex.test(key)) return "it takes text without control characters"
  return typeof value === "string"
    ? "a control character is in it, such values need a key in -bin"
    : "bytes need a key in -bin"
}

/** Why an entry cannot go into a header block; undefined when it can. @internal */
export const invalidEntry = (key: string, value: string | Uint8Array): string | undefined => {
  if (!validKey.test(key)) return `invalid header field name ${shown(key)}: ${why(key)}`
  if (key.endsWith("-bin")) return undefined
  if (typeof value === "string" && !badValue.test(value)) return undefined
  return `invalid header field value for ${shown(key)}: ${whyValue(key, value)}`
}

/** The same for what a user may send: names of the protocol are not his. @internal */
export const refusedEntry = (key: string, value: string | Uint8Array): string | undefined =>
  reserved.has(key) || key.startsWith(":")
    ? `invalid header field name ${shown(key)}: the name belongs to the protocol, choose another`
    : invalidEntry(key, value)

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
  "grpc-status",
  "grpc-timeout",
  "grpc-status-details-bin",
  "te",
  "biz-status",
  "biz-extra"
])

const validKey = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const badValue = /[\x00-\x08\x0a-\x1f\x7f]/

/** Why an entry cannot go into a header block; undefined when it can. @internal */
export const invalidEntry = (key: string, value: string | Uint8Array): string | undefined => {
  if (!validKey.test(key)) return `invalid header field name ${JSON.stringify(key)}`
  if (key.endsWith("-bin")) return undefined
  if (typeof value !== "string")
    return `invalid header field value for ${JSON.stringify(key)}: bytes need a key in -bin`
  return badValue.test(value) ? `invalid header field value for ${JSON.stringify(key)}` : undefined
}

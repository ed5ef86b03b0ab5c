/**
 * Trailers: the status of a stream on the wire, both ways. Order and texts are Kitex's (`nphttp2/grpc/http2_server.go`
 * and `http_util.go`).
 *
 * @internal
 */
import type { MetadataEntries } from "../../Metadata.ts"
import type { RawStatus } from "../../RawStream.ts"
import * as StatusDetails from "../../StatusDetails.ts"
import { decodeBase64, encodeBase64 } from "../base64.ts"
import { formatExtra, parseExtra, parseInt32 } from "../bizStatus.ts"
import type { HeaderList } from "../http2/api.ts"
import { formatPushback, parsePushback } from "../pushback.ts"
import { decodeMessage, encodeMessage } from "./message.ts"
import { appendEntries, fromLatin1, toLatin1 } from "./metadata.ts"
import { encodeResponseHeaders, responseContentType } from "./responseHeaders.ts"
import { Code } from "./status.ts"

// Frozen lists are encoded once: the encoder keeps their blocks.
const ok: HeaderList = Object.freeze(["grpc-status", "0", "grpc-message", ""])

/**
 * The trailer block behind `head` (the response headers when nothing was sent before), or the text of a bad entry.
 *
 * @internal
 */
export const encodeTrailers = (
  head: HeaderList | undefined,
  status: RawStatus,
  metadata: MetadataEntries
): HeaderList | string => {
  const simple = status.code === 0 && status.message === "" && status.biz === undefined && status.details === undefined
  if (simple && head === undefined && metadata.length === 0) return ok
  const list = head === undefined ? [] : [...head]
  list.push("grpc-status", `${status.code}`, "grpc-message", encodeMessage(status.message))
  if (status.biz !== undefined) {
    list.push("biz-status", `${status.biz.code}`)
    if (Object.keys(status.biz.extra).length > 0) list.push("biz-extra", toLatin1(formatExtra(status.biz.extra)))
  }
  if (status.details !== undefined) list.push("grpc-status-details-bin", encodeBase64(status.details))
  const pushback = formatPushback(status.retryAfterMillis)
  if (pushback !== undefined && status.code !== 0) list.push("grpc-retry-pushback-ms", pushback)
  return appendEntries(list, metadata) ?? list
}

/**
 * The block that refuses a request of the given content type with a status, and nothing else. A frozen status that comes again
 * gives the same list, which is frozen.
 *
 * @internal
 */
export const encodeRefusal = (contentType: string, status: RawStatus): HeaderList => {
  const known = refusals.get(status)
  if (known !== undefined && known.contentType === contentType) return known.list
  const head = encodeResponseHeaders(responseContentType(contentType), undefined, []) as HeaderList
  const list = encodeTrailers(head, status, []) as HeaderList
  if (Object.isFrozen(status)) refusals.set(status, { contentType, list: Object.freeze(list) })
  return list
}

const refusals = new WeakMap<RawStatus, { readonly contentType: string; readonly list: HeaderList }>()

const statusOk: RawStatus = { code: 0, message: "" }

const malformed = (name: string, value: string): string => {
  const why = /^[+-]?[0-9]+$/.test(value) ? "value out of range" : "invalid syntax"
  return `transport: malformed ${name}: strconv.Atoi: parsing ${JSON.stringify(value)}: ${why}`
}

/**
 * The status, or the text of what is malformed: such a stream ends with code 13 and RST_STREAM(PROTOCOL_ERROR).
 *
 * @internal
 */
export const parseTrailers = (list: HeaderList): RawStatus | string => {
  let code: number | undefined
  let message = ""
  let biz: number | undefined
  let extra: Readonly<Record<string, string>> | undefined
  let details: Uint8Array | undefined
  let retryAfterMillis: number | undefined
  for (let i = 0; i + 1 < list.length; i += 2) {
    const value = list[i + 1]!
    switch (list[i]!) {
      case "grpc-status":
        code = parseInt32(value)
        if (code === undefined) return malformed("grpc-status", value)
        break
      case "grpc-message":
        message = decodeMessage(value)
        break
      case "biz-status":
        biz = parseInt32(value)
        if (biz === undefined) return malformed("biz-status", value)
        break
      case "biz-extra":
        extra = parseExtra(fromLatin1(value))
        if (extra === undefined) return `transport: malformed biz-extra: ${JSON.stringify(fromLatin1(value))}`
        break
      case "grpc-status-details-bin":
        details = decodeBase64(value)
        if (details === undefined) {
          return `transport: malformed grpc-status-details-bin: illegal base64 data in ${JSON.stringify(value)}`
        }
        break
      case "grpc-retry-pushback-ms":
        retryAfterMillis = parsePushback(value)
        break
    }
  }
  if (details !== undefined) {
    const inner = StatusDetails.decode(details)
    if (inner === undefined) return "transport: malformed grpc-status-details-bin: not a google.rpc.Status"
    code = inner.code
    message = inner.message
  }
  code ??= Code.Unknown
  if (code === 0) return statusOk
  return {
    code,
    message,
    ...(biz === undefined ? {} : { biz: { code: biz, extra: extra ?? {} } }),
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  }
}

/**
 * Request headers: Kitex's order on the way out (`nphttp2/grpc/http2_client.go`), its rules on the way in
 * (`nphttp2/grpc/http_util.go`).
 *
 * @internal
 */
import type { MetadataEntries } from "../../Metadata.ts"
import { parseExtra, parseInt32 } from "../bizStatus.ts"
import type { HeaderList } from "../http2/api.ts"
import { appendEntries, fromLatin1, toLatin1 } from "./metadata.ts"
import { decodeTimeout, encodeTimeout } from "./timeout.ts"

/** @internal */
export const userAgent = "grpc-millrace/0.1.0"

/** @internal */
export interface RequestHeaders {
  readonly path: string
  readonly authority: string
  readonly scheme: "http" | "https"
  readonly timeoutMillis?: number | undefined
  readonly compressor?: string | undefined
  readonly metadata?: MetadataEntries | undefined
}

/** The header list, or the text of an entry that cannot be sent. @internal */
export const encodeRequestHeaders = (request: RequestHeaders): HeaderList | string => {
  const list = [
    ":method",
    "POST",
    ":scheme",
    request.scheme,
    ":path",
    toLatin1(request.path),
    ":authority",
    toLatin1(request.authority),
    "content-type",
    "application/grpc+thrift",
    "user-agent",
    userAgent,
    "te",
    "trailers"
  ]
  if (request.compressor !== undefined) {
    list.push("grpc-encoding", request.compressor, "grpc-accept-encoding", request.compressor)
  }
  if (request.timeoutMillis !== undefined) list.push("grpc-timeout", encodeTimeout(request.timeoutMillis))
  return request.metadata === undefined ? list : (appendEntries(list, request.metadata) ?? list)
}

/** What the server reads from a request's headers before anyone sees it. @internal */
export interface RequestHead {
  readonly protocol: "grpc"
  readonly header: undefined
  readonly path: string
  readonly package: string
  readonly service: string
  readonly method: string
  readonly contentType: string
  readonly thrift: boolean
  readonly timeoutMillis: number | undefined
  /** `grpc-encoding`: how the client's messages are compressed. */
  readonly encoding: string | undefined
  /** `grpc-accept-encoding`, in the client's order. */
  readonly accepts: ReadonlyArray<string>
  /** For the texts of errors that the client causes. */
  readonly sourceService: string
}

const none: ReadonlyArray<string> = []

/** The head, or the text of what is wrong: such a request is reset with INTERNAL_ERROR. @internal */
export const parseRequestHeaders = (list: HeaderList): RequestHead | string => {
  let path = ""
  let contentType: string | undefined
  let timeoutMillis: number | undefined
  let encoding: string | undefined
  let accepts = none
  let sourceService: string | undefined
  for (let i = 0; i + 1 < list.length; i += 2) {
    const value = list[i + 1]!
    switch (list[i]!) {
      case ":path":
        path = value
        break
      case "content-type":
        contentType ??= value
        break
      case "grpc-timeout": {
        const timeout = decodeTimeout(value)
        if (typeof timeout === "string") return timeout
        timeoutMillis = timeout
        break
      }
      case "grpc-encoding":
        encoding = value
        break
      case "grpc-accept-encoding":
        accepts = value.split(",").map((name) => name.trim())
        break
      case "source-service":
        sourceService ??= value
        break
      // Kitex reads these as if they were of a response, and refuses the request when they are malformed.
      case "grpc-status":
      case "biz-status":
        if (parseInt32(value) === undefined) return `transport: malformed ${list[i]!}: ${value}`
        break
      case "biz-extra":
        if (parseExtra(fromLatin1(value)) === undefined) return `transport: malformed biz-extra: ${value}`
        break
    }
  }
  const subtype = contentType === undefined ? undefined : grpcSubtype(contentType)
  if (contentType === undefined || subtype === undefined) {
    return contentType === undefined
      ? "transport: missing content-type field"
      : `transport: received the unexpected content-type ${JSON.stringify(contentType)}`
  }
  return {
    protocol: "grpc",
    header: undefined,
    ...splitPath(path),
    path,
    contentType,
    thrift: subtype === "thrift",
    timeoutMillis,
    encoding,
    accepts,
    sourceService: sourceService ?? ""
  }
}

/** What follows `application/grpc`; undefined when it is something else. Case-sensitive, as Kitex is. @internal */
export const grpcSubtype = (contentType: string): string | undefined => {
  if (!contentType.startsWith("application/grpc")) return undefined
  if (contentType.length === 16) return ""
  const separator = contentType[16]
  return separator === "+" || separator === ";" ? contentType.slice(17) : undefined
}

/** `/package.Service/Method`. Service and method are empty when there is no slash left. @internal */
export const splitPath = (path: string): Pick<RequestHead, "package" | "service" | "method"> => {
  const rest = path.startsWith("/") ? path.slice(1) : path
  const slash = rest.lastIndexOf("/")
  if (slash < 0) return { package: "", service: "", method: "" }
  const full = rest.slice(0, slash)
  const dot = full.lastIndexOf(".")
  return { package: dot < 0 ? "" : full.slice(0, dot), service: full.slice(dot + 1), method: rest.slice(slash + 1) }
}

const heads = new WeakMap<HeaderList, RequestHead | string>()

/** As {@link parseRequestHeaders}, once for each array that the HPACK decoder hands out again. @internal */
export const requestHead = (list: HeaderList): RequestHead | string => {
  if (!Object.isFrozen(list)) return parseRequestHeaders(list)
  let head = heads.get(list)
  if (head === undefined) heads.set(list, (head = parseRequestHeaders(list)))
  return head
}

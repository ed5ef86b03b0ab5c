/**
 * What becomes of an HTTP/2 reset or of an HTTP status: gRPC codes and Kitex's texts
 * (`nphttp2/grpc/http_util.go`).
 *
 * @internal
 */
import { ErrorCode } from "../http2/frames.ts"

/** gRPC codes that the transport itself gives. @internal */
export const Code = {
  Canceled: 1,
  Unknown: 2,
  DeadlineExceeded: 4,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16
} as const

/** Error codes of RST_STREAM between gRPC peers. @internal */
export const ResetCode = {
  ...ErrorCode,
  /** Kitex's own: the grace time of a shutdown is over. */
  Shutdown: 1000
} as const

const names = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED"
]

/** The name as Go prints it. @internal */
export const resetName = (code: number): string => names[code] ?? `unknown error code 0x${code.toString(16)}`

/** The gRPC code a client makes of RST_STREAM. @internal */
export const codeOfReset = (code: number): number => {
  switch (code) {
    case ResetCode.FlowControlError:
    case ResetCode.EnhanceYourCalm:
      return Code.ResourceExhausted
    case ResetCode.RefusedStream:
    case ResetCode.Shutdown:
      return Code.Unavailable
    case ResetCode.Cancel:
      return Code.Canceled
    case ResetCode.InadequateSecurity:
      return Code.PermissionDenied
    default:
      return code in names ? Code.Internal : Code.Unknown
  }
}

/** The text a client gives for RST_STREAM. @internal */
export const textOfReset = (code: number): string =>
  code === ResetCode.Shutdown
    ? "graceful shutdown"
    : `stream terminated by RST_STREAM with error code: ${resetName(code)}`

/** The gRPC code of a response that is not gRPC. @internal */
export const codeOfHttp = (status: string | undefined): number => {
  switch (status) {
    case undefined:
    case "400":
      return Code.Internal
    case "401":
      return Code.Unauthenticated
    case "403":
      return Code.PermissionDenied
    case "404":
      return Code.Unimplemented
    case "429":
    case "502":
    case "503":
    case "504":
      return Code.Unavailable
    default:
      return Code.Unknown
  }
}

// The reason phrases of Go's net/http: they are part of Kitex's error texts.
const phrases: ReadonlyMap<string, string> = new Map([
  ["100", "Continue"],
  ["101", "Switching Protocols"],
  ["102", "Processing"],
  ["103", "Early Hints"],
  ["200", "OK"],
  ["201", "Created"],
  ["202", "Accepted"],
  ["204", "No Content"],
  ["301", "Moved Permanently"],
  ["302", "Found"],
  ["303", "See Other"],
  ["304", "Not Modified"],
  ["307", "Temporary Redirect"],
  ["308", "Permanent Redirect"],
  ["400", "Bad Request"],
  ["401", "Unauthorized"],
  ["403", "Forbidden"],
  ["404", "Not Found"],
  ["405", "Method Not Allowed"],
  ["408", "Request Timeout"],
  ["411", "Length Required"],
  ["413", "Request Entity Too Large"],
  ["415", "Unsupported Media Type"],
  ["429", "Too Many Requests"],
  ["431", "Request Header Fields Too Large"],
  ["500", "Internal Server Error"],
  ["501", "Not Implemented"],
  ["502", "Bad Gateway"],
  ["503", "Service Unavailable"],
  ["504", "Gateway Timeout"],
  ["505", "HTTP Version Not Supported"]
])

/** The text for a response that is not gRPC. @internal */
export const textOfHttp = (status: string | undefined, contentType: string | undefined): string => {
  const http =
    status === undefined
      ? "malformed header: missing HTTP status"
      : `${phrases.get(status) ?? ""}: HTTP status code ${status}`
  const type =
    contentType === undefined
      ? "transport: missing content-type field"
      : `transport: received the unexpected content-type ${JSON.stringify(contentType)}`
  return `${http}; ${type}`
}

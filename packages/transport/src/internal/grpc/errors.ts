/**
 * The transport's errors with the codes and texts that Kitex's peers know. Built only when a stream really fails.
 *
 * @internal
 */
import {
  Cancelled,
  CompressionFailed,
  ConnectionLost,
  Draining,
  InvalidMetadata,
  LimitExceeded,
  ProtocolViolation,
  StreamReset,
  TransportError
} from "../../TransportError.ts"
import type { ConnectionEnd } from "../engine.ts"
import type { AbortCause } from "../http2/api.ts"
import type { Limits } from "../http2/limits.ts"
import { Code, codeOfReset, resetName, ResetCode, textOfReset } from "./status.ts"

/** @internal */
export const compressionFailed = (desc: string): TransportError =>
  new TransportError({ reason: new CompressionFailed(), code: Code.Internal, desc })

/** @internal */
export const messageTooLarge = (max: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "maxReceiveMessageSize", max }),
    code: Code.ResourceExhausted,
    desc: `received message larger than maxReceiveMessageSize (${max} bytes)`
  })

/** @internal */
export const violation = (code: number, desc: string): TransportError =>
  new TransportError({ reason: new ProtocolViolation(), code, desc })

/** @internal */
export const invalidMetadata = (desc: string): TransportError =>
  new TransportError({ reason: new InvalidMetadata(), code: Code.Internal, desc })

/** The header list of a request, above what the server takes. @internal */
export const headersTooLarge = (max: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "MAX_HEADER_LIST_SIZE", max }),
    code: Code.Internal,
    desc: `header list size to send violates the maximum size (${max} bytes) set by server`
  })

/** More header fields than the server may take, for which it would end the stream, and at last the connection. @internal */
export const tooManyHeaders = (max: number, count: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "maxSentHeaderFields", max }),
    code: Code.ResourceExhausted,
    desc: `the call has ${count} header fields, more than the ${max} that may be sent (maxSentHeaderFields): send less metadata, or raise the limit here where the server takes more`
  })

/** The end of a stream, above what the client takes. @internal */
export const answerTooLarge = (max: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "MAX_HEADER_LIST_SIZE", max }),
    code: Code.Internal,
    desc: `status, headers and trailers are more than the ${max} bytes of headers that the client takes`
  })

/** @internal */
export const draining = (): TransportError =>
  new TransportError({ reason: new Draining(), code: Code.Unavailable, desc: "the connection is draining" })

const closed = (desc: string): TransportError =>
  new TransportError({ reason: new Cancelled(), code: Code.Canceled, desc })

const lost = (address: string, code: number, desc: string): TransportError =>
  new TransportError({ reason: new ConnectionLost({ address }), code, desc })

const connectionError = (address: string, text: string): TransportError =>
  lost(address, Code.Unavailable, `connection error: desc = ${JSON.stringify(text)}`)

/** The peer exceeded a limit that ends the stream or the connection, or broke HTTP/2. */
const misbehaved = (end: { readonly limit?: string }, limits: Limits, code: number, desc: string): TransportError => {
  if (end.limit === undefined) return violation(code, desc)
  const value = limits[end.limit as keyof Limits]
  const max = typeof value === "number" ? value : value.burst
  return new TransportError({ reason: new LimitExceeded({ limit: end.limit, max }), code, desc })
}

/** What a client's streams say when their connection ends. */
const clientConnectionLost = (address: string, end: ConnectionEnd, limits: Limits): TransportError => {
  const reading = (error: string) =>
    connectionError(address, `error reading from server, remoteAddress=${address}, error=${error}`)
  switch (end._tag) {
    case "PeerClosed":
      return reading("EOF peer close")
    case "Lost":
      return end.detail === keepaliveFailed ? connectionError(address, end.detail) : reading(end.detail)
    case "Error":
      return misbehaved(end, limits, Code.Unavailable, `connection error: desc = ${JSON.stringify(end.detail)}`)
    case "PeerGoaway":
      return connectionError(address, `the server sent GOAWAY ${resetName(end.code)} ${end.debug}`.trimEnd())
    case "Local":
      return closed(end.detail)
  }
}

/** @internal */
export const keepaliveFailed = "keepalive ping failed to receive ACK within timeout"

/** Why a client's stream was aborted. `deadlinePassed`: a CANCEL is then the deadline's. @internal */
export const clientAborted = (
  cause: AbortCause,
  address: string,
  deadlinePassed: boolean,
  limits: Limits
): TransportError => {
  switch (cause._tag) {
    case "PeerReset":
      return new TransportError({
        reason: new StreamReset({ resetCode: cause.code, byPeer: true }),
        code: deadlinePassed && cause.code === ResetCode.Cancel ? Code.DeadlineExceeded : codeOfReset(cause.code),
        desc: textOfReset(cause.code)
      })
    case "StreamError":
      return misbehaved(cause, limits, Code.Internal, cause.detail)
    case "Refused":
      return draining()
    case "ConnectionClosed":
      return clientConnectionLost(address, cause.end, limits)
  }
}

const shutdown = (): TransportError =>
  new TransportError({
    reason: new StreamReset({ resetCode: ResetCode.Shutdown, byPeer: true }),
    code: Code.Unavailable,
    desc: "graceful shutdown"
  })

/** Why a server's stream was aborted. @internal */
export const serverAborted = (
  cause: AbortCause,
  address: string,
  sourceService: string,
  limits: Limits
): TransportError => {
  const by = `[triggered by ${sourceService}]`
  switch (cause._tag) {
    case "PeerReset":
      return cause.code === ResetCode.Shutdown
        ? shutdown()
        : new TransportError({
            reason: new StreamReset({ resetCode: cause.code, byPeer: true }),
            code: Code.Canceled,
            desc: `transport: RSTStream Frame received with error code: ${resetName(cause.code)} ${by}`
          })
    case "StreamError":
      return misbehaved(
        cause,
        limits,
        Code.Canceled,
        cause.code === ResetCode.FlowControlError
          ? `transport: inflow control err: ${cause.detail} ${by}`
          : `transport: ReadFrame encountered http2.StreamError: ${cause.detail} ${by}`
      )
    case "Refused":
      return draining()
    case "ConnectionClosed":
      return serverConnectionLost(address, cause.end, limits)
  }
}

const serverConnectionLost = (address: string, end: ConnectionEnd, limits: Limits): TransportError => {
  const by = "[triggered by remote service]"
  switch (end._tag) {
    case "PeerClosed":
      return lost(address, Code.Canceled, `transport: connection EOF ${by}`)
    case "Lost":
      return lost(address, Code.Canceled, `transport: ReadFrame encountered err: ${end.detail} ${by}`)
    case "Error":
      return misbehaved(end, limits, Code.Canceled, `transport: ReadFrame encountered err: ${end.detail} ${by}`)
    case "PeerGoaway":
      return lost(address, Code.Canceled, `transport: the client sent GOAWAY ${resetName(end.code)} ${by}`)
    case "Local":
      return lost(address, Code.Unavailable, "graceful shutdown")
  }
}

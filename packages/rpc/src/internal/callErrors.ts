/**
 * What a server answers a PingPong call in place of a result: the exceptions of Kitex, with their types and texts
 * (`server/server.go`, `pkg/remote/trans_errors.go`).
 *
 * @internal
 */
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import * as Pushback from "@millrace/transport/Pushback"
import type { CallEntries } from "@millrace/transport/RawCall"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as errors from "./errors.ts"
import { goDuration } from "./goDuration.ts"
import { panicStatus, textOf } from "./statuses.ts"

/** gRPC's UNAVAILABLE, which streams get as well. */
const shutdownCode = 14

/** gRPC's codes of what happened to a unary call, of which a Thrift exception has no type of its own. */
const statusTypes: ReadonlyMap<string, number> = new Map([
  ["DeadlineExceeded", 4],
  ["Unavailable", shutdownCode]
])

/**
 * The exception of a failure that no method declares. Errors that carry a number of their own (Kitex's `TransError`) keep
 * it, and get a suffix where they come out of a handler; all others of a handler get a prefix.
 *
 * @internal
 */
export const toException = (info: RpcInfo, failure: unknown, fromHandler: boolean): ApplicationException => {
  const text = textOf(failure)
  if (failure instanceof RpcError.RpcError) {
    const suffix = fromHandler ? " [biz error]" : ""
    const tag = failure.reason._tag
    if (tag === "Status") return { type: failure.code, message: text + suffix }
    if (tag === "CodecError") return { type: ExceptionType.ProtocolError, message: text + suffix }
    // Whoever calls a unary method shall see the same reason on every transport.
    const type = info.mode === "unary" ? statusTypes.get(tag) : undefined
    if (type !== undefined) return { type, message: text + suffix }
  }
  return { type: ExceptionType.InternalError, message: fromHandler ? `biz error: ${text}` : text }
}

/** What goes into the TTHeader beside an exception: when to try again. @internal */
export const pushback = (failure: unknown): CallEntries | undefined =>
  failure instanceof RpcError.RpcError && failure.reason._tag === "Rejected"
    ? Pushback.toEntries(failure.reason.retryAfterMillis)
    : undefined

/** A failure that was told as an exception, for tracers. @internal */
export const fromException = (info: RpcInfo, { message, type }: ApplicationException): RpcError.RpcError =>
  errors.error(info, type, message, new RpcError.Status({}))

/** A defect: Kitex's text for a panic in a handler. @internal */
export const panic = (info: RpcInfo, defect: unknown): ApplicationException => ({
  type: ExceptionType.InternalError,
  message: panicStatus(info, defect).message
})

/** A defect of a decoder: Kitex's text for a panic there. @internal */
export const decoderPanic = (defect: unknown): ApplicationException => ({
  type: ExceptionType.ProtocolError,
  message: `panic: [happened in Read] ${textOf(defect)}`
})

/** @internal */
export const unknownService = (service: string, method: string): ApplicationException => ({
  type: ExceptionType.UnknownService,
  message: `unknown service ${service}, method ${method}`
})

/** @internal */
export const unknownMethod = (service: string, method: string): ApplicationException => ({
  type: ExceptionType.UnknownMethod,
  message: `unknown method ${method} (service ${service})`
})

/** A method of a streaming mode was called as if it had none. @internal */
export const streamingMethod = ({ method, service }: RpcInfo): ApplicationException => ({
  type: ExceptionType.InternalError,
  message: `biz error: ${service}.${method} is a thrift streaming method, please call with Kitex StreamClient`
})

/** What ended a call in spite of its handler. @internal */
export const overtaken = ({ code, desc }: RpcError.RpcError): ApplicationException => ({
  type: code === shutdownCode ? code : ExceptionType.InternalError,
  message: desc
})

/** The caller's timeout has passed on the server. @internal */
export const deadlineExceeded = (info: RpcInfo, timeoutMillis: number): RpcError.RpcError =>
  errors.error(
    info,
    4,
    `rpc timeout: timeout=${goDuration(timeoutMillis)}, to=${info.service}, method=${info.method}`,
    new RpcError.DeadlineExceeded()
  )

/** The grace time of a stopping server is over. @internal */
export const shutdown = (info: RpcInfo): RpcError.RpcError =>
  errors.error(info, shutdownCode, "graceful shutdown", new RpcError.Unavailable({ neverSent: false, draining: true }))

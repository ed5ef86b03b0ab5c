/**
 * Every translation between what the wire says and what callers see: statuses, transport failures, budgets.
 * Codes and texts are Kitex's (`nphttp2/codes.go`, `kerrors`).
 *
 * @internal
 */
import { CodecError } from "@millrace/codec/CodecError"
import type { RawStatus } from "@millrace/transport/RawStream"
import * as StatusDetails from "@millrace/transport/StatusDetails"
import { Cancelled as TransportCancelled, TransportError } from "@millrace/transport/TransportError"
import * as Cause from "effect/Cause"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as refusals from "./refusals.ts"

type Reason = (typeof RpcError.Reason)["Type"]

/** @internal */
export const error = (info: RpcInfo, code: number, desc: string, reason: Reason): RpcError.RpcError =>
  new RpcError.RpcError({
    reason,
    code,
    desc,
    method: `${info.service}.${info.method}`,
    ...(info.address === "" ? undefined : { address: info.address })
  })

/** gRPC's INTERNAL: the code of what has none of its own. @internal */
export const internal = 13

/** @internal */
export const deadlineExceeded = (info: RpcInfo) =>
  error(info, 4, "context deadline exceeded", new RpcError.DeadlineExceeded())

/** @internal */
export const cancelled = (info: RpcInfo) => error(info, 1, "context canceled", new RpcError.Cancelled({ by: "local" }))

/** @internal */
export const recvTimeout = (info: RpcInfo, millis: number, failsAlone = false) =>
  error(
    info,
    17,
    `stream Recv timeout, timeout config={Timeout:${goDuration(millis)} DisableCancelRemote:${failsAlone}}`,
    new RpcError.RecvTimeout({ millis })
  )

/** @internal */
export const firstMessageTimeout = (info: RpcInfo, millis: number) =>
  error(info, 17, `no first message within ${goDuration(millis)}`, new RpcError.FirstMessageTimeout({ millis }))

/** @internal */
export const sendTimeout = (info: RpcInfo, millis: number) =>
  error(
    info,
    4,
    `stream Send timeout, the peer left no room for a message within ${goDuration(millis)}`,
    new RpcError.SendTimeout({ millis })
  )

/** Sending on a stream that has ended well, or after the half close. @internal */
export const streamDone = (info: RpcInfo) => error(info, internal, "the stream is done", new RpcError.Status({}))

/** The server's handler still uses a stream whose handler has returned. @internal */
export const handlerReturned = (info: RpcInfo) =>
  error(info, 1, "transport: canceled by business handler returning", new RpcError.Cancelled({ by: "local" }))

/** A peer broke the rule of one request or one response. @internal */
export const protocolViolation = (info: RpcInfo, desc: string) =>
  error(info, internal, desc, new RpcError.ProtocolViolation())

/** The stream ended in place of the one message that had to come. @internal */
export const noMessage = (info: RpcInfo) => protocolViolation(info, "EOF")

/** A second message came where one had to be the last (Kitex, `codec/grpc/grpc.go`). @internal */
export const secondResponse = (info: RpcInfo) =>
  protocolViolation(info, "KITEX: grpc client streaming protocol violation: get <nil>, want <EOF>")

/** The endpoints of a client gave nothing at all. @internal */
export const noMoreInstances = (info: RpcInfo) =>
  error(
    info,
    internal,
    "no more instances to retry: the endpoints of the client gave none",
    new RpcError.NoInstance({ service: info.callee, why: "noWeight" })
  )

/** What a reset of ours says to the transport. @internal */
export const localCancel = new TransportError({ reason: new TransportCancelled(), code: 1, desc: "context canceled" })

/** The error of a status that is not OK; undefined for OK, also when a business status came beside it. @internal */
export const fromStatus = (info: RpcInfo, status: RawStatus): CallError | undefined => {
  if (status.code === 0) return undefined
  if (status.biz !== undefined) return bizStatusError(status.biz, status)
  return statusError(info, status)
}

const bizStatusError = (
  { code, extra }: NonNullable<RawStatus["biz"]>,
  { code: rpcCode, details, message }: RawStatus
): CallError => {
  // A peer may write any number beside its business error.
  const own = rpcCode > 0 && (rpcCode !== internal || details !== undefined)
  return new BizStatusError({
    statusCode: code,
    statusMessage: message,
    extra,
    ...(own ? { rpcCode } : undefined),
    ...(details === undefined ? undefined : { details })
  })
}

/** A status as the error of a send behind it, which never is a business error. @internal */
export const statusError = (info: RpcInfo, status: RawStatus): RpcError.RpcError =>
  error(info, status.code, status.message, statusReason(info, status))

const statusReason = (info: RpcInfo, status: RawStatus): Reason => {
  switch (status.code) {
    case 4:
      return new RpcError.DeadlineExceeded()
    case 7:
    case 8:
      return refused(info, status) ?? ownStatus(status)
    case 14:
      return new RpcError.Unavailable({ neverSent: false })
    default:
      return ownStatus(status)
  }
}

const ownStatus = ({ details }: RawStatus): Reason => new RpcError.Status(details === undefined ? {} : { details })

/**
 * A limit of messages ends a stream through its handler. A unary call whose handler has run was not refused, whatever its
 * text: nobody may take it for one that can be sent again.
 */
const refused = (info: RpcInfo, { message, retryAfterMillis }: RawStatus): Reason | undefined =>
  info.mode === "unary" && refusals.isOfHandler(message)
    ? undefined
    : refusals.refusalOf(refusals.withoutHandler(message), retryAfterMillis)

/** @internal */
export const fromTransport = (info: RpcInfo, failure: TransportError): RpcError.RpcError => {
  const { _tag } = failure.reason
  // Kitex's head of whatever it cannot connect to (`kerrors.ErrGetConnection`).
  const head = _tag === "ConnectFailed" || _tag === "ConnectTimeout" ? "get connection error: " : ""
  return error(info, failure.code, head + failure.desc, transportReason(failure))
}

/** Limits of the transport that refuse a call before it is sent. The others are of what a peer sends. */
const beforeSending: ReadonlySet<string> = new Set([
  "MAX_CONCURRENT_STREAMS",
  "MAX_HEADER_LIST_SIZE",
  "maxConnectionsPerAddress",
  "maxSentHeaderFields",
  "maxSentTTHeaderSize",
  "pool.maxPerAddress"
])

const transportReason = (failure: TransportError): Reason => {
  const reason = failure.reason
  switch (reason._tag) {
    case "ConnectTimeout":
      return new RpcError.ConnectTimeout({ millis: reason.millis })
    case "ConnectFailed":
      return new RpcError.Unavailable({ neverSent: true })
    case "Draining":
      return new RpcError.Unavailable({ neverSent: true, draining: true })
    case "ConnectionLost":
      return new RpcError.Unavailable({ neverSent: reason.neverSent === true })
    case "StreamReset":
      if (failure.code === 1) return new RpcError.Cancelled({ by: reason.byPeer ? "peer" : "local" })
      if (failure.code === 4) return new RpcError.DeadlineExceeded()
      // The reset of a server that shuts down, in Kitex's numbers.
      if (reason.resetCode === 1000) return new RpcError.Unavailable({ neverSent: false, draining: true })
      if (failure.code === 14) return new RpcError.Unavailable({ neverSent: reason.resetCode === 7 })
      return new RpcError.Status({})
    case "LimitExceeded":
      return new RpcError.Rejected(
        beforeSending.has(reason.limit) ? { limit: reason.limit } : { limit: reason.limit, maybeRan: true }
      )
    case "ProtocolViolation":
      return new RpcError.ProtocolViolation()
    case "InvalidMetadata":
      return new RpcError.InvalidMetadata()
    case "CompressionFailed":
      return new RpcError.CodecError({ kind: "Compression", path: "" })
    case "Cancelled":
      return new RpcError.Cancelled({ by: "local" })
  }
}

/**
 * What an encoder or decoder threw. Thrift's PROTOCOL_ERROR is 7; its text names the member.
 *
 * @internal
 */
export const fromCodec = (info: RpcInfo, thrown: unknown): RpcError.RpcError => {
  if (thrown instanceof CodecError) {
    return error(
      info,
      7,
      thrown.message,
      new RpcError.CodecError({
        kind: thrown.kind,
        path: thrown.path,
        ...(thrown.offset === undefined ? undefined : { offset: thrown.offset })
      })
    )
  }
  if (thrown instanceof TransportError) return fromTransport(info, thrown)
  throw thrown
}

/**
 * The status that ends a call on the server. `fromHandler` errors are business errors in Kitex's eyes and carry its
 * suffix; those of middleware and admission do not.
 *
 * @internal
 */
export const toStatus = (failure: unknown, fromHandler: boolean): RawStatus => {
  const suffix = fromHandler ? " [biz error]" : ""
  if (failure instanceof BizStatusError) {
    const { details, extra, rpcCode, statusCode, statusMessage } = failure
    const code = rpcCode ?? internal
    if (fromHandler) return { code, message: statusMessage, biz: { code: statusCode, extra }, details }
    // Of the two kinds of Kitex only the one with a status of its own is more than its text here.
    const hasStatus = rpcCode !== undefined || details !== undefined
    return hasStatus ? { code, message: statusMessage, details } : { code, message: failure.message }
  }
  if (failure instanceof RpcError.RpcError) {
    const { code, desc, reason } = failure
    const message = desc + suffix
    if (reason._tag === "Rejected") return { code, message, retryAfterMillis: reason.retryAfterMillis }
    const details = reason._tag === "Status" ? reason.details : undefined
    return { code, message, details: details && suffixed(details, suffix) }
  }
  return { code: internal, message: text(failure) + suffix }
}

// Peers that read details take the message from there.
const suffixed = (details: Uint8Array, suffix: string): Uint8Array => {
  const status = suffix === "" ? undefined : StatusDetails.decode(details)
  return status === undefined ? details : StatusDetails.encode({ ...status, message: status.message + suffix })
}

/** The status of a defect: Kitex's text for a panic in a handler. @internal */
export const panicStatus = (info: RpcInfo, defect: unknown): RawStatus => ({
  code: internal,
  message: `panic: [happened in biz handler, method=${info.service}.${info.method}, please check the panic at the server side] ${text(defect)}`
})

const text = (u: unknown): string => (u instanceof Error ? u.message || u.name : String(u))

/** A duration in Go's notation: 50ms, 1.5s, 1m0s. @internal */
export const goDuration = (millis: number): string => {
  if (millis === 0) return "0s"
  if (millis < 1) return `${Math.round(millis * 1000)}µs`
  if (millis < 1000) return `${millis}ms`
  const hours = Math.floor(millis / 3_600_000)
  const minutes = Math.floor((millis % 3_600_000) / 60_000)
  const seconds = Number(((millis % 60_000) / 1000).toFixed(3))
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`
}

/** The first typed failure of a cause, unless a defect is in it too: a defect wins. @internal */
export const causeFailure = (
  cause: Cause.Cause<unknown>
): { readonly defect: boolean; readonly value: unknown } | undefined => {
  let failure: { readonly defect: boolean; readonly value: unknown } | undefined
  for (const reason of cause.reasons) {
    if (Cause.isDieReason(reason)) return { defect: true, value: reason.defect }
    if (failure === undefined && Cause.isFailReason(reason)) failure = { defect: false, value: reason.error }
  }
  return failure
}

/** A middleware kept `next` until nobody waits for the call any more. @internal */
export const ranLate = ({ method, service }: RpcInfo): Error =>
  new Error(
    `${service}.${method}: a middleware ran next when its call had ended already; run it in the fiber of the middleware, or in one that the middleware waits for`
  )

/**
 * What callers see of what the wire says, and of what this side decides: statuses, transport failures, budgets. Numbers and texts are
 * those of the protocol (`Words`), the reason is the same in each.
 *
 * @internal
 */
import { CodecError } from "@millrace/codec/CodecError"
import type { RawCancellation, RawStatus } from "@millrace/transport/RawStream"
import { Cancelled as TransportCancelled, type StreamReset, TransportError } from "@millrace/transport/TransportError"
import * as Cause from "effect/Cause"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { grpcWords } from "./grpcWords.ts"
import * as refusals from "./refusals.ts"
import { Code, shownPath, ttstreamWords } from "./ttstreamWords.ts"
import type { Said, Words } from "./words.ts"

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

/** How the protocol of a call says what happened. @internal */
export const wordsOf = ({ protocol }: RpcInfo): Words => (protocol === "ttheader-streaming" ? ttstreamWords : grpcWords)

const saying = (info: RpcInfo, { code, desc }: Said, reason: Reason): RpcError.RpcError =>
  error(info, code, desc, reason)

/** `millis` is what the call had when its stream began. @internal */
export const deadlineExceeded = (info: RpcInfo, millis?: number) =>
  saying(info, wordsOf(info).deadlineExceeded(info.side, millis), new RpcError.DeadlineExceeded())

/** `why` is what ended the call that this one was made for. @internal */
export const cancelled = (info: RpcInfo, why?: RawCancellation) => {
  const path = why !== undefined && info.protocol === "ttheader-streaming" ? shownPath(why.path) : undefined
  return saying(info, wordsOf(info).cancelled(info.side, why), cancelledReason("local", path))
}

const cancelledReason = (by: "local" | "peer", path: ReadonlyArray<string> = []) =>
  new RpcError.Cancelled(path.length === 0 ? { by } : { by, path })

/** @internal */
export const recvTimeout = (info: RpcInfo, millis: number, failsAlone = false) =>
  saying(info, wordsOf(info).recvTimeout(info.side, millis, failsAlone), new RpcError.RecvTimeout({ millis }))

/** @internal */
export const firstMessageTimeout = (info: RpcInfo, millis: number) =>
  saying(info, wordsOf(info).firstMessageTimeout(info.side, millis), new RpcError.FirstMessageTimeout({ millis }))

/** @internal */
export const sendTimeout = (info: RpcInfo, millis: number) =>
  saying(info, wordsOf(info).sendTimeout(info.side, millis), new RpcError.SendTimeout({ millis }))

/** Sending on a stream that has ended well, or after the half close. @internal */
export const streamDone = (info: RpcInfo) => saying(info, wordsOf(info).streamDone(info.side), new RpcError.Status({}))

/** The server's handler still uses a stream whose handler has returned. @internal */
export const handlerReturned = (info: RpcInfo) =>
  saying(info, wordsOf(info).handlerReturned(info.side), cancelledReason("local"))

/** Metadata that does not go into the Header frame of a stream. @internal */
export const invalidMetadata = (info: RpcInfo, desc: string) =>
  error(info, internal, desc, new RpcError.InvalidMetadata())

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
  saying(info, wordsOf(info).status(info.side, status), statusReason(info, status))

const statusReason = (info: RpcInfo, status: RawStatus): Reason => {
  if (info.protocol === "ttheader-framed") return unaryReason(status)
  switch (status.code) {
    case 4:
      return new RpcError.DeadlineExceeded()
    case 7:
    case 8:
      return refused(info, status) ?? ownStatus(status)
    case internal:
      // A Kitex server has no code for it.
      return (
        (info.protocol === "grpc" ? undefined : refusals.refusalOf(status.message, status.retryAfterMillis)) ??
        ownStatus(status)
      )
    case 14:
      return new RpcError.Unavailable({ neverSent: false })
    default:
      return ownStatus(status)
  }
}

const ownStatus = ({ details }: RawStatus): Reason => new RpcError.Status(details === undefined ? {} : { details })

/** A unary call that went out as a PingPong call: its code is the type of a Thrift exception, and the text tells. */
const unaryReason = ({ code, message, retryAfterMillis }: RawStatus): Reason =>
  code === 4 || message.startsWith("rpc timeout:")
    ? new RpcError.DeadlineExceeded()
    : refusals.exceptionReason(code, message, retryAfterMillis)

/**
 * A limit of messages ends a stream through its handler. A unary call whose handler has run was not refused, whatever its
 * text: nobody may take it for one that can be sent again.
 */
const refused = (info: RpcInfo, { message, retryAfterMillis }: RawStatus): Reason | undefined => {
  const inHandler = wordsOf(info).inHandler(message)
  return info.mode === "unary" && inHandler !== undefined
    ? undefined
    : refusals.refusalOf(inHandler ?? message, retryAfterMillis)
}

/** @internal */
export const fromTransport = (info: RpcInfo, failure: TransportError): RpcError.RpcError => {
  const { _tag } = failure.reason
  // Kitex's head of whatever it cannot connect to (`kerrors.ErrGetConnection`).
  const head = _tag === "ConnectFailed" || _tag === "ConnectTimeout" ? "get connection error: " : ""
  return error(info, failure.code, head + failure.desc, transportReason(info, failure))
}

/** Whether a stream was cancelled by its peer, for whatever reason. @internal */
export const isCancel = (info: RpcInfo, { code, reason }: TransportError): boolean =>
  reason._tag === "StreamReset" && info.protocol === "ttheader-streaming"
    ? resetReason(reason)._tag === "Cancelled"
    : code === 1

/** The resets of a server that shuts down: Kitex's number over HTTP/2, ours over TTHeader streaming. */
const endsServer = (resetCode: number): boolean => resetCode === 1000 || resetCode === 14

/** Limits of the transport that refuse a call before it is sent. The others are of what a peer sends. */
const beforeSending: ReadonlySet<string> = new Set([
  "MAX_CONCURRENT_STREAMS",
  "MAX_HEADER_LIST_SIZE",
  "maxConnectionsPerAddress",
  "maxSentHeaderFields",
  "maxSentTTHeaderSize",
  "pool.maxPerAddress"
])

const transportReason = (info: RpcInfo, failure: TransportError): Reason => {
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
      if (info.protocol === "ttheader-streaming") return resetReason(reason)
      if (failure.code === 1) return cancelledReason(reason.byPeer ? "peer" : "local")
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
      return cancelledReason("local")
  }
}

/** An Rst frame, or the Trailer of a client that says more than that its messages end. */
const resetReason = ({ byPeer, path, resetCode }: StreamReset): Reason => {
  if (resetCode === Code.DeadlineExceeded) return new RpcError.DeadlineExceeded()
  if (resetCode === Code.Application) return new RpcError.Status({})
  if (endsServer(resetCode)) return new RpcError.Unavailable({ neverSent: false, draining: true })
  return cancelledReason(byPeer ? "peer" : "local", path)
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

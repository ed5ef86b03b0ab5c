/**
 * What goes wrong with streams over TTHeader, in the codes and texts of Kitex (`pkg/remote/trans/ttstream/exception.go`).
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { RawCancellation, RawStatus } from "../../RawStream.ts"
import {
  Cancelled,
  ConnectionLost,
  Draining,
  InvalidMetadata,
  LimitExceeded,
  ProtocolViolation,
  type Reason,
  StreamReset,
  TransportError
} from "../../TransportError.ts"
import type { ConnectionEnd } from "../engine.ts"
import { tooLargeText } from "../ttheader/info.ts"
import type { StreamingOptions } from "./api.ts"

/** @internal */
export const Code = {
  ApplicationException: 12001,
  UnexpectedHeader: 12002,
  IllegalBizError: 12003,
  IllegalFrame: 12004,
  TransportClosing: 12006,
  UserCancelled: 12007,
  InternalCancelled: 12011,
  ConnectionClosed: 12013,
  /** Ours: a server that shuts down. */
  Shutdown: 14,
  /** Of an Rst that does not say. */
  Rst: 13
} as const

/** Whose stream it is. @internal */
export type Side = "client" | "server"

/** A text as Kitex prints it. @internal */
export const format = (
  code: number,
  side: Side | undefined,
  path: ReadonlyArray<string> | undefined,
  text: string
): string => {
  const sideText = side === undefined ? "" : `[${side}-side stream] `
  const pathText = path === undefined ? "" : `[canceled path: ${path.join(" -> ")}] `
  return `[ttstream error, code=${code}] ${sideText}${pathText}${text}`
}

type AnyReason = typeof Reason.Type

const failure = (reason: AnyReason, code: number, side: Side | undefined, text: string): TransportError =>
  new TransportError({ reason, code, desc: format(code, side, undefined, text) })

/** An error that ends one stream here, and what its Rst says to the peer. @internal */
export interface Fault {
  readonly error: TransportError
  readonly rst: ApplicationException
}

const fault = (reason: AnyReason, code: number, side: Side, text: string): Fault => ({
  error: failure(reason, code, side, text),
  rst: { type: code, message: text }
})

/** @internal */
export const duplicateHeader = (streamId: number): Fault =>
  fault(new ProtocolViolation(), Code.UnexpectedHeader, "client", `stream[${streamId}] already set header`)

/** A client opened a stream with the id of one that it has. @internal */
export const openedTwice = (streamId: number): Fault =>
  fault(
    new ProtocolViolation(),
    Code.IllegalFrame,
    "server",
    `stream[${streamId}] was opened again before it had ended`
  )

/** @internal */
export const messageTooLarge = (side: Side, max: number): Fault =>
  fault(
    new LimitExceeded({ limit: "maxReceiveMessageSize", max }),
    Code.IllegalFrame,
    side,
    `received message larger than maxReceiveMessageSize (${max} bytes)`
  )

/** A stream that nobody reads fills its buffer, and its connection stood still for it long enough. @internal */
export const bufferFull = (
  side: Side,
  limit: "streamBufferLimit" | "streamBufferMessages" | "connectionBufferLimit",
  max: number
): Fault =>
  fault(
    new LimitExceeded({ limit, max }),
    Code.InternalCancelled,
    side,
    `messages come faster than they are read: ${limit} (${max} ${limit === "streamBufferMessages" ? "messages" : "bytes"}) was full for stallTimeout, ` +
      "read faster, raise the limit, or let the client ask for credit (streamCredit)"
  )

/** A frame, or an exception in it, that cannot be read. @internal */
export const illegalFrame = (side: Side, text: string): TransportError =>
  failure(new ProtocolViolation(), Code.IllegalFrame, side, text)

/** A business error that cannot be read. @internal */
export const illegalBizError = (side: Side, extra: string): TransportError =>
  failure(new ProtocolViolation(), Code.IllegalBizError, side, `malformed header info, extra: ${extra}`)

/** Keys and values that no TTHeader holds. Nothing was sent. @internal */
export const headerRefused = (side: Side, text: string): TransportError =>
  failure(new InvalidMetadata(), Code.IllegalFrame, side, text)

/** A TTHeader that the peer may not take, for which it would end the connection. Nothing was sent. @internal */
export const headerTooLarge = (
  side: Side,
  limit: "maxSentHeaderFields" | "maxSentTTHeaderSize",
  max: number,
  size: number
): TransportError => failure(new LimitExceeded({ limit, max }), Code.IllegalFrame, side, tooLargeText(limit, max, size))

/** The server drains, and has not let the stream begin: it is safe to try elsewhere. @internal */
export const draining = (): TransportError =>
  failure(new Draining(), Code.ApplicationException, "client", "graceful shutdown")

/** What an Rst says where nobody says otherwise. @internal */
export const userCancelled: RawCancellation = {
  code: Code.UserCancelled,
  text: "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively",
  path: []
}

/** We ended the stream ourselves. @internal */
export const cancelled = (side: Side): TransportError =>
  failure(new Cancelled(), userCancelled.code, side, userCancelled.text)

/** A path that goes on and on is cut at its beginning: no TTHeader holds one of any length. */
const maxPathLength = 4096

/**
 * What an Rst says of where a cancellation came through: the services before, and `caller`, whose stream it is. Undefined where there is
 * nothing to say.
 *
 * @internal
 */
export const cancelPath = (path: ReadonlyArray<string>, caller: string): string | undefined => {
  let text = caller.slice(0, maxPathLength)
  for (let i = path.length - 1; i >= 0 && path[i]!.length + text.length < maxPathLength; i--)
    text = `${path[i]!},${text}`
  return text === "" ? undefined : text
}

const unknownRst: ApplicationException = { type: Code.Rst, message: "rst" }

/**
 * An Rst was received. `exception`: undefined, or a text, where it has none that can be read. `path`: the services that the cancellation
 * came through, with commas between.
 *
 * @internal
 */
export const resetByPeer = (
  side: Side,
  exception: ApplicationException | string | undefined,
  path: string | undefined
): TransportError => {
  const { message, type } = typeof exception === "object" ? exception : unknownRst
  const names = path === undefined || path === "" ? undefined : path.split(",")
  return new TransportError({
    reason: new StreamReset({ resetCode: type, byPeer: true, text: message, ...(names && { path: names }) }),
    code: type,
    desc: format(type, side, names, message)
  })
}

/** The client ended its messages with an error, as Kitex's clients never do. @internal */
export const failedByClient = (status: RawStatus): TransportError => {
  const text = status.biz === undefined ? status.message : `biz error: code=${status.biz.code}, msg=${status.message}`
  const code = Code.ApplicationException
  return new TransportError({
    reason: new StreamReset({ resetCode: code, byPeer: true, text }),
    code,
    desc: status.biz === undefined ? format(code, "server", undefined, text) : text
  })
}

/** The peer broke a rule of the connection, or exceeded the limit of that name. @internal */
export const violation = (detail: string, limit?: keyof StreamingOptions): ConnectionEnd =>
  limit === undefined
    ? { _tag: "Error", code: Code.IllegalFrame, detail }
    : { _tag: "Error", code: Code.IllegalFrame, detail, limit }

const misbehaved = (end: ConnectionEnd & { readonly _tag: "Error" }, options: StreamingOptions): AnyReason => {
  if (end.limit === undefined) return new ProtocolViolation()
  const value = options[end.limit as keyof StreamingOptions]
  return new LimitExceeded({ limit: end.limit, max: typeof value === "object" ? value.burst : Number(value) })
}

/** A client's stream whose connection has ended under it: texts about a connection have no side. @internal */
export const clientLost = (address: string, end: ConnectionEnd, options: StreamingOptions): TransportError => {
  if (end._tag === "Error") return failure(misbehaved(end, options), end.code, undefined, end.detail)
  // Whoever closes its own transport has cancelled the stream, as over HTTP/2.
  const reason = end._tag === "Local" ? new Cancelled() : new ConnectionLost({ address })
  return failure(reason, Code.TransportClosing, undefined, lostText(end))
}

/** A client's stream of which no byte was sent when its connection ended. @internal */
export const clientNeverSent = (address: string, end: ConnectionEnd): TransportError =>
  failure(new ConnectionLost({ address, neverSent: true }), Code.TransportClosing, undefined, lostText(end))

const lostText = (end: ConnectionEnd): string => {
  switch (end._tag) {
    case "PeerClosed":
      return end.hint === undefined ? "connection closed by peer" : `connection closed by peer; ${end.hint}`
    case "PeerGoaway":
      return `connection closed by peer: ${end.debug}`
    case "Lost":
      return end.detail
    case "Error":
    case "Local":
      return `connection closed: ${end.detail}`
  }
}

/** A server's stream whose connection has ended under it. @internal */
export const serverLost = (address: string, end: ConnectionEnd, options: StreamingOptions): TransportError => {
  const lost = (text: string) => failure(new ConnectionLost({ address }), Code.ConnectionClosed, undefined, text)
  switch (end._tag) {
    case "PeerClosed":
      return lost("canceled by connection closed")
    case "PeerGoaway":
      return lost(`canceled by connection closed: ${end.debug}`)
    case "Lost":
      return lost(end.detail)
    case "Local":
      return lost(`connection closed: ${end.detail}`)
    case "Error":
      return failure(
        misbehaved(end, options),
        Code.ConnectionClosed,
        undefined,
        format(end.code, undefined, undefined, end.detail)
      )
  }
}

/** What a server answers to a stream beyond those that it serves at once. @internal */
export const tooManyStreams = (max: number): RawStatus => ({
  code: 14,
  message: `too many streams: the server runs ${max} of a connection at once (maxConcurrentStreams), open fewer or use more connections`
})

/**
 * What a connection that ends means to its calls, with the texts that Kitex's users know.
 *
 * @internal
 */
import {
  Cancelled,
  ConnectionLost,
  InvalidMetadata,
  LimitExceeded,
  ProtocolViolation,
  type Reason,
  TransportError
} from "../../TransportError.ts"
import type { ConnectionEnd } from "../engine.ts"
import { Code } from "../grpc/status.ts"
import { tooLargeText } from "../ttheader/info.ts"
import type { CallOptions } from "./api.ts"

/** The peer broke a rule, or exceeded the limit of that name. @internal */
export const violation = (detail: string, limit?: keyof CallOptions): ConnectionEnd =>
  limit === undefined
    ? { _tag: "Error", code: Code.Internal, detail }
    : { _tag: "Error", code: Code.ResourceExhausted, detail, limit }

const error = (reason: typeof Reason.Type, code: number, desc: string): TransportError =>
  new TransportError({ reason, code, desc })

/** An answer that is not what the call asked for. `code` is a type of exceptions where Kitex makes one of it. @internal */
export const badReply = (code: number, desc: string): TransportError => error(new ProtocolViolation(), code, desc)

/** What cannot be written into a TTHeader. @internal */
export const headerRefused = (desc: string): TransportError => error(new InvalidMetadata(), Code.Internal, desc)

/** A TTHeader that the peer may not take, for which it would end the connection. @internal */
export const headerTooLarge = (
  limit: "maxSentHeaderFields" | "maxSentTTHeaderSize",
  max: number,
  size: number
): TransportError => error(new LimitExceeded({ limit, max }), Code.ResourceExhausted, tooLargeText(limit, max, size))

const misbehaved = (end: ConnectionEnd & { readonly _tag: "Error" }, options: CallOptions): TransportError => {
  const reason =
    end.limit === undefined
      ? new ProtocolViolation()
      : new LimitExceeded({ limit: end.limit, max: Number(options[end.limit as keyof CallOptions]) })
  return error(reason, end.code, end.detail)
}

const lostText = (end: ConnectionEnd, midMessage: boolean): string => {
  switch (end._tag) {
    case "PeerClosed": {
      const text = midMessage ? "EOF wait read" : "default codec read failed: EOF peer close"
      return end.hint === undefined ? text : `${text}; ${end.hint}`
    }
    case "Lost":
      return `default codec read failed: ${end.detail}`
    case "PeerGoaway":
      return `default codec read failed: ${end.debug}`
    case "Error":
    case "Local":
      return `connection closed: ${end.detail}`
  }
}

/** A client's call whose connection has ended under it. `midMessage`: within an answer. @internal */
export const clientLost = (
  address: string,
  end: ConnectionEnd,
  midMessage: boolean,
  options: CallOptions
): TransportError =>
  end._tag === "Error"
    ? misbehaved(end, options)
    : error(new ConnectionLost({ address }), Code.Unavailable, lostText(end, midMessage))

/** A client's call of which no byte was sent when its connection ended. @internal */
export const clientNeverSent = (address: string, end: ConnectionEnd): TransportError =>
  error(new ConnectionLost({ address, neverSent: true }), Code.Unavailable, lostText(end, false))

/** A server's call whose connection has ended under it. @internal */
export const serverLost = (address: string, end: ConnectionEnd, options: CallOptions): TransportError => {
  switch (end._tag) {
    case "PeerClosed":
      return error(new ConnectionLost({ address }), Code.Canceled, "the client closed the connection")
    case "Lost":
      return error(new ConnectionLost({ address }), Code.Canceled, `the connection was lost: ${end.detail}`)
    case "PeerGoaway":
      return error(new ConnectionLost({ address }), Code.Canceled, `the client is gone: ${end.debug}`)
    case "Error":
      return misbehaved(end, options)
    case "Local":
      return error(new ConnectionLost({ address }), Code.Unavailable, `connection closed: ${end.detail}`)
  }
}

/** @internal */
export const cancelledByClient = (): TransportError =>
  error(new Cancelled(), Code.Canceled, "the client cancelled the call")

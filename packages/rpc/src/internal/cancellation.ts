/**
 * Who cancelled a stream, as TTHeader streaming passes it on from hop to hop (Kitex `ttstream/stream_client.go`).
 *
 * @internal
 */
import type { RawCancellation } from "@millrace/transport/RawStream"
import type { TransportError } from "@millrace/transport/TransportError"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { HandledCall } from "./currentCall.ts"
import { grpcWords } from "./grpcWords.ts"
import { Code, foreignPath, handlerReturned, textOf } from "./ttstreamWords.ts"
import type { Said } from "./words.ts"

const noPath: ReadonlyArray<string> = []

const isTTStream = ({ protocol }: RpcInfo): boolean => protocol === "ttheader-streaming"

/** Of a call that is no stream over TTHeader streaming: the text is that of the whole error, as Kitex prints it. */
const foreign = ({ protocol }: Pick<RpcInfo, "protocol">, { code, desc }: Said): RawCancellation => ({
  code: Code.InternalCancelled,
  text: protocol === "grpc" ? `rpc error: code = ${code} desc = ${desc}` : desc,
  path: foreignPath
})

const returned: RawCancellation = { code: Code.HandlerReturned, text: handlerReturned, path: noPath }

/** The handler of this call has returned, and with it ends what it has begun. @internal */
export const byReturn = (info: RpcInfo): RawCancellation =>
  isTTStream(info) ? returned : foreign(info, grpcWords.handlerReturned("server"))

/** Its client, the connection or the stop of the server has ended this call. @internal */
export const byAbort = (info: RpcInfo, { code, desc, reason }: TransportError): RawCancellation => {
  if (!isTTStream(info)) return foreign(info, { code, desc })
  if (reason._tag !== "StreamReset") return { code, text: textOf({ code, desc }), path: noPath }
  // Whoever stops takes its handlers away.
  if (!reason.byPeer) return returned
  return { code: reason.resetCode, text: reason.text ?? textOf({ code, desc }), path: reason.path ?? noPath }
}

/** This side has ended this call. @internal */
export const byError = (info: RpcInfo, { code, desc }: RpcError): RawCancellation =>
  isTTStream(info) ? { code, text: textOf({ code, desc }), path: noPath } : foreign(info, { code, desc })

/** The name under which a client cancels: its own, or that of the service whose handler calls. @internal */
export const nameOf = (callerName: string | undefined, handled: HandledCall | undefined): string => {
  if (callerName !== undefined && callerName !== "") return callerName
  return handled === undefined || handled.info.unknown === true ? "" : handled.info.service
}

/** What the server of a stream hears of its end by its client; undefined where that has no reason but its own. @internal */
export const toServer = (
  info: RpcInfo,
  error: CallError,
  handled: HandledCall | undefined
): RawCancellation | undefined => {
  if (!isTTStream(info)) return undefined
  // A timeout of the client before it comes as a cancellation, with the same code.
  const ownTimeout =
    error instanceof RpcError &&
    error.reason._tag !== "Cancelled" &&
    (error.code === Code.Timeout || error.code === Code.DeadlineExceeded)
  return ownTimeout ? byError(info, error) : handled?.cancellation
}

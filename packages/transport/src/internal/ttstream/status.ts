/**
 * The status of a stream in its Trailer, both ways (Kitex `pkg/remote/trans/ttstream/server_handler.go` and `stream_client.go`).
 *
 * Kitex has an exception, or a business error in string keys. The gRPC code and the details of a status travel in int keys of ours,
 * which Kitex does not see.
 *
 * @internal
 */
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import * as BizStatus from "../../BizStatus.ts"
import type { Metadata, MetadataEntries } from "../../Metadata.ts"
import * as Pushback from "../../Pushback.ts"
import type { CallEntries, CallHeader, CallHeaderFields } from "../../RawCall.ts"
import type { RawStatus } from "../../RawStream.ts"
import * as StatusDetails from "../../StatusDetails.ts"
import type { TransportError } from "../../TransportError.ts"
import { decodeBase64, encodeBase64 } from "../base64.ts"
import { parseExtra, parseInt32 } from "../bizStatus.ts"
import { Code } from "../grpc/status.ts"
import { IntKey } from "../ttheader/keys.ts"
import { draining, illegalBizError, illegalFrame, type Side } from "./errors.ts"
import { noFields, readExceptionPayload } from "./frames.ts"
import { hiddenInTrailer, metadataOf, stringsOf } from "./metadata.ts"

/** What a Trailer frame holds. @internal */
export interface Trailer {
  readonly fields: CallHeaderFields
  readonly exception: ApplicationException | undefined
}

/** Values of the int key Draining. */
const Drain = { Later: "1", Refused: "2" } as const

const okTrailer: Trailer = { fields: noFields, exception: undefined }

/** Of a server that drains, for a stream that it does not begin. @internal */
export const refusedByDrain: Trailer = {
  fields: {
    strings: [],
    ints: [
      [IntKey.Draining, Drain.Refused],
      [IntKey.StatusCode, `${Code.Unavailable}`]
    ]
  },
  exception: { type: ExceptionType.InternalError, message: "graceful shutdown" }
}

// The statuses of unroutable streams are Kitex's types of exceptions. 1 is also gRPC's CANCELLED.
const exceptionTypeOf = ({ code, exceptionType, message }: RawStatus): number => {
  // The wire has 32 bits for it.
  if (exceptionType !== undefined && (exceptionType | 0) === exceptionType) return exceptionType
  if (code === ExceptionType.UnknownService && message.startsWith("unknown service ")) return code
  if (code === ExceptionType.UnknownMethod && message.startsWith("unknown method ")) return code
  return ExceptionType.InternalError
}

const exceptionOf = (status: RawStatus): ApplicationException | undefined =>
  status.biz === undefined && status.code !== 0 ? { type: exceptionTypeOf(status), message: status.message } : undefined

const intsOf = ({ code, details }: RawStatus, fails: boolean, drains: boolean): CallHeaderFields["ints"] => {
  const ints: Array<readonly [number, string]> = []
  if (drains) ints.push([IntKey.Draining, Drain.Later])
  if (code !== 0 && code !== Code.Internal) ints.push([IntKey.StatusCode, `${code}`])
  if (fails && details !== undefined) ints.push([IntKey.StatusDetails, encodeBase64(details)])
  return ints
}

/** The Trailer of a status, or the text of a bad entry. `drains`: the client is to go. @internal */
export const trailerOf = (status: RawStatus, trailers: MetadataEntries, drains: boolean): Trailer | string => {
  const { biz, code, message, retryAfterMillis } = status
  const fails = biz !== undefined || code !== 0
  if (!fails && !drains && trailers.length === 0) return okTrailer
  const own = stringsOf(trailers)
  if (typeof own === "string") return own
  const strings: CallEntries = [
    ...own,
    ...(biz === undefined ? [] : BizStatus.toEntries({ code: biz.code, message, extra: biz.extra })),
    ...((fails && Pushback.toEntries(retryAfterMillis)) || [])
  ]
  return { fields: { strings, ints: intsOf(status, fails, drains) }, exception: exceptionOf(status) }
}

/** The server asks its client to open nothing more on the connection. @internal */
export const drainFields: CallHeaderFields = { strings: [], ints: [[IntKey.Draining, Drain.Later]] }

/** Whether a frame asks that. @internal */
export const saysDraining = ({ ints }: CallHeader): boolean => ints.has(IntKey.Draining)

/** What a Trailer says. @internal */
export type ReadTrailer =
  | { readonly status: RawStatus; readonly trailer: Metadata; readonly failed?: undefined }
  | { readonly failed: TransportError }

const ok: RawStatus = { code: 0, message: "" }

/** Reads a Trailer whose payload is `bytes[start, end)`. @internal */
export const readTrailer = (
  side: Side,
  header: CallHeader,
  bytes: Uint8Array,
  start: number,
  end: number
): ReadTrailer => {
  if (end > start) {
    const exception = readExceptionPayload(bytes, start, end)
    if (typeof exception === "string") return { failed: illegalFrame(side, exception) }
    if (header.ints.get(IntKey.Draining) === Drain.Refused) return { failed: draining() }
    return withStatus(side, header, { code: Code.Internal, message: exception.message })
  }
  const biz = BizStatus.fromStrings(header.strings)
  if (biz === undefined) return { status: ok, trailer: metadataOf(header, hiddenInTrailer) }
  const extra = header.strings.get("biz-extra")
  if (extra !== undefined && extra !== "" && parseExtra(extra) === undefined) {
    return { failed: illegalBizError(side, extra) }
  }
  return withStatus(side, header, {
    code: Code.Internal,
    message: biz.message,
    biz: { code: biz.code, extra: biz.extra }
  })
}

/** The status with what our own keys say of it. */
const withStatus = (side: Side, header: CallHeader, status: RawStatus): ReadTrailer => {
  const codeText = header.ints.get(IntKey.StatusCode)
  const detailsText = header.ints.get(IntKey.StatusDetails)
  const code = codeText === undefined ? status.code : parseInt32(codeText)
  if (code === undefined || code === 0) return { failed: illegalFrame(side, `malformed status code: ${codeText}`) }
  const details = detailsText === undefined ? undefined : decodeBase64(detailsText)
  if (detailsText !== undefined && (details === undefined || StatusDetails.decode(details) === undefined)) {
    return { failed: illegalFrame(side, "malformed status details: not a google.rpc.Status") }
  }
  const retryAfterMillis = Pushback.fromStrings(header.strings)
  return {
    trailer: metadataOf(header, hiddenInTrailer),
    status: {
      ...status,
      code,
      ...(details === undefined ? {} : { details }),
      ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
    }
  }
}

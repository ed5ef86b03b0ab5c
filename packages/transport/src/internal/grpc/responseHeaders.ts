/**
 * The first header block of a response: what the server writes and what the client makes of it.
 *
 * @internal
 */
import type { MetadataEntries } from "../../Metadata.ts"
import type { HeaderList } from "../http2/api.ts"
import { appendEntries } from "./metadata.ts"
import { grpcSubtype } from "./requestHeaders.ts"
import { codeOfHttp, textOfHttp } from "./status.ts"

const plain = new Map<string, HeaderList>()

/** `content-type` of the response to a request with the given one. @internal */
export const responseContentType = (request: string): string => {
  const subtype = grpcSubtype(request)
  return subtype === undefined || subtype === "" ? "application/grpc" : `application/grpc+${subtype}`
}

/** The header list, or the text of an entry that cannot be sent. @internal */
export const encodeResponseHeaders = (
  contentType: string,
  encoding: string | undefined,
  metadata: MetadataEntries
): HeaderList | string => {
  if (encoding === undefined && metadata.length === 0) {
    let list = plain.get(contentType)
    if (list === undefined) {
      // Frozen: the encoder keeps the block of a list that cannot change.
      list = Object.freeze([":status", "200", "content-type", contentType])
      // The subtype is the peer's text: a peer that makes them up must not fill the cache.
      if (plain.size < 16) plain.set(contentType, list)
    }
    return list
  }
  const list = [":status", "200", "content-type", contentType]
  if (encoding !== undefined) list.push("grpc-encoding", encoding)
  return appendEntries(list, metadata) ?? list
}

/** A response head that is gRPC, or how it fails. @internal */
export type ResponseHead =
  | { readonly _tag: "Grpc"; readonly encoding: string | undefined }
  | { readonly _tag: "NotGrpc"; readonly code: number; readonly desc: string }

const identity: ResponseHead = { _tag: "Grpc", encoding: undefined }

/** @internal */
export const parseResponseHead = (list: HeaderList): ResponseHead => {
  let status: string | undefined
  let contentType: string | undefined
  let encoding: string | undefined
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i]!
    if (name === ":status") status ??= list[i + 1]!
    else if (name === "content-type") contentType ??= list[i + 1]!
    else if (name === "grpc-encoding") encoding = list[i + 1]!
  }
  if (contentType === undefined || grpcSubtype(contentType) === undefined) {
    return { _tag: "NotGrpc", code: codeOfHttp(status), desc: textOfHttp(status, contentType) }
  }
  return encoding === undefined ? identity : { _tag: "Grpc", encoding }
}

/**
 * The Trailer with which a server ends a stream, checked before anything is written; and what takes its place where it cannot be sent:
 * no client may be left without an end.
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { MetadataEntries } from "../../Metadata.ts"
import type { RawStatus } from "../../RawStream.ts"
import type { TransportError } from "../../TransportError.ts"
import { cut } from "../bizStatus.ts"
import { Code } from "../grpc/status.ts"
import type { StreamingOptions } from "./api.ts"
import { headerRefused } from "./errors.ts"
import { FrameType } from "./frames.ts"
import { checkedInfo } from "./sentHeader.ts"
import { type Trailer, trailerOf } from "./status.ts"

/** A Trailer frame that can be sent. @internal */
export interface Sendable {
  readonly info: Uint8Array
  readonly exception: ApplicationException | undefined
  readonly refused?: undefined
}

/** The same, or why it cannot. @internal */
export type Ending =
  | Sendable
  | { readonly info?: undefined; readonly exception?: undefined; readonly refused: TransportError }

const noEntries: MetadataEntries = []

/** Statuses that come again, as those that refuse streams do. */
const known = new WeakMap<RawStatus, Trailer>()

const trailerFor = (status: RawStatus, trailers: MetadataEntries, drains: boolean): Trailer | string => {
  if (trailers.length > 0 || drains || !Object.isFrozen(status)) return trailerOf(status, trailers, drains)
  const found = known.get(status)
  if (found !== undefined) return found
  const made = trailerOf(status, trailers, drains)
  if (typeof made !== "string") known.set(status, made)
  return made
}

/** `name`: the method, `drains`: the client is asked to go. @internal */
export const endingOf = (
  name: string,
  status: RawStatus,
  trailers: MetadataEntries,
  drains: boolean,
  options: StreamingOptions
): Ending => {
  const trailer = trailerFor(status, trailers, drains)
  if (typeof trailer === "string") return { refused: headerRefused("server", trailer) }
  const { info, refused } = checkedInfo("server", FrameType.Trailer, name, trailer.fields, options)
  return refused === undefined ? { info, exception: trailer.exception } : { refused }
}

/** What takes the place of a status that cannot be sent, or whose headers or trailers cannot. @internal */
export const endingInPlaceOf = (
  name: string,
  { biz, code, message, retryAfterMillis }: RawStatus,
  { desc }: TransportError,
  drains: boolean,
  options: StreamingOptions
): Sendable => {
  const short: RawStatus =
    code === 0 && biz === undefined
      ? { code: Code.Internal, message: desc }
      : {
          code,
          message: cut(message, `cut: ${desc}`),
          retryAfterMillis,
          ...(biz && { biz: { code: biz.code, extra: {} } })
        }
  const ending = endingOf(name, short, noEntries, drains, { ...options, ...ownLimits })
  if (ending.refused !== undefined) throw new Error("a short status can be sent", { cause: ending.refused })
  return ending
}

/** A short status is sent however little may be: its message has a thousand characters at most. */
const ownLimits = { maxSentHeaderFields: 256, maxSentTTHeaderSize: 128 * 1024 }

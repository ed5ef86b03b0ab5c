/**
 * Infos of frames that carry what users say, checked before anything is written: what is too much would end the connection at the peer.
 *
 * @internal
 */
import type { CallHeaderFields } from "../../RawCall.ts"
import type { TransportError } from "../../TransportError.ts"
import { HeaderError } from "../ttheader/header.ts"
import type { StreamingOptions } from "./api.ts"
import { headerRefused, headerTooLarge, type Side } from "./errors.ts"
import { frameInfo, ownFieldCount } from "./frames.ts"

/** An info, or why it cannot be sent. @internal */
export type Checked =
  | { readonly info: Uint8Array; readonly refused?: undefined }
  | { readonly info?: undefined; readonly refused: TransportError }

type Limits = Pick<StreamingOptions, "maxSentHeaderFields" | "maxSentTTHeaderSize">

/** @internal */
export const checkedInfo = (
  side: Side,
  type: number,
  method: string,
  fields: CallHeaderFields,
  { maxSentHeaderFields, maxSentTTHeaderSize }: Limits
): Checked => {
  const count = fields.ints.length + fields.strings.length + ownFieldCount
  if (count > maxSentHeaderFields) {
    return { refused: headerTooLarge(side, "maxSentHeaderFields", maxSentHeaderFields, count) }
  }
  try {
    const info = frameInfo(type, method, fields)
    return info.length <= maxSentTTHeaderSize
      ? { info }
      : { refused: headerTooLarge(side, "maxSentTTHeaderSize", maxSentTTHeaderSize, info.length) }
  } catch (error) {
    if (error instanceof HeaderError) return { refused: headerRefused(side, error.message) }
    throw error
  }
}

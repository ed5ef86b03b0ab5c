/**
 * The Header frame that opens a stream.
 *
 * @internal
 */
import type { CallHeaderFields } from "../../RawCall.ts"
import type { OpenRequest, StreamHeader } from "../../Transport.ts"
import { IntKey, StringKey } from "../ttheader/keys.ts"
import type { StreamingOptions } from "./api.ts"
import { FrameType } from "./frames.ts"
import { type Checked, checkedInfo } from "./sentHeader.ts"

/** Keys of callers with the name of the service, by what callers give: the same ones come again. */
const known = new WeakMap<CallHeaderFields, { readonly service: string; readonly fields: CallHeaderFields }>()

const withService = ({ fields, service }: StreamHeader): CallHeaderFields => {
  const found = known.get(fields)
  if (found?.service === service) return found.fields
  const made = { ints: fields.ints, strings: [[StringKey.Service, service] as const, ...fields.strings] }
  known.set(fields, { service, fields: made })
  return made
}

/**
 * The info of the Header frame, or why the stream cannot be opened. `window`: what the client takes of the stream, where it asks for
 * credit.
 *
 * @internal
 */
export const requestInfo = (
  request: OpenRequest,
  header: StreamHeader,
  window: number | undefined,
  options: StreamingOptions
): Checked => {
  const { timeoutMillis } = request
  const base = withService(header)
  let { ints } = base
  if (timeoutMillis !== undefined) ints = [...ints, [IntKey.RpcTimeout, `${Math.ceil(timeoutMillis)}`]]
  if (window !== undefined) ints = [...ints, [IntKey.Credit, `${window}`]]
  const fields = ints === base.ints ? base : { ints, strings: base.strings }
  return checkedInfo("client", FrameType.Header, header.method, fields, options)
}

/**
 * The TTHeader of a unary call whose client speaks TTHeader streaming. Calls that say the same get the same object, which is encoded
 * once.
 *
 * @internal
 */
import type { CallHeaderFields } from "../../RawCall.ts"
import type { OpenRequest, StreamHeader } from "../../Transport.ts"
import { IntKey, StringKey } from "../ttheader/keys.ts"

/** Timeouts that shrink from call to call would make more. */
const maxHeaders = 256

// Keys and their order: Kitex `pkg/transmeta/ttheader.go`.
const make = ({ authority, connectTimeoutMillis }: OpenRequest, header: StreamHeader, timeout: number | undefined) => {
  const ints = new Map<number, string>([
    [1, "framed"],
    [3, header.caller],
    [6, authority],
    [20, ""],
    ...header.fields.ints,
    [IntKey.ToMethod, header.method],
    [IntKey.MessageType, "1"]
  ])
  if (timeout !== undefined) ints.set(IntKey.RpcTimeout, `${timeout}`)
  if (connectTimeoutMillis !== undefined) ints.set(17, `${connectTimeoutMillis}`)
  return {
    ints: [...ints].toSorted(([a], [b]) => a - b),
    strings: [[StringKey.Service, header.service] as const, ...header.fields.strings]
  }
}

/** @internal */
export class UnaryHeaders {
  private readonly made = new WeakMap<CallHeaderFields, Map<string, CallHeaderFields>>()

  get(request: OpenRequest, header: StreamHeader): CallHeaderFields {
    const { timeoutMillis: left } = request
    const timeout = left === undefined ? undefined : Math.max(1, Math.ceil(left))
    const key = `${header.service} ${header.method} ${request.authority} ${timeout} ${request.connectTimeoutMillis}`
    let headers = this.made.get(header.fields)
    if (headers === undefined) this.made.set(header.fields, (headers = new Map()))
    let fields = headers.get(key)
    if (fields !== undefined) return fields
    if (headers.size >= maxHeaders) headers.clear()
    fields = make(request, header, timeout)
    headers.set(key, fields)
    return fields
  }
}

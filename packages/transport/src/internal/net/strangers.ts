/**
 * Clients of other protocols that find a port by mistake, told by their first bytes.
 *
 * @internal
 */

const text = (bytes: Uint8Array, start: number, end: number): string => String.fromCharCode(...bytes.slice(start, end))

const isName = (text: string): boolean => /^\w+$/.test(text)

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)

interface Stranger {
  /** What the client may be, for the log. */
  readonly hint?: string
  /** What tells it that it is wrong here. */
  readonly answer?: Uint8Array
}

// No record of TLS begins so: the client says that the server speaks no TLS.
const noTls: Stranger = {
  hint: "a TLS client, but this server has no tls",
  answer: new TextEncoder().encode("this server has no TLS\n")
}

/** Who sends eight bytes or more that no protocol here begins with. `secure`: over TLS. @internal */
export const recognise = (bytes: Uint8Array, secure: boolean): Stranger => {
  if (bytes[0] === 0x16 && bytes[1] === 0x03) return secure ? { hint: "TLS inside of TLS" } : noTls
  if (/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) /.test(text(bytes, 0, 8))) {
    return { hint: "an HTTP/1 request" }
  }
  if (bytes[4] === 0x90 && bytes[5] === 0x01) return { hint: "Kitex's framed Protobuf, which is not served" }
  if (bytes[0] === 0x82 || bytes[4] === 0x82) return { hint: "Thrift's compact protocol, which is not served" }
  // A message without a version begins with the length of its name, framed behind the length of the frame.
  const first = word(bytes, 0)
  const second = word(bytes, 4)
  const named = first > 0 && first < 256 && isName(text(bytes, 4, Math.min(8, 4 + first)))
  const framed =
    second > 0 && second < 256 && second + 8 < first && isName(text(bytes, 8, Math.min(bytes.length, 8 + second)))
  return named || framed ? { hint: "an old (non-strict) Thrift client" } : {}
}

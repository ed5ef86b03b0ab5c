/**
 * Clients of other protocols that find a port by mistake, and servers that a client finds so, told by their first bytes.
 *
 * @internal
 */
import type { ConnectionEnd } from "../engine.ts"
import { lengthAt } from "../ttheader/header.ts"

const text = (bytes: Uint8Array, start: number, end: number): string => String.fromCharCode(...bytes.slice(start, end))

const isName = (text: string): boolean => /^\w+$/.test(text)

const oldThrift = "old (non-strict) Thrift"

/** What is near to the Thrift that is spoken here. */
const dialectOf = (bytes: Uint8Array): string | undefined => {
  // What is spoken here, without a frame.
  if (bytes[0] === 0x80 && bytes[1] === 0x01) return undefined
  if (bytes[4] === 0x90 && bytes[5] === 0x01) return "Kitex's framed Protobuf"
  if (bytes[0] === 0x82 || bytes[4] === 0x82) return "Thrift's compact protocol"
  // A message without a version begins with the length of its name, framed behind the length of the frame.
  const first = lengthAt(bytes, 0)
  const second = lengthAt(bytes, 4)
  const named = first > 0 && first < 256 && isName(text(bytes, 4, Math.min(8, 4 + first)))
  const framed =
    second > 0 && second < 256 && second + 8 < first && isName(text(bytes, 8, Math.min(bytes.length, 8 + second)))
  return named || framed ? oldThrift : undefined
}

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
  const dialect = dialectOf(bytes)
  if (dialect === oldThrift) return { hint: "an old (non-strict) Thrift client" }
  return dialect === undefined ? {} : { hint: `${dialect}, which is not served` }
}

/** First bytes of a server that are enough to recognise it. @internal */
export const recognisedSize = 16

/** The frame that an HTTP/2 server begins with, of which eight bytes are here at least. @internal */
export const isSettings = (bytes: Uint8Array): boolean =>
  (lengthAt(bytes, 0) >>> 8) % 6 === 0 && bytes[3] === 4 && lengthAt(bytes, 4) === 0

/** What a server speaks that began with these bytes, if it is not what its client speaks. */
const recogniseServer = (bytes: Uint8Array, secure: boolean): string | undefined => {
  if (text(bytes, 0, 5) === "HTTP/") return "the server speaks HTTP/1"
  if (text(bytes, 0, 4) === "SSH-") return "the server speaks SSH"
  if (isSettings(bytes)) return "the server speaks HTTP/2 (gRPC): is it another port?"
  // An alert.
  if (bytes[0] === 0x15 && bytes[1] === 0x03 && !secure) return "the server speaks TLS: does the client lack tls?"
  const dialect = bytes.length < 8 ? undefined : dialectOf(bytes)
  return dialect === undefined ? undefined : `the server speaks ${dialect}`
}

/** The peer ended the connection, and nothing says why. @internal */
export const cutByPeer = (end: ConnectionEnd): end is Extract<ConnectionEnd, { _tag: "PeerClosed" | "Lost" }> =>
  end._tag === "PeerClosed" || (end._tag === "Lost" && end.detail === "ECONNRESET")

/**
 * The end of a connection with what its server may be, where it seems to be none of ours. `first`: the first bytes from it, if any.
 * `silent`: what to say of one that has sent nothing.
 *
 * @internal
 */
export const explained = (
  end: ConnectionEnd,
  first: Uint8Array | undefined,
  secure: boolean,
  silent: string
): ConnectionEnd => {
  if (!cutByPeer(end) && end._tag !== "Error") return end
  const hint = first === undefined ? silent : recogniseServer(first, secure)
  if (hint === undefined) return end
  return end._tag === "PeerClosed" ? { ...end, hint } : { ...end, detail: `${end.detail}; ${hint}` }
}

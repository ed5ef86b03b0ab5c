/**
 * Frames of RFC 9113 section 4 and 6: their codes, and how their fixed parts are read and written.
 *
 * @internal
 */

/** @internal */
export const FrameType = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  Goaway: 7,
  WindowUpdate: 8,
  Continuation: 9
} as const

/** @internal */
export const Flag = {
  Ack: 0x1,
  EndStream: 0x1,
  EndHeaders: 0x4,
  Padded: 0x8,
  Priority: 0x20
} as const

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7). @internal */
export const ErrorCode = {
  NoError: 0,
  ProtocolError: 1,
  InternalError: 2,
  FlowControlError: 3,
  SettingsTimeout: 4,
  StreamClosed: 5,
  FrameSizeError: 6,
  RefusedStream: 7,
  Cancel: 8,
  CompressionError: 9,
  ConnectError: 10,
  EnhanceYourCalm: 11,
  InadequateSecurity: 12,
  Http11Required: 13
} as const

/** Why the peer's bytes end the connection (RFC 9113 5.4.1). @internal */
export interface ConnectionError {
  /** One of {@link ErrorCode}. */
  readonly code: number
  readonly detail: string
}

/** Bytes of a frame's header. @internal */
export const frameHeaderSize = 9

/** The frame size that every peer takes, and the smallest that SETTINGS may name. @internal */
export const minFrameSize = 16_384

/** The largest value of stream ids and of windows. @internal */
export const maxInt31 = 0x7fffffff

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

/** What a client sends first. @internal */
export const preface: Uint8Array = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/** @internal */
export const readUint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

/** A stream id or increment: the reserved bit is ignored (RFC 9113 4.1). @internal */
export const readUint31 = (bytes: Uint8Array, at: number): number => readUint32(bytes, at) & maxInt31

/** @internal */
export const writeUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** @internal */
export const writeFrameHeader = (
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number
): void => {
  bytes[at] = length >>> 16
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length
  bytes[at + 3] = type
  bytes[at + 4] = flags
  writeUint32(bytes, at + 5, streamId)
}

/** Text of the engine's own, all ASCII, cut to what GOAWAY's debug data should hold. @internal */
export const debugData = (text: string): Uint8Array => ascii(text.slice(0, 256))

/** Debug data of a peer as text: bytes as latin1, bounded. @internal */
export const debugText = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  const stop = Math.min(end, start + 1024)
  for (let i = start; i < stop; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

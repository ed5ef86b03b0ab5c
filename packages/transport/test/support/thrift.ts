/** PingPong messages in every wire form, written by hand. */
import { concat, text, uint32 } from "../http2/raw.ts"

const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value & 255)
const string = (value: string): Uint8Array => concat([uint32(text(value).length), text(value)])

export interface Message {
  readonly method?: string
  readonly sequenceId?: number
  readonly type?: number
  /** Bytes behind the envelope; an empty struct by default. */
  readonly body?: Uint8Array
}

/** A Thrift message as it is. */
export const buffered = ({ body = Uint8Array.of(0), method = "Echo", sequenceId = 1, type = 1 }: Message): Uint8Array =>
  concat([u16(0x8001), u16(type), string(method), uint32(sequenceId), body])

/** A struct with one string, field 1. */
export const withText = (value: string): Uint8Array =>
  concat([Uint8Array.of(11, 0, 1), string(value), Uint8Array.of(0)])

export const framed = (message: Message): Uint8Array => {
  const bytes = buffered(message)
  return concat([uint32(bytes.length), bytes])
}

export interface Header {
  readonly flags?: number
  readonly ints?: ReadonlyArray<readonly [number, string]>
  readonly strings?: ReadonlyArray<readonly [string, string]>
}

/** A TTHeader in front of any payload. */
export const withHeader = (
  payload: Uint8Array,
  sequenceId: number,
  { flags = 0, ints = [], strings = [] }: Header = {}
): Uint8Array => {
  const short = (value: string) => concat([u16(text(value).length), text(value)])
  const blocks: Array<Uint8Array> = [Uint8Array.of(0, 0)]
  if (strings.length > 0) {
    blocks.push(Uint8Array.of(1), u16(strings.length))
    for (const [key, value] of strings) blocks.push(short(key), short(value))
  }
  if (ints.length > 0) {
    blocks.push(Uint8Array.of(0x10), u16(ints.length))
    for (const [key, value] of ints) blocks.push(u16(key), short(value))
  }
  const unpadded = concat(blocks)
  const info = concat([unpadded, new Uint8Array((4 - (unpadded.length % 4)) % 4)])
  return concat([
    uint32(10 + info.length + payload.length),
    u16(0x1000),
    u16(flags),
    uint32(sequenceId),
    u16(info.length / 4),
    info,
    payload
  ])
}

export const ttheader = (message: Message, header: Header = {}): Uint8Array =>
  withHeader(buffered(message), message.sequenceId ?? 1, header)

export const ttheaderFramed = (message: Message, header: Header = {}): Uint8Array =>
  withHeader(framed(message), message.sequenceId ?? 1, header)

const streamFrame = (
  type: number,
  streamId: number,
  method: string,
  service: string | undefined,
  payload: Uint8Array
): Uint8Array =>
  withHeader(payload, streamId, {
    flags: 2,
    strings: service === undefined ? [] : [["isn", service]],
    ints: [
      [9, method],
      [27, `${type}`]
    ]
  })

/** The first frame of a stream over TTHeader. */
export const streamHeader = (streamId: number, method = "EchoBidi"): Uint8Array =>
  streamFrame(2, streamId, method, "EchoService", new Uint8Array(0))

/** A message of it, in either direction. */
export const streamData = (streamId: number, payload: Uint8Array): Uint8Array =>
  streamFrame(3, streamId, "EchoBidi", undefined, payload)

/** The end of what its client sends. */
export const streamTrailer = (streamId: number): Uint8Array =>
  streamFrame(4, streamId, "EchoBidi", undefined, new Uint8Array(0))

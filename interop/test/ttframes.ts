/** Frames of TTHeader streaming, written and read byte by byte, apart from our own code. */

/** One frame. */
export interface Frame {
  readonly stream: number
  /** `"1"` Meta, `"2"` Header, `"3"` Data, `"4"` Trailer, `"5"` Rst. */
  readonly type: string
  readonly method?: string
  readonly strings?: Readonly<Record<string, string>>
  /** Int keys beside method and type. */
  readonly ints?: Readonly<Record<number, string>>
  readonly payload?: Uint8Array
}

export interface Odd {
  readonly flags?: number
  readonly protocol?: number
}

const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255)
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

const text16 = (text: string) => Buffer.concat([u16(Buffer.byteLength(text)), Buffer.from(text)])
const text32 = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)])

export const encode = (
  { ints: more = {}, method, payload = Buffer.alloc(0), stream, strings = {}, type }: Frame,
  { flags = 2, protocol = 0x10 }: Odd = {}
): Buffer => {
  const info: Array<Uint8Array> = [Uint8Array.of(protocol, 0)]
  const texts = Object.entries(strings)
  if (texts.length > 0) {
    info.push(Uint8Array.of(1), u16(texts.length), ...texts.flatMap(([key, value]) => [text16(key), text16(value)]))
  }
  const ints: Array<readonly [number, string]> = []
  if (method !== undefined) ints.push([9, method])
  if (type !== "") ints.push([27, type])
  for (const [key, value] of Object.entries(more)) ints.push([Number(key), value])
  if (ints.length > 0)
    info.push(Uint8Array.of(0x10), u16(ints.length), ...ints.flatMap(([key, value]) => [u16(key), text16(value)]))
  const header = Buffer.concat(info)
  const padding = Buffer.alloc((4 - (header.length % 4)) % 4)
  const words = (header.length + padding.length) / 4
  return Buffer.concat([
    u32(10 + words * 4 + payload.length),
    Uint8Array.of(0x10, 0),
    u16(flags),
    u32(stream),
    u16(words),
    header,
    padding,
    payload
  ])
}

/** A struct with one string, as field 1. */
export const word = (message: string): Buffer =>
  Buffer.concat([Uint8Array.of(11, 0, 1), text32(message), Uint8Array.of(0)])

/** An exception, in a message of the given type. */
export const exception = (method: string, stream: number, text: string, type: number, messageType = 3): Buffer =>
  Buffer.concat([
    u32(0x80010000 | messageType | 0),
    text32(method),
    u32(stream),
    Uint8Array.of(11, 0, 1),
    text32(text),
    Uint8Array.of(8, 0, 2),
    u32(type),
    Uint8Array.of(0)
  ])

/** A decoded frame, all keys in one. */
export interface Decoded {
  readonly stream: number
  readonly type: string
  readonly method: string | undefined
  readonly strings: Readonly<Record<string, string>>
  readonly ints: Readonly<Record<number, string>>
  readonly payload: Buffer
  /** All bytes of it. */
  readonly bytes: Buffer
}

const decodeFrame = (bytes: Buffer): Decoded => {
  const end = 14 + 4 * bytes.readUInt16BE(12)
  let at = 16 + bytes[15]!
  const read16 = () => {
    at += 2
    return bytes.readUInt16BE(at - 2)
  }
  const readText = () => {
    const length = read16()
    at += length
    return bytes.toString("utf8", at - length, at)
  }
  const strings: Record<string, string> = {}
  const ints: Record<number, string> = {}
  while (at < end) {
    const id = bytes[at++]
    if (id === 0) continue
    if (id !== 1 && id !== 0x10) throw new Error(`info ${id} in a frame`)
    for (let left = read16(); left > 0; left--) {
      if (id === 1) {
        const key = readText()
        strings[key] = readText()
      } else {
        const key = read16()
        ints[key] = readText()
      }
    }
  }
  return {
    stream: bytes.readInt32BE(8),
    type: ints[27] ?? "",
    method: ints[9],
    strings,
    ints,
    payload: bytes.subarray(end),
    bytes
  }
}

/** Takes chunks and gives the frames that are complete. */
export const frameReader = () => {
  let rest = Buffer.alloc(0)
  return (chunk: Uint8Array): ReadonlyArray<Decoded> => {
    rest = Buffer.concat([rest, chunk])
    const frames: Array<Decoded> = []
    while (rest.length >= 14) {
      const size = 4 + rest.readUInt32BE(0)
      if (rest.length < size) break
      frames.push(decodeFrame(rest.subarray(0, size)))
      rest = rest.subarray(size)
    }
    return frames
  }
}

/** Whether a connection that begins so is one of TTHeader streaming. */
export const isStreaming = (begin: Uint8Array): boolean =>
  begin.length >= 8 && begin[4] === 0x10 && begin[5] === 0 && (begin[7]! & 2) !== 0

/** The text and type of an exception; undefined for a payload that is none. */
export const exceptionOf = (payload: Buffer): readonly [text: string, type: number] | undefined => {
  if (payload.length < 12 || payload.readUInt32BE(0) !== 0x80010003) return undefined
  const struct = 12 + payload.readUInt32BE(4)
  const length = payload.readUInt32BE(struct + 3)
  return [payload.toString("utf8", struct + 7, struct + 7 + length), payload.readInt32BE(struct + 10 + length)]
}

/** Raw frames of TTHeader streaming for tests, however wrong: a builder that shares nothing with the code under test. */

export interface RawFrame {
  readonly type?: number | string
  readonly sid?: number
  readonly method?: string | undefined
  readonly strings?: Readonly<Record<string, string>> | ReadonlyArray<readonly [string, string]>
  /** Beside 9 and 27. */
  readonly ints?: ReadonlyArray<readonly [number, string]>
  readonly payload?: string | Uint8Array
  readonly flags?: number
  readonly magic?: number
  readonly protocol?: number
  /** 27 in front of 9, as Go may write them. */
  readonly swapped?: boolean
  /** In place of the true one. */
  readonly length?: number
  readonly headerWords?: number
  /** In place of all blocks. */
  readonly blocks?: Uint8Array
}

const u16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 255])
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([u16(bytes.length), bytes])
}

const blocksOf = ({ ints = [], method = "Echo", strings = {}, swapped = false, type = 3 }: RawFrame): Buffer => {
  const pairs: ReadonlyArray<readonly [string, string]> = Array.isArray(strings) ? strings : Object.entries(strings)
  const own: Array<readonly [number, string]> = [
    [9, method],
    [27, `${type}`]
  ]
  if (swapped) own.reverse()
  const all = [...own, ...ints]
  return Buffer.concat([
    ...(pairs.length === 0 ? [] : [Buffer.from([0x01]), u16(pairs.length)]),
    ...pairs.flatMap(([key, value]) => [text(key), text(value)]),
    Buffer.from([0x10]),
    u16(all.length),
    ...all.flatMap(([key, value]) => [u16(key), text(value)])
  ])
}

export const frame = (given: RawFrame): Buffer => {
  const { flags = 2, magic = 0x1000, protocol = 0x10, sid = 1 } = given
  const payload = Buffer.from((given.payload ?? "") as string)
  const blocks = given.blocks ?? blocksOf(given)
  const info = Buffer.alloc(Math.ceil((2 + blocks.length) / 4) * 4)
  info[0] = protocol
  info.set(blocks, 2)
  const fixed = Buffer.alloc(14)
  fixed.writeUInt32BE(given.length ?? 10 + info.length + payload.length, 0)
  fixed.writeUInt16BE(magic, 4)
  fixed.writeUInt16BE(flags, 6)
  fixed.writeInt32BE(sid, 8)
  fixed.writeUInt16BE(given.headerWords ?? info.length / 4, 12)
  return Buffer.concat([fixed, info, payload])
}

/** An exception as a Trailer or an Rst holds it. */
export const exception = (message: string, type: number, method = "Echo", sid = 1): Buffer => {
  const body = Buffer.from(message)
  const name = Buffer.from(method)
  const out = Buffer.alloc(12 + name.length + 7 + body.length + 8)
  out.writeUInt32BE(0x80010003, 0)
  out.writeInt32BE(name.length, 4)
  out.set(name, 8)
  let at = 8 + name.length
  at = out.writeInt32BE(sid, at)
  out.set([0x0b, 0, 1], at)
  at = out.writeInt32BE(body.length, at + 3)
  out.set(body, at)
  at += body.length
  out.set([0x08, 0, 2], at)
  out.writeInt32BE(type, at + 3)
  return out
}

export const requestHeader = (sid = 1, method = "Echo", more: RawFrame = {}): Buffer =>
  frame({ type: 2, sid, method, strings: { isn: "EchoService" }, ...more })
export const header = (sid = 1, more: RawFrame = {}): Buffer => frame({ type: 2, sid, ...more })
export const data = (payload: string | Uint8Array, sid = 1, more: RawFrame = {}): Buffer =>
  frame({ type: 3, sid, payload, ...more })
export const trailer = (sid = 1, more: RawFrame = {}): Buffer => frame({ type: 4, sid, ...more })
export const rst = (sid = 1, more: RawFrame = {}): Buffer => frame({ type: 5, sid, ...more })
export const meta = (sid = 0, more: RawFrame = {}): Buffer => frame({ type: 1, sid, ...more })

/** The bytes in pieces of the sizes that `size` gives. */
export const cut = (bytes: Uint8Array, size: () => number): Array<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + Math.max(1, size()))
    // Each in memory of its own, as reads of a socket are.
    pieces.push(Uint8Array.prototype.slice.call(bytes, at, end))
    at = end
  }
  return pieces
}

const names = ["", "Meta", "Header", "Data", "Trailer", "Rst"]

export interface Sent {
  readonly sid: number
  readonly type: string
  readonly method: string | undefined
  readonly ints: Record<number, string>
  readonly strings: Record<string, string>
  readonly payload: Buffer
}

/** Frames that an engine wrote, read by other means than its own. */
export const parse = (bytes: Uint8Array): Array<Sent> => {
  const all = Buffer.from(bytes)
  const frames: Array<Sent> = []
  for (let at = 0; at < all.length;) {
    const end = at + 4 + all.readUInt32BE(at)
    const infoEnd = at + 14 + all.readUInt16BE(at + 12) * 4
    const ints: Record<number, string> = {}
    const strings: Record<string, string> = {}
    let place = at + 16
    const read = (): string => {
      const size = all.readUInt16BE(place)
      place += 2 + size
      return all.toString("utf8", place - size, place)
    }
    while (place < infoEnd) {
      const block = all[place++]!
      if (block === 0) continue
      const count = all.readUInt16BE(place)
      place += 2
      for (let i = 0; i < count; i++) {
        if (block === 0x01) {
          const key = read()
          strings[key] = read()
        } else {
          const key = all.readUInt16BE(place)
          place += 2
          ints[key] = read()
        }
      }
    }
    const { 9: method, 27: type, ...rest } = ints
    frames.push({
      sid: all.readInt32BE(at + 8),
      type: names[Number(type)]!,
      method,
      ints: rest,
      strings,
      payload: all.subarray(infoEnd, end)
    })
    at = end
  }
  return frames
}

/** Types of the frames alone. */
export const types = (bytes: Uint8Array): string =>
  parse(bytes)
    .map(({ type }) => type)
    .join(" ")

/**
 * HPACK (RFC 7541), header lists to header blocks: one encoder a connection. Whether names and values are valid in
 * HTTP/2 is the engine's business.
 *
 * @internal
 */
import type { HeaderList } from "./api.ts"
import { indexed, neverIndexed, tableSizeUpdate, withIndexing, withoutIndexing } from "./hpackRepresentation.ts"
import { fieldSize, SearchableTable, staticIndices, staticLength } from "./hpackTable.ts"
import { huffmanEncode, huffmanLength } from "./huffman.ts"
import { defaultTableSize } from "./settings.ts"

/** Secrets: never in a table, here or at a proxy (RFC 7541 7.1.3). */
const secretNames: ReadonlyArray<string> = ["authorization", "cookie", "proxy-authorization", "set-cookie"]

/**
 * Fields whose value is another one on most calls: in the table they would only push out what stays. The first of each goes
 * there, so that the others refer to its name.
 */
const changingNames: ReadonlySet<string> = new Set([
  "baggage",
  "content-length",
  "date",
  "grpc-retry-pushback-ms",
  "grpc-status-details-bin",
  "grpc-tags-bin",
  "grpc-timeout",
  "grpc-trace-bin",
  "rpc-transit-baggage",
  "rpc-transit-traceparent",
  "rpc-transit-tracestate",
  "stream-log-id",
  "traceparent",
  "tracestate",
  "x-request-id"
])

/** Characters above which a value is not worth its room in the table. */
const longValue = 256

const worthIndexing = (name: string, value: string, nameIsKnown: boolean): boolean =>
  value.length <= longValue && !(nameIsKnown && changingNames.has(name)) && (name !== "grpc-message" || value === "")

interface EncodedBlock {
  readonly generation: number
  readonly bytes: Uint8Array
}

/**
 * Turns header lists into blocks, in the order in which they go to the peer. Ordinary fields enter the dynamic table,
 * so that the second block of a method refers to each of them by one byte; secrets and fields that change on every call
 * do not. A list that the caller froze (`Object.freeze`) is looked up by identity: as long as the table does not
 * change, its block is the same array again. Of another list the first fields are taken from the block before, as far as they
 * are the same: what is new on each call belongs to the end.
 *
 * @internal
 */
export class HpackEncoder {
  private readonly ourMaxSize: number
  private readonly secrets: ReadonlySet<string>
  private readonly table = new SearchableTable(defaultTableSize)
  private readonly blocks = new WeakMap<HeaderList, EncodedBlock>()
  /** The smallest size since the last block when the peer must be told about a change, else undefined. */
  private smallest: number | undefined
  private buffer = new Uint8Array(512)
  private at = 0
  /** The names and values whose block is still in the buffer, and where each field of it ends. */
  private readonly last: Array<string> = []
  private readonly lastEnds: Array<number> = []
  /** The generation of the table in which that block may be said again. */
  private lastGeneration = -1

  /**
   * `maxTableSize`: bytes that the table takes at most, however much the peer allows. `secrets`: further names that are
   * never indexed.
   */
  constructor(maxTableSize: number = defaultTableSize, secrets: Iterable<string> = []) {
    this.ourMaxSize = maxTableSize
    this.secrets = new Set([...secretNames, ...secrets])
    this.setPeerTableSize(defaultTableSize)
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins with what the peer must know about it (RFC 7541 4.2).
   */
  setPeerTableSize(size: number): void {
    const next = Math.min(size, this.ourMaxSize)
    if (next === this.table.maxSize) return
    this.smallest = Math.min(next, this.smallest ?? next)
    this.table.resize(next)
  }

  /**
   * The block of a list of lower-case names and latin1 values. It is only read, holds until the next call, and must reach
   * the peer before the block of any later call.
   */
  encode(headers: HeaderList): Uint8Array {
    const known = this.blocks.get(headers)
    if (known !== undefined && known.generation === this.table.generation && this.smallest === undefined)
      return known.bytes
    this.at = 0
    if (this.smallest !== undefined) this.writeSizeUpdates(this.smallest)
    const generation = this.table.generation
    const fieldsAt = this.at
    const same = fieldsAt === 0 && generation === this.lastGeneration ? this.sameAsLast(headers) : 0
    if (same > 0) this.at = this.lastEnds[same / 2 - 1]!
    for (let i = same; i < headers.length; i += 2) {
      const name = (this.last[i] = headers[i]!)
      const value = (this.last[i + 1] = headers[i + 1]!)
      this.writeField(name, value)
      this.lastEnds[i / 2] = this.at
    }
    this.last.length = headers.length
    const block = this.buffer.subarray(0, this.at)
    const repeatable = fieldsAt === 0 && generation === this.table.generation
    this.lastGeneration = repeatable ? generation : -1
    if (!repeatable || !Object.isFrozen(headers)) return block
    const bytes = block.slice()
    this.blocks.set(headers, { generation, bytes })
    return bytes
  }

  /** How many names and values at the beginning are those of the last list. */
  private sameAsLast(headers: HeaderList): number {
    const { last } = this
    const most = Math.min(headers.length, last.length)
    let i = 0
    while (i < most && headers[i] === last[i] && headers[i + 1] === last[i + 1]) i += 2
    return i
  }

  private writeSizeUpdates(smallest: number): void {
    this.smallest = undefined
    const size = this.table.maxSize
    if (smallest < size) {
      // The smallest size goes first, then the final one. A second update is refused by golang.org/x/net while its
      // table holds fields: a smallest size of 0, which any limit allows, empties it.
      if (this.table.length > 0) {
        smallest = 0
        this.table.resize(0)
        this.table.resize(size)
      }
      this.writeInteger(tableSizeUpdate, 5, smallest)
    }
    this.writeInteger(tableSizeUpdate, 5, size)
  }

  private writeField(name: string, value: string): void {
    this.reserve(name.length + value.length + 32)
    const known = staticIndices.get(name)
    if (this.secrets.has(name)) {
      this.writeLiteral(neverIndexed, 4, known?.name ?? 0, name, value)
      return
    }
    const staticIndex = known?.values.get(value)
    if (staticIndex !== undefined) {
      this.buffer[this.at++] = indexed | staticIndex
      return
    }
    const index = this.table.find(name, value)
    if (index !== 0) {
      this.writeInteger(indexed, 7, staticLength + index)
      return
    }
    let nameIndex = known?.name ?? 0
    if (nameIndex === 0) {
      const newest = this.table.findName(name)
      if (newest !== 0) nameIndex = staticLength + newest
    }
    if (worthIndexing(name, value, nameIndex !== 0) && fieldSize(name, value) <= this.table.maxSize) {
      this.writeLiteral(withIndexing, 6, nameIndex, name, value)
      this.table.add(name, value)
    } else {
      this.writeLiteral(withoutIndexing, 4, nameIndex, name, value)
    }
  }

  private writeLiteral(first: number, prefix: number, nameIndex: number, name: string, value: string): void {
    this.writeInteger(first, prefix, nameIndex)
    if (nameIndex === 0) this.writeString(name)
    // What is new on each call is mostly random, and costs more to pack than it saves.
    if (changingNames.has(name)) this.writePlain(value)
    else this.writeString(value)
  }

  private writeString(text: string): void {
    const length = huffmanLength(text)
    if (length >= text.length) return this.writePlain(text)
    this.writeInteger(0x80, 7, length)
    this.at = huffmanEncode(text, this.buffer, this.at)
  }

  private writePlain(text: string): void {
    this.writeInteger(0, 7, text.length)
    for (let i = 0; i < text.length; i++) this.buffer[this.at++] = text.charCodeAt(i)
  }

  /** An integer behind the bits of `first` (RFC 7541 5.1). */
  private writeInteger(first: number, prefix: number, value: number): void {
    const limit = (1 << prefix) - 1
    if (value < limit) {
      this.buffer[this.at++] = first | value
      return
    }
    this.buffer[this.at++] = first | limit
    value -= limit
    while (value >= 0x80) {
      this.buffer[this.at++] = 0x80 | (value & 0x7f)
      value >>>= 7
    }
    this.buffer[this.at++] = value
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes))
    larger.set(this.buffer.subarray(0, this.at))
    this.buffer = larger
  }
}

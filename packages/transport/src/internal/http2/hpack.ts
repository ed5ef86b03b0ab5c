/**
 * HPACK (RFC 7541): header lists to header blocks and back, one encoder and one decoder a connection. Whether names and values are valid
 * in HTTP/2 is the engine's business.
 *
 * @internal
 */
import type { HeaderList } from "./api.ts"
import {
  DynamicTable,
  fieldSize,
  SearchableTable,
  staticIndices,
  staticLength,
  staticNames,
  staticValues
} from "./hpackTable.ts"
import { huffmanDecode, huffmanEncode, huffmanLength, latin1 } from "./huffman.ts"

/** The table size of both sides until SETTINGS say otherwise (RFC 9113 6.5.2). */
const initialTableSize = 4096

/** No integer of a block may be larger: neither a table nor a string comes near it. */
const maxInteger = 0x7fffffff

/** First bytes of the representations (RFC 7541 section 6). */
const indexed = 0x80
const withIndexing = 0x40
const tableSizeUpdate = 0x20
const neverIndexed = 0x10
const withoutIndexing = 0x00

/** Secrets: never in a table, here or at a proxy (RFC 7541 7.1.3). */
const secretNames: ReadonlyArray<string> = ["authorization", "cookie", "proxy-authorization", "set-cookie"]

/** Fields whose value is another one on most calls: in the table they would only push out what stays. */
const changingNames: ReadonlySet<string> = new Set([
  "baggage",
  "content-length",
  "date",
  "grpc-status-details-bin",
  "grpc-tags-bin",
  "grpc-timeout",
  "grpc-trace-bin",
  "traceparent",
  "tracestate",
  "x-request-id"
])

/** Characters above which a value is not worth its room in the table. */
const longValue = 256

const worthIndexing = (name: string, value: string): boolean =>
  value.length <= longValue && !changingNames.has(name) && (name !== "grpc-message" || value === "")

interface EncodedBlock {
  readonly generation: number
  readonly bytes: Uint8Array
}

/**
 * Turns header lists into blocks, in the order in which they go to the peer. Ordinary fields enter the dynamic table, so that the second
 * block of a method refers to each of them by one byte; secrets and fields that change on every call do not. A list that the caller froze
 * (`Object.freeze`) is looked up by identity: as long as the table does not change, its block is the same array again.
 *
 * @internal
 */
export class HpackEncoder {
  private readonly ourMaxSize: number
  private readonly secrets: ReadonlySet<string>
  private readonly table = new SearchableTable(initialTableSize)
  private readonly blocks = new WeakMap<HeaderList, EncodedBlock>()
  /** The smallest size since the last block when the peer must be told about a change, else undefined. */
  private smallest: number | undefined
  private buffer = new Uint8Array(512)
  private at = 0

  /** `maxTableSize`: bytes that the table takes at most, however much the peer allows. `secrets`: further names that are never indexed. */
  constructor(maxTableSize: number = initialTableSize, secrets: Iterable<string> = []) {
    this.ourMaxSize = maxTableSize
    this.secrets = new Set([...secretNames, ...secrets])
    this.setPeerTableSize(initialTableSize)
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block begins with what the peer must know about it (RFC 7541 4.2). */
  setPeerTableSize(size: number): void {
    const next = Math.min(size, this.ourMaxSize)
    if (next === this.table.maxSize) return
    this.smallest = Math.min(next, this.smallest ?? next)
    this.table.resize(next)
  }

  /**
   * The block of a list of lower-case names and latin1 values. It belongs to the caller, who must not write to it, and must reach the peer
   * before the block of any later call.
   */
  encode(headers: HeaderList): Uint8Array {
    const known = this.blocks.get(headers)
    if (known !== undefined && known.generation === this.table.generation && this.smallest === undefined)
      return known.bytes
    this.at = 0
    if (this.smallest !== undefined) this.writeSizeUpdates(this.smallest)
    const generation = this.table.generation
    const fieldsAt = this.at
    for (let i = 0; i < headers.length; i += 2) this.writeField(headers[i]!, headers[i + 1]!)
    const bytes = this.buffer.slice(0, this.at)
    if (fieldsAt === 0 && generation === this.table.generation && Object.isFrozen(headers)) {
      this.blocks.set(headers, { generation, bytes })
    }
    return bytes
  }

  private writeSizeUpdates(smallest: number): void {
    this.smallest = undefined
    const size = this.table.maxSize
    if (smallest < size) {
      // The smallest size goes first, then the final one. A second update is refused by golang.org/x/net while its table holds fields:
      // a smallest size of 0, which any limit allows, empties it.
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
    if (worthIndexing(name, value) && fieldSize(name, value) <= this.table.maxSize) {
      this.writeLiteral(withIndexing, 6, nameIndex, name, value)
      this.table.add(name, value)
    } else {
      this.writeLiteral(withoutIndexing, 4, nameIndex, name, value)
    }
  }

  private writeLiteral(first: number, prefix: number, nameIndex: number, name: string, value: string): void {
    this.writeInteger(first, prefix, nameIndex)
    if (nameIndex === 0) this.writeString(name)
    this.writeString(value)
  }

  private writeString(text: string): void {
    const length = huffmanLength(text)
    if (length < text.length) {
      this.writeInteger(0x80, 7, length)
      this.at = huffmanEncode(text, this.buffer, this.at)
      return
    }
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

/**
 * What a block came to.
 *
 * - `headers`: the list. It is read-only and may be the same array for equal blocks, so that what is derived from it can be kept by identity.
 * - `tooLarge`: the list is over the limit named and was not kept; the table is in step, so other streams go on.
 * - `compression`: a connection error COMPRESSION_ERROR (RFC 9113 4.3); the decoder is of no more use.
 *
 * @internal
 */
export type DecodeResult =
  | { readonly kind: "headers"; readonly headers: HeaderList }
  | { readonly kind: "tooLarge"; readonly limit: "maxListSize" | "maxHeaders" }
  | { readonly kind: "compression"; readonly detail: string }

/** Blocks that the decoder remembers, and the longest of them in bytes. */
const rememberedBlocks = 8
const rememberedLength = 1024

const emptyBlock = new Uint8Array(0)

interface DecodedBlock {
  readonly generation: number
  readonly bytes: Uint8Array
  readonly result: DecodeResult
}

/**
 * Turns the blocks of one peer into header lists, in the order in which they came. Takes memory for the table, for one list within its
 * limits and for a few short blocks it remembers, whatever the peer sends.
 *
 * @internal
 */
export class HpackDecoder {
  private readonly table: DynamicTable
  private readonly maxListSize: number
  private readonly maxHeaders: number
  private maxTableSize: number
  /** The smallest limit we set that the peer has yet to confirm by a size update, else undefined. */
  private owed: number | undefined
  private readonly remembered: Array<DecodedBlock> = []
  private nextRemembered = 0
  private block: Uint8Array = emptyBlock
  private at = 0
  private end = 0
  private detail = ""

  /**
   * `maxTableSize`: the limit in force when the connection begins, in HTTP/2 always 4096; `maxListSize`: bytes of all names and values and
   * 32 more for each field; `maxHeaders`: fields of a list.
   */
  constructor(options: { readonly maxTableSize: number; readonly maxListSize: number; readonly maxHeaders: number }) {
    this.table = new DynamicTable(options.maxTableSize)
    this.maxTableSize = options.maxTableSize
    this.maxListSize = options.maxListSize
    this.maxHeaders = options.maxHeaders
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE once the peer acknowledged it. A reduction must be confirmed by its next block (RFC 9113 4.3.1). */
  setMaxTableSize(size: number): void {
    this.maxTableSize = size
    if (size < this.table.maxSize) this.owed = Math.min(size, this.owed ?? size)
  }

  /** Decodes the complete block in `block[start, end)`, of which it keeps nothing. Never throws. */
  decode(block: Uint8Array, start: number, end: number): DecodeResult {
    const known = this.recall(block, start, end)
    if (known !== undefined) return known
    this.block = block
    this.at = start
    this.end = end
    const generation = this.table.generation
    const result = this.readBlock() ?? { kind: "compression", detail: this.detail }
    this.block = emptyBlock
    if (result.kind === "headers" && generation === this.table.generation && end - start <= rememberedLength) {
      this.remembered[this.nextRemembered] = { generation, bytes: block.slice(start, end), result }
      this.nextRemembered = (this.nextRemembered + 1) % rememberedBlocks
    }
    return result
  }

  private recall(block: Uint8Array, start: number, end: number): DecodeResult | undefined {
    if (this.owed !== undefined) return undefined
    const length = end - start
    for (const { bytes, generation, result } of this.remembered) {
      if (bytes.length !== length || generation !== this.table.generation) continue
      // From the end: blocks of one method differ in their last fields.
      let i = length - 1
      while (i >= 0 && bytes[i] === block[start + i]) i--
      if (i < 0) return result
    }
    return undefined
  }

  /** Undefined after a compression error, with `detail` set. */
  private readBlock(): DecodeResult | undefined {
    while (this.at < this.end && (this.block[this.at]! & 0xe0) === tableSizeUpdate) {
      if (!this.readSizeUpdate()) return undefined
    }
    if (this.owed !== undefined) return this.fail("no table size update after the limit was reduced")
    const headers: Array<string> = []
    let size = 0
    let over: "maxListSize" | "maxHeaders" | undefined
    while (this.at < this.end) {
      const first = this.block[this.at]!
      let name: string | undefined
      let value: string | undefined
      if (first >= indexed) {
        const index = this.readIndex(7)
        if (index < 0) return undefined
        name = this.nameAt(index)
        value = index <= staticLength ? staticValues[index]! : this.table.valueAt(index - staticLength)
      } else if ((first & 0xe0) === tableSizeUpdate) {
        return this.fail("a table size update behind a field")
      } else {
        const prefix = first >= withIndexing ? 6 : 4
        if ((first & ((1 << prefix) - 1)) === 0) {
          this.at++
          name = this.readString()
        } else {
          const index = this.readIndex(prefix)
          if (index < 0) return undefined
          name = this.nameAt(index)
        }
        if (name === undefined) return undefined
        value = this.readString()
        if (value === undefined) return undefined
        if (first >= withIndexing) this.table.add(name, value)
      }
      // Over the limit the rest is only read: the table must stay in step with the peer's.
      if (over !== undefined) continue
      size += fieldSize(name, value)
      if (size > this.maxListSize) over = "maxListSize"
      else if (headers.length >= this.maxHeaders * 2) over = "maxHeaders"
      else headers.push(name, value)
    }
    return over === undefined ? { kind: "headers", headers } : { kind: "tooLarge", limit: over }
  }

  private readSizeUpdate(): boolean {
    const size = this.readInteger(5)
    if (size < 0) return false
    if (size > (this.owed ?? this.maxTableSize)) {
      this.fail(`a table size update to ${size} above the limit of ${this.owed ?? this.maxTableSize}`)
      return false
    }
    this.owed = undefined
    this.table.resize(size)
    return true
  }

  /** An index that names a field of either table, or -1. */
  private readIndex(prefix: number): number {
    const index = this.readInteger(prefix)
    if (index > 0 && index <= staticLength + this.table.length) return index
    if (index >= 0) this.fail(`no field has the index ${index}`)
    return -1
  }

  private nameAt(index: number): string {
    return index <= staticLength ? staticNames[index]! : this.table.nameAt(index - staticLength)
  }

  /** An integer of RFC 7541 5.1 with at most five further bytes, or -1. */
  private readInteger(prefix: number): number {
    const limit = (1 << prefix) - 1
    let value = this.block[this.at++]! & limit
    if (value < limit) return value
    let unit = 1
    for (let i = 0; i < 5; i++) {
      if (this.at >= this.end) return this.truncated()
      const byte = this.block[this.at++]!
      value += (byte & 0x7f) * unit
      if (value > maxInteger) break
      if (byte < 0x80) return value
      unit *= 0x80
    }
    this.fail("an integer is too large")
    return -1
  }

  private readString(): string | undefined {
    if (this.at >= this.end) {
      this.truncated()
      return undefined
    }
    const huffman = this.block[this.at]! >= 0x80
    const length = this.readInteger(7)
    if (length < 0) return undefined
    const start = this.at
    const end = start + length
    if (end > this.end) {
      this.truncated()
      return undefined
    }
    this.at = end
    if (!huffman) return latin1(this.block, start, end)
    const text = huffmanDecode(this.block, start, end)
    if (text === undefined) this.detail = "a Huffman string with EOS or bad padding"
    return text
  }

  private truncated(): -1 {
    this.detail = "the block ends inside a field"
    return -1
  }

  private fail(detail: string): undefined {
    this.detail = detail
    return undefined
  }
}

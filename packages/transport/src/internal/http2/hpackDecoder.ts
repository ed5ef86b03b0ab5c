/**
 * HPACK (RFC 7541), header blocks to header lists: one decoder a connection.
 *
 * @internal
 */
import type { HeaderList } from "./api.ts"
import { indexed, tableSizeUpdate, withIndexing } from "./hpackRepresentation.ts"
import { DynamicTable, fieldSize, staticLength, staticNames, staticValues } from "./hpackTable.ts"
import { huffmanDecode, latin1 } from "./huffman.ts"

/** No integer of a block may be larger: neither a table nor a string comes near it. */
const maxInteger = 0x7fffffff

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
 * Turns the blocks of one peer into header lists, in the order in which they came. Takes memory for the table, for one
 * list within its limits and for a few short blocks it remembers, whatever the peer sends.
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
   * `maxTableSize`: the limit in force when the connection begins, in HTTP/2 always 4096; `maxListSize`: bytes of all
   * names and values and 32 more for each field; `maxHeaders`: fields of a list.
   */
  constructor(options: { readonly maxTableSize: number; readonly maxListSize: number; readonly maxHeaders: number }) {
    this.table = new DynamicTable(options.maxTableSize)
    this.maxTableSize = options.maxTableSize
    this.maxListSize = options.maxListSize
    this.maxHeaders = options.maxHeaders
  }

  /**
   * Our SETTINGS_HEADER_TABLE_SIZE once the peer acknowledged it. A reduction must be confirmed by its next block (RFC
   * 9113 4.3.1).
   */
  setMaxTableSize(size: number): void {
    this.maxTableSize = size
    if (size < this.table.maxSize) this.owed = Math.min(size, this.owed ?? size)
  }

  /**
   * Decodes the complete block in `block[start, end)`, of which it keeps nothing. Never throws. A list that comes again is
   * the same array, and frozen.
   */
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
      // Blocks of one method have one length, also those that are new on each call: they take the place of each other.
      const before = this.remembered[this.nextRemembered]?.bytes
      const bytes = before?.length === end - start ? before : new Uint8Array(end - start)
      for (let i = start; i < end; i++) bytes[i - start] = block[i]!
      this.remembered[this.nextRemembered] = { generation, bytes, result }
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
      if (i < 0) {
        // What is made of a list is worth keeping from its second time on.
        if (result.kind === "headers") Object.freeze(result.headers)
        return result
      }
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

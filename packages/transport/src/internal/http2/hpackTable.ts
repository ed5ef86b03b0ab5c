/**
 * The tables of HPACK (RFC 7541 section 2.3 and appendix A): one index space, static fields first, then the dynamic
 * ones from the newest to the oldest.
 *
 * @internal
 */

const staticFields: ReadonlyArray<readonly [name: string, value: string]> = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""]
]

/**
 * How many indices the static table takes: 1 to 61.
 *
 * @internal
 */
export const staticLength = staticFields.length

/**
 * Names of the static table by index; index 0 is none.
 *
 * @internal
 */
export const staticNames: ReadonlyArray<string> = ["", ...staticFields.map(([name]) => name)]

/**
 * Values of the static table by index; index 0 is none.
 *
 * @internal
 */
export const staticValues: ReadonlyArray<string> = ["", ...staticFields.map(([, value]) => value)]

interface Indices {
  /** What to refer to for the name alone. */
  name: number
  readonly values: Map<string, number>
}

/**
 * The static table by name, then by value.
 *
 * @internal
 */
export const staticIndices: ReadonlyMap<string, Indices> = (() => {
  const indices = new Map<string, Indices>()
  staticFields.forEach(([name, value], i) => {
    const known = indices.get(name)
    if (known === undefined) indices.set(name, { name: i + 1, values: new Map([[value, i + 1]]) })
    else known.values.set(value, i + 1)
  })
  return indices
})()

/**
 * The size of a field in the dynamic table and in SETTINGS_MAX_HEADER_LIST_SIZE (RFC 7541 4.1, RFC 9113 6.5.2), in
 * bytes.
 *
 * @internal
 */
export const fieldSize = (name: string, value: string): number => name.length + value.length + 32

/**
 * A dynamic table: a ring that holds fields of at most `maxSize` bytes in sum and drops the oldest ones.
 *
 * @internal
 */
export class DynamicTable {
  /** Counts the changes of contents or size: what was derived from one generation holds as long as it lasts. */
  generation = 0
  size = 0
  length = 0
  maxSize: number
  /** How many fields were ever added. Field number `n` (from 0) sits in slot `n & (names.length - 1)`. */
  protected added = 0
  private names: Array<string> = Array.from({ length: 16 }, () => "")
  private values: Array<string> = Array.from({ length: 16 }, () => "")

  constructor(maxSize: number) {
    this.maxSize = maxSize
  }

  /** The name of the `index`-th newest field, 1 to `length`. */
  nameAt(index: number): string {
    return this.names[(this.added - index) & (this.names.length - 1)]!
  }

  valueAt(index: number): string {
    return this.values[(this.added - index) & (this.names.length - 1)]!
  }

  /** A field that is larger than the whole table empties it and is not kept (RFC 7541 4.4). */
  add(name: string, value: string): void {
    this.generation++
    const size = fieldSize(name, value)
    this.evict(this.maxSize - size)
    if (size > this.maxSize) return
    if (this.length === this.names.length) this.grow()
    const slot = this.added & (this.names.length - 1)
    this.names[slot] = name
    this.values[slot] = value
    this.added++
    this.length++
    this.size += size
  }

  resize(maxSize: number): void {
    if (maxSize === this.maxSize) return
    this.generation++
    this.maxSize = maxSize
    this.evict(maxSize)
  }

  /** Drops the oldest fields until at most `room` bytes are left. */
  private evict(room: number): void {
    while (this.length > 0 && this.size > room) {
      const slot = (this.added - this.length) & (this.names.length - 1)
      const name = this.names[slot]!
      const value = this.values[slot]!
      this.names[slot] = ""
      this.values[slot] = ""
      this.dropped(name, value)
      this.length--
      this.size -= fieldSize(name, value)
    }
  }

  protected dropped(_name: string, _value: string): void {}

  private grow(): void {
    const capacity = this.names.length * 2
    const names: Array<string> = Array.from({ length: capacity }, () => "")
    const values: Array<string> = Array.from({ length: capacity }, () => "")
    for (let n = this.added - this.length; n < this.added; n++) {
      names[n & (capacity - 1)] = this.names[n & (this.names.length - 1)]!
      values[n & (capacity - 1)] = this.values[n & (this.names.length - 1)]!
    }
    this.names = names
    this.values = values
  }
}

/**
 * A dynamic table for encoding: it finds fields by name and value in constant time. No field is in it twice, because
 * the encoder refers to a field that it finds.
 *
 * @internal
 */
export class SearchableTable extends DynamicTable {
  /** The numbers of the fields by name, then by value; `name` is the newest one. */
  private readonly numbers = new Map<string, Indices>()

  /** The index (from 1, static table not counted) of this very field, or 0. */
  find(name: string, value: string): number {
    const number = this.numbers.get(name)?.values.get(value)
    return number === undefined ? 0 : this.added - number
  }

  /** The index (from 1, static table not counted) of the newest field with this name, or 0. */
  findName(name: string): number {
    const known = this.numbers.get(name)
    return known === undefined ? 0 : this.added - known.name
  }

  /** The field must fit and must not be in the table. */
  override add(name: string, value: string): void {
    const number = this.added
    super.add(name, value)
    const known = this.numbers.get(name)
    if (known === undefined) this.numbers.set(name, { name: number, values: new Map([[value, number]]) })
    else {
      known.name = number
      known.values.set(value, number)
    }
  }

  protected override dropped(name: string, value: string): void {
    const known = this.numbers.get(name)!
    known.values.delete(value)
    if (known.values.size === 0) this.numbers.delete(name)
  }
}

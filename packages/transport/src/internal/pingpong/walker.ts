/**
 * Finds the end of a Thrift struct in bytes that come in pieces: a buffered message has no length, it is over at the STOP
 * of its struct. Rules and texts: gopkg `protocol/thrift/skipdecoder_tpl.go`.
 *
 * @internal
 */
import { maxLength } from "../ttheader/header.ts"

/** A struct that cannot be walked. @internal */
export class WalkError extends Error {
  override readonly name = "WalkError"
  /** It is larger than the limit. */
  readonly tooLarge: boolean

  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

/** Structs and containers within each other, the outermost struct included. */
const maxDepth = 64

const stop = 0
const string = 11
const struct = 12
const map = 13

// All by the type. The size of values that all have one, otherwise 0; the bytes in front of what other values hold; the
// least size of a value, 0 where there is no such type.
const byType = (sizes: ReadonlyArray<number>, other: number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, type) => sizes[type] ?? other)
const noType = 255
const fixedSizes = byType([0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8], 0)
const headSizes = byType([noType, noType, 0, 0, 0, noType, 0, noType, 0, noType, 0, 4, 0, 6, 5, 5], noType)
const leastSizes = byType([0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 4, 1, 6, 5, 5], 0)

/** What is left of a struct: members up to STOP. */
const untilStop = -1

/** The longest piece that is looked at as a whole: type and id of a field, then types and count of a map. */
const maxPiece = 9

const readI32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

const tooLarge = (size: number, limit: number): WalkError =>
  new WalkError(`invalid data: payload size(${size}) larger than the limit(${limit})`, true)

const unknownType = (type: number): WalkError => new WalkError(`unknown data type ${type}`)

/**
 * Walks one struct after the other. A value whose size is known is passed over in one step, whatever it holds.
 *
 * @internal
 */
export class StructWalker {
  private readonly maxSize: number
  /** Bytes that are behind, and those that were announced. */
  private size = 0
  /** Bytes of a value that are to come and need not be looked at. */
  private missing = 0
  /** The beginning of a piece that was cut. */
  private readonly carry = new Uint8Array(maxPiece * 2)
  private carried = 0
  private done = false
  // The innermost struct or container: how many values are left, and their types in turn, as keys and values of maps are.
  private left = untilStop
  private evenType = 0
  private oddType = 0
  // Those around it.
  private depth = 0
  private readonly lefts = new Int32Array(maxDepth)
  private readonly evenTypes = new Uint8Array(maxDepth)
  private readonly oddTypes = new Uint8Array(maxDepth)

  /** `maxSize`: bytes of a message. */
  constructor(maxSize: number) {
    this.maxSize = Math.min(maxSize, maxLength)
  }

  /** Begins a struct. `size`: bytes of its message before it. */
  reset(size = 0): void {
    this.size = size
    this.missing = 0
    this.carried = 0
    this.done = false
    this.left = untilStop
    this.depth = 0
  }

  /**
   * Goes on with `[start, end)`, which follows at once on what was fed before. Gives the position behind the struct, or -1
   * when more is needed. Throws `WalkError`; there is no going on then, but by `reset`.
   */
  feed(bytes: Uint8Array, start: number, end: number): number {
    let at = start
    if (this.carried > 0) {
      at = this.finishPiece(bytes, at, end)
      if (this.done) return at
      if (this.carried > 0) return -1
    }
    if (this.missing > 0) {
      const passed = Math.min(this.missing, end - at)
      this.missing -= passed
      at += passed
      if (this.missing > 0) return -1
    }
    at = this.walk(bytes, at, end)
    if (this.done) return at
    while (at < end) this.carry[this.carried++] = bytes[at++]!
    return -1
  }

  /** Walks on in a copy that has the whole piece, or more of it. Gives the position behind what was walked. */
  private finishPiece(bytes: Uint8Array, start: number, end: number): number {
    const before = this.carried
    const whole = before + Math.min(maxPiece, end - start)
    for (let i = before; i < whole; i++) this.carry[i] = bytes[start + i - before]!
    const walked = this.walk(this.carry, 0, whole)
    this.carried = walked === 0 ? whole : 0
    return start + Math.max(walked - before, 0)
  }

  /** Passes over what is whole, and over what need not be looked at; gives the position behind it. */
  private walk(bytes: Uint8Array, start: number, end: number): number {
    const { evenTypes, lefts, maxSize, oddTypes } = this
    let { depth, evenType, left, oddType } = this
    let at = start
    let missing = 0
    while (missing === 0) {
      let valueAt = at
      let type = stop
      if (left === untilStop) {
        if (at === end) break
        type = bytes[at]!
        valueAt += 3
        if (type === stop) at++
      } else if (left > 0) {
        type = (left & 1) === 0 ? evenType : oddType
        if (type === stop) throw unknownType(type)
      }
      if (type === stop) {
        if (depth === 0) {
          this.done = true
          break
        }
        depth--
        left = lefts[depth]!
        evenType = evenTypes[depth]!
        oddType = oddTypes[depth]!
        continue
      }

      let size = fixedSizes[type]!
      if (size === 0) {
        const headSize = headSizes[type]!
        if (headSize === noType) throw unknownType(type)
        if (end - valueAt < headSize) break
        valueAt += headSize
        const count = type === struct ? 0 : readI32(bytes, valueAt - 4)
        if (count < 0) throw new WalkError("invalid data length")
        if (type === string) size = count
        else {
          if (depth === maxDepth - 1) throw new WalkError("depth limit exceeded")
          const even = bytes[valueAt - headSize]!
          const odd = bytes[valueAt - 5]!
          const least = leastSizes[even]! + (type === map ? leastSizes[odd]! : 0)
          if (count * least > maxSize) throw tooLarge(this.size + valueAt - start + count * least, maxSize)
          if (type === struct || (count > 0 && (fixedSizes[even] === 0 || fixedSizes[odd] === 0))) {
            lefts[depth] = left > 0 ? left - 1 : left
            evenTypes[depth] = evenType
            oddTypes[depth] = oddType
            depth++
            left = type === struct ? untilStop : type === map ? count * 2 : count
            evenType = even
            oddType = odd
            at = valueAt
            continue
          }
          size = count * least
        }
      }
      if (left > 0) left--
      if (size <= end - valueAt) at = valueAt + size
      else {
        missing = size - (end - valueAt)
        at = end
      }
    }
    this.left = left
    this.evenType = evenType
    this.oddType = oddType
    this.depth = depth
    this.missing = missing
    this.size += at - start + missing
    if (this.size > maxSize) throw tooLarge(this.size, maxSize)
    return at
  }
}

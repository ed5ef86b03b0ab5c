/**
 * What generated codec text stands on: the reading and writing of single values, and how such text is joined with the
 * classes whose messages it reads and writes. Programs have no reason to import it.
 *
 * @since 0.1.0
 */
import type { Output } from "./Output.ts"

/**
 * What a codec that was generated ahead of time gets of the class it belongs to when the class is first used: the
 * prototype of decoded messages, how an exception is made, and the values of absent members that are no plain literals.
 *
 * @since 0.1.0
 * @category models
 */
export interface Link {
  readonly prototype: object
  readonly make: (fields: object) => unknown
  /** By the place of the member in its type. */
  readonly defaults: ReadonlyArray<() => unknown>
}

/**
 * The two functions of a type, whatever they were compiled to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Functions {
  /** Writes a value at a position, nested at most `depth` deep, and returns the position behind it. */
  readonly encode: (value: unknown, out: Output, position: number, depth: number) => number
  /** Reads a value, nested at most `depth` deep, and leaves the position behind it in `cursor.at`. */
  readonly decode: (bytes: Uint8Array, position: number, end: number, depth: number) => unknown
  /** Absent where nothing of the class is needed. */
  readonly bind?: (link: Link) => void
}

/**
 * A codec as generated text defines it, named by the `codec` option of `Thrift.Struct`. It imports nothing of the
 * module of its class; `bind` joins the two.
 *
 * @since 0.1.0
 * @category models
 */
export interface Compiled extends Functions {
  /** What the text was made from: it must be the form of the type that names it. */
  readonly shape: string
}

/**
 * How decoders make a message: with the prototype of its class, without running the constructor of the class.
 *
 * @since 0.1.0
 * @category models
 */
export interface Constructor {
  new (...members: ReadonlyArray<unknown>): object
  prototype: object
}

export {
  /**
   * Thrown where a value is wrong; the failure is explained afterwards.
   *
   * @since 0.1.0
   * @category generated code
   */
  bad,
  /**
   * Makes room in an output.
   *
   * @since 0.1.0
   * @category generated code
   */
  grow,
  /**
   * Makes room for a string in an output.
   *
   * @since 0.1.0
   * @category generated code
   */
  growString,
  /**
   * Reads a binary value.
   *
   * @since 0.1.0
   * @category generated code
   */
  readBinary,
  /**
   * Reads a double.
   *
   * @since 0.1.0
   * @category generated code
   */
  readDouble,
  /**
   * Reads an i64 as a bigint.
   *
   * @since 0.1.0
   * @category generated code
   */
  readI64,
  /**
   * Reads an i64 as a number.
   *
   * @since 0.1.0
   * @category generated code
   */
  readI64Number,
  /**
   * Reads an i64 as a decimal string.
   *
   * @since 0.1.0
   * @category generated code
   */
  readI64String,
  /**
   * Reads a string.
   *
   * @since 0.1.0
   * @category generated code
   */
  readString,
  /**
   * Compares a binary value with its default.
   *
   * @since 0.1.0
   * @category generated code
   */
  sameBytes,
  /**
   * Skips a value that is not known.
   *
   * @since 0.1.0
   * @category generated code
   */
  skip,
  /**
   * A view of bytes.
   *
   * @since 0.1.0
   * @category generated code
   */
  viewOf,
  /**
   * Writes a binary value.
   *
   * @since 0.1.0
   * @category generated code
   */
  writeBinary,
  /**
   * Writes a decimal string as an i64.
   *
   * @since 0.1.0
   * @category generated code
   */
  writeI64String,
  /**
   * Writes a string.
   *
   * @since 0.1.0
   * @category generated code
   */
  writeString
} from "./internal/bytes.ts"

export {
  /**
   * Where a decoder stopped, shared by all generated modules.
   *
   * @since 0.1.0
   * @category generated code
   */
  cursor
} from "./internal/cursor.ts"

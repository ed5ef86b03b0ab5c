/**
 * What generated codec text stands on: the reading and writing of single values, and how such text is joined with the
 * classes whose messages it reads and writes. Programs have no reason to import it.
 *
 * @since 0.1.0
 */
import type { CodecError } from "./CodecError.ts"
import type { Output } from "./Output.ts"

/**
 * What a codec that was generated ahead of time gets of the class it belongs to when the class is first used: the
 * prototype of decoded messages, for exceptions how a real one is made, and how a failure is explained.
 *
 * @since 0.1.0
 * @category models
 */
export interface Link {
  readonly prototype: object
  readonly make: (fields: object) => unknown
  readonly encodeFailure: (value: unknown, cause: unknown) => CodecError
  readonly decodeFailure: (bytes: Uint8Array, start: number, end: number, cause: unknown) => CodecError
}

/**
 * A codec as generated text defines it, named by the `codec` option of `Thrift.Struct`. It imports nothing of the
 * module of its class; `bind` joins the two.
 *
 * @since 0.1.0
 * @category models
 */
export interface Compiled<A> {
  readonly encodeInto: (value: A, out: Output) => void
  readonly decodeFrom: (bytes: Uint8Array, start: number, end: number) => A
  readonly bind: (link: Link) => void
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
   * Writes a string.
   *
   * @since 0.1.0
   * @category generated code
   */
  writeString
} from "./internal/bytes.ts"

/**
 * The types of values on the wire (Thrift binary protocol), by the byte that announces a value.
 */

/** @internal */
export const WireType = {
  /** The success of a method without one, where a peer writes it at all. */
  Void: 1,
  Bool: 2,
  I8: 3,
  Double: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  String: 11,
  Struct: 12,
  Map: 13,
  Set: 14,
  List: 15
} as const

const sizes = [0, 0, 1, 1, 8, 0, 2, 0, 4, 0, 8, 4, 1, 6, 5, 5]

/** The least number of bytes of a value by its type; 0 means that there is no such type.
 *
 * @internal
 */
export const leastSize: Uint8Array = Uint8Array.from({ length: 256 }, (_, type) => sizes[type] ?? 0)

/** Whether all values of a type have one size.
 *
 * @internal
 */
export const isFixedSize = (type: number): boolean => type <= WireType.I64

/** The size of the values of a type that all have one size, otherwise 0.
 *
 * @internal
 */
export const fixedSize = (type: number): number => (isFixedSize(type) ? leastSize[type]! : 0)

/** @internal */
export const isWireType = (type: number): boolean => leastSize[type] !== 0

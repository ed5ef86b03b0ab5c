/**
 * Which scalar values stand for a value of another scalar type: the coercions of Kitex.
 *
 * @internal
 */
import type * as Program from "../../Program.ts"
import { memberNumbered } from "./members.ts"

const bits = { i8: 8n, i16: 16n, i32: 32n, i64: 64n } as const

/**
 * @internal
 */
export type IntKind = keyof typeof bits

/**
 * @internal
 */
export const isIntKind = (kind: string): kind is IntKind => Object.hasOwn(bits, kind)

/**
 * Whether an integer fits into its type.
 *
 * @internal
 */
export const fits = (kind: IntKind, value: bigint): boolean => {
  const limit = 1n << (bits[kind] - 1n)
  return value >= -limit && value < limit
}

const bool = (value: Program.Value): Program.Value | undefined =>
  value.kind === "bool"
    ? value
    : value.kind === "int" || value.kind === "double"
      ? { kind: "bool", value: value.value > 0, from: value.from }
      : undefined

const integer = (value: Program.Value): Program.Value | undefined =>
  value.kind === "int"
    ? value
    : value.kind === "bool"
      ? { kind: "int", value: value.value ? 1n : 0n, from: value.from }
      : value.kind === "enum"
        ? { kind: "int", value: BigInt(value.value), from: value.from }
        : undefined

const double = (value: Program.Value): Program.Value | undefined =>
  value.kind === "double"
    ? value
    : value.kind === "int" || value.kind === "bool"
      ? { kind: "double", value: Number(value.value), from: value.from }
      : undefined

const enumeration = (value: Program.Value, to: Program.Enum): Program.Value | undefined => {
  if (value.kind === "enum") return value.enum === to ? value : undefined
  if (value.kind !== "int" || !fits("i32", value.value)) return undefined
  const number = Number(value.value)
  return {
    kind: "enum",
    enum: to,
    value: number,
    member: memberNumbered(to, number),
    from: value.from
  }
}

/**
 * The value as one of that type; undefined where it is none. Integers may still be too big.
 *
 * @internal
 */
export const coerce = (value: Program.Value, to: Program.Base["kind"] | Program.Enum): Program.Value | undefined => {
  if (typeof to !== "string") return enumeration(value, to)
  if (to === "bool") return bool(value)
  if (to === "double") return double(value)
  if (to === "string") return value.kind === "string" ? value : undefined
  if (to !== "binary") return integer(value)
  if (value.kind !== "string") return value.kind === "binary" ? value : undefined
  return { kind: "binary", value: new TextEncoder().encode(value.value), from: value.from }
}

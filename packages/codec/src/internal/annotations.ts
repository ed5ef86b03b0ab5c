import type { Compiled } from "../Runtime.ts"

/** @internal */
export const FieldKey = "~thrift/field"

/** @internal */
export const TypeKey = "~thrift/type"

/** @internal */
export const NameKey = "~thrift/name"

/** @internal */
export const CodecKey = "~thrift/codec"

/** @internal */
export type Requiredness = "default" | "optional" | "required"

/** @internal */
export interface FieldAnnotation {
  readonly id: number
  readonly requiredness: Requiredness
  readonly default?: (() => unknown) | undefined
  /** The name in the IDL, where it is not that of the property. */
  readonly thriftName?: string | undefined
}

/** @internal */
export type ScalarKind =
  | "bool"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "i64number"
  | "i64string"
  | "double"
  | "string"
  | "binary"

/** @internal */
export interface SchemaLike {
  readonly ast: unknown
}

/** @internal */
export type TypeAnnotation =
  | { readonly kind: ScalarKind }
  | { readonly kind: "enum"; readonly name: string; readonly members: Readonly<Record<string, number>> }
  | { readonly kind: "list" | "set"; readonly element: SchemaLike; readonly collection: "array" | "set" }
  | {
      readonly kind: "map"
      readonly key: SchemaLike
      readonly value: SchemaLike
      readonly collection: "map" | "entries"
    }
  | {
      readonly kind: "union"
      readonly name: string
      readonly cases: Readonly<
        Record<string, { readonly id: number; readonly schema: SchemaLike; readonly thriftName?: string | undefined }>
      >
      readonly codec: Compiled | undefined
    }

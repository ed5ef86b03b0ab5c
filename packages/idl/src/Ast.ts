/**
 * What an IDL file says, as written: every node has its place, nothing is resolved, duplicates are kept.
 *
 * @since 0.1.0
 */
import type { Span } from "./Source.ts"

/**
 * An identifier; dots are part of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Name extends Span {
  readonly text: string
}

/**
 * A string in quotes. `text` is what is between them, without the backslash before a quote of the same kind; no other
 * escape is interpreted; those of Go are, in the values of a program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Literal extends Span {
  readonly tag: "Literal"
  readonly quote: "'" | '"'
  readonly text: string
}

/**
 * `key = "value"` in parentheses. A key that is there twice is two annotations.
 *
 * @since 0.1.0
 * @category models
 */
export interface Annotation extends Span {
  readonly key: Name
  readonly value: Literal
}

/**
 * A comment with its leaders, wherever it stands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Comment extends Span {
  readonly kind: "//" | "#" | "/*"
}

/** What may carry annotations. */
interface Annotated {
  readonly annotations: ReadonlyArray<Annotation>
  /** From `(` to `)`, when there are parentheses, even empty ones. */
  readonly annotationsSpan: Span | undefined
}

/** What may carry a comment as its documentation: leaders and common indentation are gone, lines joined by `\n`. */
interface Documented {
  readonly doc: string | undefined
}

/**
 * The names of the base types.
 *
 * @since 0.1.0
 * @category models
 */
export type BaseTypeName = "bool" | "byte" | "i8" | "i16" | "i32" | "i64" | "double" | "string" | "binary"

/**
 * The use of a type.
 *
 * @since 0.1.0
 * @category models
 */
export type Type = BaseType | ListType | SetType | MapType | NamedType

/**
 * A base type, `byte` among them.
 *
 * @since 0.1.0
 * @category models
 */
export interface BaseType extends Span, Annotated {
  readonly tag: "BaseType"
  readonly name: BaseTypeName
}

/**
 * `list<element>`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListType extends Span, Annotated {
  readonly tag: "ListType"
  readonly element: Type
  readonly cppType: Literal | undefined
}

/**
 * `set<element>`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SetType extends Span, Annotated {
  readonly tag: "SetType"
  readonly element: Type
  readonly cppType: Literal | undefined
}

/**
 * `map<key, value>`.
 *
 * @since 0.1.0
 * @category models
 */
export interface MapType extends Span, Annotated {
  readonly tag: "MapType"
  readonly key: Type
  readonly value: Type
  readonly cppType: Literal | undefined
}

/**
 * A type by its name, `Request` or `base.Request`.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamedType extends Span, Annotated {
  readonly tag: "NamedType"
  readonly name: Name
}

/**
 * A constant or default value as written.
 *
 * @since 0.1.0
 * @category models
 */
export type Value = IntValue | DoubleValue | Literal | NameValue | ListValue | MapValue

/**
 * An integer, also in hexadecimal.
 *
 * @since 0.1.0
 * @category models
 */
export interface IntValue extends Span {
  readonly tag: "IntValue"
  readonly value: bigint
}

/**
 * A number with a fraction or an exponent.
 *
 * @since 0.1.0
 * @category models
 */
export interface DoubleValue extends Span {
  readonly tag: "DoubleValue"
  readonly value: number
}

/**
 * A constant, an enum member, `true` or `false`, by name.
 *
 * @since 0.1.0
 * @category models
 */
export interface NameValue extends Span {
  readonly tag: "NameValue"
  readonly name: Name
}

/**
 * Values in square brackets.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListValue extends Span {
  readonly tag: "ListValue"
  readonly items: ReadonlyArray<Value>
}

/**
 * A map, or a struct by member names.
 *
 * @since 0.1.0
 * @category models
 */
export interface MapValue extends Span {
  readonly tag: "MapValue"
  readonly entries: ReadonlyArray<{ readonly key: Value; readonly value: Value }>
}

/**
 * `include` or `cpp_include`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Include extends Span {
  readonly tag: "Include"
  readonly path: Literal
  /** `cpp_include`, which means nothing here. */
  readonly isCpp: boolean
}

/**
 * `namespace scope name`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Namespace extends Span, Annotated {
  readonly tag: "Namespace"
  /** A language, or `*`. */
  readonly scope: Name
  readonly name: Name
}

/**
 * `const type NAME = value`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Const extends Span, Annotated, Documented {
  readonly tag: "Const"
  readonly type: Type
  readonly name: Name
  readonly value: Value
}

/**
 * `typedef type Name`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Typedef extends Span, Annotated, Documented {
  readonly tag: "Typedef"
  readonly type: Type
  readonly name: Name
}

/**
 * A member of an enum.
 *
 * @since 0.1.0
 * @category models
 */
export interface EnumMember extends Span, Annotated, Documented {
  readonly name: Name
  /** As written; absent it is one more than the member before. */
  readonly value: IntValue | undefined
}

/**
 * `enum Name { ... }`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Enum extends Span, Annotated, Documented {
  readonly tag: "Enum"
  readonly name: Name
  readonly members: ReadonlyArray<EnumMember>
}

/**
 * A member of a struct, an argument, or an entry of `throws`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field extends Span, Annotated, Documented {
  /** As written; `value` is base 10, and NaN where it is no number of base 10 (`0x10`). */
  readonly id: (Span & { readonly value: number }) | undefined
  readonly requiredness: (Span & { readonly text: "required" | "optional" }) | undefined
  readonly type: Type
  readonly name: Name
  readonly default: Value | undefined
}

/**
 * A struct, union or exception.
 *
 * @since 0.1.0
 * @category models
 */
export interface Struct extends Span, Annotated, Documented {
  readonly tag: "Struct"
  readonly kind: "struct" | "union" | "exception"
  readonly name: Name
  readonly fields: ReadonlyArray<Field>
}

/**
 * A function of a service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Function extends Span, Annotated, Documented {
  readonly oneway: Span | undefined
  /** Undefined for `void`. */
  readonly result: Type | undefined
  readonly name: Name
  readonly arguments: ReadonlyArray<Field>
  /** From `(` to `)`. */
  readonly argumentsSpan: Span
  readonly throws: ReadonlyArray<Field>
  /** From `throws` to `)`, when it is there. */
  readonly throwsSpan: Span | undefined
}

/**
 * `service Name { ... }`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends Span, Annotated, Documented {
  readonly tag: "Service"
  readonly name: Name
  readonly extends: Name | undefined
  readonly functions: ReadonlyArray<Function>
}

/**
 * What a file can declare.
 *
 * @since 0.1.0
 * @category models
 */
export type Definition = Const | Typedef | Enum | Struct | Service

/**
 * A whole file. What could not be read is missing from it, and said in a diagnostic.
 *
 * @since 0.1.0
 * @category models
 */
export interface Document extends Span {
  readonly headers: ReadonlyArray<Include | Namespace>
  readonly definitions: ReadonlyArray<Definition>
  /** All comments in their order. */
  readonly comments: ReadonlyArray<Comment>
  /** The comment at the head of the file that is followed by a blank line: a licence, or what the file is about. */
  readonly doc: string | undefined
}

/**
 * Thrift types as Effect Schemas: base types, containers, structs, unions, exceptions and enums.
 *
 * A schema built from these is an ordinary Schema that also says how it looks on the wire: member ids are annotations
 * of the key, wire types are annotations of the type. `Codec.make` compiles it. A typedef is a constant that holds a
 * schema; recursion goes through `Schema.suspend`.
 *
 * **Example**
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 *
 * new Request({ message: "hello" })
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  CodecKey,
  FieldKey,
  NameKey,
  type Requiredness,
  type ScalarKind,
  type TypeAnnotation,
  TypeKey
} from "./internal/annotations.ts"
import { loose } from "./internal/construct.ts"
import { isI64String } from "./internal/bytes.ts"
import { isScalar, planOf, zero } from "./internal/fromSchema.ts"
import { lastSegment } from "./internal/plan.ts"
import type { Compiled } from "./Runtime.ts"

const typed = <S extends Schema.Top>(schema: S, type: TypeAnnotation): S => schema.annotate({ [TypeKey]: type }) as any

const base = <S extends Schema.Top>(schema: S, kind: ScalarKind): S => typed(schema, { kind })

/**
 * `bool`. On read only the byte 1 is true, as in Kitex.
 *
 * @since 0.1.0
 * @category base types
 */
export const Bool: Schema.Boolean = base(Schema.Boolean, "bool")

/**
 * `i8`, also spelled `byte`: a signed integer of 8 bits.
 *
 * @since 0.1.0
 * @category base types
 */
export const I8: Schema.Int = base(Schema.Int.check(Schema.isBetween({ minimum: -0x80, maximum: 0x7f })), "i8")

/**
 * `i16`: a signed integer of 16 bits.
 *
 * @since 0.1.0
 * @category base types
 */
export const I16: Schema.Int = base(Schema.Int.check(Schema.isBetween({ minimum: -0x8000, maximum: 0x7fff })), "i16")

/**
 * `i32`: a signed integer of 32 bits.
 *
 * @since 0.1.0
 * @category base types
 */
export const I32: Schema.Int = base(
  Schema.Int.check(Schema.isBetween({ minimum: -0x8000_0000, maximum: 0x7fff_ffff })),
  "i32"
)

/**
 * `i64` as a bigint.
 *
 * @since 0.1.0
 * @category base types
 */
export const I64: Schema.BigInt = base(
  Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n })),
  "i64"
)

/**
 * `i64` as a number. A value on the wire that is not a safe integer is a `BadValue`.
 *
 * @since 0.1.0
 * @category base types
 */
export const I64Number: Schema.Int = base(
  Schema.Int.check(Schema.isBetween({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })),
  "i64number"
)

/**
 * `i64` as a string of decimal digits, without a plus sign or leading zeros.
 *
 * @since 0.1.0
 * @category base types
 */
export const I64String: Schema.String = base(
  Schema.String.check(
    Schema.makeFilter((text: string) => isI64String(text) || "Expected the decimal text of an i64", {
      arbitraryConstraint: { patterns: [{ source: "^(0|-?[1-9][0-9]{0,17})$", flags: "u" }] }
    })
  ),
  "i64string"
)

/**
 * `double`. NaN, the infinities and -0 survive.
 *
 * @since 0.1.0
 * @category base types
 */
export const Double: Schema.Number = base(Schema.Number, "double")

/**
 * `string`, UTF-8 on the wire. A lone surrogate is written as U+FFFD, and bytes that are not UTF-8 are read as U+FFFD.
 *
 * @since 0.1.0
 * @category base types
 */
export const String: Schema.String = base(
  // any string is accepted; the hint keeps generated strings free of lone surrogates, which would not come back
  Schema.String.check(
    Schema.makeFilter((_: string) => true, {
      arbitraryConstraint: { patterns: [{ source: "^[\\u{0}-\\u{d7ff}\\u{e000}-\\u{10ffff}]*$", flags: "u" }] }
    })
  ),
  "string"
)

/**
 * `binary`. A value of 4096 bytes or more is written without a copy, so it must not change until it is sent, and is
 * read as a view of the message.
 *
 * @since 0.1.0
 * @category base types
 */
export const Binary: Schema.Uint8Array = base(Schema.Uint8Array, "binary")

type Scalar = string | number | bigint | boolean

/**
 * `list<T>`: a `ReadonlyArray`.
 *
 * @since 0.1.0
 * @category containers
 */
export const list = <S extends Schema.Constraint>(element: S): Schema.$Array<S> =>
  typed(Schema.Array(element), { kind: "list", element, collection: "array" })

/**
 * What `set` gives: a `ReadonlySet` of scalars, and a `ReadonlyArray` of structs, containers and binaries, which a
 * JavaScript Set would compare by identity. What is suspended is a struct, and is not looked into: its type may just be
 * being inferred.
 *
 * @since 0.1.0
 * @category utility types
 */
export type SetOf<S extends Schema.Constraint> =
  S extends Schema.suspend<any>
    ? Schema.$Array<S>
    : [S["Type"]] extends [Scalar]
      ? Schema.$ReadonlySet<S>
      : Schema.$Array<S>

/**
 * `set<T>`. Kitex neither writes nor checks uniqueness; duplicates collapse when they are read into a Set.
 *
 * @since 0.1.0
 * @category containers
 */
export const set = <S extends Schema.Constraint>(element: S): SetOf<S> =>
  (isScalar(element)
    ? typed(Schema.ReadonlySet(element), { kind: "set", element, collection: "set" })
    : typed(Schema.Array(element), { kind: "set", element, collection: "array" })) as any

/**
 * What `map` gives: a `ReadonlyMap` where keys are scalars, otherwise an array of entries.
 *
 * @since 0.1.0
 * @category utility types
 */
export type MapOf<K extends Schema.Constraint, V extends Schema.Constraint> =
  K extends Schema.suspend<any>
    ? Schema.$Array<Schema.Tuple<readonly [K, V]>>
    : [K["Type"]] extends [Scalar]
      ? Schema.$ReadonlyMap<K, V>
      : Schema.$Array<Schema.Tuple<readonly [K, V]>>

/**
 * `map<K, V>`. The last of duplicate keys wins.
 *
 * @since 0.1.0
 * @category containers
 */
export const map = <K extends Schema.Constraint, V extends Schema.Constraint>(key: K, value: V): MapOf<K, V> =>
  (isScalar(key)
    ? typed(Schema.ReadonlyMap(key, value), { kind: "map", key, value, collection: "map" })
    : typed(Schema.Array(Schema.Tuple([key, value])), { kind: "map", key, value, collection: "entries" })) as any

/**
 * A member with its id: what `field` returns, and what the arguments and exceptions of methods are made of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Field<S extends Schema.Constraint> {
  readonly id: number
  readonly schema: S
  /** The name in the IDL, where it is not that of the property. */
  readonly thriftName?: string | undefined
}

/**
 * What can be said of any member.
 *
 * @since 0.1.0
 * @category options
 */
export interface MemberOptions {
  /** The name in the IDL, where it is not that of the property: for the text of `MissingRequired` and printed IDLs. */
  readonly name?: string | undefined
}

/**
 * A member with a default: its value when it is absent, made anew each time.
 *
 * @since 0.1.0
 * @category options
 */
export interface DefaultOptions<S extends Schema.Constraint> extends MemberOptions {
  readonly default: () => NoInfer<S["~type.make.in"]>
}

type AnyOptions = Partial<DefaultOptions<any>>

type Defaultable = Schema.Top & Schema.WithoutConstructorDefault

// structs, unions and recursive references have no zero: absent, they are absent keys
type StructLike = { readonly fields: Schema.Struct.Fields } | { readonly cases: object } | Schema.suspend<any>

/**
 * How a member of default requiredness appears in its struct: with a zero or a default it is always there, a struct
 * without a default may be absent.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Member<S extends Schema.Top> = S extends StructLike
  ? Schema.optionalKey<S>
  : S extends Defaultable
    ? Schema.withConstructorDefault<S>
    : S

const member = (
  id: number,
  requiredness: Requiredness,
  schema: Schema.Top,
  value: (() => unknown) | undefined,
  thriftName: string | undefined
): Schema.Top => schema.annotateKey({ [FieldKey]: { id, requiredness, default: value, thriftName } } as any)

const withDefault = (schema: Schema.Top, value: () => unknown): Schema.Top =>
  Schema.withConstructorDefault<any>(Effect.sync(value))(schema)

/**
 * An optional member: an absent key when it is absent. With a default it is always there, and a scalar equal to the
 * default is not written, as in Kitex.
 *
 * @since 0.1.0
 * @category members
 */
export const optional: {
  <S extends Defaultable>(id: number, schema: S, options: DefaultOptions<S>): Schema.withConstructorDefault<S>
  <S extends Schema.Top>(id: number, schema: S, options?: MemberOptions): Schema.optionalKey<S>
} = (id: number, schema: Schema.Top, options?: AnyOptions): any => {
  const value = options?.default
  const made = value === undefined ? Schema.optionalKey(schema) : withDefault(schema, value)
  return member(id, "optional", made, value, options?.name)
}

/**
 * A required member: reading a message without it fails with `MissingRequired`. A default is for the constructor only.
 *
 * @since 0.1.0
 * @category members
 */
export const required: {
  <S extends Defaultable>(id: number, schema: S, options: DefaultOptions<S>): Schema.withConstructorDefault<S>
  <S extends Schema.Top>(id: number, schema: S, options?: MemberOptions): S
} = (id: number, schema: Schema.Top, options?: AnyOptions): any => {
  const value = options?.default
  return member(id, "required", value === undefined ? schema : withDefault(schema, value), undefined, options?.name)
}

/**
 * A member of default requiredness, an argument, a declared exception, or a case of a union. It is always written;
 * absent on the wire it is the default, else the zero of its type, and a struct is an absent key. The default of an
 * argument is ignored, as in Kitex.
 *
 * @since 0.1.0
 * @category members
 */
export const field: {
  <S extends Defaultable>(
    id: number,
    schema: S,
    options: DefaultOptions<S>
  ): Schema.withConstructorDefault<S> & Field<S>
  <S extends Schema.Top>(id: number, schema: S, options?: MemberOptions): Member<S> & Field<S>
} = (id: number, schema: Schema.Top, options?: AnyOptions): any => {
  const value = options?.default ?? zero(schema)
  const made = value === undefined ? Schema.optionalKey(schema) : withDefault(schema, value)
  const thriftName = options?.name
  return Object.assign(member(id, "default", made, options?.default, thriftName), { id, schema, thriftName })
}

/**
 * Props of a constructor that takes an explicit `undefined` for a member that may be absent.
 *
 * @since 0.1.0
 * @category utility types
 */
export type LooseIn<T> = { readonly [K in keyof T as {} extends Pick<T, K> ? never : K]: T[K] } & {
  readonly [K in keyof T as {} extends Pick<T, K> ? K : never]?: T[K] | undefined
}

type Constructor<F extends Schema.Struct.Fields, A> = {} extends Schema.Struct<F>["~type.make.in"]
  ? { new (props?: LooseIn<Schema.Struct<F>["~type.make.in"]>): A }
  : { new (props: LooseIn<Schema.Struct<F>["~type.make.in"]>): A }

/**
 * Options of a named type.
 *
 * @since 0.1.0
 * @category options
 */
export interface StructOptions {
  /** A codec that was generated ahead of time for this type. Without it the same bytes are read and written. */
  readonly codec?: Compiled | undefined
}

/**
 * The base of a struct class.
 *
 * The name must be unique in the program, since Schema recognises instances by it: use `<namespace>.<Name>`. Decoded
 * messages are instances built without running the constructor, so give the class methods and getters, never fields.
 *
 * **Example**
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 *
 * class Point extends Thrift.Struct<Point>("geo.Point")({
 *   x: Thrift.required(1, Thrift.Double),
 *   y: Thrift.field(2, Thrift.Double)
 * }) {}
 * ```
 *
 * @since 0.1.0
 * @category structs
 */
export const Struct =
  <Self>(name: string, options?: StructOptions) =>
  <const F extends Schema.Struct.Fields>(
    fields: F
  ): Schema.Class<Self, Schema.Struct<F>, {}> & Constructor<F, Schema.Struct<F>["Type"]> =>
    loose(Schema.Class<any>(name)(fields, { [NameKey]: name, [CodecKey]: options?.codec } as any), fields)

/**
 * The part of a name behind its last dot.
 *
 * @since 0.1.0
 * @category utility types
 */
export type LastSegment<N extends string> = N extends `${string}.${infer Rest}` ? LastSegment<Rest> : N

const json = (error: object): string => {
  try {
    return JSON.stringify(
      Object.fromEntries(Object.entries(error).filter(([key]) => key !== "_tag")),
      (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)
    )
  } catch {
    return ""
  }
}

/**
 * The base of an exception class: an `Error` that can be yielded, whose `_tag` is the last segment of the name. Where
 * the exception has no member `message`, its message shows the members, as `Error()` of Kitex does.
 *
 * @since 0.1.0
 * @category structs
 */
export const Exception =
  <Self>() =>
  <const N extends string, const F extends Schema.Struct.Fields>(
    name: N,
    fields: F,
    options?: StructOptions
  ): Schema.Class<Self, Schema.Struct<F>, Cause.YieldableError & { readonly _tag: LastSegment<N> }> &
    Constructor<F, Schema.Struct<F>["Type"] & Cause.YieldableError & { readonly _tag: LastSegment<N> }> => {
    const tag = lastSegment(name)
    const annotations: any = { [NameKey]: name, [CodecKey]: options?.codec }
    // no fields: an error captures its stack in the constructor
    const Base = loose(Schema.TaggedError<any>(name)(tag, fields, annotations))
    if (!Object.hasOwn(fields, "message")) {
      Object.defineProperty(Base.prototype, "message", {
        configurable: true,
        get(this: object) {
          return `${tag}(${json(this)})`
        }
      })
    }
    return Base
  }

type CasesOf<C extends Readonly<Record<string, Field<Schema.Top>>>> = {
  readonly [K in keyof C & string]: Schema.TaggedStruct<K, { readonly value: C[K]["schema"] }>
}

/**
 * A union: `{ _tag: <case>, value: <payload> }`, so exactly one member is set by construction. It has `cases`,
 * `guards`, `match` and `isAnyOf` of `Schema.TaggedUnion`. Reading a union whose members are all unknown is a
 * `BadValue`.
 *
 * @since 0.1.0
 * @category structs
 */
export const Union = <const C extends Readonly<Record<string, Field<Schema.Top>>>>(
  name: string,
  cases: C,
  options?: StructOptions
): Schema.TaggedUnion<CasesOf<C>> => {
  const fields: Record<string, Schema.Struct.Fields> = {}
  for (const tag of Object.keys(cases)) fields[tag] = { value: cases[tag]!.schema }
  const union = Schema.TaggedUnion(fields)
  const annotated = typed(union, { kind: "union", name, cases, codec: options?.codec })
  const { tag, cases: structs, guards, match, matchOrElse, isAnyOf } = union
  return Object.assign(annotated, { tag, cases: structs, guards, match, matchOrElse, isAnyOf }) as any
}

/**
 * An open enum: the schema of its numbers with its members as properties. Numbers that are not members survive.
 *
 * @since 0.1.0
 * @category models
 */
export type EnumSchema<Members extends Readonly<Record<string, number>>> = Schema.Codec<
  Members[keyof Members] | (number & {}),
  number
> &
  Schema.WithoutConstructorDefault & { readonly [K in keyof Members]: Members[K] } & {
    /** The name of a member, of the last one where several have the same number. */
    readonly name: (value: number) => (keyof Members & string) | undefined
    /** The number of a name. */
    readonly parse: (name: string) => Members[keyof Members] | undefined
    /** Whether a number is a member. */
    readonly is: (value: unknown) => value is Members[keyof Members]
  }

/**
 * An enum, an i32 on the wire: `Color.RED`, `Color.name(5)`, `Color.parse("BLUE")`, `Color.is(7)`.
 *
 * @since 0.1.0
 * @category base types
 */
export const Enum = <const Members extends Readonly<Record<string, number>>>(
  name: string,
  members: Members
): EnumSchema<Members> => {
  const names = new Map(Object.entries(members).map(([key, value]) => [value, key]))
  const schema = typed(I32.annotate({ identifier: name }), { kind: "enum", name, members })
  const own: Record<string, unknown> = {
    ...members,
    name: (value: number) => names.get(value),
    parse: (key: string) => (Object.hasOwn(members, key) ? members[key] : undefined),
    is: (value: unknown) => names.has(value as number)
  }
  for (const key in own) Object.defineProperty(schema, key, { value: own[key], enumerable: true, configurable: true })
  return schema as any
}

/**
 * Throws where a schema cannot be a Thrift message: a member without an id, a duplicate id, a type without a wire type.
 * For tests of one's own schemas; the codec of such a schema fails in the same way on first use.
 *
 * @since 0.1.0
 * @category validation
 */
export const assertSchema = (schema: Schema.Constraint): void => {
  planOf(schema)
}

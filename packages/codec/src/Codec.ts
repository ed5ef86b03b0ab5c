/**
 * Compiled encoders and decoders of the Thrift binary protocol.
 *
 * A codec is made from a schema once and kept; it is compiled on its first use, as generated source where that is
 * allowed and as closures where it is not, with the same bytes. Both directions are plain synchronous functions that
 * throw only `CodecError`.
 *
 * **Example**
 *
 * ```ts
 * import { Codec, Thrift } from "@millrace/codec"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 *
 * const codec = Codec.make(Request)
 * codec.decode(codec.encode(new Request({ message: "hello" }))).message // "hello"
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { CodecError } from "./CodecError.ts"
import { fromPlan } from "./internal/fromPlan.ts"
import { messagePlanOf, wrapper } from "./internal/fromSchema.ts"
import type { Output } from "./Output.ts"
import type { Field } from "./Thrift.ts"

/**
 * Writes and reads messages of one type. The functions stand alone, so they can be taken off the codec.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec<A> {
  /** Appends a message to an output. Throws `CodecError` and leaves the output as it was if the value is wrong. */
  readonly encodeInto: (value: A, out: Output) => void
  /** Reads the message that starts at `start`. Bytes behind it are ignored. Throws `CodecError`. */
  readonly decodeFrom: (bytes: Uint8Array, start: number, end: number) => A
  /** A message as bytes of its own. Throws `CodecError`. */
  readonly encode: (value: A) => Uint8Array
  /** Reads a message. Throws `CodecError`. Large binary values are views of `bytes`. */
  readonly decode: (bytes: Uint8Array) => A
  /**
   * Whether messages may keep views of the bytes they were read from, as those with binary members do. Known after the
   * first use, and true before it.
   */
  readonly keepsBytes: boolean
}

/**
 * How a codec is compiled, what it accepts and how it writes.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Generated source, closures, or the first of them that is allowed here (the default). */
  readonly mode?: "auto" | "source" | "closure" | undefined
  /** How deep structs may be nested, unknown values counted by themselves. Default 64. */
  readonly maxDepth?: number | undefined
  /** How many elements a container may have when it is read. Default 1048576. */
  readonly maxContainerSize?: number | undefined
  /** Members as they are declared (the default), or those of fixed size first, as Kitex writes them. */
  readonly fieldOrder?: "declaration" | "kitex" | undefined
  /**
   * What is written for an absent struct of default requiredness: nothing (the default), or an empty struct as Kitex
   * does. With `"empty"` any absent value that is a nil in Go is written as empty, so that the bytes are those of
   * Kitex.
   */
  readonly absentStruct?: "omit" | "empty" | undefined
}

const cache = new WeakMap<object, Map<string, Codec<any>>>()

/**
 * The codec of a struct, union or exception schema; the same one each time for the same schema and options. A schema
 * that is no Thrift message fails on first use, and at once with `Thrift.assertSchema`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <S extends Schema.Constraint>(schema: S, options?: Options): Codec<S["Type"]> => {
  const ast = schema.ast
  let byOptions = cache.get(ast)
  if (byOptions === undefined) cache.set(ast, (byOptions = new Map()))
  const { mode, fieldOrder, absentStruct, maxDepth, maxContainerSize } = options ?? {}
  const key = `${mode ?? "auto"} ${fieldOrder} ${absentStruct} ${maxDepth} ${maxContainerSize}`
  let codec = byOptions.get(key)
  if (codec === undefined) byOptions.set(key, (codec = fromPlan(() => messagePlanOf(schema), options)))
  return codec
}

/**
 * Members by name, as methods declare their arguments and exceptions.
 *
 * @since 0.1.0
 * @category models
 */
export type Fields = Readonly<Record<string, Field<Schema.Top>>>

/**
 * The named arguments of a method.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Arguments<F extends Fields> = { readonly [K in keyof F]: F[K]["schema"]["Type"] }

/**
 * What a method answers: the success or one of its exceptions, under its name; neither for a void success.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Result<A extends Schema.Top | undefined, X extends Fields> = {
  readonly success?: A extends Schema.Top ? A["Type"] : never
} & { readonly [K in keyof X]?: X[K]["schema"]["Type"] }

const membersOf = (fields: Fields) =>
  Object.entries(fields).map(([name, { id, schema, thriftName }]) => ({ id, name, schema, thriftName }))

/**
 * The codec of the arguments of a PingPong or unary method: a struct with a member of default requiredness for each. An
 * absent argument is read as the zero of its type, also where it has a default, as in Kitex.
 * `name` (`TestService.EchoUnary`) begins the paths of errors.
 *
 * @since 0.1.0
 * @category constructors
 */
export const args = <const F extends Fields>(name: string, fields: F, options?: Options): Codec<Arguments<F>> =>
  fromPlan(() => wrapper(name, false, membersOf(fields)), options)

/**
 * The codec of the result of a PingPong or unary method: `success` with the id 0, and its exceptions, all optional.
 *
 * @since 0.1.0
 * @category constructors
 */
export const result = <A extends Schema.Top | undefined, const X extends Fields>(
  name: string,
  success: A,
  exceptions: X,
  options?: Options
): Codec<Result<A, X>> =>
  fromPlan(
    () =>
      wrapper(name, true, [
        ...(success === undefined ? [] : [{ id: 0, name: "success", schema: success }]),
        ...membersOf(exceptions)
      ]),
    options
  )

const attempt = <A>(run: () => A): Effect.Effect<A, CodecError> =>
  Effect.try({
    try: run,
    catch: (error) => {
      if (error instanceof CodecError) return error
      throw error
    }
  })

/**
 * Encodes as an Effect, for programs rather than for hot paths.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodeEffect = <S extends Schema.Constraint>(
  schema: S,
  options?: Options
): ((value: S["Type"]) => Effect.Effect<Uint8Array, CodecError>) => {
  const codec = make(schema, options)
  return (value) => attempt(() => codec.encode(value))
}

/**
 * Decodes as an Effect, for programs rather than for hot paths.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeEffect = <S extends Schema.Constraint>(
  schema: S,
  options?: Options
): ((bytes: Uint8Array) => Effect.Effect<S["Type"], CodecError>) => {
  const codec = make(schema, options)
  return (bytes) => attempt(() => codec.decode(bytes))
}

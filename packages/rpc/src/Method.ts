/**
 * Methods of a service as values: one constructor a mode, so that a method can declare only what its mode has.
 * Streaming modes, unary among them, deal in messages; PingPong and oneway deal in named arguments.
 *
 * @since 0.1.0
 */
import type * as Codec from "@millrace/codec/Codec"
import * as Thrift from "@millrace/codec/Thrift"
import type * as Schema from "effect/Schema"
import type { Mode } from "./RpcInfo.ts"

/**
 * Named arguments or declared exceptions: `Thrift.field(id, schema)` by name.
 *
 * @since 0.1.0
 * @category models
 */
export type Fields = Codec.Fields

/**
 * The values of a record of {@link Fields}.
 *
 * @since 0.1.0
 * @category utility types
 */
// `Codec.Arguments`, flat: errors and hovers show `{ readonly name: string }`, not the schemas of the fields.
export type TypeOf<F extends Fields> = { readonly [K in keyof F]: F[K]["schema"]["Type"] } & {}

/**
 * The union of the values of a record of {@link Fields}.
 *
 * @since 0.1.0
 * @category utility types
 */
export type ErrorOf<F extends Fields> = F[keyof F]["schema"]["Type"]

/**
 * Any method.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any {
  readonly name: string
  readonly mode: Mode
  readonly request: Schema.Top | undefined
  readonly response: Schema.Top | undefined
  readonly exceptions: Fields
  readonly args: Fields
}

/**
 * A method of one of the three streaming modes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Streaming<
  N extends string,
  M extends "bidirectional" | "client" | "server",
  Req extends Schema.Top,
  Res extends Schema.Top
> extends Any {
  readonly name: N
  readonly mode: M
  readonly request: Req
  readonly response: Res
  readonly exceptions: {}
  readonly args: {}
}

/**
 * One request, one response, on a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unary<
  N extends string,
  Req extends Schema.Top,
  Res extends Schema.Top | undefined,
  X extends Fields
> extends Any {
  readonly name: N
  readonly mode: "unary"
  readonly request: Req
  readonly response: Res
  readonly exceptions: X
  readonly args: { readonly req: Thrift.Field<Req> }
}

/**
 * An ordinary Thrift call.
 *
 * @since 0.1.0
 * @category models
 */
export interface PingPong<
  N extends string,
  A extends Fields,
  Res extends Schema.Top | undefined,
  X extends Fields
> extends Any {
  readonly name: N
  readonly mode: "pingPong"
  readonly request: undefined
  readonly response: Res
  readonly exceptions: X
  readonly args: A
}

/**
 * A Thrift call without an answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Oneway<N extends string, A extends Fields> extends Any {
  readonly name: N
  readonly mode: "oneway"
  readonly request: undefined
  readonly response: undefined
  readonly exceptions: {}
  readonly args: A
}

/**
 * The request of a method: its message, or its arguments by name.
 *
 * @since 0.1.0
 * @category utility types
 */
export type RequestOf<M> =
  M extends Streaming<string, "bidirectional" | "client" | "server", infer Q, infer _S>
    ? Q["Type"]
    : M extends Unary<string, infer Q, infer _S, infer _X>
      ? Q["Type"]
      : M extends { readonly args: infer A extends Fields }
        ? TypeOf<A>
        : never

/**
 * What a method answers: its message, its result, or nothing.
 *
 * @since 0.1.0
 * @category utility types
 */
export type ResponseOf<M> = M extends { readonly response: infer S extends { readonly Type: unknown } }
  ? S["Type"]
  : void

/**
 * The declared exceptions of a method.
 *
 * @since 0.1.0
 * @category utility types
 */
export type ExceptionOf<M> = M extends { readonly exceptions: infer X extends Fields } ? ErrorOf<X> : never

const streaming =
  <M extends "bidirectional" | "client" | "server">(mode: M) =>
  <const N extends string, Req extends Schema.Top, Res extends Schema.Top>(
    name: N,
    options: { readonly request: Req; readonly response: Res }
  ): Streaming<N, M, Req, Res> => ({
    name,
    mode,
    request: options.request,
    response: options.response,
    exceptions: {},
    args: {}
  })

/**
 * Requests and responses in any order (`streaming.mode="bidirectional"`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const bidirectional: <const N extends string, Req extends Schema.Top, Res extends Schema.Top>(
  name: N,
  options: { readonly request: Req; readonly response: Res }
) => Streaming<N, "bidirectional", Req, Res> = streaming("bidirectional")

/**
 * Many requests, one response (`streaming.mode="client"`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientStreaming: <const N extends string, Req extends Schema.Top, Res extends Schema.Top>(
  name: N,
  options: { readonly request: Req; readonly response: Res }
) => Streaming<N, "client", Req, Res> = streaming("client")

/**
 * One request, many responses (`streaming.mode="server"`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const serverStreaming: <const N extends string, Req extends Schema.Top, Res extends Schema.Top>(
  name: N,
  options: { readonly request: Req; readonly response: Res }
) => Streaming<N, "server", Req, Res> = streaming("server")

// The result struct has the answer under this name.
const checked = <X extends Fields>(name: string, exceptions: X): X => {
  if (!Object.hasOwn(exceptions, "success")) return exceptions
  throw new Error(`Method ${name} has an exception called success, as its answer is: rename it`)
}

/**
 * One request, one response, on a stream (`streaming.mode="unary"`). The wire has them in Thrift's argument and result
 * structs; `argumentId` is the id of the request there (default 1), as in the IDL. No `response` means `void`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unary = <
  const N extends string,
  Req extends Schema.Top,
  Res extends Schema.Top | undefined = undefined,
  const X extends Fields = {}
>(
  name: N,
  options: { readonly request: Req; readonly response?: Res; readonly exceptions?: X; readonly argumentId?: number }
): Unary<N, Req, NoInfer<Res>, NoInfer<X>> => ({
  name,
  mode: "unary",
  request: options.request,
  response: options.response as Res,
  exceptions: checked(name, options.exceptions ?? ({} as X)),
  args: { req: Thrift.field(options.argumentId ?? 1, options.request) }
})

/**
 * An ordinary Thrift call with named arguments; no `response` means `void`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const pingPong = <
  const N extends string,
  const A extends Fields,
  Res extends Schema.Top | undefined = undefined,
  const X extends Fields = {}
>(
  name: N,
  options: { readonly arguments: A; readonly response?: Res; readonly exceptions?: X }
): PingPong<N, A, NoInfer<Res>, NoInfer<X>> => ({
  name,
  mode: "pingPong",
  request: undefined,
  response: options.response as Res,
  exceptions: checked(name, options.exceptions ?? ({} as X)),
  args: options.arguments
})

/**
 * A Thrift call without an answer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const oneway = <const N extends string, const A extends Fields>(
  name: N,
  options: { readonly arguments: A }
): Oneway<N, A> => ({
  name,
  mode: "oneway",
  request: undefined,
  response: undefined,
  exceptions: {},
  args: options.arguments
})

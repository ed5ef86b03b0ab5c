/**
 * The types of one method of a service, found by its name: for middleware that is written for it.
 *
 * @internal
 */
import type * as Method from "../Method.ts"
import type * as Service from "../Service.ts"

/** @internal */
export type MethodNamed<S extends Service.Any, N extends string> = Extract<S["methods"][number], { readonly name: N }>

/** @internal */
export type StreamNames<S extends Service.Any> = Extract<
  S["methods"][number],
  { readonly mode: "bidirectional" | "client" | "server" }
>["name"]

/** @internal */
export type SingleNames<S extends Service.Any> = Extract<
  S["methods"][number],
  { readonly mode: "unary" | "pingPong" | "oneway" }
>["name"]

/** @internal */
export type RequestOf<M> =
  M extends Method.Streaming<string, "bidirectional" | "client" | "server", infer Q, infer _S>
    ? Q["Type"]
    : M extends Method.Unary<string, infer Q, infer _S, infer _X>
      ? Q["Type"]
      : M extends { readonly args: infer A extends Method.Fields }
        ? Method.TypeOf<A>
        : never

/** @internal */
export type ResponseOf<M> = M extends { readonly response: infer S extends { readonly Type: unknown } }
  ? S["Type"]
  : void

/** @internal */
export type ExceptionOf<M> = M extends { readonly exceptions: infer X extends Method.Fields }
  ? Method.ErrorOf<X>
  : never

/** @internal */
export type Side = "client" | "server"

/** What a stream receives, or sends, on a side. @internal */
export type MessageOf<M, S extends Side, Direction extends "recv" | "send"> = [S, Direction] extends
  | ["client", "recv"]
  | ["server", "send"]
  ? ResponseOf<M>
  : RequestOf<M>

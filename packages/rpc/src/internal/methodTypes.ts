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
export type Side = "client" | "server"

/** What a stream receives, or sends, on a side. @internal */
export type MessageOf<M, S extends Side, Direction extends "recv" | "send"> = [S, Direction] extends
  | ["client", "recv"]
  | ["server", "send"]
  ? Method.ResponseOf<M>
  : Method.RequestOf<M>

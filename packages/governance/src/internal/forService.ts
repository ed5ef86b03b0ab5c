/**
 * What is said of methods of a service by their names: the types that it may speak of, and how it is found for a call.
 *
 * @internal
 */
import type { CallError } from "@millrace/rpc/ClientStream"
import type * as Method from "@millrace/rpc/Method"
import type { Mode, RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"

type NameOf<S extends Service.Any, M extends Mode> = Extract<S["methods"][number], { readonly mode: M }>["name"]

type Named<S extends Service.Any, N> = Extract<S["methods"][number], { readonly name: N }>

/** The methods that retry and fallback stand around: those with one answer. @internal */
export type AnsweredName<S extends Service.Any> = NameOf<S, "pingPong" | "unary">

/** The methods whose request is there when the call begins. @internal */
export type RequestedName<S extends Service.Any> = NameOf<S, "server" | "unary" | "pingPong" | "oneway">

/** @internal */
export type RequestOf<S extends Service.Any, N> = Method.RequestOf<Named<S, N>>

/** @internal */
export type AnswerOf<S extends Service.Any, N> = Method.ResponseOf<Named<S, N>>

/** @internal */
export type FailureOf<S extends Service.Any, N> = CallError | Method.ExceptionOf<Named<S, N>>

/**
 * Finds what is said of the method of a call; undefined for other methods, and those of other services. `A` has lost the types
 * of the method. Throws where the service has no such method: nobody would ever ask for it.
 *
 * @internal
 */
export const forService = <A>(
  maker: string,
  { methods, name_ }: Service.Any,
  said: { readonly [method: string]: unknown }
): ((info: RpcInfo) => A | undefined) => {
  for (const method of Object.keys(said)) {
    if (!methods.some(({ name }) => name === method)) {
      throw new Error(`${maker}: the service ${name_} has no method ${method}`)
    }
  }
  return ({ method, service }) =>
    service === name_ && Object.hasOwn(said, method) ? (said[method] as A | undefined) : undefined
}

/**
 * The types of one method of a service, found by its name.
 *
 * @internal
 */
import type { CallError } from "@millrace/rpc/ClientStream"
import type * as Method from "@millrace/rpc/Method"
import type { Mode } from "@millrace/rpc/RpcInfo"
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

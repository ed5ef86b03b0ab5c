/**
 * The types of handlers: what a service asks of whoever implements it.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { CallError } from "./ClientStream.ts"
import type * as Method from "./Method.ts"
import type { RpcError } from "./RpcError.ts"
import type { ServerCall } from "./ServerCall.ts"
import type * as ServerStream from "./ServerStream.ts"

/**
 * What a handler may fail with: its declared exceptions, a business error, or an `RpcError`.
 *
 * @since 0.1.0
 * @category errors
 */
export type HandlerError<M extends Method.Any> = CallError | Method.ErrorOf<M["exceptions"]>

/**
 * The handler of one method.
 *
 * @since 0.1.0
 * @category models
 */
export type Handler<M extends Method.Any, R> =
  M extends Method.Streaming<string, "bidirectional", infer Q, infer S>
    ? | ((requests: Stream.Stream<Q["Type"], RpcError>, call: ServerCall) => Stream.Stream<S["Type"], CallError, R>)
      | {
          readonly duplex: (
            stream: ServerStream.Bidirectional<Q["Type"], S["Type"]>,
            call: ServerCall
          ) => Effect.Effect<void, CallError | Cause.Done, R>
        }
    : M extends Method.Streaming<string, "client", infer Q, infer S>
      ? (requests: Stream.Stream<Q["Type"], RpcError>, call: ServerCall) => Effect.Effect<S["Type"], CallError, R>
      : M extends Method.Streaming<string, "server", infer Q, infer S>
        ? (request: Q["Type"], call: ServerCall) => Stream.Stream<S["Type"], CallError, R>
        : M extends Method.Unary<string, infer Q, infer S, infer X>
          ? (
              request: Q["Type"],
              call: ServerCall
            ) => Effect.Effect<S extends Schema.Top ? S["Type"] : void, CallError | Method.ErrorOf<X>, R>
          : M extends Method.PingPong<string, infer A, infer S, infer X>
            ? (
                args: Method.TypeOf<A>,
                call: ServerCall
              ) => Effect.Effect<S extends Schema.Top ? S["Type"] : void, CallError | Method.ErrorOf<X>, R>
            : M extends Method.Oneway<string, infer A>
              ? (args: Method.TypeOf<A>, call: ServerCall) => Effect.Effect<void, never, R>
              : never

/**
 * The handlers of a service, by method name.
 *
 * @since 0.1.0
 * @category models
 */
export type Handlers<Ms extends ReadonlyArray<Method.Any>, R> = {
  readonly [M in Ms[number] as M["name"]]: Handler<M, R>
}

/**
 * What a handler requires.
 *
 * @since 0.1.0
 * @category utility types
 */
export type Services<H> = H extends (...args: never) => Effect.Effect<unknown, unknown, infer R>
  ? R
  : H extends (...args: never) => Stream.Stream<unknown, unknown, infer R>
    ? R
    : H extends { readonly duplex: (...args: never) => Effect.Effect<unknown, unknown, infer R> }
      ? R
      : never

/**
 * The handlers of the service `Name`, as a requirement of `Server.layer` and what `toLayer` provides.
 *
 * @since 0.1.0
 * @category services
 */
export interface HandlersOf<Name extends string> {
  readonly "~@millrace/rpc/HandlersOf": Name
}

/**
 * A middleware that is a Layer, as `Middleware.Service` makes them.
 *
 * @since 0.1.0
 * @category models
 */
export type Used = Context.Key<any, any> & { readonly "~Provides"?: (_: never) => any }

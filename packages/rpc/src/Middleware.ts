/**
 * Middleware as values in one list, first in the list outermost: around calls (`client`, `server`) and around messages
 * (`recv`, `send`). What a middleware requires becomes a requirement of the client or the layer it is listed in.
 *
 * @since 0.1.0
 */
import type { NonEmptyArray } from "effect/Array"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import type * as ClientStream from "./ClientStream.ts"
import type { CallError } from "./ClientStream.ts"
import type { CallBody } from "./internal/callBody.ts"
import type { MessageOf, MethodNamed, Side, SingleNames, StreamNames } from "./internal/methodTypes.ts"
import { named } from "./internal/oneMethod.ts"
import * as singleMiddleware from "./internal/singleMiddleware.ts"
import type * as Method from "./Method.ts"
import { isStream, type RpcInfo, type ServerInfo } from "./RpcInfo.ts"
import type { ServerCall } from "./ServerCall.ts"
import type * as Service_ from "./Service.ts"

// --- around calls --------------------------------------------------------------------------------------------------------

/**
 * Wraps a call on a client: the creation of a stream, the whole of a unary or PingPong call.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientMiddleware<out R = never> {
  readonly kind: "client"
  readonly wrap: <A>(
    next: Effect.Effect<A, CallError, Scope.Scope>,
    info: RpcInfo,
    body: CallBody
  ) => Effect.Effect<A, CallError, R | Scope.Scope>
  /** What it requires; a type alone. */
  readonly "~R"?: (_: never) => R
}

/**
 * Wraps the whole handler of a call on a server.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerMiddleware<out R = never> {
  readonly kind: "server"
  readonly wrap: (
    next: Effect.Effect<void, CallError>,
    info: ServerInfo,
    call: ServerCall,
    body: CallBody
  ) => Effect.Effect<void, CallError, R>
  /** What it requires; a type alone. */
  readonly "~R"?: (_: never) => R
}

/**
 * A middleware around a call on a client. `next` creates the stream, once each time it runs; of a unary, PingPong or oneway
 * call it is all of it. A declared exception is an answer, and no failure of `next`. `info.mode` tells which.
 *
 * `next` runs in the scope of the stream: a finalizer that is added to it runs when the stream ends. What the middleware
 * provides to `next` is in the context of the stream, where middleware of messages sees it.
 *
 * A business error of a unary or PingPong call fails `next`, as an `RpcError` does, and is in `info.bizError`: where `next`
 * is retried, say of which failures.
 *
 * Metadata goes with streams and unary calls alone. What PingPong calls are to carry too is metainfo: `Metainfo.withValue`.
 *
 * **Example** (A token on every stream and unary call)
 *
 * ```ts
 * import { Metadata, Middleware } from "@millrace/rpc"
 *
 * const authorized = Middleware.client((next) => Metadata.append(next, { authorization: "Bearer secret" }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = <R = never>(
  wrap: <A>(
    next: Effect.Effect<A, CallError, Scope.Scope>,
    info: RpcInfo
  ) => Effect.Effect<A, CallError, R | Scope.Scope>
): ClientMiddleware<Exclude<R, Scope.Scope>> => ({ kind: "client", wrap: wrap as never })

/**
 * A middleware around the whole handler. `next` is the handler with its messages: that of a stream runs once, a second run
 * is a defect; that of a single request may run again, and its last result is the answer. Fail with an `RpcError` in its place
 * to refuse the call: code and text go out as they are. A business error reaches the client as one only from the handler; of
 * middleware it is an error as any other, as in Kitex.
 *
 * What it provides to `next` the handler can use; `call` sets headers and trailers. The status goes out when the outermost
 * middleware has returned. One that never runs `next` answers with nothing: an empty result, an empty stream.
 *
 * **Example** (Refusing without a word)
 *
 * ```ts
 * import { Middleware, RpcError } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const forbidden = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "request forbidden" })
 * const noEcho = Middleware.server((next, info) => (info.method === "Echo" ? Effect.fail(forbidden) : next))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const server = <R = never>(
  wrap: (next: Effect.Effect<void, CallError>, info: ServerInfo, call: ServerCall) => Effect.Effect<void, CallError, R>
): ServerMiddleware<R> => ({ kind: "server", wrap })

// --- around messages -----------------------------------------------------------------------------------------------------

/**
 * The stream that a middleware of messages works on.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamContext {
  readonly info: RpcInfo
  /** On a client the context in which the stream was created, on a server that of its handler. */
  readonly context: Context.Context<never>
  /** Messages that were taken from the wire, and given to it, until now. */
  readonly recvCount: number
  readonly sendCount: number
  /** Payload bytes of these, as RPCFinish counts them. */
  readonly recvBytes: number
  readonly sendBytes: number
  /**
   * Around receiving in batches: before `next` runs, how many messages it shall take from the wire at most, one or more. What lies behind
   * them stays under the flow control of the transport. Middleware further inside may ask for fewer.
   */
  readonly limitRecv: (most: number) => void
  /**
   * Runs what makes messages wait, as long as the stream has not failed: by its deadline, or because it was cancelled. Then
   * it is interrupted, and the error is that of the stream.
   */
  readonly unlessFailed: <A, E, R>(wait: Effect.Effect<A, E, R>) => Effect.Effect<A, E | CallError, R>
}

/**
 * How a middleware of messages is written. `plain`: a function of one message; `batch`: around a pull (or a write) of many;
 * `single`: around that of one, an effect for each message.
 *
 * @since 0.1.0
 * @category models
 */
export type Form = "plain" | "batch" | "single"

/**
 * The one method, and side, that a middleware of messages is for: in its service and in those that extend it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Only {
  readonly service: Service_.Any
  readonly method: Method.Any
  /** Both when undefined. */
  readonly side: "client" | "server" | undefined
}

/**
 * Wraps receiving. Made once per stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecvMiddleware<out R = never> {
  readonly kind: "recv"
  readonly form: Form
  /** Of every stream when undefined. */
  readonly only: Only | undefined
  readonly make: (stream: StreamContext, next: unknown) => unknown
  /** What it requires; a type alone. */
  readonly "~R"?: (_: never) => R
}

/**
 * Wraps sending. Made once per stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendMiddleware<out R = never> {
  readonly kind: "send"
  readonly form: Form
  /** Of every stream when undefined. */
  readonly only: Only | undefined
  readonly make: (stream: StreamContext, next: unknown) => unknown
  /** What it requires; a type alone. */
  readonly "~R"?: (_: never) => R
}

/**
 * A middleware around receiving, an effect for each message: run `next`, then see, change or refuse it. `next` ends with
 * `Cause.Done` at the end of the stream, also where a business error ends it (`stream.info.bizError`). On receiving the
 * last in the list sees a message first.
 *
 * It runs for every message that user code or a handler receives on a stream, also where the stream hides it: the
 * response of client streaming, the request of server streaming. Not for unary and PingPong calls. `recvTimeout` is for
 * all of it.
 *
 * Failing refuses the message: on a client that ends the stream, on a server that `recv` alone fails and the handler
 * decides. A middleware may run `next` again to leave a message out, end the stream for its receiver with `Cause.Done`,
 * or give a message in place of the end, which then comes behind it. When the fiber is interrupted between `next` and
 * the end of the middleware, the message that `next` gave last is not lost: the next `recv` sees it again.
 *
 * An effect costs far more than a message: where a plain function will do, {@link recvPlain} keeps batches whole.
 *
 * **Example** (Logging what comes)
 *
 * ```ts
 * import { Middleware } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const logged = Middleware.recv((next, stream) =>
 *   Effect.tap(next, (message) => Effect.logDebug(stream.info.method, message))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const recv = <R = never>(
  make: <A>(next: Pull.Pull<A, CallError>, stream: StreamContext) => Pull.Pull<A, CallError, void, R>
): RecvMiddleware<R> => wrapping("recv", "single", make)

/**
 * The same around whole batches: what one read of the socket brought, at least one message. The middleware gives at least
 * one back.
 *
 * **Example** (Counting batches)
 *
 * ```ts
 * import { Middleware } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * let batches = 0
 * const counted = Middleware.recvBatch((next) => Effect.tap(next, () => Effect.sync(() => { batches++ })))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const recvBatch = <R = never>(
  make: <A>(
    next: Pull.Pull<NonEmptyArray<A>, CallError>,
    stream: StreamContext
  ) => Pull.Pull<NonEmptyArray<A>, CallError, void, R>
): RecvMiddleware<R> => wrapping("recv", "batch", make)

/**
 * A plain function of every message received, the fastest form: called once per stream for the function. It gives the
 * message or another in its place; an error that it gives refuses the message, as that of {@link recv} does, behind those
 * that came before it.
 *
 * **Example** (Counting messages)
 *
 * ```ts
 * import { Middleware } from "@millrace/rpc"
 *
 * const counts = new Map<string, number>()
 * const counted = Middleware.recvPlain(({ info }) => (message) => {
 *   counts.set(info.method, (counts.get(info.method) ?? 0) + 1)
 *   return message
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const recvPlain = (make: (stream: StreamContext) => <A>(message: A) => A | CallError): RecvMiddleware =>
  plain("recv", make)

/**
 * A middleware around sending, an effect for each message: see, change or refuse it before it is encoded. First in the
 * list sees it first. It runs for every message on a stream, also where the stream hides it: the request of server
 * streaming, the response of client streaming. Not for unary and PingPong calls. `sendTimeout` is for all of it. Failing
 * refuses the message: that `send` fails, and the stream lives on.
 *
 * **Example** (Slowing a producer down)
 *
 * ```ts
 * import { Middleware } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const slow = Middleware.send((next) => (message) => Effect.delay(next(message), "10 millis"))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const send = <R = never>(
  make: (
    next: (message: unknown) => Effect.Effect<void, CallError>,
    stream: StreamContext
  ) => (message: unknown) => Effect.Effect<void, CallError, R>
): SendMiddleware<R> => wrapping("send", "single", make)

/**
 * The same around whole batches.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sendBatch = <R = never>(
  make: (
    next: (messages: ReadonlyArray<unknown>) => Effect.Effect<void, CallError>,
    stream: StreamContext
  ) => (messages: ReadonlyArray<unknown>) => Effect.Effect<void, CallError, R>
): SendMiddleware<R> => wrapping("send", "batch", make)

/**
 * A plain function of every message sent, the fastest form: see {@link recvPlain}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sendPlain = (make: (stream: StreamContext) => <A>(message: A) => A | CallError): SendMiddleware =>
  plain("send", make)

const plain = <const Kind extends "recv" | "send">(kind: Kind, make: (stream: StreamContext) => unknown, only?: Only) =>
  ({ kind, form: "plain", only, make }) as const

/** Whatever its types, a middleware of messages is kept in a list with those of others. */
const wrapping = <const Kind extends "recv" | "send">(
  kind: Kind,
  form: "batch" | "single",
  make: (next: never, stream: StreamContext) => unknown,
  only?: Only
) => ({ kind, form, only, make: (stream: StreamContext, next: unknown) => make(next as never, stream) })

// --- for one method, typed -----------------------------------------------------------------------------------------------

/**
 * {@link recv} for one streaming method, with its messages typed: the responses on a client, the requests on a server. Without
 * a side it runs on both, for messages of either kind.
 *
 * **Example** (Cutting long responses)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Middleware, Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * class Token extends Thrift.Struct<Token>("llm.Token")({ text: Thrift.optional(1, Thrift.String) }) {}
 * class Model extends Service.make("Model", {
 *   methods: [Method.serverStreaming("Generate", { request: Token, response: Token })]
 * }) {}
 *
 * const short = Middleware.recvFor(Model, "Generate", "client", (next) =>
 *   Effect.map(next, (token) => new Token({ text: token.text?.slice(0, 100) }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const recvFor: {
  <S extends Service_.Any, const N extends StreamNames<S>, const Where extends Side, R = never>(
    service: S,
    method: N,
    side: Where,
    make: (
      next: Pull.Pull<MessageOf<MethodNamed<S, N>, Where, "recv">, CallError>,
      stream: StreamContext
    ) => Pull.Pull<MessageOf<MethodNamed<S, N>, Where, "recv">, CallError, void, R>
  ): RecvMiddleware<R>
  <S extends Service_.Any, const N extends StreamNames<S>, R = never>(
    service: S,
    method: N,
    make: (
      next: Pull.Pull<Method.RequestOf<MethodNamed<S, N>> | Method.ResponseOf<MethodNamed<S, N>>, CallError>,
      stream: StreamContext
    ) => Pull.Pull<Method.RequestOf<MethodNamed<S, N>> | Method.ResponseOf<MethodNamed<S, N>>, CallError, void, R>
  ): RecvMiddleware<R>
} = (service: Service_.Any, method: string, ...rest: ReadonlyArray<unknown>): RecvMiddleware<never> => {
  const [side, make] = sided(rest)
  return wrapping("recv", "single", make, { ...named("Middleware.recvFor", service, method), side })
}

/**
 * {@link send} for one streaming method, with its messages typed: see {@link recvFor}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sendFor: {
  <S extends Service_.Any, const N extends StreamNames<S>, const Where extends Side, R = never>(
    service: S,
    method: N,
    side: Where,
    make: (
      next: (message: MessageOf<MethodNamed<S, N>, Where, "send">) => Effect.Effect<void, CallError>,
      stream: StreamContext
    ) => (message: MessageOf<MethodNamed<S, N>, Where, "send">) => Effect.Effect<void, CallError, R>
  ): SendMiddleware<R>
  <S extends Service_.Any, const N extends StreamNames<S>, R = never>(
    service: S,
    method: N,
    make: (
      next: (
        message: Method.RequestOf<MethodNamed<S, N>> | Method.ResponseOf<MethodNamed<S, N>>
      ) => Effect.Effect<void, CallError>,
      stream: StreamContext
    ) => (
      message: Method.RequestOf<MethodNamed<S, N>> | Method.ResponseOf<MethodNamed<S, N>>
    ) => Effect.Effect<void, CallError, R>
  ): SendMiddleware<R>
} = (service: Service_.Any, method: string, ...rest: ReadonlyArray<unknown>): SendMiddleware<never> => {
  const [side, make] = sided(rest)
  return wrapping("send", "single", make, { ...named("Middleware.sendFor", service, method), side })
}

/**
 * {@link recvPlain} for one streaming method and side, typed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const recvPlainFor = <S extends Service_.Any, const N extends StreamNames<S>, const Where extends Side>(
  service: S,
  method: N,
  side: Where,
  make: (
    stream: StreamContext
  ) => (message: MessageOf<MethodNamed<S, N>, Where, "recv">) => MessageOf<MethodNamed<S, N>, Where, "recv"> | CallError
): RecvMiddleware => plain("recv", make, { ...named("Middleware.recvPlainFor", service, method), side })

/**
 * {@link sendPlain} for one streaming method and side, typed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sendPlainFor = <S extends Service_.Any, const N extends StreamNames<S>, const Where extends Side>(
  service: S,
  method: N,
  side: Where,
  make: (
    stream: StreamContext
  ) => (message: MessageOf<MethodNamed<S, N>, Where, "send">) => MessageOf<MethodNamed<S, N>, Where, "send"> | CallError
): SendMiddleware => plain("send", make, { ...named("Middleware.sendPlainFor", service, method), side })

const sided = (rest: ReadonlyArray<unknown>): [Side | undefined, (next: unknown, stream: StreamContext) => unknown] =>
  rest.length === 1 ? [undefined, rest[0] as never] : [rest[0] as Side, rest[1] as never]

/**
 * {@link client} for one unary, PingPong or oneway method: `next` takes the request (a message, or the arguments by name) and
 * gives the response, or fails with a declared exception too. Calling it with another request changes the call; not calling
 * it answers without the network.
 *
 * **Example** (An answer without the network)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Middleware, Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * class Text extends Thrift.Struct<Text>("echo.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
 * class Echo extends Service.make("Echo", {
 *   methods: [Method.pingPong("Say", { arguments: { req: Thrift.field(1, Text) }, response: Text })]
 * }) {}
 *
 * const quiet = Middleware.clientFor(Echo, "Say", (next, { req }) =>
 *   req.text === "" ? Effect.succeed(new Text({})) : next({ req })
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientFor = <S extends Service_.Any, const N extends SingleNames<S>, R = never>(
  service: S,
  method: N,
  wrap: (
    next: (
      request: Method.RequestOf<MethodNamed<S, N>>
    ) => Effect.Effect<Method.ResponseOf<MethodNamed<S, N>>, CallError | Method.ExceptionOf<MethodNamed<S, N>>>,
    request: Method.RequestOf<MethodNamed<S, N>>,
    info: RpcInfo
  ) => Effect.Effect<Method.ResponseOf<MethodNamed<S, N>>, CallError | Method.ExceptionOf<MethodNamed<S, N>>, R>
): ClientMiddleware<Exclude<R, Scope.Scope>> => singleMiddleware.clientFor(service, method, wrap as never)

/**
 * {@link server} for one unary, PingPong or oneway method: see {@link clientFor}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serverFor = <S extends Service_.Any, const N extends SingleNames<S>, R = never>(
  service: S,
  method: N,
  wrap: (
    next: (
      request: Method.RequestOf<MethodNamed<S, N>>
    ) => Effect.Effect<Method.ResponseOf<MethodNamed<S, N>>, CallError | Method.ExceptionOf<MethodNamed<S, N>>>,
    request: Method.RequestOf<MethodNamed<S, N>>,
    info: ServerInfo
  ) => Effect.Effect<Method.ResponseOf<MethodNamed<S, N>>, CallError | Method.ExceptionOf<MethodNamed<S, N>>, R>
): ServerMiddleware<R> => singleMiddleware.serverFor(service, method, wrap as never)

/**
 * {@link client} for streams alone, which may be decorated or replaced: the handle that comes out is what the caller uses. A
 * decorator made by spreading keeps what it does not change.
 *
 * Of several streams that a middleware opened, the one that the handle is made of is the call, and gets the request of server
 * streaming: it is known by an operation that the handle has of it, unchanged, such as `header`. A handle that has none counts
 * as made of the last one.
 *
 * **Example** (A handle that logs its cancel)
 *
 * ```ts
 * import { Middleware } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const told = Middleware.stream((next, info) =>
 *   Effect.map(next, (handle) => ({
 *     ...handle,
 *     cancel: Effect.andThen(Effect.logInfo(`cancelling ${info.method}`), handle.cancel)
 *   }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const stream = <R = never>(
  wrap: (
    next: Effect.Effect<ClientStream.Any, CallError, Scope.Scope>,
    info: RpcInfo
  ) => Effect.Effect<ClientStream.Any, CallError, R | Scope.Scope>
): ClientMiddleware<Exclude<R, Scope.Scope>> =>
  client((next, info) => (isStream(info) ? (wrap(next as never, info) as never) : next)) as ClientMiddleware<never>

// --- builders --------------------------------------------------------------------------------------------------------------

/**
 * What a builder sees: which side is built, of which services, with which options.
 *
 * @since 0.1.0
 * @category models
 */
export interface Setup {
  readonly side: "client" | "server"
  readonly services: ReadonlyArray<Service_.Any>
  /** The options of the client or the server, as they were given. */
  readonly options: Readonly<Record<string, unknown>>
}

/**
 * Middleware that is made when its client or server is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Builder<out R = never> {
  readonly kind: "builder"
  readonly build: (
    setup: Setup
  ) => ReadonlyArray<ClientMiddleware<R> | ServerMiddleware<R> | RecvMiddleware<R> | SendMiddleware<R>>
  /** What it requires; a type alone. */
  readonly "~R"?: (_: never) => R
}

/**
 * Makes middleware when the client or server is made, from its options; what does not belong to the side is left away. Runs
 * once. Kitex's `WithMiddlewareBuilder`.
 *
 * **Example** (Middleware that knows the service that is called)
 *
 * ```ts
 * import { Metainfo, Middleware } from "@millrace/rpc"
 *
 * const named = Middleware.builder(({ services }) => [
 *   Middleware.client((next) => Metainfo.withValue(next, "SERVICE", services[0]!.name_))
 * ])
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const builder = <R = never>(build: Builder<R>["build"]): Builder<R> => ({ kind: "builder", build })

// --- lists -----------------------------------------------------------------------------------------------------------------

/**
 * What the list of a client takes.
 *
 * @since 0.1.0
 * @category models
 */
export type ForClient<R = never> = ClientMiddleware<R> | RecvMiddleware<R> | SendMiddleware<R> | Builder<R>

/**
 * What the list of a server takes.
 *
 * @since 0.1.0
 * @category models
 */
export type ForServer<R = never> = ServerMiddleware<R> | RecvMiddleware<R> | SendMiddleware<R> | Builder<R>

/**
 * What a middleware requires.
 *
 * @since 0.1.0
 * @category utility types
 */
export type RequirementsOf<M> = M extends { readonly "~R"?: (_: never) => infer R } ? Exclude<R, Scope.Scope> : never

// --- as a Layer --------------------------------------------------------------------------------------------------------------

/**
 * What the Layer of a {@link Service} holds: a middleware of a server that provides `Provides` to `next`.
 *
 * @since 0.1.0
 * @category models
 */
export type Provider<Provides> = (
  next: Effect.Effect<void, CallError, Provides>,
  info: ServerInfo,
  call: ServerCall
) => Effect.Effect<void, CallError>

/**
 * The class of a middleware that is a Layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<Self, Id extends string, Provides> extends Context.ServiceClass<
  Self,
  Id,
  Provider<Provides>
> {
  /** What handlers get from it; a type alone. */
  readonly "~Provides"?: (_: never) => Provides
}

/**
 * A middleware that provides a typed service to handlers, as a Layer: a service says that it uses it (`TestService.use`), its
 * handlers may then require what it provides, and a server without the Layer does not compile.
 *
 * **Example** (Handlers that know who calls)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Middleware, RpcError, Server, Service } from "@millrace/rpc"
 * import { Context, Effect, Layer } from "effect"
 *
 * class Text extends Thrift.Struct<Text>("echo.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
 * class Echo extends Service.make("Echo", {
 *   methods: [Method.unary("Whoami", { request: Text, response: Text })]
 * }) {}
 * class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}
 * class Auth extends Middleware.Service<Auth, CurrentUser>()("app/Auth") {}
 *
 * const Secured = Echo.use(Auth)
 * const AuthLive = Layer.succeed(Auth, (next, info) => {
 *   const name = info.metadata.get("user")
 *   return name === undefined
 *     ? Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status({}), code: 16, desc: "who are you?" }))
 *     : Effect.provideService(next, CurrentUser, { name })
 * })
 * const Handlers = Secured.toLayer({
 *   Whoami: () => Effect.map(CurrentUser, ({ name }) => new Text({ text: name }))
 * })
 * const Main = Server.layer([Secured]).pipe(Layer.provide(Handlers), Layer.provide(AuthLive))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service =
  <Self, Provides = never>() =>
  <const Id extends string>(id: Id): ServiceClass<Self, Id, Provides> =>
    Context.Service<Self, Provider<Provides>>()(id) as ServiceClass<Self, Id, Provides>

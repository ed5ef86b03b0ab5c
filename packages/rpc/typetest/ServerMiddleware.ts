/** What the compiler must know of middleware of servers, and what must not compile. */
import { Thrift } from "@millrace/codec"
import { BizStatusError, Method, Middleware, type RpcError, Server, Service } from "@millrace/rpc"
import { Testing } from "@millrace/rpc/testing"
import type { Transport } from "@millrace/transport"
import { Context, Effect, Layer, type Scope, Stream } from "effect"

class Text extends Thrift.Struct<Text>("t.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Missing extends Thrift.Exception<Missing>()("t.Missing", { name: Thrift.optional(1, Thrift.String) }) {}
class Echo extends Service.make("Echo", {
  methods: [
    Method.unary("Whoami", { request: Text, response: Text, exceptions: { missing: Thrift.field(1, Missing) } }),
    Method.serverStreaming("Down", { request: Text, response: Text }),
    Method.pingPong("Say", { arguments: { req: Thrift.field(1, Text) }, response: Text }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}
class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("t/CurrentUser") {}
class Tenant extends Context.Service<Tenant, { readonly id: number }>()("t/Tenant") {}
class Users extends Context.Service<Users, { readonly find: (name: string) => Effect.Effect<string> }>()("t/Users") {}

class Auth extends Middleware.Service<Auth, CurrentUser>()("t/Auth") {}
class Tenants extends Middleware.Service<Tenants, Tenant>()("t/Tenants") {}
class Audit extends Middleware.Service<Audit>()("t/Audit") {}

const Secured = Echo.use(Auth)
const handlers = {
  Whoami: () => Effect.map(CurrentUser, ({ name }) => new Text({ text: name })),
  Down: () => Stream.fromEffect(Effect.map(CurrentUser, ({ name }) => new Text({ text: name }))),
  Say: () => Effect.succeed(new Text({})),
  Log: () => Effect.void
}
const AuthLive = Layer.effect(
  Auth,
  Effect.map(Users, (users) =>
    Auth.of((next, info) =>
      Effect.flatMap(users.find(info.caller), (name) => Effect.provideService(next, CurrentUser, { name }))
    )
  )
)

// Handlers may require what the service's middleware provides; the layer does not.
const Handlers = Secured.toLayer(handlers)
const noNeeds: Layer.Layer<Server.HandlersFor<typeof Echo>> = Handlers
const Main = Server.layer([Secured]).pipe(Layer.provide(Handlers))
const needsAuth: Layer.Layer<Server.Server, RpcError.RpcError, Auth | Transport.ServerTransport> = Main
// @ts-expect-error the Layer of Auth is forgotten
const forgotten: Layer.Layer<Server.Server, RpcError.RpcError, Transport.ServerTransport> = Main
const whole: Layer.Layer<Server.Server, RpcError.RpcError, Users | Transport.ServerTransport> = Main.pipe(
  Layer.provide(AuthLive)
)

// Without `use` nobody provides it.
const withoutUse = Echo.toLayer(handlers)
const needsUser: Layer.Layer<Server.HandlersFor<typeof Echo>, never, CurrentUser> = withoutUse
// @ts-expect-error CurrentUser is missing
const unprovided: Layer.Layer<Server.HandlersFor<typeof Echo>> = withoutUse

// Several, of several services; one that provides nothing.
const Both = Echo.use(Auth).use(Tenants).use(Audit)
class Other extends Service.make("Other", { extends: Both, methods: [] }) {}
const other: Layer.Layer<Server.HandlersFor<typeof Other>> = Other.toLayer({
  ...handlers,
  Whoami: () => Effect.map(Tenant, ({ id }) => new Text({ text: `${id}` }))
})
const two: Layer.Layer<
  Server.Server,
  RpcError.RpcError,
  | Server.HandlersFor<typeof Echo>
  | Server.HandlersFor<typeof Other>
  | Auth
  | Tenants
  | Audit
  | Transport.ServerTransport
> = Server.layer([Secured, Other])
// @ts-expect-error Audit is inherited too
const inherited: Layer.Layer<
  Server.Server,
  RpcError.RpcError,
  Server.HandlersFor<typeof Other> | Auth | Tenants | Transport.ServerTransport
> = Server.layer([Other])

// A test needs the Layer as well, and its handlers what a server's may require.
const tested: Effect.Effect<unknown, never, Auth | Scope.Scope> = Testing.client(Secured, handlers)
// @ts-expect-error the Layer of Auth is forgotten
const untested: Effect.Effect<unknown, never, Scope.Scope> = Testing.client(Secured, handlers)
const layered: Layer.Layer<Server.Server, never, Server.HandlersFor<typeof Echo> | Auth> = Testing.layer([Secured])

// What a middleware that provides a service must do.
const anonymous = Layer.succeed(Auth, (next) => Effect.provideService(next, CurrentUser, { name: "anonymous" }))
// @ts-expect-error it does not provide CurrentUser
const lazy = Layer.succeed(Auth, (next) => next)

// Middleware for one method knows its request, response and exceptions.
const upper = Middleware.serverFor(Echo, "Whoami", (next, request, info) =>
  Effect.map(next(new Text({ text: `${request.text} ${info.callee}` })), ({ text }) => new Text({ text: text ?? "" }))
)
const refusing = Middleware.serverFor(Echo, "Whoami", () => Effect.fail(new Missing({ name: "x" })))
const named = Middleware.serverFor(Echo, "Say", (next, { req }) => next({ req: new Text({ text: req.text ?? "" }) }))
const line = Middleware.serverFor(Echo, "Log", (next, args) => next({ line: args.line.trim() }))
Middleware.serverFor(
  Echo,
  // @ts-expect-error a stream has no one request
  "Down",
  (next) => next
)
Middleware.serverFor(Echo, "Say", () =>
  // @ts-expect-error an exception that the method does not declare
  Effect.fail(new Missing({}))
)
const needsUsers = Middleware.serverFor(Echo, "Say", (next, args) =>
  Effect.andThen(
    Effect.flatMap(Users, (users) => users.find("x")),
    next(args)
  )
)
const withList: Layer.Layer<
  Server.Server,
  RpcError.RpcError,
  Server.HandlersFor<typeof Echo> | Users | Transport.ServerTransport
> = Server.layer([Echo], { middleware: [upper, refusing, named, line, needsUsers] })
// @ts-expect-error Users is missing
const withoutUsers: Layer.Layer<
  Server.Server,
  RpcError.RpcError,
  Server.HandlersFor<typeof Echo> | Transport.ServerTransport
> = Server.layer([Echo], { middleware: [upper, needsUsers] })

// Errors of middleware are those of a call.
Middleware.server(() => Effect.fail(new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "" })))
// @ts-expect-error no error of a call
Middleware.server(() => Effect.fail("no"))
// @ts-expect-error middleware of a client
Server.layer([Echo], { middleware: [Middleware.client((next) => next)] })
// @ts-expect-error an error handler gives an error of a call
Server.layer([Echo], { errorHandler: () => "no" })

void [noNeeds, needsAuth, forgotten, whole, needsUser, unprovided, other, two, inherited]
void [tested, untested, layered, anonymous, lazy, withList, withoutUsers]

/** What the compiler must know of servers, and what must not compile. */
import { Thrift } from "@millrace/codec"
import { Admission, Method, Middleware, type RpcError, Server, Service } from "@millrace/rpc"
import type { Transport } from "@millrace/transport"
import { Context, Effect, Layer, Stream } from "effect"

class Message extends Thrift.Struct<Message>("t.Message")({ message: Thrift.optional(1, Thrift.String) }) {}
class Busy extends Thrift.Exception<Busy>()("t.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}
class Base extends Service.make("Base", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
class TestService extends Service.make("TestService", {
  package: "t",
  extends: Base,
  methods: [
    Method.bidirectional("Both", { request: Message, response: Message }),
    Method.clientStreaming("Up", { request: Message, response: Message }),
    Method.serverStreaming("Down", { request: Message, response: Message }),
    Method.unary("One", { request: Message, response: Message, exceptions: { busy: Thrift.field(1, Busy) } }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}
class Greeter extends Context.Service<Greeter, { readonly greet: (s: string) => Effect.Effect<string> }>()("Greeter") {}
class Users extends Context.Service<Users, { readonly check: (s: string) => Effect.Effect<void> }>()("Users") {}

const Handlers = TestService.toLayer({
  Both: { duplex: (stream, call) => Effect.andThen(call.draining, Effect.flatMap(stream.recv, stream.send)) },
  Up: (requests) => Effect.map(Stream.runCount(requests), (n) => new Message({ message: `${n}` })),
  Down: (request) => Stream.make(request),
  One: (request) =>
    Effect.gen(function* () {
      const greeter = yield* Greeter
      // Each call has a scope of its own: no requirement of the layer.
      yield* Effect.forkScoped(Effect.never)
      if (request.message === undefined) return yield* new Busy({ retryAfter: 5n })
      return new Message({ message: yield* greeter.greet(request.message) })
    }),
  Ping: () => Effect.void,
  Log: ({ line }) => Effect.log(line.length)
})
const auth = Middleware.server((next, info) =>
  Effect.flatMap(Users, (users) => Effect.andThen(users.check(info.method), next))
)
const plain = Middleware.server((next) => next)
const never = Admission.make(() => () => {})

const Main = Server.layer([TestService], { middleware: [plain, auth], admission: [never], graceTime: "1 second" }).pipe(
  Layer.provide(Handlers)
)
const needs: Layer.Layer<Server.Server, RpcError.RpcError, Greeter | Users | Transport.ServerTransport> = Main
// @ts-expect-error Users is still missing
const withoutUsers: Layer.Layer<Server.Server, RpcError.RpcError, Greeter | Transport.ServerTransport> = Main
// @ts-expect-error Greeter is still missing
const withoutGreeter: Layer.Layer<Server.Server, RpcError.RpcError, Users | Transport.ServerTransport> = Main
// @ts-expect-error the handlers are missing
const withoutHandlers: Layer.Layer<Server.Server, RpcError.RpcError, Transport.ServerTransport> = Server.layer([
  TestService
])

TestService.toLayer(
  // @ts-expect-error the handler of Log is missing
  {
    Both: () => Stream.empty,
    Up: () => Effect.never,
    Down: () => Stream.empty,
    One: () => Effect.never,
    Ping: () => Effect.void
  }
)
TestService.toLayer({
  Both: () => Stream.empty,
  Up: () => Effect.never,
  Down: () => Stream.empty,
  // @ts-expect-error an error that the method does not declare
  One: () => Effect.fail("no such error"),
  Ping: () => Effect.void,
  Log: () => Effect.void
})
// @ts-expect-error servers have no RPC timeout
Server.layer([TestService], { rpcTimeout: "1 second" })

// Without declared exceptions there are none.
class Bare extends Service.make("Bare", {
  methods: [Method.unary("One", { request: Message, response: Message })]
}) {}
Bare.toLayer({
  // @ts-expect-error an error that the method does not declare
  One: () => Effect.fail(new Busy({}))
})

void [needs, withoutUsers, withoutGreeter, withoutHandlers]

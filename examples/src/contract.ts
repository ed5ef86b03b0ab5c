/**
 * One program with everything in it: a service with every kind of method, its server with middleware and admission, and
 * clients of its streams and of its ordinary calls. What the types promise is compiled here too: each line under a
 * `@ts-expect-error` must not compile.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Thrift } from "@millrace/codec"
import { Limiter } from "@millrace/governance"
import { Client, Method, Middleware, Server, Service, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Context, Effect, Layer, Stream } from "effect"
import { serverAddress } from "./program.ts"

export class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
export class Response extends Thrift.Struct<Response>("echo.Response")({
  message: Thrift.optional(1, Thrift.String)
}) {}
export class Busy extends Thrift.Exception<Busy>()("echo.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}

export class Base extends Service.make("Base", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}

export class TestService extends Service.make("TestService", {
  package: "echo",
  extends: Base,
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", {
      request: Request,
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.pingPong("EchoPingPong", {
      arguments: { req: Thrift.field(1, Request) },
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}

class Greeter extends Context.Service<Greeter, { readonly greet: (name: string) => Effect.Effect<string> }>()(
  "examples/Greeter"
) {}

class Users extends Context.Service<Users, { readonly check: (method: string) => Effect.Effect<void> }>()(
  "examples/Users"
) {}

const Handlers = TestService.toLayer({
  Echo: (requests) => requests.pipe(Stream.map((request) => new Response({ message: request.message }))),
  EchoClient: (requests) => Stream.runCount(requests).pipe(Effect.map((n) => new Response({ message: `${n}` }))),
  EchoServer: (request) =>
    Stream.fromIterable(["a", "b", "c"]).pipe(
      Stream.map((letter) => new Response({ message: `${request.message ?? ""}${letter}` }))
    ),
  EchoUnary: Effect.fnUntraced(function* (request) {
    const greeter = yield* Greeter
    if (request.message === undefined) return yield* new Busy({ retryAfter: 5n })
    return new Response({ message: yield* greeter.greet(request.message) })
  }),
  EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: req.message })),
  Ping: () => Effect.void,
  Log: ({ line }) => Effect.log(line)
})

const auth = Middleware.server((next, info) =>
  Effect.flatMap(Users, (users) => Effect.andThen(users.check(info.method), next))
)

const ServerNeeds = Server.layer([TestService], { middleware: [auth], admission: [Limiter.concurrency(1000)] }).pipe(
  Layer.provide(Handlers),
  Layer.provide(NodeTransport.layerServer({ host: "127.0.0.1", port: 0 }))
)
// @ts-expect-error Users and Greeter are still missing
export const incomplete: Layer.Layer<Server.Server, unknown> = ServerNeeds

const ServerLive = ServerNeeds.pipe(
  Layer.provide(Layer.succeed(Greeter, { greet: (name) => Effect.succeed(`hello ${name}`) })),
  Layer.provide(Layer.succeed(Users, { check: (method) => Console.log(`auth of ${method}`) }))
)

class Echo extends StreamClient.Service<Echo>()("examples/Contract", TestService) {}

const EchoLive = Layer.unwrap(
  Effect.map(serverAddress, (address) => Echo.layer({ hostPorts: [address], recvTimeout: "5 seconds" }))
).pipe(Layer.provide(NodeTransport.layerClient), Layer.provideMerge(ServerLive))

const program = Effect.gen(function* () {
  const echo = yield* Echo
  yield* echo.EchoServer(new Request({ message: "hi " })).pipe(
    Stream.take(2),
    Stream.runForEach((response) => Console.log(`EchoServer ${response.message}`))
  )
  const busy = yield* echo.EchoUnary(new Request({}), { timeout: "1 second" }).pipe(
    Effect.map((response) => response.message),
    Effect.catchTag("Busy", (busy) => Effect.succeed(`busy, retry after ${busy.retryAfter}`)),
    Effect.catchTag("BizStatusError", (error) => Effect.succeed(error.statusMessage)),
    Effect.catchTag("RpcError", (error) => Effect.succeed(error.reason._tag))
  )
  yield* Console.log(`EchoUnary ${busy}`)
  const greeting = yield* echo.EchoUnary(new Request({ message: "miller" }))
  yield* Console.log(`EchoUnary ${greeting.message}`)
  const stream = yield* echo.Echo.open()
  yield* stream.send(new Request({ message: "x" }))
  const first = yield* stream.recv
  yield* stream.closeSend
  yield* Console.log(`Echo ${first.message}`)
  const upload = yield* echo.EchoClient.open()
  yield* upload.send(new Request({ message: "x" }))
  const total = yield* upload.closeAndRecv
  yield* Console.log(`EchoClient ${total.message}`)
  const calls = yield* Client.make(TestService, { hostPorts: [yield* serverAddress], rpcTimeout: "1 second" })
  const answer = yield* calls.EchoPingPong({ req: new Request({ message: "hi" }) })
  const message: string | undefined = answer.message
  yield* Console.log(`EchoPingPong ${message}`)
  yield* calls.Ping({})
  yield* Console.log("Ping")
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layerClient))

/** What must not compile. */
export const refused = Effect.gen(function* () {
  const echo = yield* Echo
  const upload = yield* echo.EchoClient.open()
  // @ts-expect-error client streaming has no recv
  yield* upload.recv
  // @ts-expect-error PingPong methods are not on a StreamClient
  yield* echo.EchoPingPong
  // @ts-expect-error streams have no rpcTimeout
  yield* echo.Echo.open({ rpcTimeout: "1 second" })
  const calls = yield* Client.make(TestService)
  // @ts-expect-error streaming methods are not on a Client
  yield* calls.EchoUnary
  // @ts-expect-error calls have no timeout of streams
  yield* calls.Ping({}, { timeout: "1 second" })
  // @ts-expect-error arguments have names
  yield* calls.EchoPingPong(new Request({}))
  // @ts-expect-error clients of calls have no recvTimeout
  yield* Client.make(TestService, { recvTimeout: "1 second" })
})

program.pipe(Effect.provide(EchoLive), NodeRuntime.runMain)

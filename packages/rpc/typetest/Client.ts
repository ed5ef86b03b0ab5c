/** What the compiler must know of stream clients and of testing, and what must not compile. */
import { Thrift } from "@millrace/codec"
import {
  type BizStatusError,
  type Client,
  type ClientStream,
  type Metadata,
  Method,
  type RpcError,
  Service,
  StreamClient,
  type StreamOptions
} from "@millrace/rpc"
import { StreamScript, Testing, type ThriftArbitrary } from "@millrace/rpc/testing"
import { NodeTransport } from "@millrace/transport/node"
import type { Transport } from "@millrace/transport"
import { type Arbitrary, type Cause, Config, Context, Effect, type Layer, type Scope, Stream } from "effect"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

export class Request extends Thrift.Struct<Request>("t.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
export class Response extends Thrift.Struct<Response>("t.Response")({ message: Thrift.optional(1, Thrift.String) }) {}
export class Busy extends Thrift.Exception<Busy>()("t.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}
export class Base extends Service.make("Base", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
export class TestService extends Service.make("TestService", {
  package: "t",
  extends: Base,
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", { request: Request, response: Response, exceptions: { busy: Thrift.field(1, Busy) } }),
    Method.pingPong("EchoPingPong", {
      arguments: { req: Thrift.field(1, Request) },
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}

class Greeter extends Context.Service<Greeter, { readonly greet: (s: string) => Effect.Effect<string> }>()("Greeter") {}

class Echo extends StreamClient.Service<Echo>()("app/Echo", TestService) {}
const live = Echo.layer({ hostPorts: ["127.0.0.1:8888"], recvTimeout: "5 seconds" })
same<typeof live, Layer.Layer<Echo, never, Transport.ClientTransport>>(true)
const configured = Echo.layerConfig({
  hostPorts: Config.succeed(["127.0.0.1:8888"]),
  timeout: Config.succeed("1 second")
})
same<typeof configured, Layer.Layer<Echo, Config.ConfigError, Transport.ClientTransport>>(true)

type CallError = RpcError.RpcError | BizStatusError.BizStatusError
same<CallError, ClientStream.CallError>(true)

export const program = Effect.gen(function* () {
  const echo = yield* Echo
  same<keyof typeof echo, "Echo" | "EchoClient" | "EchoServer" | "EchoUnary">(true)

  const down = echo.EchoServer(new Request({ message: "hi" }), { timeout: "1 minute", metadata: { "x-token": "t" } })
  same<typeof down, Stream.Stream<Response, CallError>>(true)
  // @ts-expect-error a request, not a stream of them
  echo.EchoServer(Stream.make(new Request({})))

  const greetings = Stream.fromEffect(
    Effect.gen(function* () {
      const greeter = yield* Greeter
      const message = yield* greeter.greet("x")
      if (message === "") return yield* Effect.fail("nothing to say" as const)
      return new Request({ message })
    })
  )
  const both = echo.Echo(greetings)
  same<typeof both, Stream.Stream<Response, CallError | "nothing to say", Greeter>>(true)
  const all = echo.EchoClient(greetings)
  same<typeof all, Effect.Effect<Response, CallError | "nothing to say", Greeter>>(true)
  yield* all

  const one = echo.EchoUnary(new Request({}), { timeout: undefined, onHeader: (header) => header.get("x-header") })
  same<typeof one, Effect.Effect<Response, CallError | Busy>>(true)
  const answered = yield* one.pipe(
    Effect.catchTag("Busy", (busy) => Effect.succeed(busy.retryAfter)),
    Effect.catchTag("BizStatusError", (biz) => Effect.succeed(biz.statusMessage)),
    Effect.catchTag("RpcError", (error) => Effect.succeed(error.reason._tag))
  )
  const late = Effect.catchReason(one, "RpcError", "DeadlineExceeded", () => Effect.succeed("late"))
  // @ts-expect-error unary has no handle
  void echo.EchoUnary.open

  const opening = echo.Echo.open()
  same<typeof opening, Effect.Effect<ClientStream.Bidirectional<Request, Response>, CallError, Scope.Scope>>(true)
  const stream = yield* opening
  const header = yield* stream.header
  same<typeof header, Metadata.Metadata>(true)
  yield* stream.send(new Request({ message: "x" }))
  // @ts-expect-error a Response is not a Request with these members
  stream.send({ text: "x" })
  const first = yield* stream.recv
  same<typeof first, Response>(true)
  const end: Effect.Effect<Response, CallError | Cause.Done> = stream.recv
  yield* stream.closeSend

  const up = yield* echo.EchoClient.open()
  const total = yield* up.closeAndRecv
  // @ts-expect-error client streaming has no recv
  void up.recv
  // @ts-expect-error its half close brings the response
  void up.closeSend
  const reader = yield* echo.EchoServer.open(new Request({}))
  yield* reader.recv
  // @ts-expect-error server streaming has no send
  void reader.send
  // @ts-expect-error the request comes with the call
  echo.EchoServer.open()

  // @ts-expect-error PingPong methods are not on a StreamClient
  void echo.EchoPingPong
  // @ts-expect-error nor are oneway methods
  void echo.Log
  // @ts-expect-error nor inherited ones
  void echo.Ping
  // @ts-expect-error streams have no RPC timeout
  echo.Echo.open({ rpcTimeout: "1 second" })
  // @ts-expect-error nor a mode of connections
  echo.Echo.open({ connection: "short" })
  // @ts-expect-error nor an encoding of Thrift
  echo.Echo.open({ transport: "framed" })
  // @ts-expect-error streams cannot be retried
  echo.EchoUnary(new Request({}), { retry: { times: 3 } })
  // @ts-expect-error streams have no fallback
  void StreamClient.make(TestService, { fallback: () => undefined })
  const pingPongOptions = { rpcTimeout: "1 second", timeout: "1 second" } as const
  // @ts-expect-error nor when the options are not a literal, where excess properties are not checked
  const options: StreamOptions.CallOptions = pingPongOptions
  return [answered, late, first.message, total.message, end, options] as const
}).pipe(Effect.scoped, Effect.provide(live), Effect.provide(NodeTransport.layerClient))

// @ts-expect-error Greeter is still missing
export const runs: Effect.Effect<unknown, unknown> = program
export const needs: Effect.Effect<unknown, unknown, never> = program.pipe(
  Effect.provideService(Greeter, { greet: (message) => Effect.succeed(message) })
)

export const testing = Testing.client(TestService, {
  Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
  EchoClient: (requests) => Effect.as(Stream.runDrain(requests), new Response()),
  EchoServer: () => Stream.empty,
  EchoUnary: ({ message }) =>
    Effect.gen(function* () {
      const greeter = yield* Greeter
      if (message === undefined) return yield* new Busy({})
      return new Response({ message: yield* greeter.greet(message) })
    }),
  EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: req.message })),
  Log: () => Effect.void,
  Ping: () => Effect.void
})
same<Effect.Success<typeof testing>["EchoUnary"], StreamClient.StreamClient<typeof TestService>["EchoUnary"]>(true)
same<Effect.Success<typeof testing>["EchoPingPong"], Client.Client<typeof TestService>["EchoPingPong"]>(true)
same<Effect.Error<typeof testing>, never>(true)
same<Effect.Services<typeof testing>, Scope.Scope | Greeter>(true)

// @ts-expect-error six handlers are missing
export const incomplete = Testing.client(TestService, { Echo: () => Stream.empty })

const [ping, echo] = TestService.methods
export const script: StreamScript.StreamScript<Request> = [{ _tag: "Send", message: new Request({}) }, { _tag: "Recv" }]
const scripts = StreamScript.schema(echo)
same<(typeof scripts)["Type"], StreamScript.StreamScript<Request>>(true)
// @ts-expect-error a PingPong method has no messages of a stream
StreamScript.schema(ping)
same<ReturnType<typeof ThriftArbitrary.schema<typeof Request>>, Arbitrary.Arbitrary<Request>>(true)

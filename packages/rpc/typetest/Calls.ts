/** What the compiler must know of PingPong clients, and what must not compile. */
import { Client, type BizStatusError, type ClientOptions, type RpcError, type StreamOptions } from "@millrace/rpc"
import type { Transport } from "@millrace/transport"
import { Config, Effect, type Layer } from "effect"
import { type Busy, Request, type Response, TestService } from "./Client.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

class Echo extends Client.Service<Echo>()("app/EchoCalls", TestService) {}
const live = Echo.layer({ hostPorts: ["127.0.0.1:8888"], rpcTimeout: "5 seconds" })
same<typeof live, Layer.Layer<Echo, never, Transport.ClientTransport>>(true)
const configured = Echo.layerConfig({
  hostPorts: Config.succeed(["127.0.0.1:8888"]),
  transport: Config.succeed("framed" as const)
})
same<typeof configured, Layer.Layer<Echo, Config.ConfigError, Transport.ClientTransport>>(true)

type CallError = RpcError.RpcError | BizStatusError.BizStatusError

export const program = Effect.gen(function* () {
  const echo = yield* Echo
  same<keyof typeof echo, "EchoPingPong" | "Log" | "Ping">(true)

  const one = echo.EchoPingPong({ req: new Request({}) }, { rpcTimeout: "1 second", connection: "short" })
  same<typeof one, Effect.Effect<Response, CallError | Busy>>(true)
  const answered = yield* one.pipe(
    Effect.map((response) => response.message),
    Effect.catchTag("Busy", (busy) => Effect.succeed(busy.retryAfter)),
    Effect.catchTag("BizStatusError", (biz) => Effect.succeed(biz.statusMessage)),
    Effect.catchTag("RpcError", (error) => Effect.succeed(error.reason._tag))
  )
  const late = Effect.catchReason(one, "RpcError", "RpcTimeout", ({ millis }) => Effect.succeed(millis))
  const ping = echo.Ping({}, { rpcTimeout: undefined, onHeader: (header) => header.get("x") })
  same<typeof ping, Effect.Effect<void, CallError>>(true)
  const log = echo.Log({ line: "x" })
  same<typeof log, Effect.Effect<void, CallError>>(true)

  // @ts-expect-error an argument is missing
  echo.EchoPingPong({})
  // @ts-expect-error arguments have names
  echo.EchoPingPong(new Request({}))
  // @ts-expect-error a method without arguments takes none
  echo.Ping({ req: new Request({}) })
  // @ts-expect-error streaming methods are not on a Client
  void echo.Echo
  // @ts-expect-error nor unary ones
  void echo.EchoUnary
  // @ts-expect-error a call has no deadline of a stream
  echo.Ping({}, { timeout: "1 second" })
  // @ts-expect-error receives one answer
  echo.Ping({}, { recvTimeout: "1 second" })
  // @ts-expect-error which is also the first
  echo.Ping({}, { firstMessageTimeout: "1 second" })
  // @ts-expect-error sends one message
  echo.Ping({}, { sendTimeout: "1 second" })
  // @ts-expect-error does not stall
  echo.Ping({}, { stallWarning: "1 second" })
  // @ts-expect-error and compresses nothing
  echo.Ping({}, { compressor: "gzip" })
  // @ts-expect-error nor does a client
  void Client.make(TestService, { recvTimeout: "1 second" })
  // @ts-expect-error there is no such encoding
  echo.Ping({}, { transport: "grpc" })

  const streamOptions = { timeout: "1 second", rpcTimeout: "1 second" } as const
  // @ts-expect-error nor when the options are not a literal, where excess properties are not checked
  const callOptions: ClientOptions.ClientCallOptions = streamOptions
  const gzip = { compressor: "gzip", rpcTimeout: "1 second" } as const
  // @ts-expect-error the same for a client
  const clientOptions: ClientOptions.ClientOptions = gzip
  const short = { connection: "short", timeout: "1 second" } as const
  // @ts-expect-error and the other way round
  const stream: StreamOptions.StreamClientOptions = short
  return [answered, late, callOptions, clientOptions, stream] as const
})

// @ts-expect-error the transport is still missing
export const runs: Effect.Effect<unknown, unknown> = Effect.provide(program, live)

/**
 * A client that is seen: `node examples/src/observability/client.ts --address 127.0.0.1:8888`. Its calls are children of one
 * span, and the spans of the server children of theirs, on streams and in PingPong calls alike.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Client, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import type { StreamTransport } from "@millrace/transport/Transport"
import { Console, Effect, Layer, Stream } from "effect"
import { Command } from "effect/cli"
import { address, transport } from "../program.ts"
import { Request, TestService } from "../thrift-streaming/api.ts"
import * as Telemetry from "./telemetry.ts"

const visit = (address: string, transport: StreamTransport) =>
  Effect.gen(function* () {
    const options = { hostPorts: [address], callerName: "web" }
    const streams = yield* StreamClient.make(TestService, { ...options, transport })
    const calls = yield* Client.make(TestService, options)
    const request = new Request({ message: "hello" })
    const answer = yield* streams.EchoUnary(request)
    yield* Console.log(`EchoUnary    ${answer.message}`)
    const received = yield* Stream.runCount(streams.EchoServer(request))
    yield* Console.log(`EchoServer   ${received} messages`)
    const pair = yield* calls.EchoPingPong({ req1: request, req2: request })
    yield* Console.log(`EchoPingPong ${pair.message}`)
    const late = yield* Effect.flip(streams.EchoServer(request, { timeout: 0 }).pipe(Stream.runDrain))
    yield* Console.log(`EchoServer   ${late.message}`)
  }).pipe(Effect.withSpan("visit"), Effect.scoped)

Command.make("client", { address, transport, otlp: Telemetry.otlp }, ({ address, otlp, transport }) =>
  visit(address, transport).pipe(
    Effect.provide(Layer.provideMerge(NodeTransport.layerClient, Telemetry.layer("web", otlp)))
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

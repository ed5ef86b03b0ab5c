/**
 * The client, every mode and an ordinary call once: `node examples/src/thrift-streaming/client.ts --address 127.0.0.1:8888`.
 * Without `--address` it starts the server itself, in the same process. `--duplex` is the same for both; `--transport` is the
 * client's alone.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Client, Server, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import type { StreamTransport } from "@millrace/transport/Transport"
import { Console, Effect, Layer, Option, Schedule, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { address, duplex, serverAddress, transport } from "../program.ts"
import { Request, TestService } from "./api.ts"
import * as Handlers from "./handlers.ts"

/** The streaming methods of the service. */
class Echo extends StreamClient.Service<Echo>()("examples/Echo", TestService) {}

/** Its other methods. */
class EchoCalls extends Client.Service<EchoCalls>()("examples/EchoCalls", TestService) {}

const words = ["one", "two", "three"]

const unary = Effect.gen(function* () {
  const echo = yield* Echo
  const response = yield* echo.EchoUnary(new Request({ message: "hello" }), { timeout: "5 seconds" })
  yield* Console.log(`EchoUnary   sent hello, received ${response.message}`)
})

const serverStreaming = Effect.gen(function* () {
  const echo = yield* Echo
  yield* echo
    .EchoServer(new Request({ message: "hello" }))
    .pipe(Stream.runForEach((response) => Console.log(`EchoServer  received ${response.message}`)))
})

const clientStreaming = Effect.gen(function* () {
  const echo = yield* Echo
  const requests = Stream.fromIterable(words).pipe(Stream.map((message) => new Request({ message })))
  const response = yield* echo.EchoClient(requests)
  yield* Console.log(`EchoClient  sent ${words.join(", ")}, received ${response.message}`)
})

/** Send one, receive one: by the handle, whose scope ends the stream whatever happens. */
const halfDuplex = Effect.gen(function* () {
  const echo = yield* Echo
  const stream = yield* echo.Echo.open()
  for (const message of words) {
    yield* stream.send(new Request({ message }))
    const response = yield* stream.recv
    yield* Console.log(`Echo, half  sent ${message}, received ${response.message}`)
  }
  yield* stream.closeSend
}).pipe(Effect.scoped)

/** Send and receive at once: a Stream in, a Stream out. */
const fullDuplex = Effect.gen(function* () {
  const echo = yield* Echo
  const requests = Stream.fromIterable(words).pipe(
    Stream.schedule(Schedule.spaced("20 millis")),
    Stream.tap((message) => Console.log(`Echo, full  sent ${message}`)),
    Stream.map((message) => new Request({ message }))
  )
  yield* echo
    .Echo(requests)
    .pipe(Stream.runForEach((response) => Console.log(`Echo, full  received ${response.message}`)))
})

const pingPong = Effect.gen(function* () {
  const echo = yield* EchoCalls
  const [req1, req2] = [new Request({ message: "hello" }), new Request({ message: "miller" })]
  const response = yield* echo.EchoPingPong({ req1, req2 })
  yield* Console.log(`EchoPingPong sent hello and miller, received ${response.message}`)
})

const everyMode = (duplex: "half" | "full") =>
  Effect.all([unary, serverStreaming, clientStreaming, pingPong, duplex === "half" ? halfDuplex : fullDuplex], {
    discard: true
  })

const echoLayer = (address: string, transport: StreamTransport) =>
  Layer.mergeAll(
    Echo.layer({ hostPorts: [address], recvTimeout: "5 seconds", transport }),
    EchoCalls.layer({ hostPorts: [address], rpcTimeout: "5 seconds" })
  ).pipe(Layer.provide(NodeTransport.layerClient))

const ownServer = (duplex: "half" | "full") =>
  Server.layer([TestService]).pipe(
    Layer.provide(Handlers.layer(duplex)),
    Layer.provide(NodeTransport.layerServer({ host: "127.0.0.1", port: 0 }))
  )

Command.make("client", { address: Flag.optional(address), duplex, transport }, ({ address, duplex, transport }) => {
  const layerOf = (address: string) => echoLayer(address, transport)
  return everyMode(duplex).pipe(
    Effect.provide(
      Option.match(address, {
        onSome: layerOf,
        onNone: () => Layer.unwrap(Effect.map(serverAddress, layerOf)).pipe(Layer.provide(ownServer(duplex)))
      })
    )
  )
}).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

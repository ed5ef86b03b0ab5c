/**
 * The server: `node examples/src/thrift-streaming/server.ts --port 8888`. Streams, be it gRPC over HTTP/2 or TTHeader streaming, and
 * ordinary calls come on the same port: the first bytes of a connection say which they are.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { announce, duplex, host, port } from "../program.ts"
import { TestService } from "./api.ts"
import * as Handlers from "./handlers.ts"

Command.make("server", { host, port, duplex }, ({ duplex, ...address }) =>
  Layer.effectDiscard(announce).pipe(
    Layer.provide(Server.layer([TestService])),
    Layer.provide(Handlers.layer(duplex)),
    Layer.provide(NodeTransport.layerServer(address)),
    Layer.launch
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

/**
 * The server: `node examples/src/pingpong/server.ts --port 8888`. Clients of every wire form reach it on this port, Kitex's
 * too: Buffered, Framed, TTHeader and TTHeader with Framed.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { announce, host, port } from "../program.ts"
import { Shelves } from "./api.ts"
import * as Handlers from "./handlers.ts"

Command.make("server", { host, port }, (address) =>
  Layer.effectDiscard(announce).pipe(
    Layer.provide(Server.layer([Shelves])),
    Layer.provide(Handlers.layer),
    Layer.provide(NodeTransport.layerServer(address)),
    Layer.launch
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

/**
 * The token server: `node examples/src/llm/server.ts --port 8888 --tokens-per-second 25 --jitter 0.5 --seed mill`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Effect, Layer, Stdio, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { announce, host, port } from "../program.ts"
import { Llm } from "./api.ts"
import * as Handlers from "./handlers.ts"
import * as Model from "./model.ts"
import { CallCounter } from "./report.ts"

/** Done when standard input ends: a server that a program started stops with it, however that program ended. */
const inputEnded = Effect.flatMap(Stdio.Stdio, (stdio) => Stream.runDrain(stdio.stdin))

Command.make(
  "server",
  {
    host,
    port,
    tokensPerSecond: Flag.Finite("tokens-per-second").pipe(
      Flag.withDefault(25),
      Flag.withDescription("the speed of the model, 0 is as fast as it can")
    ),
    jitter: Flag.Finite("jitter").pipe(
      Flag.withDefault(0.5),
      Flag.withDescription("how uneven its pauses are, from 0 to 1")
    ),
    failureRate: Flag.Finite("failure-rate").pipe(
      Flag.withDefault(0),
      Flag.withDescription("the chance that it fails in place of a token, from 0 to 1")
    ),
    seed: Flag.String("seed").pipe(Flag.withDefault("mill"), Flag.withDescription("one seed, one text")),
    stopWithInput: Flag.Boolean("stop-with-input").pipe(
      Flag.withDefault(false),
      Flag.withDescription("stop when standard input ends")
    )
  },
  ({ host, port, stopWithInput, ...model }) => {
    const calls = new CallCounter()
    const server = Layer.effectDiscard(announce).pipe(
      Layer.provide(Server.layer([Llm])),
      Layer.provide(Handlers.layer),
      Layer.provide(Model.layer(model)),
      Layer.provide(NodeTransport.layerServer({ host, port })),
      Layer.provide(calls.layer),
      Layer.launch
    )
    return (stopWithInput ? Effect.raceFirst(server, inputEnded) : server).pipe(
      Effect.ensuring(Effect.suspend(() => Console.log(calls.row("server"))))
    )
  }
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

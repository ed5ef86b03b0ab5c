/**
 * Three servers, one slow, one that fails, and a client that finds, chooses, protects and gives up: a picture of where calls and
 * streams go, how a breaker opens and closes, what a limit refuses, and a rolling restart. `pnpm governance` runs it, with
 * `--transport ttheader-streaming` over the other transport.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Registry } from "@millrace/governance"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, References } from "effect"
import { Command } from "effect/cli"
import { transport } from "../program.ts"
import { balancing } from "./balancing.ts"
import { breaker } from "./breaker.ts"
import { limiter } from "./limiter.ts"
import { restart } from "./restart.ts"
import { Servers } from "./servers.ts"
import { Transport } from "./service.ts"

// What scenes share: the registry that servers write and clients read.
const Live = Servers.layer.pipe(
  Layer.provideMerge(Registry.layerMemory),
  Layer.provideMerge(NodeTransport.layerClient),
  // The breaker says in the log what the picture shows.
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Error"))
)

Command.make("demo", { transport }, ({ transport }) =>
  Effect.all([balancing, breaker, limiter, restart], { discard: true }).pipe(
    Effect.provideService(Transport, transport),
    Effect.provide(Live)
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

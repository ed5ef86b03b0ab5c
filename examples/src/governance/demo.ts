/**
 * Three servers, one slow, one that fails, and a client that finds, chooses, protects and gives up: a picture of where calls and
 * streams go, how a breaker opens and closes, what a limit refuses, and a rolling restart. `pnpm governance` runs it.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Registry } from "@millrace/governance"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, References } from "effect"
import { balancing } from "./balancing.ts"
import { breaker } from "./breaker.ts"
import { limiter } from "./limiter.ts"
import { restart } from "./restart.ts"
import { Servers } from "./servers.ts"

// What scenes share: the registry that servers write and clients read.
const Live = Servers.layer.pipe(
  Layer.provideMerge(Registry.layerMemory),
  Layer.provideMerge(NodeTransport.layerClient),
  // The breaker says in the log what the picture shows.
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Error"))
)

Effect.all([balancing, breaker, limiter, restart], { discard: true }).pipe(Effect.provide(Live), NodeRuntime.runMain)

/** Our server in the process of the test, which sees what its middleware and tracers do. */
import { Server } from "@millrace/rpc"
import type * as Middleware from "@millrace/rpc/Middleware"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer } from "effect"
import { InteropService } from "../src/api.ts"
import * as CallHandlers from "../src/callHandlers.ts"
import { CallsService } from "../src/calls.ts"
import * as Chain from "../src/chain.ts"
import * as Down from "../src/down.ts"
import * as Handlers from "../src/handlers.ts"
import * as Words from "../src/words.ts"

type Options = Server.Options<ReadonlyArray<Middleware.ForServer>>

/** How it listens. */
type Listening = Parameters<typeof NodeTransport.layerServer>[0]

/** A server with these options; it lives as long as the scope, and its own calls go by the context of the test. */
export const wordsHere = Effect.fnUntraced(function* (options: Options = {}, listening: Partial<Listening> = {}) {
  const words = Words.make({ drain: Effect.void, chain: yield* Chain.make, down: yield* Down.make })
  const { interop } = Handlers.make(words)
  const { calls } = CallHandlers.make(words)
  const context = yield* Layer.build(
    Layer.fresh(
      Server.layer([InteropService, CallsService], { graceTime: 50, ...options, fallback: InteropService }).pipe(
        Layer.provide([interop, calls]),
        Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1", ...listening }))
      )
    )
  )
  const { address, drain } = Context.get(context, Server.Server)
  return { address: `${address.hostname}:${address.port}`, drain, seen: words.seen }
})

/** Its address. */
export const serverHere = (options: Options = {}, listening: Partial<Listening> = {}) =>
  Effect.map(wordsHere(options, listening), ({ address }) => address)

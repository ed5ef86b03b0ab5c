/**
 * The client, every kind of call once: `node examples/src/pingpong/client.ts --address 127.0.0.1:8888`. Without `--address` it
 * starts the server itself, in the same process.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Client, type ClientOptions, Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { address, serverAddress } from "../program.ts"
import { Shelves } from "./api.ts"
import * as Handlers from "./handlers.ts"

class Shop extends Client.Service<Shop>()("examples/Shop", Shelves) {}

const calls = Effect.gen(function* () {
  const shop = yield* Shop
  yield* shop.Put({ name: "mill", count: 3 })
  const mill = yield* shop.Find({ name: "mill" })
  yield* Console.log(`Find    ${mill.count} of ${mill.name}`)
  const rest = yield* shop.Take({ name: "mill", count: 2 })
  yield* Console.log(`Take    ${rest.count} left`)
})

/** What a method declares and what a server refuses are in the error channel, each with its tag. */
const refusals = Effect.gen(function* () {
  const shop = yield* Shop
  const sold = yield* shop.Take({ name: "mill", count: 2 }).pipe(
    Effect.map((rest) => `${rest.count} left`),
    Effect.catchTag("SoldOut", ({ left }) => Effect.succeed(`sold out, ${left} left`))
  )
  yield* Console.log(`Take    ${sold}`)
  const found = yield* shop.Find({ name: "race" }).pipe(
    Effect.map((item) => `${item.count}`),
    Effect.catchTag("BizStatusError", (error) => Effect.succeed(`${error.statusCode} ${error.statusMessage}`))
  )
  yield* Console.log(`Find    ${found}`)
})

/** The time is over here and at the server, whose handler is interrupted. */
const timeout = Effect.gen(function* () {
  const shop = yield* Shop
  const counted = yield* shop.Count({}, { rpcTimeout: "100 millis" }).pipe(
    Effect.map((count) => `${count}`),
    Effect.catchReason("RpcError", "RpcTimeout", ({ millis }) => Effect.succeed(`not within ${millis} ms`))
  )
  yield* Console.log(`Count   ${counted}`)
})

/** Calls at once, and the connections that they came on. */
const connections = (name: string, options: ClientOptions.ClientCallOptions) =>
  Effect.gen(function* () {
    const shop = yield* Shop
    const callers = yield* Effect.all(
      Array.from({ length: 20 }, () => shop.Caller({}, options)),
      { concurrency: "unbounded" }
    )
    yield* Console.log(`Caller  ${name}: ${callers.length} calls on ${new Set(callers).size} connections`)
  })

const program = Effect.gen(function* () {
  yield* calls
  yield* refusals
  yield* timeout
  yield* connections("short", { connection: "short" })
  yield* connections("multiplexed", { connection: "multiplexed" })
  yield* connections("framed, multiplexed", { transport: "framed", connection: "multiplexed" })
  const shop = yield* Shop
  yield* shop.Note({ text: "all done" })
  yield* Console.log("Note    sent")
})

const shopLayer = (address: string) =>
  Shop.layer({ hostPorts: [address], rpcTimeout: "5 seconds" }).pipe(Layer.provide(NodeTransport.layerClient))

const ownServer = Server.layer([Shelves]).pipe(
  Layer.provide(Handlers.layer),
  Layer.provide(NodeTransport.layerServer({ host: "127.0.0.1", port: 0 }))
)

Command.make("client", { address: Flag.optional(address) }, ({ address }) =>
  program.pipe(
    Effect.provide(
      Option.match(address, {
        onSome: shopLayer,
        onNone: () => Layer.unwrap(Effect.map(serverAddress, shopLayer)).pipe(Layer.provide(ownServer))
      })
    )
  )
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)

/**
 * Our server of the interoperability suite, as a program: `node interop/src/server.ts [--port N] [--grace MILLIS] [--middleware overlimit]`.
 * It prints `listening on HOST:PORT` when it is ready, and ends after the word `drain` or a signal.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Middleware, RpcError, Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import { parseArgs } from "node:util"
import { InteropService, SecondService } from "./api.ts"
import * as Handlers from "./handlers.ts"

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    grace: { type: "string", default: "400" },
    middleware: { type: "string", default: "" }
  }
})

const overlimit = Middleware.server(() =>
  Effect.fail(
    new RpcError.RpcError({
      reason: new RpcError.Rejected({ limit: "requests" }),
      code: 8,
      desc: "request over limit: request too frequent"
    })
  )
)

const main = Effect.gen(function* () {
  const stop = Latch.makeUnsafe(false)
  const handlers = Handlers.make({ drain: stop.open })
  yield* Effect.gen(function* () {
    const { address } = yield* Server.Server
    console.log(`listening on ${address.hostname}:${address.port}`)
    yield* stop.await
  }).pipe(
    Effect.provide(
      Server.layer([InteropService, SecondService], {
        graceTime: Number(values.grace),
        middleware: values.middleware === "overlimit" ? [overlimit] : []
      }).pipe(
        Layer.provide([handlers.interop, handlers.second]),
        Layer.provide(NodeTransport.layerServer({ port: Number(values.port), host: "127.0.0.1" }))
      )
    )
  )
})

NodeRuntime.runMain(main)

/**
 * The server of soak tests and attacks, as a program:
 * `node interop/src/soak-server.ts [--transport JSON] [--server JSON] [--next HOST:PORT]`. The options are those of `NodeTransport.layerServer` and
 * `Server.layer`; calls that ask for it are handed on to the server at `--next`. It prints `listening on HOST:PORT` when it is ready. To a line
 * on its input it answers with one of JSON: `usage` what it holds and which handlers run, `drain` how long a graceful stop took.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Server, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import * as Soak from "./soak.ts"
import { type Usage, usage, watchProcess } from "./usage.ts"

/** The answer to `usage`. */
export interface ServerUsage extends Usage {
  readonly handlers: Soak.Handlers
}

const { values } = parseArgs({
  options: {
    transport: { type: "string", default: "{}" },
    server: { type: "string", default: "{}" },
    next: { type: "string" }
  }
})

watchProcess()
const handlers = Soak.handlers()

const implementation = Layer.unwrap(
  Effect.map(
    values.next === undefined ? Effect.undefined : StreamClient.make(Soak.Soak, { hostPorts: [values.next] }),
    (next) => Soak.make(handlers, next)
  )
).pipe(Layer.provide(NodeTransport.layerClient))

const main = Effect.gen(function* () {
  const { address, drain } = yield* Server.Server
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const answer = (value: unknown) => console.log(JSON.stringify(value))
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "usage") return answer({ ...usage(), handlers } satisfies ServerUsage)
    const since = performance.now()
    runFork(
      Effect.andThen(
        drain,
        Effect.sync(() => answer({ millis: performance.now() - since }))
      )
    )
  })
  console.log(`listening on ${address.hostname}:${address.port}`)
  yield* Effect.never
}).pipe(
  Effect.provide(
    Server.layer([Soak.Soak], JSON.parse(values.server)).pipe(
      Layer.provide(implementation),
      Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1", ...JSON.parse(values.transport) }))
    )
  ),
  // Its output is for answers.
  Effect.provideService(Logger.LogToStderr, true)
)

NodeRuntime.runMain(main)

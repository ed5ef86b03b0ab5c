/**
 * A consumer to be killed, as a program: `node interop/src/soak-client.ts HOST:PORT [once|next]`. It reads a stream without end, prints `reading` at the first
 * message, and never leaves of its own accord.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Request } from "./api.ts"
import { Soak } from "./soak.ts"

const main = Effect.gen(function* () {
  const [address, message] = process.argv.slice(2)
  const client = yield* StreamClient.make(Soak, { hostPorts: [address!] })
  const responses = client.Produce(new Request({ message, key: "once" }))
  yield* Stream.runForEach(responses, () => Effect.sync(() => console.log("reading")))
}).pipe(Effect.provide(NodeTransport.layerClient), Effect.scoped)

NodeRuntime.runMain(main)

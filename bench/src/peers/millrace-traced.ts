/** Ours, with pass-through middleware of messages in the plain form, a tracer that reads sizes, and metrics. */
import { RpcTracer, Telemetry } from "@millrace/rpc"
import * as Layer from "effect/Layer"
import { millrace, plain } from "../millrace.ts"
import { main } from "../peer.ts"

let bytes = 0
const count = (event: RpcTracer.MessageEvent): void => {
  bytes += event.bytes + event.lastSize
}
const sizes = RpcTracer.layer({ streamSend: count, streamRecv: count })

process.once("exit", () => {
  if (bytes === 0) process.stderr.write("the tracer heard of no message\n")
})

await main(millrace({ middleware: plain, tracers: Layer.merge(sizes, Telemetry.layer({ spans: false, logs: false })) }))

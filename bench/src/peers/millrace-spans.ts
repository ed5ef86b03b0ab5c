/** Ours, with a span at each end of every call. */
import { Telemetry } from "@millrace/rpc"
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ tracers: Telemetry.layer({ metrics: false, logs: false }) }))

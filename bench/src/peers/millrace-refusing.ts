/** Ours, whose server is over its limit: it refuses every call but one a second. */
import { Limiter } from "@millrace/governance"
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ admission: Limiter.qps(1) }))

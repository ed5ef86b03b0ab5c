/** Ours, with pass-through middleware of messages in the plain form. */
import { millrace, plain } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ middleware: plain }))

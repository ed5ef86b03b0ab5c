/** Ours, with nothing around calls and messages. */
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace())

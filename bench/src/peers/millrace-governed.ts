/** Ours, with resolver, balancer, breakers and limiter around every call. */
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ governed: true }))

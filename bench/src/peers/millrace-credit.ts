/** Ours, with streams over TTHeader, and credit for them. */
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ transport: "ttheader-streaming", credit: true }))

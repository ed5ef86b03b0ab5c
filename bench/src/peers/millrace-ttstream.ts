/** Ours, with streams over TTHeader in place of HTTP/2. */
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ transport: "ttheader-streaming" }))

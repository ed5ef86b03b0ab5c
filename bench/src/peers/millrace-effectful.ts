/** Ours, with pass-through middleware of messages that runs an effect for each. */
import { Middleware } from "@millrace/rpc"
import { millrace } from "../millrace.ts"
import { main } from "../peer.ts"

await main(millrace({ middleware: [Middleware.recv((next) => next), Middleware.send((next) => next)] }))

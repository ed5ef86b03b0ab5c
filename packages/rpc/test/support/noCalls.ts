import type { Transport } from "@millrace/transport"
import { Effect } from "effect"

/** The half of a client's transport that a test of streams has no use for. */
export const noCalls: Pick<Transport.ClientTransport["Service"], "lease" | "tryLease"> = {
  tryLease: () => undefined,
  lease: () => Effect.die("no calls here")
}

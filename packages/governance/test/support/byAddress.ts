/** Several transports in memory behind one, as hosts of a network are. */
import { Transport, TransportError } from "@millrace/transport"
import { Effect, Layer } from "effect"

type Client = Transport.ClientTransport["Service"]

const refused = (address: string) =>
  Effect.fail(
    new TransportError.TransportError({
      reason: new TransportError.ConnectFailed({ address }),
      code: 14,
      desc: `cannot connect to ${address}: refused`
    })
  )

/** Asks for the transport of each address. Where there is none, nobody listens. */
export const byAddress = (of: (address: string) => Client | undefined): Layer.Layer<Transport.ClientTransport> =>
  Layer.succeed(
    Transport.ClientTransport,
    Transport.ClientTransport.of({
      tryOpen: (request) => of(request.address)?.tryOpen(request),
      open: (request) => of(request.address)?.open(request) ?? refused(request.address),
      tryLease: (target) => of(target.address)?.tryLease(target),
      lease: (target) => of(target.address)?.lease(target) ?? refused(target.address),
      retire: (address) => of(address)?.retire?.(address)
    })
  )

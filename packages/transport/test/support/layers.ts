import { Layer } from "effect"
import { NodeTransport } from "../../src/node/index.ts"
import type { ClientTransport, ServerTransport } from "../../src/Transport.ts"

/** Both ends over a real socket. */
export const layers = (
  server: NodeTransport.ServerOptions,
  client: NodeTransport.ClientOptions
): Layer.Layer<ClientTransport | ServerTransport> =>
  Layer.merge(
    NodeTransport.layerServer({ ...(server.path === undefined ? { port: 0, host: "127.0.0.1" } : {}), ...server }),
    NodeTransport.layerClientWith(client)
  )

/**
 * Transports over Node's sockets: TCP, Unix sockets and TLS with ALPN.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { clearImmediate, setImmediate } from "node:timers"
import type { ConnectionOptions as TlsConnectionOptions, TlsOptions } from "node:tls"
import { handshakeTimeout, type Platform } from "../internal/net/options.ts"
import { makeClient } from "../internal/net/client.ts"
import { makeListen } from "../internal/net/server.ts"
import { Files } from "../Files.ts"
import { Network } from "../Network.ts"
import { ClientTransport, ServerTransport } from "../Transport.ts"
import type { ClientOptions as CommonClientOptions, ServerOptions as CommonServerOptions } from "../TransportOptions.ts"
import { files } from "./files.ts"
import { gzip } from "./gzip.ts"
import { makeNetwork } from "./network.ts"
import { bind, dial } from "./sockets.ts"

/**
 * Where a server listens: a port (0 for any free one) of `host` (all IPv4 addresses by default), or a Unix socket.
 *
 * @since 0.1.0
 * @category options
 */
export interface ServerOptions extends CommonServerOptions {
  readonly port?: number | undefined
  readonly host?: string | undefined
  /** Path of a Unix socket; `port` and `host` do not count then. */
  readonly path?: string | undefined
  /**
   * Key, certificate and whatever else Node's `tls` takes. HTTP/2 is agreed on by ALPN; what a client that offers none
   * speaks is told by its first bytes. One that offers only other protocols is refused.
   */
  readonly tls?: TlsOptions | undefined
}

/**
 * How a client connects.
 *
 * @since 0.1.0
 * @category options
 */
export interface ClientOptions extends CommonClientOptions {
  /** TLS for every connection; whatever Node's `tls.connect` takes. ALPN is h2 for streams over HTTP/2, and none for others and for calls. */
  readonly tls?: TlsConnectionOptions | undefined
}

/**
 * Real time, whatever the `Clock`: the network knows no other. Then a look at every socket: a process that had no time
 * itself has not seen what came.
 */
const arrival = Effect.andThen(
  Effect.provideService(Effect.sleep(50), Clock.Clock, Clock.Clock.defaultValue()),
  Effect.callback<void>((resume) => {
    const look = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(look))
  })
)

const platform: Effect.Effect<Platform, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = yield* FiberSet.makeRuntime<never>()
  return {
    clock,
    random,
    defer: process.nextTick,
    compression: gzip,
    onDefect: (cause) => fork(Effect.logError("a listener threw", cause)),
    log: (message) => fork(Effect.logWarning(message)),
    arrival
  }
})

/**
 * A server over TCP, TLS or a Unix socket. It listens when something asks it to (`Server.layer` does), and fails then
 * with `ConnectFailed` when the address cannot be had.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = (options: ServerOptions): Layer.Layer<ServerTransport> =>
  Layer.effect(
    ServerTransport,
    Effect.map(platform, (platform) =>
      ServerTransport.of({
        listen: makeListen(bind({ ...options, handshakeTimeout: handshakeTimeout(options) }), options, platform)
      })
    )
  )

/**
 * A client over TCP, TLS or Unix sockets, with options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClientWith = (options: ClientOptions): Layer.Layer<ClientTransport> =>
  Layer.effect(
    ClientTransport,
    Effect.flatMap(platform, (platform) => makeClient(dial(options.tls), options, platform))
  )

/**
 * A client over TCP and Unix sockets. Addresses are `HOST:PORT`, `[IPV6]:PORT` and `unix:PATH`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient: Layer.Layer<ClientTransport> = layerClientWith({})

/**
 * How names are looked up.
 *
 * @since 0.1.0
 * @category options
 */
export interface NetworkOptions {
  /** DNS servers, `IP` or `IP:PORT`, to be asked in place of those of the system, and of its hosts file. */
  readonly servers?: ReadonlyArray<string> | undefined
}

/**
 * The network of this host, with options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNetworkWith = (options: NetworkOptions): Layer.Layer<Network> =>
  Layer.sync(Network, () => makeNetwork(options))

/**
 * The network of this host: its addresses; DNS, and what the system knows beside it (a hosts file, search domains) of names
 * without a dot and of those that DNS does not know.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNetwork: Layer.Layer<Network> = layerNetworkWith({})

/**
 * The files of this host: what policies are read from.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFiles: Layer.Layer<Files> = Layer.succeed(Files, files)

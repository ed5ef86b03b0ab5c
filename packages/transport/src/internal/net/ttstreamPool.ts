/**
 * A client's connections of TTHeader streaming.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import { TransportError } from "../../TransportError.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { makeConnectionPool } from "./connectionPool.ts"
import { dialTimeouts } from "./dial.ts"
import { type Platform, streamingPoolOptions } from "./options.ts"
import type { PoolTarget } from "./pooled.ts"
import { makeAfter } from "./run.ts"
import type { Dial } from "./socket.ts"
import type { StreamPool } from "./http2Pool.ts"
import { StreamingClient } from "./ttstreamClient.ts"

/** Streams over TTHeader, and the connections that they open on. */
interface StreamingPool extends StreamPool {
  readonly lease: (request: OpenRequest) => Effect.Effect<StreamingClient, TransportError>
}

/** `onUnheard`: a server has closed a connection and never said anything. @internal */
export const makeStreamingPool = Effect.fnUntraced(function* (
  dial: Dial,
  options: ClientOptions,
  platform: Platform,
  onUnheard: (address: string) => void
): Effect.fn.Return<StreamingPool, never, Scope.Scope> {
  const settings = streamingPoolOptions(options, platform, yield* makeAfter)
  const connection = options.streamConnections ?? "multiplexed"
  const pool = yield* makeConnectionPool<PoolTarget, StreamingClient>(
    dial,
    dialTimeouts(options),
    settings,
    (socket, owner, { address }) => new StreamingClient(socket, settings, owner, () => onUnheard(address))
  )

  const targetOf = ({ address, connectTimeoutMillis }: OpenRequest): PoolTarget => ({
    address,
    connection,
    encoding: "ttheader-streaming",
    connectTimeoutMillis
  })

  const tryOpen = (request: OpenRequest): RawClientStream | undefined => {
    const stream = pool.tryLease(targetOf(request))?.open(request)
    return stream instanceof TransportError ? undefined : stream
  }

  const lease = (request: OpenRequest) => pool.lease(targetOf(request))

  const open = (request: OpenRequest): Effect.Effect<RawClientStream, TransportError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(lease(request)), (client) => {
        const stream = client.open(request)
        return stream instanceof TransportError ? Effect.fail(stream) : Effect.succeed(stream)
      })
    )

  return { tryOpen, open, lease, retire: pool.retire }
})

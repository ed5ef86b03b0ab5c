/**
 * A transport without a network: client and server in one program, joined byte for byte through the real engines and
 * the real driver. For tests: it runs under `TestClock`, and can split, delay, stall and cut each direction.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { connectFailed, listenFailed } from "./internal/net/errors.ts"
import { type Faults, memoryPipe, type MemorySocket } from "./internal/net/memory.ts"
import type { Platform } from "./internal/net/options.ts"
import { makeClient } from "./internal/net/client.ts"
import { makeListen } from "./internal/net/server.ts"
import { ClientTransport, ServerTransport } from "./Transport.ts"
import type { ClientOptions, ServerOptions } from "./TransportOptions.ts"

export {
  /**
   * What goes wrong in one direction of a connection. Positions are bytes from the beginning of the connection.
   *
   * @since 0.1.0
   * @category models
   */
  type Faults
} from "./internal/net/memory.ts"

/**
 * Options of {@link make}.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  readonly client?: ClientOptions | undefined
  readonly server?: ServerOptions | undefined
  /** From the client to the server. */
  readonly toServer?: Faults | undefined
  /** From the server to the client. */
  readonly toClient?: Faults | undefined
}

/** Turns of the scheduler, and no time: nobody moves the `TestClock` for a server that stops. */
const arrival = Effect.forEach(Array.from({ length: 32 }), () => Effect.yieldNow, { discard: true })

/**
 * Both ends of a transport in memory. A dial, whatever its address, reaches the one server that listens; there is none
 * before that. Lives as long as the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Context.Context<ClientTransport | ServerTransport>, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = yield* FiberSet.makeRuntime<never>()
  const platform: Platform = {
    clock,
    random,
    defer: queueMicrotask,
    compression: undefined,
    onDefect: (cause) => fork(Effect.logError("a listener threw", cause)),
    log: (message) => fork(Effect.logWarning(message)),
    arrival
  }
  let accept: ((socket: MemorySocket) => void) | undefined

  const listen = makeListen(
    (onSocket, admit) =>
      Effect.suspend(() => {
        if (accept !== undefined) return Effect.fail(listenFailed("memory", "something listens there already"))
        accept = (socket) => {
          if (admit !== undefined) socket.onGone = admit(socket.peer)
          if (admit !== undefined && socket.onGone === undefined) socket.destroy()
          else onSocket(socket)
        }
        const stop = Effect.sync(() => {
          accept = undefined
        })
        return Effect.as(
          Effect.addFinalizer(() => stop),
          { address: { hostname: "memory", port: 0 }, stop }
        )
      }),
    options.server ?? {},
    platform
  )

  const client = yield* makeClient(
    (address) =>
      Effect.suspend(() => {
        const taken = accept
        if (taken === undefined) return Effect.fail(connectFailed(address, "no server listens in memory"))
        // In one step: an interruption between two would leave the connection to nobody.
        return Effect.sync(() => {
          const [near, far] = memoryPipe(options.toServer ?? {}, options.toClient ?? {}, fork)
          taken(far)
          return { secure: Effect.succeed(near), destroy: () => near.destroy() }
        })
      }),
    options.client ?? {},
    platform
  )

  return Context.make(ClientTransport, client).pipe(Context.add(ServerTransport, ServerTransport.of({ listen })))
})

/**
 * {@link make} with its options, as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<ClientTransport | ServerTransport> =>
  Layer.effectContext(make(options))

/**
 * Both ends of a transport in memory, without faults.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<ClientTransport | ServerTransport> = layerWith({})

/**
 * A server's connections: accepted, supervised, drained.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { Acceptor, Listening } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ServerOptions } from "../../TransportOptions.ts"
import { ServerConnection } from "../pingpong/serverConnection.ts"
import { CallServer, type CallServerOptions } from "./callServer.ts"
import { Detection, type DetectionOptions } from "./detect.ts"
import { Http2Server } from "./http2Server.ts"
import { withinBudget } from "./logBudget.ts"
import {
  callOptions,
  driverOptions,
  handshakeTimeout,
  http2Options,
  type Platform,
  streamingDriverOptions
} from "./options.ts"
import { makeAfter, run } from "./run.ts"
import type { Admit, Bind } from "./socket.ts"
import { StreamingServer, type StreamingServerOptions } from "./ttstreamServer.ts"

/** Silence of a client before it is asked whether it is there, as in Kitex. */
const keepaliveMillis = 2 * 3600 * 1000

const shutdown = "graceful shutdown"

/** From the first byte to the end of the socket. */
const life = (connection: Detection): Effect.Effect<void> =>
  Effect.andThen(
    run(connection),
    Effect.suspend(() => (connection.driver === undefined ? Effect.void : run(connection.driver)))
  )

/** The user's rule for connections, which may throw. */
const admitting =
  (accept: NonNullable<ServerOptions["acceptConnection"]>, log: (message: string) => void): Admit =>
  (peer) => {
    const threw = (cause: unknown) => log(`acceptConnection threw for ${peer.address}: ${String(cause)}`)
    try {
      const gone = accept(peer)
      if (gone === undefined) return undefined
      return () => {
        try {
          gone()
        } catch (cause) {
          threw(cause)
        }
      }
    } catch (cause) {
      threw(cause)
      return undefined
    }
  }

/** `listen` of the server transport. @internal */
export const makeListen = (bind: Bind, options: ServerOptions, platform: Platform) =>
  Effect.fnUntraced(function* (acceptor: Acceptor): Effect.fn.Return<Listening, TransportError, Scope.Scope> {
    const connections = new Set<Detection>()
    const fibers = yield* FiberSet.make<void>()
    const fork = yield* FiberSet.runtime(fibers)()
    let draining = false
    let closed = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
      })
    )

    const common = driverOptions(options, platform)
    const timeout = handshakeTimeout(options)
    const http2 = http2Options(options, platform, keepaliveMillis)
    const limits = callOptions(options)
    const log = withinBudget(platform.log, common.now)
    const calls: CallServerOptions = {
      ...common,
      handshakeTimeout: timeout,
      connectionBufferLimit: limits.connectionBufferLimit,
      log,
      later: (next) => void fork(Effect.andThen(platform.arrival, Effect.sync(next)))
    }
    const streams: StreamingServerOptions = {
      ...streamingDriverOptions(options, platform, yield* makeAfter, keepaliveMillis),
      handshakeTimeout: timeout,
      log,
      later: calls.later
    }
    const detection: DetectionOptions = {
      timeout,
      now: common.now,
      log,
      later: calls.later,
      make: (protocol, socket) => {
        switch (protocol) {
          case "http2":
            return new Http2Server(socket, http2, timeout, (stream) => acceptor.onStream(stream), acceptor.admit)
          case "ttstream":
            return new StreamingServer(socket, streams, acceptor)
          case "pingpong":
            return new CallServer(
              socket,
              calls,
              (carrier) => new ServerConnection(carrier, limits),
              (call) => acceptor.onCall(call)
            )
        }
      }
    }

    const { acceptConnection } = options
    const admit = acceptConnection && admitting(acceptConnection, withinBudget(platform.log, common.now))
    const bound = yield* bind((socket) => {
      // Its handshake ended too late: nobody would look after it.
      if (closed) return socket.destroy()
      const connection = new Detection(socket, detection)
      connections.add(connection)
      connection.start()
      if (draining) connection.drain(shutdown)
      fork(
        Effect.ensuring(
          life(connection),
          Effect.sync(() => {
            connections.delete(connection)
            connection.destroy("the transport was closed")
          })
        )
      )
    }, admit)
    const drain = Effect.suspend(() => {
      draining = true
      for (const connection of connections) connection.drain(shutdown)
      // The end of a listener resets connections that clients have and we do not: they are taken first, and drained.
      return Effect.andThen(Effect.ensuring(platform.arrival, bound.stop), FiberSet.awaitEmpty(fibers))
    })
    return { address: bound.address, drain }
  })

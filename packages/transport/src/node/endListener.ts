/**
 * The end of a listener that loses no connection. The kernel resets those that wait to be accepted, though their clients
 * are connected and may have sent a call.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as net from "node:net"
import { setImmediate } from "node:timers"

/** A turn of Node's loop that took longer did other things too, behind its look at the listener. */
const quietMillis = 0.1
/** How long such a turn is waited for, in milliseconds. */
const patience = 500

/**
 * Closes a listener in a turn of the loop in which nothing waited to be accepted; Node accepts one connection a turn.
 * Whoever is accepted meanwhile should not be served before the end: clients that get no answer do not connect again.
 *
 * @internal
 */
export const endListener = (server: net.Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const deadline = performance.now() + patience
    let accepted = true
    let turnSince = 0
    const onConnection = () => {
      accepted = true
    }
    const end = () => {
      server.off("connection", onConnection)
      server.close()
    }
    const turn = () => {
      const now = performance.now()
      if ((!accepted && now - turnSince < quietMillis) || now > deadline) {
        end()
        return resume(Effect.void)
      }
      accepted = false
      turnSince = now
      setImmediate(turn)
    }
    // Told before TLS.
    server.on("connection", onConnection)
    setImmediate(turn)
    return Effect.sync(end)
  })

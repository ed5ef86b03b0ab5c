/**
 * The end of a listener that loses no connection. The kernel resets those that wait to be accepted, though their clients
 * are connected and may have sent a call.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as net from "node:net"
import { setImmediate } from "node:timers"
import { acceptQueue } from "./acceptQueue.ts"

/** A turn of Node's loop that took longer did other things too, behind its look at the listener. */
const quietMillis = 0.1
/** How long such a turn, or an empty queue, is waited for, in milliseconds. */
const patience = 500
/** And in turns: a busy process has few of them in that time, and Node accepts one connection a turn. */
const patientTurns = 64

/**
 * Closes a listener when nothing waits to be accepted. Where the system does not tell that, it is when a turn of the loop has
 * accepted nothing, and has done nothing else; in the end one that has accepted nothing.
 * Whoever is accepted meanwhile should not be served before the end: clients that get no answer do not connect again.
 *
 * @internal
 */
export const endListener = (server: net.Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const deadline = performance.now() + patience
    let accepted = true
    let turnSince = 0
    let turns = 0
    const onConnection = () => {
      accepted = true
    }
    const end = () => {
      server.off("connection", onConnection)
      server.close()
    }
    const turn = () => {
      const now = performance.now()
      const late = now > deadline
      const waiting = acceptQueue(server)
      const empty = waiting === undefined ? !accepted && (late || now - turnSince < quietMillis) : waiting === 0
      if (empty || (late && turns > patientTurns)) {
        end()
        return resume(Effect.void)
      }
      turns++
      accepted = false
      turnSince = now
      setImmediate(turn)
    }
    // Told before TLS.
    server.on("connection", onConnection)
    setImmediate(turn)
    return Effect.sync(end)
  })

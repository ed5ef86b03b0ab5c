/**
 * From an address to a socket, and on to a connection that has the server's SETTINGS; each step with its own limit.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { TransportError } from "../../TransportError.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { connectFailed, connectTimeout } from "./errors.ts"
import type { Http2Client } from "./http2Client.ts"
import { millis } from "./options.ts"
import type { Dial, Dialled, Protocol, Socket } from "./socket.ts"

/** Milliseconds of each step. @internal */
export interface DialTimeouts {
  readonly dial: number
  readonly tls: number
  readonly settings: number
}

/** @internal */
export const dialTimeouts = (options: ClientOptions): DialTimeouts => ({
  dial: millis(options.connectTimeout, 1000),
  tls: millis(options.tlsTimeout, 5000),
  settings: millis(options.settingsTimeout, 5000)
})

/**
 * Who waits for a connection waits for no longer than this many milliseconds, whatever step it is at; undefined for as long as
 * the steps take.
 *
 * @internal
 */
export const within = <A>(
  address: string,
  limit: number | undefined,
  step: () => keyof DialTimeouts,
  connection: Effect.Effect<A, TransportError>
): Effect.Effect<A, TransportError> =>
  limit === undefined || !Number.isFinite(limit)
    ? connection
    : Effect.timeoutOrElse(connection, {
        duration: limit,
        orElse: () => Effect.fail(connectTimeout(address, step(), limit))
      })

const limited = <A>(
  address: string,
  timeouts: DialTimeouts,
  step: keyof DialTimeouts,
  effect: Effect.Effect<A, TransportError>
): Effect.Effect<A, TransportError> => within(address, timeouts[step], () => step, effect)

/**
 * Dials, secures the connection where that is wanted, and gives it to `own`. Interruption and failure leave no socket: none
 * comes between one of these steps and the next.
 *
 * @internal
 */
export const dialSocket = <A>(
  dial: Dial,
  address: string,
  protocol: Protocol,
  timeouts: DialTimeouts,
  own: (socket: Socket) => Effect.Effect<A>
): Effect.Effect<A, TransportError> =>
  Effect.suspend(() => {
    let dialled: Dialled | undefined
    const dialling = Effect.map(dial(address, protocol), (made) => (dialled = made))
    const secured = Effect.flatMap(limited(address, timeouts, "dial", dialling), ({ secure }) =>
      limited(address, timeouts, "tls", secure)
    )
    return Effect.uninterruptibleMask((restore) =>
      restore(secured).pipe(
        Effect.onError(() => Effect.sync(() => dialled?.destroy())),
        Effect.flatMap(own)
      )
    )
  })

/** The step that a dial is at. @internal */
export class DialSteps {
  at: keyof DialTimeouts = "dial"

  /** The dial that is to be used. */
  through(dial: Dial): Dial {
    return (address, protocol) =>
      Effect.map(dial(address, protocol), (made) => {
        this.at = "tls"
        const secure = Effect.map(made.secure, (socket) => {
          this.at = "settings"
          return socket
        })
        return { ...made, secure }
      })
  }
}

/** A dial for all who wait for its connection, each with a limit of its own. @internal */
export class SharedDial<A> extends DialSteps {
  /** Its address is gone: the connection is for those who wait, and not kept. */
  retired = false
  readonly timeouts: DialTimeouts
  private readonly address: string
  private readonly ownDial: number
  private readonly deferred = Deferred.makeUnsafe<A, TransportError>()

  /** `limit`: that of who waits first. `timeouts`: those of the transport, which who joins may count on. */
  constructor(address: string, limit: number | undefined, timeouts: DialTimeouts) {
    super()
    this.address = address
    this.ownDial = timeouts.dial
    this.timeouts = { ...timeouts, dial: Math.max(limit ?? 0, timeouts.dial) }
  }

  done(exit: Exit.Exit<A, TransportError>): void {
    Deferred.doneUnsafe(this.deferred, exit)
  }

  /** `limit`: milliseconds for all of it; undefined where each step has the time that the transport gives it. */
  wait(limit: number | undefined): Effect.Effect<A, TransportError> {
    const connection = Deferred.await(this.deferred)
    if (limit !== undefined || this.ownDial >= this.timeouts.dial) {
      return within(this.address, limit, () => this.at, connection)
    }
    return Effect.timeoutOrElse(connection, {
      duration: this.ownDial,
      orElse: () => (this.at === "dial" ? Effect.fail(connectTimeout(this.address, "dial", this.ownDial)) : connection)
    })
  }
}

/**
 * Dials HTTP/2 and hands the driver to `supervise` before the first byte is read. Interruption and failure leave no
 * socket.
 *
 * @internal
 */
export const connect = Effect.fnUntraced(function* (
  dial: Dial,
  address: string,
  timeouts: DialTimeouts,
  make: (socket: Socket) => Http2Client,
  supervise: (driver: Http2Client) => Effect.Effect<void>
): Effect.fn.Return<Http2Client, TransportError> {
  const driver = yield* dialSocket(dial, address, "h2", timeouts, (socket) => {
    const made = make(socket)
    return Effect.as(supervise(made), made)
  })
  const settings = Effect.flatMap(driver.handshake, () => {
    const end = driver.ended
    if (end === undefined) return Effect.void
    const why = "detail" in end ? end.detail : "the server closed the connection before its SETTINGS"
    return Effect.fail(connectFailed(address, `${why}; does it speak HTTP/2, and TLS only where this client does?`))
  })
  yield* limited(address, timeouts, "settings", settings).pipe(
    Effect.onError(() => Effect.sync(() => driver.destroy("not connected")))
  )
  return driver
})

/**
 * From an address to a socket, and on to a connection that has the server's SETTINGS; each step with its own limit.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { TransportError } from "../../TransportError.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { connectFailed, connectTimeout } from "./errors.ts"
import type { Http2Client } from "./http2Client.ts"
import { millis } from "./options.ts"
import type { Dial, Protocol, Socket } from "./socket.ts"

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

const limited = <A>(
  address: string,
  timeouts: DialTimeouts,
  step: keyof DialTimeouts,
  effect: Effect.Effect<A, TransportError>
): Effect.Effect<A, TransportError> =>
  Number.isFinite(timeouts[step])
    ? Effect.timeoutOrElse(effect, {
        duration: timeouts[step],
        orElse: () => Effect.fail(connectTimeout(address, step, timeouts[step]))
      })
    : effect

/** Dials, and secures the connection where that is wanted. Interruption and failure leave no socket. @internal */
export const dialSocket = Effect.fnUntraced(function* (
  dial: Dial,
  address: string,
  protocol: Protocol,
  timeouts: DialTimeouts
): Effect.fn.Return<Socket, TransportError> {
  const dialled = yield* limited(address, timeouts, "dial", dial(address, protocol))
  return yield* limited(address, timeouts, "tls", dialled.secure).pipe(
    Effect.onError(() => Effect.sync(dialled.destroy))
  )
})

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
  const driver = make(yield* dialSocket(dial, address, "h2", timeouts))
  yield* supervise(driver)
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

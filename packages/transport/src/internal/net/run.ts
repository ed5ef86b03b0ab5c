/**
 * The life of a driver as an effect: its timers run beside it, and whoever interrupts it closes the socket.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Driver } from "./driver.ts"
import { watch } from "./watchdog.ts"

const socketClosed = (driver: Driver): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (driver.socketClosed) return resume(Effect.void)
    driver.onSocketClosed = () => resume(Effect.void)
  })

/** Done when the socket is closed. @internal */
export const run = (driver: Driver): Effect.Effect<void> =>
  Effect.raceFirst(
    socketClosed(driver),
    Effect.suspend(() => watch(driver.timers(), () => driver.now()))
  ).pipe(
    Effect.ensuring(
      Effect.suspend(() => {
        if (driver.socketClosed) return Effect.void
        driver.destroy("the transport was closed")
        return socketClosed(driver)
      })
    )
  )

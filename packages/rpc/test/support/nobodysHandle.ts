/** A handle that is nobody's stream: it takes everything, and gives one message. */
import { Cause, Effect } from "effect"
import type { ClientStream } from "../../src/index.ts"

export const nobodysHandle = (message: unknown): ClientStream.Any => {
  let left = 1
  return {
    cancel: Effect.void,
    finish: () => Effect.void,
    header: Effect.never,
    trailer: Effect.never,
    send: () => Effect.void,
    closeSend: Effect.void,
    recv: Effect.suspend(() => (left-- > 0 ? Effect.succeed(message) : Cause.done())),
    closeAndRecv: Effect.succeed(message)
  }
}
